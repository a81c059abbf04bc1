"""What documents say that goods cost: receipts, the orders they fill, price changes, terms of consignment.

Reading only, no rule. The rule that must not be broken: every query names the hospital.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, and_, select

from central.core.agreements import Dated
from central.core.orders import Arrived
from central.core.valuation import Origin, Repriced
from central.store.named_orders import orders_named
from central.store.tables.ledger import POSTING_LINE
from central.store.tables.month import (
    CONSIGNMENT_TERM,
    PRICE_CHANGE,
)
from central.store.tables.purchasing import DOCUMENT_STEP, RECEIPT_LINE
from central.store.tables.work import ORDER_LINE, PURCHASE_ORDER
from protocols.values.ids import HospitalId, PlaceId, virtual_place
from protocols.values.instant import Instant
from protocols.values.money import Money

NAMES_A_QUERY_MAX = 5_000


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
