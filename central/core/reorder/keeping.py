"""For how long a supplier's delivery keeps: from a person's rule, else from receipts, else the hospital's figure. Pure.

A receipt tells the days from its day to the expiry printed on it. The rule that must not be broken: what is expected of
the next delivery is what a short one of the past brought, never what the best did.

Source: Reorder engine 6, "capped by demand before the earliest usable expiry".
"""

from collections.abc import Sequence

RECEIPTS_MIN = 3
"""Fewer receipts with an expiry tell nothing of the next one."""
SHORT_SHARE = 0.1
"""One in ten deliveries may keep for less than what is counted on."""


def learnt_days(kept: Sequence[int]) -> int | None:
    """Return the days a delivery is counted on to keep, at least 1; None where too few receipts tell."""
    if len(kept) < RECEIPTS_MIN:
        return None
    return max(1, sorted(kept)[int(SHORT_SHARE * len(kept))])


def shelf_days(ruled: int | None, kept: Sequence[int], otherwise: int) -> int:
    """Return the days a delivery keeps: what a person said of the item, else learnt, else the hospital's figure."""
    if ruled is not None:
        return ruled
    learnt = learnt_days(kept)
    return otherwise if learnt is None else learnt
