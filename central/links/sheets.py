"""Tables as Excel workbooks and as CSV: rows go through one at a time, whatever their number, into a file.

It knows nothing of what it writes. The rules that must not be broken: a text is written as text, so that none is ever
taken for a formula (CWE-1236); codes of many digits stay whole, and money is a number of yuan, not a text; the same
rows make the same bytes.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import chain, islice
from typing import BinaryIO
from unicodedata import east_asian_width

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from central.errors import BadInput
from protocols.values.money import UNITS_A_YUAN, Money

ROWS_MAX = 1_048_575
"""Rows of a sheet below its head (ECMA-376: 1,048,576 in all); a CSV table keeps to it, for it is opened there too."""

TEXT_MAX = 32_767
"""Characters of one cell (Excel's limit); what is longer is cut."""

TITLE_MAX = 31
WIDTH_MIN, WIDTH_MAX = 8, 60
FITTED_ROWS = 200
"""Rows whose text decides how wide a column is; no more are held at a time."""

NOT_IN_A_TITLE = re.compile(r"[\[\]:*?/\\]")
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""With these a spreadsheet begins a formula when it reads a text table."""
BYTE_ORDER_MARK = "\ufeff"
"""By which spreadsheets know the text for UTF-8."""

MADE = datetime(2000, 1, 1)  # noqa: DTZ001 # the format knows no zone; one day for all, so that bytes repeat
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
HEAD = {"bold": True, "bg_color": "#E8F1FB", "text_wrap": True, "valign": "top"}
WRONG = {"bg_color": "#F8D7DA", "font_color": "#7A1020"}
FORMATS: dict[type, str] = {
    date: "yyyy-mm-dd",
    datetime: "yyyy-mm-dd hh:mm:ss",
    Decimal: "#,##0.00##",
    Fraction: "0.0%",
}


@dataclass(frozen=True, slots=True)
class Yuan:
    """An amount of money as a cell."""

    amount: Money


@dataclass(frozen=True, slots=True)
class Wrong:
    """A text that is marked as faulty, with what is wrong about it."""

    text: str
    why: str


Value = str | int | date | datetime | Decimal | Fraction | Yuan | Wrong | None
"""What a cell may hold; a `Fraction` is a share and is written as a percentage, a `datetime` is the hospital's time."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its title, the words above its columns, and rows of as many cells, read once."""

    title: str
    head: Sequence[str]
    rows: Iterable[Sequence[Value]]

    def __post_init__(self) -> None:
        if not 1 <= len(self.title) <= TITLE_MAX or NOT_IN_A_TITLE.search(self.title):
            raise BadInput(f"sheet: expected a title of 1 to {TITLE_MAX} characters without []:*?/\\, got {self.title}")


def workbook(sheets: Iterable[Sheet]) -> bytes:
    """Return the bytes of an .xlsx file with these sheets, in their order. Raises `BadInput`."""
    told = io.BytesIO()
    xlsx_into(told, sheets)
    return told.getvalue()


def xlsx_into(target: BinaryIO, sheets: Iterable[Sheet]) -> int:
    """Write an .xlsx file; returns the rows below the heads. Raises `BadInput` for too many, or one of another length.

    The library keeps rows in temporary files, so memory does not grow with them.
    """
    with xlsxwriter.Workbook(target, OPTIONS) as book:
        book.set_properties({"created": MADE})
        looks = _Looks(
            head=book.add_format(HEAD),
            wrong=book.add_format(WRONG),
            of={kind: book.add_format({"num_format": said}) for kind, said in FORMATS.items()},
        )
        return sum(_write(book.add_worksheet(sheet.title), sheet, looks) for sheet in sheets)


def csv_into(target: BinaryIO, sheet: Sheet) -> int:
    """Write a sheet as CSV in UTF-8 with its mark; returns the rows below the head. Raises `BadInput`."""
    told = io.TextIOWrapper(target, "utf-8", newline="", write_through=False)
    told.write(BYTE_ORDER_MARK)
    lines = csv.writer(told)
    lines.writerow([harmless(word) for word in sheet.head])
    written = 0
    for row in _checked(sheet):
        lines.writerow([harmless(plain(cell)) for cell in row])
        written += 1
    told.flush()
    told.detach()
    return written


def plain(cell: Value) -> str:
    """Return a cell as text that another program reads: days as ISO 8601, money in yuan, a share as part of 1."""
    match cell:
        case None:
            return ""
        case Yuan():
            return f"{Decimal(cell.amount) / UNITS_A_YUAN:.4f}"
        case Fraction():
            return f"{float(cell):.6f}"
        case datetime():
            return cell.isoformat(" ", "seconds")
        case Wrong():
            return cell.text
        case _:
            return str(cell)


def harmless(text: str) -> str:
    """Return a text that a spreadsheet shows and never reckons; a number below nothing stays a number."""
    if not text.startswith(FORMULA_SIGNS) or _is_number(text):
        return text
    return f"'{text}"


def _is_number(text: str) -> bool:
    return text[:1] == "-" and text[1:].replace(".", "", 1).isascii() and text[1:].replace(".", "", 1).isdigit()


@dataclass(frozen=True, slots=True)
class _Looks:
    """How cells look in one workbook."""

    head: Format
    wrong: Format
    of: dict[type, Format]


def _checked(sheet: Sheet) -> Iterable[Sequence[Value]]:
    for number, row in enumerate(sheet.rows):
        if number >= ROWS_MAX:
            raise BadInput(f"sheet {sheet.title}: expected at most {ROWS_MAX} rows, got more; ask for less")
        if len(row) != len(sheet.head):
            raise BadInput(f"sheet {sheet.title}: expected {len(sheet.head)} cells in every row, got {len(row)}")
        yield row


def _write(target: Worksheet, sheet: Sheet, looks: _Looks) -> int:
    rows = iter(_checked(sheet))
    first = list(islice(rows, FITTED_ROWS))
    for at, width in enumerate(_widths(sheet.head, first)):
        target.set_column(at, at, width)
    target.freeze_panes(1, 0)
    for at, word in enumerate(sheet.head):
        target.write_string(0, at, word[:TEXT_MAX], looks.head)
    number = 0
    for number, row in enumerate(chain(first, rows), start=1):
        for at, cell in enumerate(row):
            _write_cell(target, number, at, cell, looks)
    if sheet.head:
        target.autofilter(0, 0, number, len(sheet.head) - 1)
    return number


def _write_cell(target: Worksheet, row: int, at: int, cell: Value, looks: _Looks) -> None:
    match cell:
        case None:
            return
        case str():
            target.write_string(row, at, cell[:TEXT_MAX])  # also where it begins as a formula would
        case int():
            target.write_number(row, at, cell)
        case Yuan():
            target.write_number(row, at, Decimal(cell.amount) / UNITS_A_YUAN, looks.of[Decimal])
        case Wrong():
            target.write_string(row, at, cell.text[:TEXT_MAX], looks.wrong)
            target.write_comment(row, at, cell.why[:TEXT_MAX])
        case date():
            target.write_datetime(row, at, cell, looks.of[type(cell)])
        case _:
            target.write_number(row, at, float(cell) if isinstance(cell, Fraction) else cell, looks.of[type(cell)])


def _widths(head: Sequence[str], rows: Sequence[Sequence[Value]]) -> list[int]:
    columns = [[word, *(row[at] for row in rows)] for at, word in enumerate(head)]
    return [min(WIDTH_MAX, max(WIDTH_MIN, 2 + max(_columns_of(cell) for cell in column))) for column in columns]


def _columns_of(cell: Value) -> int:
    """Return how many columns of a fixed font a cell takes: a Chinese character takes two."""
    said = f"{cell.amount // UNITS_A_YUAN:,}.00" if isinstance(cell, Yuan) else plain(cell)
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in said)
