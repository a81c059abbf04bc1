"""GS1 identification numbers: the check digit, and the GTIN in its one 14-digit form.

It is not a parser of labels. The rule that must not be broken: a `Gtin14` that exists has a right check digit, so no
mistyped product number can reach the ledger.
"""

import re
from typing import NewType

from protocols.errors import BadValue

Gtin14 = NewType("Gtin14", str)
"""A GTIN of any length, filled with zeros to 14 digits (GS1 General Specifications section 3.3.2)."""

GTIN_LENGTHS = (8, 12, 13, 14)

_DIGITS = re.compile(r"[0-9]+")


def is_digits(text: str) -> bool:
    """Tell whether a text is one or more ASCII digits; other digits of Unicode do not count."""
    return _DIGITS.fullmatch(text) is not None


def gtin_check_digit(payload: str) -> str:
    """Return the check digit for the digits before it (General Specifications section 7.9.1). Raises `BadValue`."""
    if not is_digits(payload):
        raise BadValue(f"check digit: expected digits, got {payload!r:.80}")
    total = sum(map(int, payload[-1::-2])) * 3 + sum(map(int, payload[-2::-2]))
    return str(-total % 10)


def has_check_digit(number: str) -> bool:
    """Tell whether a number of at least two digits ends in its own check digit."""
    return len(number) > 1 and is_digits(number) and gtin_check_digit(number[:-1]) == number[-1]


def gtin14(text: str) -> Gtin14:
    """Parse a GTIN-8, -12, -13 or -14 into its 14-digit form. Raises `BadValue`."""
    if not isinstance(text, str) or len(text) not in GTIN_LENGTHS or not is_digits(text):
        raise BadValue(f"GTIN: expected 8, 12, 13 or 14 digits, got {text!r:.80}")
    if not has_check_digit(text):
        right = gtin_check_digit(text[:-1])
        raise BadValue(f"GTIN: expected check digit {right} at the end, got {text}; scan or type it again")
    return Gtin14(text.zfill(14))
