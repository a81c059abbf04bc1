"""Quantities: whole numbers of an item's base unit. No float touches stock."""

from protocols.errors import BadValue

LINE_QTY_MAX = 1_000_000_000
"""Base units of one posting line: more than a hospital ever holds of anything, and ten million entries of such lines
still sum within 64 bits."""


def whole_packs(need: int, pack: int) -> int:
    """Return the smallest multiple of a pack that covers a need. Raises `BadValue` for a pack below 1."""
    if pack < 1:
        raise BadValue(f"pack: expected at least 1 base unit, got {pack}")
    return -(-max(0, need) // pack) * pack
