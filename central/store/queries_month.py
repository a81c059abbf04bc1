"""What the stock book is made from and what it keeps: entries not posted yet, closed months, prices by documents.

No rule lives here. The rules that must not be broken: every query names the hospital, and a month is written once.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, and_, case, func, or_, select

from central.core.agreements import Dated
from central.core.journal import ACCOUNTS, Account, Invoiced, InvoicedPart, Role, Sort
from central.core.month import Key, Month, Sum, month_at, month_named
from central.core.orders import Arrived
from central.core.purchasing import InvoiceState
from central.core.valuation import CONSIGNED, Change, Layer, Moved, Origin, Part, Pool, Repriced
from central.store.bulk import insert_rows
from central.store.merge import merge
from central.store.named_orders import order_named, orders_named
from central.store.queries_purchasing import states
from central.store.tables.ledger import EVENT, LEDGER, POSTING_LINE
from central.store.tables.master import ITEM
from central.store.tables.month import (
    CONSIGNMENT_LINE,
    CONSIGNMENT_NOTE,
    CONSIGNMENT_TERM,
    FINANCE_ACCOUNT,
    LOT_COST,
    MONTH_CLOSE,
    MONTH_STOCK,
    PRICE_CHANGE,
    STOCK_LAYER,
    STOCK_VALUE,
)
from central.store.tables.purchasing import DOCUMENT_STEP, INVOICE, INVOICE_LINE, RECEIPT_LINE
from central.store.tables.work import ORDER_LINE, PURCHASE_ORDER
from protocols.movements import MOVEMENTS
from protocols.values.ids import HOSPITAL_OWNED, HospitalId, PlaceId, virtual_place
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
    connection: Connection, hospital: HospitalId, begins: Instant, until: Instant, last: Closed | None
) -> list[tuple[Moved, Instant]]:
    """Return the ledger lines no closed month has, that happened or were heard of before `until`, each with when it
    was received; `begins` is the first instant that is open."""
    line, event, ledger = POSTING_LINE.c, EVENT.c, LEDGER.c
    base = (
        select(
            line.event_id, line.line_no, line.at, line.item, line.lot, line.owner, line.qty, line.source, line.target,
            event.kind, event.device, event.seq, ledger.received_at, ledger.body,
        )
        .select_from(EVENT)
        .join(POSTING_LINE, and_(line.hospital == event.hospital, line.event_id == event.event_id))
        .join(
            LEDGER,
            and_(ledger.hospital == event.hospital, ledger.incarnation == event.incarnation, ledger.seq == event.seq),
        )
        .where(event.hospital == hospital, or_(line.at < until, ledger.received_at < until))
    )  # fmt: skip
    if last is None:
        return _moved(connection, base)
    recent = base.where(event.kind.in_(POSTING_KINDS), event.at >= begins)
    since = plus(last.at, -MARGIN_S)
    late = base.where(event.at < begins, ledger.received_month >= _received_month(since), ledger.received_at >= since)
    found = {(one.event, one.line_no): (one, received) for one, received in _moved(connection, recent)}
    found |= {(one.event, one.line_no): (one, received) for one, received in _moved(connection, late)}
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


def layers_of(connection: Connection, hospital: HospitalId, month: Month) -> dict[Pool, list[Layer]]:
    """Return the layers a closed month closed with, the oldest of each pool first."""
    layer = STOCK_LAYER.c
    rows = connection.execute(
        STOCK_LAYER.select().where(layer.hospital == hospital, layer.month == str(month)).order_by(layer.layer)
    )
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


# --- what documents say ---


@dataclass(frozen=True, slots=True)
class ReceiptPart:
    """What was accepted of one order line by one entry."""

    item: str
    lot: str
    qty: int
    price: Money
    origin: Origin


def receipts_by_event(
    connection: Connection, hospital: HospitalId, events: Collection[str]
) -> dict[str, list[ReceiptPart]]:
    """Return what receipts say of some entries, with each order line's price."""
    receipt, order, line = RECEIPT_LINE.c, PURCHASE_ORDER.c, ORDER_LINE.c
    found: defaultdict[str, list[ReceiptPart]] = defaultdict(list)
    names = [bytes.fromhex(event) for event in sorted(events)]
    for start in range(0, len(names), NAMES_A_QUERY_MAX):
        rows = connection.execute(
            select(
                receipt.event_id, receipt.item, receipt.lot, receipt.accepted, receipt.order_no, receipt.order_line,
                line.price, order.supplier,
            )
            .join(PURCHASE_ORDER, and_(order.hospital == receipt.hospital, order.order_no == receipt.order_no))
            .join(
                ORDER_LINE,
                and_(
                    line.hospital == receipt.hospital, line.order_no == receipt.order_no,
                    line.line_no == receipt.order_line,
                ),
            )
            .where(
                receipt.hospital == hospital, receipt.accepted > 0,
                receipt.event_id.in_(names[start : start + NAMES_A_QUERY_MAX]),
            )
            .order_by(receipt.receipt, receipt.line_no)
        )  # fmt: skip
        for row in rows:
            origin = (f"{row.order_no}/{row.order_line}", row.supplier)
            found[row.event_id.hex()].append(ReceiptPart(row.item, row.lot, row.accepted, Money(row.price), origin))
    return dict(found)


def order_lines(
    connection: Connection, hospital: HospitalId, since: Instant, named: Collection[str] | None = None
) -> dict[tuple[str, int], ReceiptPart]:
    """Return price and supplier of the order lines to suppliers made since an instant, of those named, by their key."""
    order, line = PURCHASE_ORDER.c, ORDER_LINE.c
    rows = connection.execute(
        select(line.order_no, line.line_no, line.item, line.qty, line.price, order.supplier)
        .join(PURCHASE_ORDER, and_(order.hospital == line.hospital, order.order_no == line.order_no))
        .where(order.hospital == hospital, order.supplier != "", order.created_at >= since)
    )
    return {
        (row.order_no, row.line_no): ReceiptPart(
            row.item, "", row.qty, Money(row.price), (f"{row.order_no}/{row.line_no}", row.supplier)
        )
        for row in rows
        if named is None or row.order_no in named
    }


def changes(connection: Connection, hospital: HospitalId, first: Instant, until: Instant) -> list[Repriced]:
    """Return the price changes approved from an instant on and before another."""
    step, change = DOCUMENT_STEP.c, PRICE_CHANGE.c
    rows = connection.execute(
        select(change.change, change.item, change.lot, change.price, step.at)
        .join(DOCUMENT_STEP, and_(step.hospital == change.hospital, step.document == change.change))
        .where(change.hospital == hospital, step.step == "approve", step.at >= first, step.at < until)
        .order_by(step.at, change.change)
    )
    return [Repriced(row.change, Instant(row.at), row.item, row.lot, Money(row.price)) for row in rows]


def consigned_prices(connection: Connection, hospital: HospitalId) -> dict[tuple[str, str], list[Dated]]:
    """Return what a supplier's goods cost when they are used, by item and supplier."""
    term = CONSIGNMENT_TERM.c
    found: defaultdict[tuple[str, str], list[Dated]] = defaultdict(list)
    for row in connection.execute(CONSIGNMENT_TERM.select().where(term.hospital == hospital)):
        found[row.item, row.supplier].append(Dated(Money(row.price), row.first, row.last))
    return dict(found)


def categories(connection: Connection, hospital: HospitalId) -> dict[str, str]:
    """Return the class of each item."""
    rows = connection.execute(select(ITEM.c.item, ITEM.c["class"]).where(ITEM.c.hospital == hospital))
    return {row.item: row[1] for row in rows}


def owed_before(connection: Connection, hospital: HospitalId, month: Month) -> dict[Origin, Sum]:
    """Return what closed months before a month came to be owed for goods, by purchase, less what was returned."""
    value = STOCK_VALUE.c
    came = or_(value.source.startswith("supplier@"), value.source.startswith("owner@"))
    went = or_(value.target.startswith("supplier@"), value.target.startswith("owner@"))
    sign = case((came, 1), else_=-1)
    rows = connection.execute(
        select(
            value.document, value.supplier, func.sum(sign * value.qty).label("qty"),
            func.sum(sign * value.value).label("value"),
        )
        .where(value.hospital == hospital, value.owner == HOSPITAL_OWNED, value.month < str(month), or_(came, went))
        .group_by(value.document, value.supplier)
    )  # fmt: skip
    return {(row.document, row.supplier): Sum(int(row.qty), Money(int(row.value))) for row in rows}


def arrivals_named(
    connection: Connection, hospital: HospitalId, place: str, item: str, since: Instant
) -> list[tuple[tuple[str, int], Arrived]]:
    """Return what of an item came into a storeroom from outside since an instant, each with its entry and line."""
    line, receipt = POSTING_LINE.c, RECEIPT_LINE.c
    from_outside = [virtual_place(role, PlaceId(place)) for role in ("supplier", "transit")]
    rows = connection.execute(
        select(line.event_id, line.line_no, line.qty, line.at)
        .where(
            line.hospital == hospital, line.target == place, line.item == item, line.source.in_(from_outside),
            line.at >= since,
        )
        .order_by(line.at, line.event_id, line.line_no)
    ).all()  # fmt: skip
    told = connection.execute(
        select(receipt.event_id, receipt.order_no, receipt.order_line, receipt.accepted).where(
            receipt.hospital == hospital, receipt.item == item, receipt.accepted > 0, receipt.event_id.is_not(None)
        )
    )
    names = {(row.event_id, row.accepted): (row.order_no, row.order_line) for row in told}
    notes = orders_named(connection, hospital, {row.event_id for row in rows})
    return [
        (
            (row.event_id.hex(), row.line_no),
            Arrived(Instant(row.at), row.qty, names.get((row.event_id, row.qty)) or _whole(notes.get(row.event_id))),
        )
        for row in rows
    ]


def _whole(order: str | None) -> tuple[str, int] | None:
    return None if order is None else (order, 0)


# --- invoices as accruals see them ---


def invoice_steps(connection: Connection, hospital: HospitalId, first: Instant, until: Instant) -> list[Invoiced]:
    """Return what happened to invoices from an instant on and before another: matched, withdrawn after that, paid."""
    step = DOCUMENT_STEP.c
    rows = connection.execute(
        select(step.document, step.seq, step.step, step.state, step.at)
        .where(step.hospital == hospital, step.kind == "invoice", step.at < until)
        .order_by(step.at, step.document, step.seq)
    ).all()
    state: dict[str, str] = {}
    told: list[tuple[str, Sort, Instant]] = []
    for row in rows:
        sort = _sort_of(row.state, state.get(row.document, ""))
        state[row.document] = row.state
        if sort is not None and row.at >= first:
            told.append((row.document, sort, Instant(row.at)))
    heads, lines = _invoices(connection, hospital), invoice_parts(connection, hospital)
    return [
        Invoiced(document, heads[document][0], sort, at, heads[document][1], tuple(lines.get(document, ())))
        for document, sort, at in told
    ]


def _sort_of(state: str, before: str) -> Sort | None:
    if state == InvoiceState.WITHDRAWN:
        return Sort.WITHDRAWN if before == InvoiceState.MATCHED else None
    return {InvoiceState.MATCHED.value: Sort.MATCHED, InvoiceState.PAID.value: Sort.PAID}.get(state)


def _invoices(connection: Connection, hospital: HospitalId) -> dict[str, tuple[str, Money]]:
    rows = connection.execute(INVOICE.select().where(INVOICE.c.hospital == hospital))
    return {row.document: (row.supplier, Money(row.amount)) for row in rows}


def invoice_parts(connection: Connection, hospital: HospitalId) -> dict[str, list[InvoicedPart]]:
    """Return the lines of every invoice at the prices that were accrued, by document."""
    line, order, note = INVOICE_LINE.c, ORDER_LINE.c, CONSIGNMENT_NOTE.c
    rows = connection.execute(
        select(
            line.document, line.order_no, line.order_line, line.qty, line.price.label("asked"), order.price,
            INVOICE.c.supplier, note.note,
        )
        .join(INVOICE, and_(INVOICE.c.hospital == line.hospital, INVOICE.c.document == line.document))
        .outerjoin(
            ORDER_LINE,
            and_(order.hospital == line.hospital, order.order_no == line.order_no, order.line_no == line.order_line),
        )
        .outerjoin(CONSIGNMENT_NOTE, and_(note.hospital == line.hospital, note.note == line.order_no))
        .where(line.hospital == hospital)
        .order_by(line.document, line.line_no)
    )  # fmt: skip
    settled = {
        (row.note, row.line_no): Money(row.price)
        for row in connection.execute(CONSIGNMENT_LINE.select().where(CONSIGNMENT_LINE.c.hospital == hospital))
    }
    found: defaultdict[str, list[InvoicedPart]] = defaultdict(list)
    for row in rows:
        consigned = row.note is not None
        price = settled.get((row.order_no, row.order_line)) if consigned else row.price
        document = CONSIGNED if consigned else f"{row.order_no}/{row.order_line}"
        found[row.document].append(
            InvoicedPart((document, row.supplier), row.qty, Money(row.asked if price is None else price))
        )
    return dict(found)


def accounts_of(connection: Connection, hospital: HospitalId) -> dict[Role, Account]:
    """Return the accounts finance books to: the hospital's own, else those the product starts with."""
    rows = connection.execute(FINANCE_ACCOUNT.select().where(FINANCE_ACCOUNT.c.hospital == hospital))
    return {**ACCOUNTS, **{Role(row.role): Account(row.code, row.name) for row in rows if row.role in set(Role)}}


def keep_accounts(connection: Connection, hospital: HospitalId, accounts: Mapping[Role, Account]) -> None:
    """Keep the hospital's own accounts."""
    rows = [
        {"hospital": hospital, "role": str(role), "code": one.code, "name": one.name} for role, one in accounts.items()
    ]
    merge(connection, FINANCE_ACCOUNT, rows)


@dataclass(frozen=True, slots=True)
class PayableInvoice:
    """An invoice that matches and is not paid."""

    document: str
    supplier: str
    due: date
    amount: Money


def payable(connection: Connection, hospital: HospitalId) -> list[PayableInvoice]:
    """Return every invoice that matches and is not paid, those due first first."""
    waiting = {name for name, state in states(connection, hospital, "invoice").items() if state == InvoiceState.MATCHED}
    rows = connection.execute(
        INVOICE.select().where(INVOICE.c.hospital == hospital).order_by(INVOICE.c.due, INVOICE.c.document)
    )
    return [
        PayableInvoice(row.document, row.supplier, row.due, Money(row.amount))
        for row in rows
        if row.document in waiting
    ]
