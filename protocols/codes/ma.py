"""MA codes (IDcode), the Chinese agency's device identifiers: `MA.156.M0.…` and the production data behind.

It asks no registry. The rule that must not be broken: a field is what stands behind its letter up to the next full
stop, and production data whose check digit is certainly wrong are refused.

Sources: MA (IDcode) coding manual for medical devices, fields and check digit as public implementations of it show
them. They disagree about texts that hold the digit 9, so such a text proves nothing. The check digit of the identifier
is told and not enforced: examples in circulation break the rule.
"""

import re
from dataclasses import dataclass
from datetime import date

from protocols.codes.gs1 import gs1_date
from protocols.codes.gtin import is_digits
from protocols.errors import BadValue

MA_MAX = 254
"""Longest code read, in characters."""

_CODE = re.compile(r"(?P<di>MA\.[0-9]{3}\.[A-Z0-9]{2}\.[0-9A-Za-z]{1,12}\.[0-9A-Za-z-]{2,20})(?P<pi>(?:\.[!-\-/-~]+)*)")
_NAMES = {
    "S": "serial", "L": "lot", "D": "sterile_lot", "M": "made", "P": "made", "E": "expiry", "V": "valid_until",
    "C": "check",
}  # fmt: skip
"""Letters of the production fields; P for the date made is the older form of M."""

_DATES = ("made", "expiry", "valid_until")
_CHECKED = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg\0\0hijklmnopqrstuvwxyz-.@$,*+%/#!^~"
"""Characters of the check by their number; two numbers are not given."""


@dataclass(frozen=True, slots=True)
class Ma:
    """What an MA code says; None where it says nothing. `elements` are all parts by name, as they stand."""

    product: str
    lot: str | None
    serial: str | None
    expiry: date | None
    made: date | None
    elements: tuple[tuple[str, str], ...]


def ma_check_digit(text: str) -> str | None:
    """Return the check digit of an identifier or of production data with their full stops. Raises `BadValue`.

    None for a text with the digit 9, where the known implementations disagree.
    """
    places = [_CHECKED.find(character) for character in text]
    if "\0" in text or min(places, default=-1) < 0:
        raise BadValue(f"MA: expected characters A-Z a-z 0-9 - . @ $ , * + % / # ! ^ ~, got {text!r:.120}")
    if "9" in text:
        return None
    digits = [int(digit) for digit in reversed("".join(map(str, places)))]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return str(-(doubled + sum(digits[::2])) % 10)


def read_ma(text: str) -> Ma:
    """Read an MA code. Raises `BadValue`."""
    match = _CODE.fullmatch(text) if len(text) <= MA_MAX else None
    if match is None:
        raise BadValue(f"MA: expected MA.156.M0.registrant.product and fields between full stops, got {text!r:.160}")
    identifier, production = match["di"], match["pi"]
    fields = _fields(production)
    _check_production(production, fields.get("check"))
    days = {name: _day(name, fields[name]) for name in _DATES if name in fields}
    digit = ma_check_digit(identifier[:-1])
    told = "not proved" if digit is None else "right" if digit == identifier[-1] else "wrong"
    return Ma(
        product=identifier,
        lot=fields.get("lot"),
        serial=fields.get("serial"),
        expiry=days.get("expiry") or days.get("valid_until"),
        made=days.get("made"),
        elements=(("di", identifier), *fields.items(), ("di_check", told)),
    )


def _fields(production: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for piece in production.split(".")[1:]:
        name, value = _NAMES.get(piece[0]), piece[1:]
        if name is None or not value:
            raise BadValue(f"MA: expected a field of one of {' '.join(_NAMES)} with a value, got {piece!r:.60}")
        if fields.setdefault(name, value) != value:
            raise BadValue(f"MA: expected one {name}, got {fields[name]!r:.40} and {value!r:.40}")
    return fields


def _day(name: str, text: str) -> date:
    try:
        return gs1_date(text, zero_day=False)
    except BadValue as error:
        raise BadValue(f"MA: expected a day of the calendar as YYMMDD for {name}, got {text!r:.40}") from error


def _check_production(production: str, check: str | None) -> None:
    """Refuse a wrong check digit at the end; a letter in its place cannot be checked."""
    if check is None or not is_digits(check):
        return
    body = production.removesuffix(f".C{check}")
    if body == production or ma_check_digit(body) not in {None, check}:
        raise BadValue(f"MA: the check digit of {production!r:.160} is wrong; scan again or report the label")
