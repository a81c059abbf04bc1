"""Lead times from receipts: how long an order keeps a storeroom waiting, as a few points with weights.

Orders still open are evidence too: one that waits 9 days was not delivered in 8 (Kaplan and Meier 1958). Not here: whose
receipts these are. The rule that must not be broken: nobody waits for ever. An order later than LATE_QUANTILE of its
lead time is no longer counted on, so a new one is made; for the same reason longer leads protect against nothing, and
the points end there.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from central.errors import BadInput

LATE_QUANTILE = 0.95
"""One in twenty orders is late. At 0.99 one lost order of a fast item starves it until it is found."""

RECEIPTS_MIN = 5
"""Receipts of an item from a supplier below which the supplier's other items speak."""

CUTS = (0.5, 0.75, 0.9)
"""Where lead times are put together: a point for each part, and one for those at the end."""

POINTS_MAX = len(CUTS) + 1
LEAD_DAYS_MAX = 730


@dataclass(frozen=True, slots=True)
class Leads:
    """Points `(days, weight)`, weights summing to 1; an order older than `late_days` is late."""

    points: tuple[tuple[float, float], ...]
    late_days: int

    def __post_init__(self) -> None:
        total = sum(weight for _, weight in self.points)
        if not 1 <= len(self.points) <= POINTS_MAX or abs(total - 1) > 1e-9 or any(days < 0 for days, _ in self.points):
            raise BadInput(f"lead times: expected 1..{POINTS_MAX} points with weights that sum to 1, got {self.points}")

    @property
    def mean(self) -> float:
        """Days, on average."""
        return sum(days * weight for days, weight in self.points)


def fixed_leads(days: int) -> Leads:
    """Return a lead time that is always the same."""
    return Leads(((float(days), 1.0),), max(1, days))


def leads_of(received: Sequence[int], waiting: Sequence[int] = ()) -> Leads:
    """Return the lead times seen: days from order to receipt, and the ages of orders still open.

    Raises `BadInput` without a receipt, or for days outside 0..LEAD_DAYS_MAX.
    """
    if not received:
        raise BadInput("lead times: expected at least one receipt, got none; use the supplier's word instead")
    if min(*received, *waiting, 0) < 0 or max(*received, *waiting, 0) > LEAD_DAYS_MAX:
        raise BadInput(f"lead times: expected days from 0 to {LEAD_DAYS_MAX}, got {sorted((*received, *waiting))!r:.80}")
    arrived = _arrivals(received, waiting)
    reached = list(accumulate(weight for _, weight in arrived))
    late = arrived[min(bisect_left(reached, LATE_QUANTILE - 1e-9), len(arrived) - 1)][0]
    return Leads(_points([(min(days, late), weight) for days, weight in arrived]), max(1, late))


def _arrivals(received: Sequence[int], waiting: Sequence[int]) -> list[tuple[int, float]]:
    """Return how likely an order arrives after each number of days; what no receipt tells waits a day longer."""
    counts, left, found = Counter(received), 1.0, []
    for days in sorted(counts):
        at_risk = sum(one >= days for one in received) + sum(age >= days for age in waiting)
        share = left * counts[days] / at_risk
        found.append((days, share))
        left -= share
    return [*found, (max(*received, *waiting, 0) + 1, left)] if left > 1e-9 else found


def _points(arrived: Sequence[tuple[int, float]]) -> tuple[tuple[float, float], ...]:
    """Put neighbours together: one point a part of the distribution, at its mean."""
    parts: list[list[tuple[int, float]]] = [[] for _ in range(POINTS_MAX)]
    reached = 0.0
    for days, weight in arrived:
        reached += weight
        parts[bisect_left(CUTS, reached - 1e-9)].append((days, weight))
    found: defaultdict[float, float] = defaultdict(float)
    for part in parts:
        mass = sum(weight for _, weight in part)
        if mass > 0:
            found[sum(days * weight for days, weight in part) / mass] += mass
    total = sum(found.values())
    return tuple((days, mass / total) for days, mass in sorted(found.items()))
