"""ABC classes by yearly value, that do not flap at the border, and the few counts a ward is asked for.

A: the items that make the first 80 % of the value; B: the next 15 %; C: the rest (requirement row D7). An item changes
its class only when it is MARGIN beyond the border, and a vital item is never below B. The rule that must not be
broken: the same values and the same classes before give the same classes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from central.errors import BadInput
from protocols.values.money import Money

BORDERS = (Fraction(80, 100), Fraction(95, 100))
"""Shares of value at which A and B end."""

MARGIN = Fraction(2, 100)
"""How far beyond a border an item must stand to change: two in a hundred of all value."""

COUNTS_A_WARD_DAY = 3
"""Counts that a ward is asked for in a day, at most."""

TRUST_MIN = 0.9
"""Trust in a line's record below which somebody should count it before it is ordered."""


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


@dataclass(frozen=True, slots=True)
class Doubt:
    """A line whose record is doubted: trust in it (0..1), whether it is vital, and whether it is due."""

    place: str
    item: str
    trust: float
    vital: bool
    due: bool


@dataclass(frozen=True, slots=True)
class Counting:
    """Lines to count today, and lines to order without waiting for a count."""

    count: tuple[Doubt, ...]
    order_at_once: tuple[Doubt, ...]


def counting(doubts: Sequence[Doubt], waited_h: Mapping[tuple[str, str], float], wait_max_h: float = 24.0) -> Counting:
    """Return which doubted lines are counted first, at most so many a ward, due and vital ones leading.

    A due line is ordered at once when it is vital, or was not counted within `wait_max_h` of being asked for.
    """
    doubted = sorted(
        (one for one in doubts if one.trust < TRUST_MIN),
        key=lambda one: (one.place, not one.due, not one.vital, one.trust, one.item),
    )
    asked: dict[str, list[Doubt]] = {}
    for one in doubted:
        asked.setdefault(one.place, []).append(one)
    at_once = [
        one for one in doubted if one.due and (one.vital or waited_h.get((one.place, one.item), 0.0) >= wait_max_h)
    ]
    return Counting(tuple(one for several in asked.values() for one in several[:COUNTS_A_WARD_DAY]), tuple(at_once))
