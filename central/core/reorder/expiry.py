"""Expiry, lot by lot: what of a shelf will not be used in time, and what of a source's lots would be.

Lots are (days until they expire, base units), the nearest first; that is also the order of use (FEFO). The rule that
must not be broken: a unit is counted on, or ordered, only where use is expected to reach it before it expires.
"""

from collections.abc import Callable, Sequence

Lots = tuple[tuple[int, int], ...]


def unusable(lots: Sequence[tuple[int, int]], mean: float, horizon_days: int) -> int:
    """Return the units that expire within a horizon and that mean daily use does not reach before."""
    used = lost = 0
    for days, qty in lots:
        if days > horizon_days:
            break
        taken = min(qty, max(0, int(mean * max(0, days)) - used))
        used += taken
        lost += qty - taken
    return lost


def expired(lots: Sequence[tuple[int, int]]) -> int:
    """Return the units that expire today or have: nobody can use them any more."""
    return sum(qty for days, qty in lots if days < 1)


def usable(lots: Sequence[tuple[int, int]], available: int, counted: int, asked_until: Callable[[int], int]) -> int:
    """Return how many of `available` units a place would use in time that counts on `counted` already.

    `asked_until` gives what may be asked for in so many days. What is available beyond the lots keeps.
    """
    taken = seen = 0
    for days, qty in lots:
        here = min(qty, available - seen)
        seen += here
        if days > 0:
            taken += min(here, max(0, asked_until(days) - max(0, counted) - taken))
    return taken + available - seen
