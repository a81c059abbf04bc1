"""Invoices as accruals see them, what closed months owe, the accounts finance books to.

No rule lives here. The rule that must not be broken: every query names the hospital.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, and_, case, func, or_, select

from central.core.journal import ACCOUNTS, Account, Invoiced, InvoicedPart, Role, Sort
from central.core.month import Month, Sum
from central.core.purchasing import InvoiceState
from central.core.valuation import CONSIGNED, Origin
from central.store.merge import merge
from central.store.queries_purchasing import states
from central.store.tables.month import (
    CONSIGNMENT_LINE,
    CONSIGNMENT_NOTE,
    FINANCE_ACCOUNT,
    STOCK_VALUE,
)
from central.store.tables.purchasing import DOCUMENT_STEP, INVOICE, INVOICE_LINE
from central.store.tables.work import ORDER_LINE
from protocols.values.ids import HOSPITAL_OWNED, HospitalId
from protocols.values.instant import Instant
from protocols.values.money import Money


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


def invoice_steps(connection: Connection, hospital: HospitalId, first: Instant, until: Instant) -> list[Invoiced]:
    """Return what happened to invoices from an instant on and before another: matched, withdrawn after that, paid.

    What was paid is less than the invoice where credit notes were taken off.
    """
    step = DOCUMENT_STEP.c
    rows = connection.execute(
        select(step.document, step.seq, step.step, step.state, step.at, step.detail)
        .where(step.hospital == hospital, step.kind == "invoice", step.at < until)
        .order_by(step.at, step.document, step.seq)
    ).all()
    state: dict[str, str] = {}
    told: list[tuple[str, Sort, Instant, Money | None]] = []
    for row in rows:
        sort = _sort_of(row.state, state.get(row.document, ""))
        state[row.document] = row.state
        if sort is not None and row.at >= first:
            paid = json.loads(row.detail).get("paid") if sort is Sort.PAID else None
            told.append((row.document, sort, Instant(row.at), None if paid is None else Money(paid)))
    heads, lines = _invoices(connection, hospital), invoice_parts(connection, hospital)
    return [
        Invoiced(
            document,
            heads[document][0],
            sort,
            at,
            heads[document][1] if paid is None else paid,
            tuple(lines.get(document, ())),
        )
        for document, sort, at, paid in told
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
