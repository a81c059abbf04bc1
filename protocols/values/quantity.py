"""Quantities: whole numbers of an item's base unit. No float touches stock."""

from typing import NewType

from protocols.errors import BadValue

Quantity = NewType("Quantity", int)

QUANTITY_MAX = 2**53 - 1
"""Largest quantity of one line: exact in every JSON reader."""


def quantity(value: object) -> Quantity:
    """Check a quantity of base units, 0..2**53-1. Raises `BadValue`."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= QUANTITY_MAX:
        raise BadValue(f"quantity: expected a whole number from 0 to {QUANTITY_MAX}, got {value!r:.40}")
    return Quantity(value)


def whole_packs(need: int, pack: int) -> Quantity:
    """Return the smallest multiple of a pack that covers a need. Raises `BadValue` for a pack below 1."""
    if pack < 1:
        raise BadValue(f"pack: expected at least 1 base unit, got {pack}")
    return Quantity(-(-max(0, need) // pack) * pack)
