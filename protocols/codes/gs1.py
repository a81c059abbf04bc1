"""GS1 element strings, read strictly: a message from a symbol, or its bracketed text.

`gs1_ais` knows the application identifiers (AIs) and their patterns; what it lets through is refused here: an empty
value, a wrong check digit in any key, a length the AI does not have, a value that runs past its field, a date that is
none. It does not guess whether a text is GS1 at all; `label` decides that. The rule that must not be broken: a value is
taken as it stands or the whole symbol is refused.

Sources: GS1 General Specifications 25, sections 3 (AIs), 7.8 (processing of element strings), 7.12 (century of a date);
GS1 Barcode Syntax Dictionary (which AI carries a check digit, a date, an excluded partner).
"""

import calendar
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from protocols.codes.gtin import Gtin14, has_check_digit, is_digits
from protocols.errors import BadValue
from protocols.values import ids
from protocols.values.ids import LotNo

FNC1 = "\x1d"
"""How a scanner says the separator of a GS1 symbol: the control character GS."""

MESSAGE_MAX = 512
"""Longest message read, in characters: the limit of one scan."""

NEAR_YEAR = 2026
"""Two-digit years are read within 49 years before and 50 after this one (section 7.12).

A fixed year, because the same recorded scan must read the same on any day; labels on a shelf differ from the rule of
the current year only when they expire after 2076.
"""

_GS1_TEXT = re.compile(r"""[!"#%-?A-Z_a-z\x1d]*""")
"""Character sets 82 and 39 of the General Specifications (section 7.11) and the separator."""

_BRACKETED = re.compile(r"\(([0-9]{2,4})\)([^()\x1d]*)")

_CHECKED_DIGITS = {
    "253": 13, "255": 13, "402": 17, "8003": 14, "8006": 14, "8017": 18, "8018": 18, "8026": 14,
}  # fmt: skip
"""AIs whose first digits end in a check digit that biip does not look at. It looks at 00..03 and 410..417 itself."""

_DATES = {
    "11": 1, "12": 1, "13": 1, "15": 1, "16": 1, "17": 1, "4324": 1, "4325": 1, "4326": 1, "7003": 1, "7006": 1,
    "7007": 2, "7011": 1, "8008": 1,
}  # fmt: skip
"""AIs that begin with a date YYMMDD, and how many dates they may hold."""

_DAY_MAY_BE_ZERO = frozenset({"11", "12", "13", "15", "16", "17", "4324", "4325"})

_TIME_MAY_BE_99 = {"4324": True, "4325": True, "7003": False, "7011": False}
"""AIs with a time HHMM after the date, and whether 9999 stands for "not said"."""

_EXCLUDED = (
    ("01", "02"), ("01", "37"), ("01", "255"), ("01", "8006"), ("02", "255"), ("02", "8026"), ("21", "235"),
    ("37", "8006"), ("255", "8006"), ("420", "421"), ("4330", "4331"), ("4332", "4333"), ("8006", "8026"),
    ("8017", "8018"),
)  # fmt: skip
"""AIs that may not stand on one item together. Mandatory partners are not asked for: a label may be split in two."""


@dataclass(frozen=True, slots=True)
class Gs1Message:
    """The element strings of one symbol in their order, and those a storeroom asks for; None where there is none.

    `gtin` is AI 01 or the GTIN inside AI 8006; AI 02 is the content of a carton and stays among the elements.
    """

    gtin: Gtin14 | None
    lot: LotNo | None
    expiry: date | None
    made: date | None
    serial: str | None
    elements: tuple[tuple[str, str], ...]


def read_message(text: str) -> Gs1Message:
    """Read the data of a GS1 symbol, without symbology identifier, FNC1 as GS. Raises `BadValue`."""
    _check_text(text)
    segments = text.removeprefix(FNC1).removesuffix(FNC1).split(FNC1)
    elements: list[tuple[str, str]] = []
    for segment in segments:
        elements += _segment(segment)
    return _message(elements)


def read_bracketed(text: str) -> Gs1Message:
    """Read element strings as people print them, `(01)…(17)…(10)…`; spaces do not count. Raises `BadValue`."""
    packed = text.replace(" ", "")
    _check_text(packed)
    found = _BRACKETED.findall(packed)
    if not found or "".join(f"({ai}){value}" for ai, value in found) != packed:
        raise BadValue(f"GS1 text: expected (AI)value(AI)value without other brackets, got {text!r:.120}")
    return _message([_element(ai, value) for ai, value in found])


def read_elements(elements: Iterable[tuple[str, str]]) -> Gs1Message:
    """Check element strings that came already apart, as from a Digital Link. Raises `BadValue`."""
    pairs = list(elements)
    _check_text("".join(value for _, value in pairs))
    if not pairs or any(FNC1 in value for _, value in pairs):
        raise BadValue("GS1: expected element strings without separators inside")
    return _message([_element(ai, value) for ai, value in pairs])


def gs1_date(text: str, *, zero_day: bool = True) -> date:
    """Read a date YYMMDD; day 00 means the last day of the month (section 3.4). Raises `BadValue`."""
    if len(text) != 6 or not is_digits(text):
        raise BadValue(f"GS1 date: expected YYMMDD, got {text!r:.40}")
    short, month, day = int(text[:2]), int(text[2:4]), int(text[4:])
    year = century(short)
    try:
        if day == 0 and zero_day:
            return date(year, month, calendar.monthrange(year, month)[1])
        return date(year, month, day)
    except ValueError as error:
        raise BadValue(f"GS1 date: expected a day of the calendar as YYMMDD, got {text}") from error


def century(short: int) -> int:
    """Return the year that two digits mean, 49 years back to 50 ahead of `NEAR_YEAR` (section 7.12)."""
    return NEAR_YEAR - 49 + (short - NEAR_YEAR + 49) % 100


def _check_text(text: str) -> None:
    if len(text) > MESSAGE_MAX:
        raise BadValue(f"GS1: expected at most {MESSAGE_MAX} characters, got {len(text)}")
    if _GS1_TEXT.fullmatch(text) is None:
        raise BadValue(f"GS1: expected characters of set 82 and GS only, got {text!r:.120}")


def _segment(segment: str) -> list[tuple[str, str]]:
    """Read the element strings between two separators: any of fixed length, then at most one of variable length."""
    if not segment:
        raise BadValue("GS1: expected an element string, got none; scan the label again")
    from protocols.codes.gs1_ais import identifier

    elements = []
    rest = segment
    while rest:
        ai, length = identifier(rest)
        end = len(rest) if length is None else len(ai) + length
        elements.append(_element(ai, rest[len(ai) : end]))
        rest = rest[end:]
    return elements


def _element(ai: str, value: str) -> tuple[str, str]:
    from protocols.codes.gs1_ais import check_form

    check_form(ai, value)
    if not _digits_check(ai, value):
        raise BadValue(f"GS1 ({ai}): the check digit of {value} is wrong; scan again or report the label")
    _check_content(ai, value)
    return ai, value


def _digits_check(ai: str, value: str) -> bool:
    return ai not in _CHECKED_DIGITS or has_check_digit(value[: _CHECKED_DIGITS[ai]])


def _check_content(ai: str, value: str) -> None:
    for index in range(_DATES.get(ai, 0)):
        digits = value[6 * index : 6 * index + 6]
        if digits:
            gs1_date(digits, zero_day=ai in _DAY_MAY_BE_ZERO)
    if ai in _TIME_MAY_BE_99:
        _check_time(ai, value[6:10])
    if ai in {"8006", "8026"} and not "01" <= value[14:16] <= value[16:18]:
        raise BadValue(f"GS1 ({ai}): expected piece 01..total, got {value[14:16]} of {value[16:18]}")
    if ai == "8011" and value[0] == "0":
        raise BadValue(f"GS1 (8011): expected a serial without leading zero, got {value}")


def _check_time(ai: str, text: str) -> None:
    if not text or (text == "9999" and _TIME_MAY_BE_99[ai]):
        return
    if text[:2] > "23" or text[2:] > "59":
        raise BadValue(f"GS1 ({ai}): expected a time HHMM, got {text}")


def _message(elements: list[tuple[str, str]]) -> Gs1Message:
    first: dict[str, str] = {}
    for ai, value in elements:
        if first.setdefault(ai, value) != value:
            raise BadValue(f"GS1 ({ai}): expected one value, got {first[ai]!r:.60} and {value!r:.60}")
    for one, other in _EXCLUDED:
        if one in first and other in first:
            raise BadValue(f"GS1: ({one}) and ({other}) may not stand on one label")
    gtin = first.get("01") or first.get("8006", "")[:14]
    expiry = first.get("17") or first.get("7003", "")[:6]
    return Gs1Message(
        gtin=Gtin14(gtin) if gtin else None,
        lot=ids.lot_no(first["10"]) if "10" in first else None,
        expiry=gs1_date(expiry) if expiry else None,
        made=gs1_date(first["11"]) if "11" in first else None,
        serial=first.get("21"),
        elements=tuple(first.items()),
    )
