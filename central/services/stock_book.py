"""The stock book by month: what an open month says so far, what a closed one said, and the closing of a month.

The rules are in `core.valuation` and `core.month`. The rules that must not be broken: an open month is reckoned from
what the last closed one closed with and every entry heard of since, so that the same entries give the same figures;
closing writes those figures in one transaction with the record of who closed, and nothing is reopened: what turns up
later, or was wrong, stands in the open month on lines of its own.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from central.core.month import (
    Key,
    Month,
    Row,
    check_closing,
    closings,
    heard,
    late_from,
    month_at,
    roll_forward,
    sides,
)
from central.core.valuation import Layer, Moved, Origin, Part, Pool, Valuer, valued
from central.errors import NotNow, NotThere
from central.services.stock_costs import costs_of
from central.store import queries_month as kept
from central.store.audit import note
from central.store.queries_costs import changes
from protocols.values.ids import ActorId, HospitalId
from protocols.values.instant import Instant
from protocols.values.money import Money

MONTHS_OPEN_MAX = 36
"""Months reckoned at once: whoever closes none for three years closes the first ones first."""


@dataclass(frozen=True, slots=True)
class Book:
    """One month: its rows, its value lines, and, while it is open, what it would close with."""

    month: Month
    closed: kept.Closed | None
    rows: dict[Key, Row]
    parts: Sequence[Part]
    pools: dict[Pool, tuple[Layer, ...]]
    lots: dict[tuple[str, str], tuple[Money, Origin]]

    @property
    def late(self) -> list[Part]:
        """Its value lines that come from months before."""
        return [one for one in self.parts if one.late_from]

    @property
    def value(self) -> Money:
        """What the hospital's stock is worth at its end, or now."""
        return Money(sum(row.closing.value for row in self.rows.values()))


def open_month(connection: Connection, hospital: HospitalId, now: Instant) -> Month:
    """Return the first month that is open; before any entry the present one."""
    closed = kept.closed_months(connection, hospital)
    return closed[0].month.next if closed else kept.books_begin(connection, hospital) or month_at(now)


def months_of(connection: Connection, hospital: HospitalId, now: Instant) -> list[tuple[Month, kept.Closed | None]]:
    """Return every month of the book up to now with its closing, the last first."""
    closed = {one.month: one for one in kept.closed_months(connection, hospital)}
    month, first = month_at(now), kept.books_begin(connection, hospital) or month_at(now)
    found = []
    while month >= first:
        found.append((month, closed.get(month)))
        month = month.before
    return found


def book_of(connection: Connection, hospital: HospitalId, month: Month, now: Instant) -> Book:
    """Return a month as it was closed, or as it stands. Raises `NotThere` for one before the book or to come."""
    first = kept.books_begin(connection, hospital) or month_at(now)
    if not first <= month <= month_at(now):
        raise NotThere(f"month: expected one from {first} to {month_at(now)}, got {month}")
    closed = {one.month: one for one in kept.closed_months(connection, hospital)}
    if month in closed:
        opening = kept.stock_of(connection, hospital, month.before)
        parts = kept.parts_of(connection, hospital, month)
        return Book(month, closed[month], roll_forward(opening, parts), parts, {}, {})
    return _open_books(connection, hospital, month, now)[-1]


def open_books(connection: Connection, hospital: HospitalId, month: Month, now: Instant) -> list[Book]:
    """Return every open month up to one that is open, the first first."""
    return _open_books(connection, hospital, month, now)


def open_parts(
    connection: Connection, hospital: HospitalId, now: Instant, items: Collection[str]
) -> list[tuple[Month, Sequence[Part]]]:
    """Return the value lines of some items in every open month up to now, the first month first. Raises `NotNow`."""
    books = _open_books(connection, hospital, month_at(now), now, items)
    return [(one.month, one.parts) for one in books]


def _open_books(
    connection: Connection, hospital: HospitalId, until: Month, now: Instant, items: Collection[str] | None = None
) -> list[Book]:
    begun, last = open_month(connection, hospital, now), next(iter(kept.closed_months(connection, hospital)), None)
    if (until.year - begun.year) * 12 + until.number - begun.number >= MONTHS_OPEN_MAX:
        raise NotNow(f"month: expected at most {MONTHS_OPEN_MAX} open months, {begun} is the first; close it")
    found = kept.unposted(connection, hospital, begun.begins, until.ends, last, items)
    lines = _by_month(found, begun)
    costs = costs_of(connection, hospital, [one for one, _ in found], begun.begins)
    stock = {} if last is None or items is not None else kept.stock_of(connection, hospital, last.month)
    pools: dict[Pool, tuple[Layer, ...]] = {
        pool: tuple(layers)
        for pool, layers in ({} if last is None else kept.layers_of(connection, hospital, last.month, items)).items()
    }
    books: list[Book] = []
    month = begun
    while month <= until:
        valuer = Valuer(costs, pools)
        since = Instant(0) if last is None and month == begun else month.begins
        changed = changes(connection, hospital, since, month.ends)
        parts = _marked(valued(valuer, lines.get(month, []), changed), month)
        rows = roll_forward(stock, parts)
        stock, pools, costs = closings(rows), valuer.pools(), replace(costs, lots=valuer.lots)
        books.append(Book(month, None, rows, parts, pools, valuer.lots))
        month = month.next
    return books


def _by_month(found: Sequence[tuple[Moved, Instant]], begun: Month) -> dict[Month, list[Moved]]:
    """Part lines by the month they are posted into: their own, else the first that is open."""
    lines: dict[Month, list[Moved]] = {}
    for line, received in found:
        at = heard(line.at, received)
        lines.setdefault(max(month_at(at), begun), []).append(replace(line, at=at))
    return lines


def _marked(parts: Sequence[Part], month: Month) -> list[Part]:
    """Return value lines with the month each comes late from."""
    return [replace(one, late_from=said) if (said := late_from(one.at, month)) else one for one in parts]


def close_book(
    connection: Connection, hospital: HospitalId, month: Month, person: ActorId, now: Instant
) -> tuple[kept.Closed, Sequence[Part]]:
    """Close a month in the caller's transaction; returns it with its value lines. Raises `NotNow`."""
    check_closing(month, open_month(connection, hospital, now), now)
    (book,) = _open_books(connection, hospital, month, now)
    closed = kept.Closed(month, now, person, len(book.parts), len(book.late), book.value)
    kept.keep_month(connection, hospital, closed, book.parts)
    kept.keep_stock(connection, hospital, month, closings(book.rows), book.pools, book.lots)
    detail = {"lines": closed.lines, "late": closed.late, "value": closed.value}
    note(connection, hospital, now, person=person, act="close-month", subject=str(month), detail=detail)
    return closed, book.parts


def lines_behind(book: Book, place: str, item: str, *, consigned: bool) -> list[Part]:
    """Return the value lines of one row, as they happened. Raises `NotThere` for a row there is not."""
    key = Key(place, item, consigned)
    if key not in book.rows:
        raise NotThere(f"row: expected one of {book.month}, got {place!r:.40} {item!r:.40}")
    found = [part for part in book.parts if any(one == key for one, *_ in sides(part))]
    return sorted(found, key=lambda one: (one.at, one.event, one.line_no, one.part))
