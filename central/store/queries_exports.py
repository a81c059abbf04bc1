"""Rows for tables that leave the house: every list in full, read as it is written, a block of rows at a time.

No rule lives here. The rules that must not be broken: every query names the hospital, and none holds all its rows.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Row, Select, and_, or_, select, true

from central.core.rights import Scope
from central.store.queries_work import within
from central.store.tables.ledger import EVENT, POSTING_LINE
from central.store.tables.master import USE_DAY
from central.store.tables.purchasing import INVOICE, INVOICE_LINE, ORDER_VERSION, RECEIPT_LINE
from central.store.tables.work import DISCREPANCY, ORDER_LINE, PROPOSAL, PURCHASE_ORDER
from protocols.values.ids import VIRTUAL_ROLES, HospitalId
from protocols.values.instant import day_start

BLOCK_ROWS = 1_000
"""Rows read from the store at a time."""

Rows = Iterator[Row[Any]]


def _streamed(connection: Connection, chosen: Select[Any]) -> Rows:
    with connection.execute(chosen, execution_options={"yield_per": BLOCK_ROWS}) as found:
        yield from found


def _days(column: Column[int], first: date | None, last: date | None) -> list[ColumnElement[bool]]:
    since = [] if first is None else [column >= day_start(first)]
    return since + ([] if last is None else [column < day_start(last + timedelta(days=1))])


def movements(
    connection: Connection,
    hospital: HospitalId,
    scope: Scope,
    *,
    item: str = "",
    lot: str = "",
    first: date | None = None,
    last: date | None = None,
) -> Rows:
    """Give the lines of movements that touch storerooms in a scope, the newest first, each with its event."""
    line = POSTING_LINE.c
    named = [line.item == item] * bool(item) + [line.lot == lot] * bool(lot)
    touching = true() if scope.everywhere else or_(line.source.in_(_around(scope)), line.target.in_(_around(scope)))
    chosen = (
        select(POSTING_LINE, EVENT.c.kind, EVENT.c.actor, EVENT.c.device)
        .join(EVENT, and_(EVENT.c.hospital == line.hospital, EVENT.c.event_id == line.event_id))
        .where(line.hospital == hospital, touching, *named, *_days(line.at, first, last))
        .order_by(line.at.desc(), line.event_id.desc(), line.line_no)
    )
    return _streamed(connection, chosen)


def _around(scope: Scope) -> Sequence[str]:
    """Return the storerooms of a scope and the virtual places beside each."""
    return [at for place in sorted(scope.places) for at in (place, *(f"{role}@{place}" for role in VIRTUAL_ROLES))]


def orders(connection: Connection, hospital: HospitalId, scope: Scope, first: date | None, last: date | None) -> Rows:
    """Give the lines of orders for storerooms in a scope, the newest order first."""
    head = PURCHASE_ORDER.c
    chosen = (
        select(PURCHASE_ORDER, ORDER_LINE.c.line_no, ORDER_LINE.c.item, ORDER_LINE.c.qty, ORDER_LINE.c.price)
        .join(ORDER_LINE, and_(ORDER_LINE.c.hospital == head.hospital, ORDER_LINE.c.order_no == head.order_no))
        .where(head.hospital == hospital, within(head.place, scope), *_days(head.created_at, first, last))
        .order_by(head.created_at.desc(), head.order_no, ORDER_LINE.c.line_no)
    )
    return _streamed(connection, chosen)


def receipts(connection: Connection, hospital: HospitalId, scope: Scope, first: date | None, last: date | None) -> Rows:
    """Give what was inspected of orders for storerooms in a scope, the newest first."""
    line, head = RECEIPT_LINE.c, PURCHASE_ORDER.c
    chosen = (
        select(RECEIPT_LINE, head.supplier, head.place)
        .join(PURCHASE_ORDER, and_(head.hospital == line.hospital, head.order_no == line.order_no))
        .where(line.hospital == hospital, within(head.place, scope), *_days(line.at, first, last))
        .order_by(line.at.desc(), line.receipt, line.line_no)
    )
    return _streamed(connection, chosen)


def order_versions(connection: Connection, hospital: HospitalId, scope: Scope) -> Rows:
    """Give every version of the orders that were amended, for storerooms in a scope."""
    line, head = ORDER_VERSION.c, PURCHASE_ORDER.c
    chosen = (
        select(ORDER_VERSION, head.supplier, head.place)
        .join(PURCHASE_ORDER, and_(head.hospital == line.hospital, head.order_no == line.order_no))
        .where(line.hospital == hospital, within(head.place, scope))
        .order_by(line.order_no, line.version, line.line_no)
    )
    return _streamed(connection, chosen)


def invoices(connection: Connection, hospital: HospitalId, first: date | None, last: date | None) -> Rows:
    """Give the lines of invoices, those due first first."""
    head, line = INVOICE.c, INVOICE_LINE.c
    chosen = (
        select(INVOICE, line.line_no, line.order_no, line.order_line, line.qty, line.price)
        .join(INVOICE_LINE, and_(line.hospital == head.hospital, line.document == head.document))
        .where(head.hospital == hospital, *_days(head.entered_at, first, last))
        .order_by(head.due, head.document, line.line_no)
    )
    return _streamed(connection, chosen)


def proposals(connection: Connection, hospital: HospitalId, scope: Scope, status: str) -> Rows:
    """Give proposals for storerooms in a scope, the newest first."""
    row = PROPOSAL.c
    of_state = [row.status == status] * bool(status)
    chosen = PROPOSAL.select().where(row.hospital == hospital, within(row.place, scope), *of_state)
    return _streamed(connection, chosen.order_by(row.made_at.desc(), row.place, row.item))


def discrepancies(connection: Connection, hospital: HospitalId, scope: Scope, status: str) -> Rows:
    """Give discrepancies of storerooms in a scope, the newest first."""
    row = DISCREPANCY.c
    of_state = [row.status == status] * bool(status)
    chosen = DISCREPANCY.select().where(row.hospital == hospital, within(row.place, scope), *of_state)
    return _streamed(connection, chosen.order_by(row.opened_at.desc(), row.discrepancy))


def use_days(
    connection: Connection, hospital: HospitalId, scope: Scope, item: str, first: date | None, last: date | None
) -> Rows:
    """Give the daily use that was imported, by storeroom, item and day."""
    row = USE_DAY.c
    since = [row.day >= first] if first is not None else []
    until = [row.day <= last] if last is not None else []
    of_item = [row.item == item] * bool(item)
    chosen = USE_DAY.select().where(row.hospital == hospital, within(row.place, scope), *of_item, *since, *until)
    return _streamed(connection, chosen.order_by(row.place, row.item, row.day))
