"""What the stock book is made from and what it keeps: entries not posted yet, closed months, prices by documents.

No rule lives here. The rules that must not be broken: every query names the hospital, and a month is written once.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select

from central.core.month import Key, Month, Sum, month_at, month_named
from central.core.valuation import Change, Layer, Moved, Origin, Part, Pool
from central.store.bulk import insert_rows
from central.store.merge import merge
from central.store.named_orders import order_named
from central.store.tables.ledger import EVENT, LEDGER, POSTING_LINE
from central.store.tables.master import ITEM
from central.store.tables.month import (
    LOT_COST,
    MONTH_CLOSE,
    MONTH_STOCK,
    STOCK_LAYER,
    STOCK_VALUE,
)
from central.store.tables.replays import QUARANTINE_REPLAY
from protocols.movements.table import MOVEMENTS
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, plus
from protocols.values.money import Money

MARGIN_S = 86_400
"""How long before a close an entry may have been received and not been seen by it: a transaction lasts no day."""
NAMES_A_QUERY_MAX = 5_000
POSTING_KINDS = sorted(kind for kind, row in MOVEMENTS.items() if row.posts)


@dataclass(frozen=True, slots=True)
class Closed:
    """One month that is closed."""

    month: Month
    at: Instant
    by: str
    lines: int
    late: int
    value: Money


def closed_months(connection: Connection, hospital: HospitalId) -> list[Closed]:
    """Return the months that are closed, the last first."""
    rows = connection.execute(
        MONTH_CLOSE.select().where(MONTH_CLOSE.c.hospital == hospital).order_by(MONTH_CLOSE.c.month.desc())
    )
    return [
        Closed(month_named(row.month), Instant(row.closed_at), row.closed_by, row.lines, row.late, Money(row.value))
        for row in rows
    ]


def books_begin(connection: Connection, hospital: HospitalId) -> Month | None:
    """Return the month in which central heard its first entry, None before any."""
    first = select(func.min(LEDGER.c.received_month)).where(LEDGER.c.hospital == hospital).scalar_subquery()
    received = connection.scalar(
        select(func.min(LEDGER.c.received_at)).where(LEDGER.c.hospital == hospital, LEDGER.c.received_month == first)
    )
    return None if received is None else month_at(Instant(received))


def unposted(
    connection: Connection,
    hospital: HospitalId,
    begins: Instant,
    until: Instant,
    last: Closed | None,
    items: Collection[str] | None = None,
) -> list[tuple[Moved, Instant]]:
    """Return the ledger lines no closed month has, that happened or were heard of before `until`, each with when it
    was received; `begins` is the first instant that is open. Where `items` are named, only theirs."""
    line, event, ledger, replayed = POSTING_LINE.c, EVENT.c, LEDGER.c, QUARANTINE_REPLAY.c
    heard = func.coalesce(replayed.at, ledger.received_at)  # what stood in quarantine is heard of when it is posted
    base = (
        select(
            line.event_id, line.line_no, line.at, line.item, line.lot, line.owner, line.qty, line.source, line.target,
            event.kind, event.device, event.seq, heard.label("received_at"), ledger.body,
        )
        .select_from(EVENT)
        .join(POSTING_LINE, and_(line.hospital == event.hospital, line.event_id == event.event_id))
        .join(
            LEDGER,
            and_(ledger.hospital == event.hospital, ledger.incarnation == event.incarnation, ledger.seq == event.seq),
        )
        .outerjoin(
            QUARANTINE_REPLAY,
            and_(
                replayed.hospital == event.hospital, replayed.incarnation == event.incarnation,
                replayed.seq == event.seq,
            ),
        )
        .where(event.hospital == hospital, or_(line.at < until, heard < until))
    )  # fmt: skip
    if items is not None:
        base = base.where(line.item.in_(sorted(items)))
    if last is None:
        return _moved(connection, base)
    recent = base.where(event.kind.in_(POSTING_KINDS), event.at >= begins)
    since = plus(last.at, -MARGIN_S)
    late = base.where(event.at < begins, ledger.received_month >= _received_month(since), ledger.received_at >= since)
    found = {(one.event, one.line_no): (one, received) for one, received in _moved(connection, recent)}
    again = base.where(event.at < begins, replayed.at >= since)
    for query in (late, again):
        found |= {(one.event, one.line_no): (one, received) for one, received in _moved(connection, query)}
    posted = _posted(connection, hospital, last, since, [bytes.fromhex(event) for event, _ in found])
    return [both for (event, _), both in found.items() if event not in posted]


def _received_month(at: Instant) -> int:
    """Return the partition of the ledger an instant may lie in at the earliest: months there are of UTC."""
    month = month_at(plus(at, -MARGIN_S))
    return month.year * 100 + month.number


def _moved(connection: Connection, query: Select[Any]) -> list[tuple[Moved, Instant]]:
    return [
        (
            Moved(
                row.event_id.hex(), row.line_no, Instant(row.at), (row.device, row.seq), row.kind, row.item, row.lot,
                row.owner, row.qty, row.source, row.target, order_named(row.kind, row.body),
            ),
            Instant(row.received_at),
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def _posted(
    connection: Connection, hospital: HospitalId, last: Closed, since: Instant, events: Sequence[bytes]
) -> set[str]:
    """Return which of some entries stand in a closed month."""
    found: set[str] = set()
    names = sorted(set(events))
    for start in range(0, len(names), NAMES_A_QUERY_MAX):
        chosen = select(STOCK_VALUE.c.event_id).where(
            STOCK_VALUE.c.hospital == hospital, STOCK_VALUE.c.event_id.in_(names[start : start + NAMES_A_QUERY_MAX])
        )
        found |= {event.hex() for event in connection.scalars(chosen.distinct())}
    return found


# --- what a closed month keeps ---


def parts_of(connection: Connection, hospital: HospitalId, month: Month) -> list[Part]:
    """Return the value lines of a closed month, as they happened."""
    value = STOCK_VALUE.c
    rows = connection.execute(
        STOCK_VALUE.select()
        .where(value.hospital == hospital, value.month == str(month))
        .order_by(value.at, value.event_id, value.line_no, value.part)
    )
    return [
        Part(
            row.event_id.decode() if row.kind == Change.PRICE else row.event_id.hex(), row.line_no, row.part,
            Instant(row.at), row.kind, row.item, row.lot, row.owner, row.qty, row.source, row.target, Money(row.price),
            Money(row.value), (row.document, row.supplier), row.late_from,
        )
        for row in rows
    ]  # fmt: skip


def stock_of(connection: Connection, hospital: HospitalId, month: Month) -> dict[Key, Sum]:
    """Return what a closed month closed with."""
    rows = connection.execute(
        MONTH_STOCK.select().where(MONTH_STOCK.c.hospital == hospital, MONTH_STOCK.c.month == str(month))
    )
    return {Key(row.place, row.item, bool(row.consigned)): Sum(row.qty, Money(row.value)) for row in rows}


def layers_of(
    connection: Connection, hospital: HospitalId, month: Month, items: Collection[str] | None = None
) -> dict[Pool, list[Layer]]:
    """Return the layers a closed month closed with, the oldest of each pool first; where `items` are named, theirs."""
    layer = STOCK_LAYER.c
    chosen = STOCK_LAYER.select().where(layer.hospital == hospital, layer.month == str(month))
    if items is not None:
        chosen = chosen.where(layer.item.in_(sorted(items)))
    rows = connection.execute(chosen.order_by(layer.layer))
    found: defaultdict[Pool, list[Layer]] = defaultdict(list)
    for row in rows:
        found[row.place, row.item, row.lot].append(Layer(Money(row.price), row.qty, (row.document, row.supplier)))
    return dict(found)


def lot_costs(connection: Connection, hospital: HospitalId) -> dict[tuple[str, str], tuple[Money, Origin]]:
    """Return what each lot cost last, as of the last closed month."""
    rows = connection.execute(LOT_COST.select().where(LOT_COST.c.hospital == hospital))
    return {(row.item, row.lot): (Money(row.price), (row.document, row.supplier)) for row in rows}


def keep_month(connection: Connection, hospital: HospitalId, closed: Closed, parts: Iterable[Part]) -> None:
    """Write a month as closed with its value lines. Raises the store's `IntegrityError` when it is closed."""
    month = str(closed.month)
    head = {"hospital": hospital, "month": month, "closed_at": closed.at, "closed_by": closed.by}
    figures = {"lines": closed.lines, "late": closed.late, "value": closed.value}
    connection.execute(MONTH_CLOSE.insert().values(**head, **figures))
    rows = [
        (
            hospital, one.event.encode() if one.kind == Change.PRICE else bytes.fromhex(one.event), one.line_no,
            one.part, month, one.late_from, one.at, one.kind, one.item, one.lot, one.owner, one.qty, one.source,
            one.target, one.price, one.value, *one.origin,
        )
        for one in parts
    ]  # fmt: skip
    insert_rows(connection, STOCK_VALUE, rows)


def keep_stock(
    connection: Connection,
    hospital: HospitalId,
    month: Month,
    stock: Mapping[Key, Sum],
    pools: Mapping[Pool, Sequence[Layer]],
    lots: Mapping[tuple[str, str], tuple[Money, Origin]],
) -> None:
    """Write what a month closed with."""
    named = str(month)
    insert_rows(
        connection,
        MONTH_STOCK,
        [(hospital, named, key.place, key.item, key.consigned, one.qty, one.value) for key, one in stock.items()],
    )
    insert_rows(
        connection,
        STOCK_LAYER,
        [
            (hospital, named, *pool, number, one.price, one.qty, *one.origin)
            for pool, layers in pools.items()
            for number, one in enumerate(layers)
        ],
    )
    rows = [
        {"hospital": hospital, "item": item, "lot": lot, "price": price, "document": origin[0], "supplier": origin[1]}
        for (item, lot), (price, origin) in lots.items()
    ]
    if rows:
        merge(connection, LOT_COST, rows)


def categories(connection: Connection, hospital: HospitalId) -> dict[str, str]:
    """Return the class of each item."""
    rows = connection.execute(select(ITEM.c.item, ITEM.c["class"]).where(ITEM.c.hospital == hospital))
    return {row.item: row[1] for row in rows}
