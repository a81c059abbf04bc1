"""Claims first: a piece that left without a scan waits for somebody to name who took it, until the shift ends.

A storeroom keeps shifts once it has recorded the end of one; until then nothing waits there. The rule that must not be
broken: nothing waits for ever, and a storeroom that fell silent hides nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from central.core.discrepancies import Finding, Kind
from protocols.values.instant import Instant, seconds_between

CLAIMED = "claimed"
"""The cause with which a claim closes a discrepancy; the movement itself says what became of the piece."""


@dataclass(frozen=True, slots=True)
class ShiftEnd:
    """The last end of a shift that a device recorded, and the latest wait there may be, in seconds."""

    due: Instant
    wait_max_s: float


def waiting(found: Iterable[Finding], ends: Mapping[str, ShiftEnd], now: Instant) -> frozenset[str]:
    """Return the ids of the findings that still wait to be claimed; `ends` by device, of those that keep shifts."""
    return frozenset(one.id for one in found if one.device in ends and _waits(one, ends[one.device], now))


def _waits(one: Finding, end: ShiftEnd, now: Instant) -> bool:
    if one.kind is not Kind.MISSING or one.since <= end.due:
        return False
    return seconds_between(one.found_at, now) < end.wait_max_s
