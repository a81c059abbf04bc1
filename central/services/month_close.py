"""Close a month: its value lines are written, what was used of suppliers' goods is settled, and it is over for good.

A person closes, or the month's own day does. The rules that must not be broken: book and settlements are one
transaction; there is no opening again: a field that takes a close back loses the proof of what it reported, so what was
wrong is put right in the open month.
"""

from dataclasses import dataclass

from central.core.month import Month, month_at
from central.core.rights import Caller, Right
from central.services.consignment import settle_month
from central.services.documents import Documents
from central.services.policy import rules_at
from central.services.stock_book import close_book, open_month
from central.store import queries_month as kept
from central.store.engine import Store
from protocols.values.ids import ActorId, HospitalId
from protocols.values.instant import Instant, business_day

AUTOMATIC = ActorId("automatic")
"""Who closes on the month's own day."""
CAUGHT_UP_MAX = 12
"""Months closed in one go by themselves: a year that nobody closed; the rest the next day."""


@dataclass(frozen=True, slots=True)
class Done:
    """A month that was closed, and the settlements made with it."""

    closed: kept.Closed
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MonthClose:
    """The closing of months of one hospital."""

    documents: Documents

    def close(self, caller: Caller, month: Month) -> Done:
        """Close a month. Raises `NotAllowed`, `NotNow` for one that is not the first open, or is not over."""
        caller.need(Right.PAY)
        now = self.documents.clock.now()
        return close_now(self.documents.store, self.documents.hospital, month, caller.person, now)


def close_now(store: Store, hospital: HospitalId, month: Month, person: ActorId, now: Instant) -> Done:
    """Close a month in one transaction. Raises `NotNow`."""
    with store.write() as connection:
        closed, parts = close_book(connection, hospital, month, person, now)
        notes = settle_month(connection, hospital, month, now, parts, person)
    return Done(closed, tuple(notes))


def close_due(store: Store, hospital: HospitalId, now: Instant) -> str:
    """Close the months whose day has come, and say which; asked again it finds nothing to do.

    The rule `month.close_day` is the day of the next month on which one closes by itself; 0 leaves it to people.
    """
    with store.read() as connection:
        day = rules_at(connection, hospital, now).whole("month.close_day")
        month, begun = open_month(connection, hospital, now), kept.books_begin(connection, hospital)
    done: list[Done] = []
    while day and begun is not None and _is_due(month, day, now) and len(done) < CAUGHT_UP_MAX:
        done.append(close_now(store, hospital, month, AUTOMATIC, now))
        month = month.next
    closed = ", ".join(f"{one.closed.month} closed with {one.closed.lines} lines" for one in done)
    return f"{closed}, {sum(len(one.notes) for one in done)} settlements" if done else f"{month} is open"


def _is_due(month: Month, day: int, now: Instant) -> bool:
    """Tell whether a month's own day has come."""
    return now >= month.ends and (month_at(now) > month.next or business_day(now).day >= day)
