"""Lead times seen: order lines matched with what arrived, by source and item.

An arrival fills the line its receipt names, else the oldest that was ordered before it came; a line's lead time ends
when the whole of it is there. Whoever has too few receipts of an item lets the source's other items speak. The rule
that must not be broken: a line still open, or given up, is a lower bound and never left out.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from central.core.orders import Arrived, Ordered, fillings
from central.core.reorder.leads import LEAD_DAYS_MAX, RECEIPTS_MIN, Leads, leads_of
from protocols.values.instant import Instant, business_day


@dataclass(frozen=True, slots=True)
class Seen:
    """Days from order to receipt of lines that came whole, and the ages of lines still open."""

    received: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)

    def add(self, days: int, *, open_: bool) -> None:
        """Add one line."""
        (self.waiting if open_ else self.received).append(min(days, LEAD_DAYS_MAX))


def filled(lines: Iterable[Ordered], arrivals: Iterable[Arrived]) -> dict[tuple[str, int], Instant | None]:
    """Return when each order line had come whole; None for one that has not."""
    listed = list(lines)
    left = {line.key: line.qty for line in listed}
    when: dict[tuple[str, int], Instant | None] = {line.key: None for line in listed}
    for one in fillings(listed, arrivals):
        left[one.key] -= one.qty
        if not left[one.key]:
            when[one.key] = one.arrival.at
    return when


def days_between(one: Instant, other: Instant) -> int:
    """Return the business days' distance of two instants in calendar days, never below 0."""
    return max(0, (business_day(other) - business_day(one)).days)


class LeadBook:
    """Collects lead times by source and item, and says which to believe."""

    def __init__(self) -> None:
        self._seen: defaultdict[tuple[str, str], Seen] = defaultdict(Seen)

    def enter(
        self,
        source: str,
        item: str,
        lines: Iterable[Ordered],
        when: Mapping[tuple[str, int], Instant | None],
        now: Instant,
    ) -> None:
        """Enter the lines of one item that one source was asked for, and when they came."""
        for line in lines:
            came = when[line.key]
            seen_until = now if line.until is None else line.until
            days = days_between(line.at, seen_until if came is None else came)
            for key in ((source, item), (source, "")):
                self._seen[key].add(days, open_=came is None)

    def leads(self, source: str, item: str) -> Leads | None:
        """Return the lead times of an item, else of its source; None where neither was seen often enough."""
        for key in ((source, item), (source, "")):
            seen = self._seen.get(key)
            if seen is not None and len(seen.received) >= RECEIPTS_MIN:
                return leads_of(seen.received, seen.waiting)
        return None
