"""ABC classes by yearly value, that do not flap at the border.

A: the items that make the first 80 % of the value; B: the next 15 %; C: the rest (requirement row D7). An item changes
its class only when it is MARGIN beyond the border, and a vital item is never below B. The rule that must not be
broken: the same values and the same classes before give the same classes.
"""

from collections.abc import Mapping
from enum import StrEnum
from fractions import Fraction

from central.errors import BadInput
from protocols.values.money import Money

BORDERS = (Fraction(80, 100), Fraction(95, 100))
"""Shares of value at which A and B end."""

MARGIN = Fraction(2, 100)
"""How far beyond a border an item must stand to change: two in a hundred of all value."""


class Class(StrEnum):
    """A: watched daily. B: as the engine says. C: fixed quantities, counted now and then."""

    A = "A"
    B = "B"
    C = "C"


def classes(value: Mapping[str, Money], before: Mapping[str, Class], vital: frozenset[str]) -> dict[str, Class]:
    """Return the class of each item; `before` are the classes it had. Raises `BadInput` for a value below 0."""
    if any(one < 0 for one in value.values()):
        raise BadInput("ABC classes: expected values from 0")
    total, reached = sum(value.values()), 0
    found: dict[str, Class] = {}
    for item in sorted(value, key=lambda one: (-value[one], one)):
        share = Fraction(reached, total) if total else Fraction(1)
        found[item] = _class_at(share, before.get(item), item in vital)
        reached += value[item]
    return found


def _class_at(share: Fraction, before: Class | None, is_vital: bool) -> Class:
    """Return the class of an item before which `share` of the value lies."""
    plain = Class.A if share < BORDERS[0] else Class.B if share < BORDERS[1] else Class.C
    if before is not None and before is not plain and any(abs(share - border) <= MARGIN for border in BORDERS):
        near = min(BORDERS, key=lambda border: abs(share - border))
        sides = {Class.A, Class.B} if near == BORDERS[0] else {Class.B, Class.C}
        plain = before if before in sides else plain
    return Class.B if is_vital and plain is Class.C else plain
