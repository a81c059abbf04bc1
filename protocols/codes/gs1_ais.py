"""GS1 application identifiers (AIs) as `biip` knows them: which one a text begins with, the form of its value.

What `biip` lets through and should not is refused in `gs1`, the only module that asks here. The rule that must not be
broken: nothing imports this before a GS1 text is read, for `biip` brings every company prefix of the world with it,
which costs a start a tenth of a second.
"""

from typing import NamedTuple

from biip import ParseConfig, ParseError
from biip.gs1_application_identifiers import GS1ApplicationIdentifier
from biip.gs1_element_strings import GS1ElementString

from protocols.errors import BadValue

_CONFIG = ParseConfig(gs1_element_strings_verify_date=False)
"""Dates are checked in `gs1`: biip would ask the clock for the century."""


class Identifier(NamedTuple):
    """An AI, and the length of its value in characters; None for one that ends at a separator."""

    ai: str
    length: int | None


def identifier(text: str) -> Identifier:
    """Return the AI that a text begins with. Raises `BadValue`."""
    try:
        found = GS1ApplicationIdentifier.extract(text)
    except ParseError as error:
        raise BadValue(f"GS1: expected an application identifier, got {text!r:.60}") from error
    return Identifier(found.ai, None if found.separator_required else _fixed_length(found))


def _fixed_length(ai: GS1ApplicationIdentifier) -> int:
    """Return the length of a fixed AI's value from its format, e.g. 14 from `N2+N14`."""
    return sum(int(part.lstrip("NX")) for part in ai.format.split("+")[1:])


def check_form(ai: str, value: str) -> None:
    """Refuse a value that has not the form of its AI, or whose check digit biip finds wrong. Raises `BadValue`."""
    try:
        element = GS1ElementString.parse(ai + value, config=_CONFIG)
    except ParseError as error:
        raise BadValue(f"GS1 ({ai}): the value {value!r:.100} does not have the form of this identifier") from error
    if element.ai.ai != ai or element.value != value or not value:
        raise BadValue(f"GS1 ({ai}): expected a known identifier with a value, got {value!r:.100}")
    if element.gtin_error or element.gln_error or element.sscc_error:
        raise BadValue(f"GS1 ({ai}): the check digit of {value} is wrong; scan again or report the label")
