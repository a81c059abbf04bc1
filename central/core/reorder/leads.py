"""Lead times from receipts: how long an order keeps a storeroom waiting, as a few points with weights.

Orders still open are evidence too: one that waits 9 days was not delivered in 8 (Kaplan and Meier 1958). Orders
overtake each other, and a shelf does not mind which of them fills it: what counts is the time from the k-th order to
the k-th arrival, whose spread is the smaller the more orders are on their way (Robinson, Bradley and Thomas 2001). Not
here: whose receipts these are. The rule that must not be broken: nobody waits for ever. An order later than
LATE_QUANTILE of its lead time is no longer counted on, so a new one is made; for the same reason longer leads protect
against nothing, and the points end there.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
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
REMEMBERED_MAX = 65_536
"""Lead times by cycle kept at once: a few bytes each, and a hospital has some thousands."""

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Leads:
    """P(lead time = d) for d = 0 … `late_days`, after which an order is late."""

    shares: tuple[float, ...]

    def __post_init__(self) -> None:
        sound = (
            1 <= len(self.shares) <= LEAD_DAYS_MAX + 2 and min(self.shares) >= 0 and abs(sum(self.shares) - 1) < 1e-9
        )
        if not sound:
            raise BadInput(f"lead times: expected shares of days from 0 that sum to 1, got {self.shares!r:.80}")

    @property
    def late_days(self) -> int:
        """An order older than this is late."""
        return max(1, len(self.shares) - 1)

    @property
    def mean(self) -> float:
        """Days, on average."""
        return sum(days * share for days, share in enumerate(self.shares))

    @property
    def square(self) -> float:
        """Mean of the squared days."""
        return sum(days * days * share for days, share in enumerate(self.shares))


@lru_cache(maxsize=LEAD_DAYS_MAX)
def fixed_leads(days: int) -> Leads:
    """Return a lead time that is always the same."""
    return Leads((*[0.0] * days, 1.0))


def leads_of(received: Sequence[int], waiting: Sequence[int] = ()) -> Leads:
    """Return the lead times seen: days from order to receipt, and the ages of orders still open.

    Raises `BadInput` without a receipt, or for days outside 0..LEAD_DAYS_MAX.
    """
    if not received:
        raise BadInput("lead times: expected at least one receipt, got none; use the supplier's word instead")
    if min(*received, *waiting, 0) < 0 or max(*received, *waiting, 0) > LEAD_DAYS_MAX:
        raise BadInput(
            f"lead times: expected days from 0 to {LEAD_DAYS_MAX}, got {sorted((*received, *waiting))!r:.80}"
        )
    arrived = _arrivals(received, waiting)
    reached = list(accumulate(weight for _, weight in arrived))
    late = arrived[min(bisect_left(reached, LATE_QUANTILE - 1e-9), len(arrived) - 1)][0]
    shares = [0.0] * (late + 1)
    for days, weight in arrived:
        shares[min(days, late)] += weight
    total = sum(shares)
    return Leads(tuple(share / total for share in shares))


def _arrivals(received: Sequence[int], waiting: Sequence[int]) -> list[tuple[int, float]]:
    """Return how likely an order arrives after each number of days; what no receipt tells waits a day longer."""
    counts, left, found = Counter(received), 1.0, []
    for days in sorted(counts):
        at_risk = sum(one >= days for one in received) + sum(age >= days for age in waiting)
        share = left * counts[days] / at_risk
        found.append((days, share))
        left -= share
    return [*found, (max(*received, *waiting, 0) + 1, left)] if left > 1e-9 else found


@lru_cache(maxsize=REMEMBERED_MAX)
def points_at(leads: Leads, cycle_days: int) -> Points:
    """Return the effective lead time where an order is made every `cycle_days`, as points `(days, weight)`."""
    if cycle_days >= leads.late_days:
        return _points(enumerate(leads.shares))
    longer = list(accumulate(leads.shares, lambda left, share: max(0.0, left - share), initial=1.0))[1:]
    still = [_more_open(longer, days, cycle_days) for days in range(leads.late_days + 1)]
    falling = list(accumulate(still, min, initial=1.0))
    return _points((days, falling[days] - falling[days + 1]) for days in range(leads.late_days + 1))


def _more_open(longer: Sequence[float], days: int, cycle_days: int) -> float:
    """Return how likely, `days` after an order, more orders are open than were made since: it is not yet filled."""
    since, age = divmod(days, cycle_days)
    open_ = [1.0]
    while age < len(longer) and longer[age] > 0:
        p = longer[age]
        open_ = [
            (open_[count] * (1 - p) if count < len(open_) else 0.0) + (open_[count - 1] * p if count else 0.0)
            for count in range(len(open_) + 1)
        ]
        age += cycle_days
    return sum(open_[since + 1 :])


def _points(arrived: Iterable[tuple[int, float]]) -> Points:
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
