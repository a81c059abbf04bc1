"""HIBC supplier labels: primary, secondary, both in one symbol, or two symbols read in one breath.

It reads text without symbology identifier and joins no separate scans. The rule that must not be broken: the check
character covers everything before it and may be a space, so nothing is stripped; a wrong one refuses the symbol.

Source: ANSI/HIBC 2.6 Supplier Labeling Standard, sections 2.2 (primary), 2.3 (secondary), 4 (check character).
"""

import calendar
import re
from dataclasses import dataclass, replace
from datetime import date, timedelta

from protocols.codes.gs1 import century
from protocols.errors import BadValue

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"
"""Characters of the check, by their value modulo 43 (appendix B)."""

HIBC_MAX = 200
"""Longest symbol read, in characters."""

_PRIMARY = re.compile(r"(?P<lic>[A-Z][A-Z0-9]{3})(?P<pcn>[A-Z0-9]{1,18})(?P<um>[0-9])")
_PAIR_FIRST_MIN = 8
_LOT = re.compile(r"[A-Z0-9.% -]{0,18}")
_SUPPLEMENT = re.compile(r"(?P<di>[0-9]{0,3}[A-Z])(?P<value>[A-Z0-9.%$+ -]{1,50})")
_QUANTITY = re.compile(r"8(?P<two>[0-9]{2})|9(?P<five>[0-9]{5})")

_DATE_FORMS: dict[str, re.Pattern[str]] = {
    "": re.compile(r"(?P<m>[01][0-9])(?P<y>[0-9]{2})"),
    "2": re.compile(r"2(?P<m>[0-9]{2})(?P<d>[0-9]{2})(?P<y>[0-9]{2})"),
    "3": re.compile(r"3(?P<y>[0-9]{2})(?P<m>[0-9]{2})(?P<d>[0-9]{2})"),
    "4": re.compile(r"4(?P<y>[0-9]{2})(?P<m>[0-9]{2})(?P<d>[0-9]{2})(?P<h>[0-9]{2})"),
    "5": re.compile(r"5(?P<y>[0-9]{2})(?P<j>[0-9]{3})"),
    "6": re.compile(r"6(?P<y>[0-9]{2})(?P<j>[0-9]{3})(?P<h>[0-9]{2})"),
}
"""By flag before the date (table 3); without flag month and year. 7 says there is no date."""

_JULIAN = re.compile(r"(?P<y>[0-9]{2})(?P<j>[0-9]{3})")


@dataclass(frozen=True, slots=True)
class Hibc:
    """What HIBC symbols say; None where they say nothing. `elements` are all parts by name, as they stand.

    `product` is labeler, catalogue number and unit of measure. `link` of a lone secondary is the check character of the
    primary it belongs to, `check` the check character of a primary.
    """

    product: str | None = None
    lot: str | None = None
    expiry: date | None = None
    made: date | None = None
    serial: str | None = None
    quantity: int | None = None
    link: str | None = None
    check: str | None = None
    elements: tuple[tuple[str, str], ...] = ()


def check_character(text: str) -> str:
    """Return the check character for a text of the alphabet. Raises `BadValue`."""
    values = [ALPHABET.find(character) for character in text]
    if min(values, default=-1) < 0:
        raise BadValue(f"HIBC: expected only A-Z 0-9 - . space $ / + %, got {text!r:.120}")
    return ALPHABET[sum(values) % len(ALPHABET)]


def read_hibc(text: str) -> Hibc:
    """Read one symbol, or primary and secondary set one after the other. Raises `BadValue`."""
    if not text.startswith("+") or not 4 <= len(text) <= HIBC_MAX:
        raise BadValue(f"HIBC: expected + and 3..{HIBC_MAX - 1} characters, got {text!r:.120}")
    pair = _read_pair(text)
    if pair is not None:
        return pair
    if check_character(text[:-1]) != text[-1]:
        raise BadValue(f"HIBC: the check character of {text!r:.120} is wrong; scan again or report the label")
    body = text[1:-1]
    if body[0] == "$" or body[0].isdecimal():
        return _secondary(body[:-1], body[-1])
    first, *rest = body.split("/")
    return _supplemented(replace(_primary(first), check=text[-1]), rest)


def joined(primary: Hibc, secondary: Hibc) -> Hibc:
    """Return a primary and the secondary that names it as one. Raises `BadValue` when its link names another."""
    if primary.check is None or secondary.link != primary.check:
        raise BadValue(f"HIBC: expected the secondary of {primary.product}, link {primary.check!r}")
    elements = primary.elements + secondary.elements
    return replace(secondary, product=primary.product, check=primary.check, elements=elements)


def _read_pair(text: str) -> Hibc | None:
    """Return what two symbols say that a scanner sent in one line, None where the text is not two."""
    for at in range(_PAIR_FIRST_MIN, len(text) - 3):
        if text[at] != "+" or check_character(text[: at - 1]) != text[at - 1]:
            continue
        second = text[at:]
        if check_character(second[:-1]) == second[-1] and second[1] in "$0123456789":
            primary = replace(_primary(text[1 : at - 1]), check=text[at - 1])
            return joined(primary, _secondary(second[1:-2], second[-2]))
    return None


def _primary(text: str) -> Hibc:
    match = _PRIMARY.fullmatch(text)
    if match is None:
        raise BadValue(f"HIBC: expected labeler, catalogue number and unit of measure, got {text!r:.60}")
    return Hibc(product=text, elements=tuple(match.groupdict().items()))


def _secondary(text: str, link: str) -> Hibc:
    return _supplemented(Hibc(link=link, elements=(("link", link),)), text.split("/"))


def _supplemented(label: Hibc, pieces: list[str]) -> Hibc:
    """Add the secondary data, which come first, and what each supplement says."""
    for number, piece in enumerate(pieces):
        secondary = number == 0 and (piece.startswith("$") or _JULIAN.match(piece) is not None)
        label = _with_secondary(label, piece) if secondary else _with_supplement(label, piece)
    return label


def _with_secondary(label: Hibc, text: str) -> Hibc:
    """Add `$lot`, `$+serial`, `$$[quantity][date]lot`, `$$+[date]serial` or `YYJJJlot` (table 2)."""
    rest = text.lstrip("$")
    marks = text[: len(text) - len(rest)]
    serial = bool(marks) and rest.startswith("+")
    rest = rest.removeprefix("+") if serial else rest
    if marks == "$$":
        label, rest = _with_quantity(label, rest)
        label, rest = _with_date(label, rest)
    elif not marks:
        match = _JULIAN.match(rest)
        label, rest = _expiring(label, match), rest[5:]
    elif marks != "$":
        raise BadValue(f"HIBC: expected $ or $$, got {text!r:.60}")
    if _LOT.fullmatch(rest) is None:
        raise BadValue(f"HIBC: expected a lot or serial of at most 18 characters, got {rest!r:.60}")
    if not rest:
        return label
    return _said(label, "serial", rest) if serial else _said(label, "lot", rest)


def _with_quantity(label: Hibc, text: str) -> tuple[Hibc, str]:
    match = _QUANTITY.match(text)
    if match is None:
        return label, text
    return _said(label, "quantity", match["two"] or match["five"]), text[match.end() :]


def _with_date(label: Hibc, text: str) -> tuple[Hibc, str]:
    if not text or text[0] == "7":
        return label, text[1:]
    form = _DATE_FORMS.get(text[0], _DATE_FORMS[""])
    match = form.match(text)
    if match is None:
        raise BadValue(f"HIBC: expected a date as its flag says, got {text!r:.40}")
    return _expiring(label, match), text[match.end() :]


def _with_supplement(label: Hibc, text: str) -> Hibc:
    match = _SUPPLEMENT.fullmatch(text)
    if match is None:
        raise BadValue(f"HIBC: expected a data identifier and its value after /, got {text!r:.60}")
    name = {"S": "serial", "Q": "quantity", "14D": "expiry", "16D": "made"}.get(match["di"], match["di"])
    return _said(label, name, match["value"])


def _expiring(label: Hibc, match: re.Match[str] | None) -> Hibc:
    if match is None:
        raise BadValue("HIBC: expected a date YYJJJ")
    said: dict[str, str] = match.groupdict()
    year = century(int(said["y"]))
    day = _julian(year, int(said["j"])) if "j" in said else _day(year, int(said["m"]), said.get("d"))
    hour = (("hour", said["h"]),) if "h" in said else ()
    if hour and int(hour[0][1]) > 23:
        raise BadValue(f"HIBC: expected an hour 00..23, got {hour[0][1]}")
    return replace(label, expiry=day, elements=(*label.elements, ("expiry", match[0]), *hour))


def _day(year: int, month: int, day: str | None) -> date:
    """Return a day; a month without one ends with its last."""
    try:
        return date(year, month, int(day) if day else calendar.monthrange(year, month)[1])
    except (ValueError, calendar.IllegalMonthError) as error:
        raise BadValue(f"HIBC: expected a day of the calendar, got {year}-{month:02}-{day}") from error


def _julian(year: int, number: int) -> date:
    day = date(year, 1, 1) + timedelta(days=number - 1)
    if number < 1 or day.year != year:
        raise BadValue(f"HIBC: expected a day 1..366 of the year {year}, got {number}")
    return day


def _said(label: Hibc, name: str, value: str) -> Hibc:
    """Add one value; a second one that differs from the first is refused."""
    elements = (*label.elements, (name, value))
    match name:
        case "lot" | "serial":
            new: dict[str, object] = {name: value}
        case "quantity":
            if not value.isdecimal() or len(value) > 5:
                raise BadValue(f"HIBC: expected a quantity of at most 5 digits, got {value!r:.40}")
            new = {name: int(value)}
        case "expiry" | "made":
            if not value.isdecimal() or len(value) != 8:
                raise BadValue(f"HIBC: expected a date YYYYMMDD, got {value!r:.40}")
            new = {name: _day(int(value[:4]), int(value[4:6]), value[6:])}
        case _:
            return replace(label, elements=elements)
    for field, known in new.items():
        if getattr(label, field) not in (None, known):
            raise BadValue(f"HIBC: expected one {field}, got {getattr(label, field)} and {known}")
    return replace(label, elements=elements, **new)  # type: ignore[arg-type]
