"""One cell of a hospital's spreadsheet as the text its form expects: width, signs and dates put right, or refused.

It mends only what has one meaning. The rule that must not be broken: a digit that a spreadsheet has lost is never made
up again; such a cell is refused with what to do.
"""

import re
from datetime import date, datetime
from decimal import Decimal
from unicodedata import normalize

from central.core.intake.called import VALUES

Raw = str | int | float | bool | date | datetime | None
"""What a spreadsheet's cell may hold."""

DIGITS_KEPT = 15
"""Significant digits that Excel keeps of a number (its specification); of a longer one the rest reads as zeros."""
ZEROS_SUSPECTED = 6
"""So many zeros behind a product code come from a number that was shown as 6.9E+12 and saved so."""

ERRORS = frozenset(
    [
        "#NULL!",
        "#DIV/0!",
        "#VALUE!",
        "#REF!",
        "#NAME?",
        "#NUM!",
        "#N/A",
        "#GETTING_DATA",
        "#SPILL!",
        "#CALC!",
        "#FIELD!",
        "#BLOCKED!",
        "#CONNECT!",
        "#BUSY!",
        "#PYTHON!",
        "#UNKNOWN!",
    ]
)
"""What a cell shows whose formula failed: ECMA-376 part 1, 18.17.3, and those that Excel has added since."""
SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]+")
DAY = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(\s.*)?")
COMPACT_DAY = re.compile(r"(?:19|20)\d{6}")
YUAN_SIGNS = str.maketrans("", "", "¥￥元,， ")
COUNT_SIGNS = str.maketrans("", "", ",， ")

CODE_COLUMNS = frozenset({"gtin", "item", "supplier", "udi_di", "insurance", "insurance_code", "platform", "lot"}) | {
    *("platform_code", "order_no", "platform_order_no", "agreement", "number", "registration", "place"),
}
PRODUCT_CODES = frozenset({"gtin", "udi_di"})
DAY_COLUMNS = frozenset({"made", "expiry", "day", "ordered", "promised", "first", "last", "valid_from", "valid_to"})
MONEY_COLUMNS = frozenset({"price_yuan", "list_price_yuan"})
COUNT_COLUMNS = frozenset({"qty", "pack", "moq", "lead_days", "rank", "line_no", "middle", "purchase"})


class Refused(Exception):
    """Why a cell cannot be taken, in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh
        self.en = en


LOST = (
    "数字已丢失：Excel 把长编码存成了科学计数（如 6.9E+12）或四舍五入；请把该列设为“文本”，从原始资料重新录入后再导入",
    "digits are lost: the spreadsheet kept a long code as a number such as 6.9E+12; set the column to text and enter "
    "it again from its source",
)
UNCLEAR_DAY = (
    "日期不明确：应为 年-月-日，如 2026-03-02（数字序号或“3/2/2026”有多种含义）；请把该列设为日期格式",
    "the day is not clear: expected year, month, day such as 2026-03-02; give the column a date format",
)
BECAME_A_DAY = (
    "编码变成了日期：Excel 会把“3-2”这样的编码改成日期；请把该列设为“文本”，从原始资料重新录入后再导入",
    "the code became a day: a spreadsheet turns one such as 3-2 into a date; set the column to text and enter it again "
    "from its source",
)
NOT_WHOLE = ("应为整数", "expected a whole number")
TOO_FINE = ("价格最多四位小数", "expected a price with at most four decimals")
ERROR_VALUE = (
    "单元格是公式错误（如 #N/A），请改正后再导入",
    "the cell holds a formula's error such as #N/A; mend it first",
)


def shown(raw: Raw) -> str:
    """Return a cell as a person sees it."""
    match raw:
        case None:
            return ""
        case bool():
            return "1" if raw else "0"
        case float():
            return str(int(raw)) if raw.is_integer() and abs(raw) < 10**DIGITS_KEPT else repr(raw)
        case datetime():
            return raw.date().isoformat() if not (raw.hour or raw.minute) else raw.isoformat(" ", "minutes")
        case date():
            return raw.isoformat()
        case _:
            return " ".join(normalize("NFKC", str(raw)).split())


def text_of(column: str, raw: Raw) -> str:
    """Return what the form's reading of a column is given. Raises `Refused`."""
    text = shown(raw)
    if text in ERRORS:
        raise Refused(*ERROR_VALUE)
    if column in DAY_COLUMNS:
        return _day(raw, text)
    if column in CODE_COLUMNS:
        return _code(column, raw, text)
    if column in MONEY_COLUMNS:
        return _yuan(raw, text)
    if column in COUNT_COLUMNS:
        return _count(raw, text)
    return VALUES.get(column, {}).get(text.casefold(), text)


def _code(column: str, raw: Raw, text: str) -> str:
    if isinstance(raw, date):
        raise Refused(*BECAME_A_DAY)
    if isinstance(raw, (int, float)) and (abs(raw) >= 10**DIGITS_KEPT or raw != int(raw)):
        raise Refused(*LOST)
    if SCIENTIFIC.fullmatch(text):
        raise Refused(*LOST)
    plain = text.replace(" ", "") if column in PRODUCT_CODES else text
    if column in PRODUCT_CODES and len(plain) > ZEROS_SUSPECTED and plain.endswith("0" * ZEROS_SUSPECTED):
        raise Refused(*LOST)
    return plain


def _day(raw: Raw, text: str) -> str:
    if isinstance(raw, datetime):
        return raw.date().isoformat()
    if isinstance(raw, date) or not text:
        return text
    parts = DAY.fullmatch(text)
    if parts is not None:
        return _real_day(int(parts[1]), int(parts[2]), int(parts[3]))
    if COMPACT_DAY.fullmatch(text):
        return _real_day(int(text[:4]), int(text[4:6]), int(text[6:]))
    raise Refused(*UNCLEAR_DAY)


def _real_day(year: int, month: int, day: int) -> str:
    try:
        return date(year, month, day).isoformat()
    except ValueError as error:
        raise Refused(*UNCLEAR_DAY) from error


def _yuan(raw: Raw, text: str) -> str:
    if isinstance(raw, float):
        exact, near = Decimal(repr(raw)), Decimal(repr(round(raw, 4)))
        if abs(exact - near) > Decimal("1e-9"):
            raise Refused(*TOO_FINE)
        return f"{near:f}"
    return text.translate(YUAN_SIGNS)


def _count(raw: Raw, text: str) -> str:
    if isinstance(raw, float) and not raw.is_integer():
        raise Refused(*NOT_WHOLE)
    plain = text.translate(COUNT_SIGNS)
    whole, _, rest = plain.partition(".")
    return whole if rest and not rest.strip("0") else plain
