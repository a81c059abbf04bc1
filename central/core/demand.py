"""Demand of one item at one place: what people asked for, day by day, and the moments the reorder rules need.

Demand is what was issued, less what was returned, netted on the day of its issue. Waste, adjustments and transfers are
not demand. Only whole days count: today is not over, and half a day would lower the mean. Before 90 days of history the
divisor stays 90, so that a new item is ordered on what is known, not on a guess (requirement row D4).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from central.errors import BadInput
from protocols.values.instant import Instant, business_day


@dataclass(frozen=True, slots=True)
class Demand:
    """Whole days `first` to `last`; `total` base units asked for; `sizes` the quantities of the days with demand."""

    first: date
    last: date
    total: int
    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.last < self.first or sum(self.sizes) != self.total or any(size < 1 for size in self.sizes):
            raise BadInput(
                f"demand: expected daily quantities above 0 that sum to {self.total}, got {self.sizes!r:.60}"
            )

    @property
    def days(self) -> int:
        """Days of the window."""
        return (self.last - self.first).days + 1

    @property
    def daily_mean(self) -> Fraction:
        """Mean daily use (ADU), exactly."""
        return Fraction(self.total, self.days)

    @property
    def daily_variance(self) -> float:
        """Sample variance of a day's demand; 0 for a window of one day."""
        if self.days == 1:
            return 0.0
        squares = sum(size * size for size in self.sizes)
        return float((squares - Fraction(self.total * self.total, self.days)) / (self.days - 1))

    def size_moment(self, power: int) -> float:
        """Return E z^power of the request size z over days with demand; 0 when there are none."""
        return sum(size**power for size in self.sizes) / len(self.sizes) if self.sizes else 0.0


def demand_until(today: date, window_days: int, used: Mapping[date, int]) -> Demand:
    """Return the demand of the `window_days` whole days before a day; days netted to nothing or below count as none.

    Raises `BadInput` for a window below one day.
    """
    if window_days < 1:
        raise BadInput(f"demand window: expected at least 1 day, got {window_days}")
    first, last = today - timedelta(days=window_days), today - timedelta(days=1)
    sizes = tuple(qty for day, qty in sorted(used.items()) if first <= day <= last and qty > 0)
    return Demand(first, last, sum(sizes), sizes)


@dataclass(frozen=True, slots=True)
class Flow:
    """`qty` base units of an item that left a storeroom because somebody asked for them, or came back to it."""

    item: str
    unit: str
    qty: int
    at: Instant
    outward: bool


def netted(flows: Iterable[Flow]) -> dict[str, dict[date, int]]:
    """Return the demand of each business day by item; flows come as central received them.

    A return is taken off the day of its issue where the unit has a name, else off its own day.
    """
    used: defaultdict[str, defaultdict[date, int]] = defaultdict(lambda: defaultdict(int))
    issued_on: dict[str, date] = {}
    for flow in flows:
        day = business_day(flow.at)
        if flow.outward:
            used[flow.item][day] += flow.qty
            issued_on[flow.unit] = day
        else:
            used[flow.item][issued_on.get(flow.unit, day) if flow.unit else day] -= flow.qty
    return {item: dict(days) for item, days in used.items()}


def added(one: Mapping[date, int], other: Mapping[date, int]) -> dict[date, int]:
    """Return two histories of one item together: the days before the ledger, and the ledger's own."""
    return {day: one.get(day, 0) + other.get(day, 0) for day in {*one, *other}}
