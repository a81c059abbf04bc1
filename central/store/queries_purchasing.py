"""Steps, receipts and invoices read back, and the writes that add them.

No rule lives here. The rule that must not be broken: every query names the hospital, and nothing is changed.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy import Row as StoredRow

from central.core.purchasing import InvoicedLine, InvoiceState, OrderState
from central.store.paging import Key, Keyset, Page, PageAsked
from central.store.tables.purchasing import DOCUMENT_STEP, INVOICE, INVOICE_LINE, RECEIPT_LINE
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant
from protocols.values.money import Money

LISTED_MAX = 500
"""Rows a list gives at most."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DocumentStep:
    """One step of a document."""

    seq: int
    kind: str
    step: str
    state: str
    at: Instant
    actor: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Invoice:
    """One invoice with its state and lines."""

    document: str
    supplier: str
    number: str
    dated: date
    due: date
    amount: Money
    entered_at: Instant
    entered_by: str
    state: InvoiceState
    lines: tuple[InvoicedLine, ...]


def history(connection: Connection, hospital: HospitalId, document: str) -> list[DocumentStep]:
    """Return the steps of a document, the first first."""
    chosen = DOCUMENT_STEP.select().where(DOCUMENT_STEP.c.hospital == hospital, DOCUMENT_STEP.c.document == document)
    return [
        DocumentStep(row.seq, row.kind, row.step, row.state, Instant(row.at), row.actor, json.loads(row.detail))
        for row in connection.execute(chosen.order_by(DOCUMENT_STEP.c.seq))
    ]


def add_step(connection: Connection, hospital: HospitalId, document: str, kind: str, step: DocumentStep) -> None:
    """Add a step to a document; its number must be the next."""
    connection.execute(
        DOCUMENT_STEP.insert().values(
            hospital=hospital,
            document=document,
            seq=step.seq,
            kind=kind,
            step=step.step,
            state=step.state,
            at=step.at,
            actor=step.actor,
            detail=json.dumps(dict(step.detail), sort_keys=True, ensure_ascii=False),
        )
    )


def states(
    connection: Connection, hospital: HospitalId, kind: str, named: Collection[str] | None = None
) -> dict[str, str]:
    """Return the state of every document of a kind that took a step, or of those named."""
    step = DOCUMENT_STEP.c
    steps = select(step.document, func.max(step.seq).label("seq")).where(step.hospital == hospital, step.kind == kind)
    if named is not None:
        steps = steps.where(step.document.in_(named))
    last = steps.group_by(step.document).subquery()
    rows = connection.execute(
        select(step.document, step.state)
        .join(last, (last.c.document == step.document) & (last.c.seq == step.seq))
        .where(step.hospital == hospital)
    )
    return {row.document: row.state for row in rows}


def order_state(connection: Connection, hospital: HospitalId, order_no: str) -> OrderState:
    """Return how an approved order stands."""
    steps = history(connection, hospital, order_no)
    return OrderState(steps[-1].state) if steps else OrderState.APPROVED


def add_receipt(connection: Connection, rows: Sequence[Row]) -> None:
    """Add the lines of one receipt."""
    connection.execute(RECEIPT_LINE.insert(), [dict(row) for row in rows])


def receipts_of(connection: Connection, hospital: HospitalId, order_no: str) -> list[Row]:
    """Return what was inspected of an order, the first delivery first."""
    chosen = RECEIPT_LINE.select().where(RECEIPT_LINE.c.hospital == hospital, RECEIPT_LINE.c.order_no == order_no)
    return [dict(row) for row in connection.execute(chosen.order_by(RECEIPT_LINE.c.at)).mappings()]


def add_invoice(connection: Connection, row: Row, lines: Sequence[Row]) -> None:
    """Add an invoice with its lines."""
    connection.execute(INVOICE.insert().values(**row))
    connection.execute(INVOICE_LINE.insert(), [dict(line) for line in lines])


def has_invoice(connection: Connection, hospital: HospitalId, supplier: str, number: str) -> bool:
    """Tell whether a supplier's invoice of a number was entered."""
    named = (INVOICE.c.hospital == hospital, INVOICE.c.supplier == supplier, INVOICE.c.invoice == number)
    return connection.execute(select(INVOICE.c.document).where(*named)).first() is not None


def invoices(connection: Connection, hospital: HospitalId, *, document: str = "") -> list[Invoice]:
    """Return invoices, those due first first, or the one asked for."""
    chosen = INVOICE.select().where(INVOICE.c.hospital == hospital).order_by(INVOICE.c.due, INVOICE.c.document)
    if document:
        chosen = chosen.where(INVOICE.c.document == document)
    return _invoices(connection, hospital, connection.execute(chosen.limit(LISTED_MAX)).all())


INVOICES = Keyset("invoices", (Key(INVOICE.c.due), Key(INVOICE.c.document)))


def invoices_page(connection: Connection, hospital: HospitalId, asked: PageAsked) -> Page[Invoice]:
    """Return a page of the invoices, those due first first. Raises `BadInput` for its cursor."""
    rows, cursor = INVOICES.rows(connection, select(INVOICE).where(INVOICE.c.hospital == hospital), asked)
    return Page(tuple(_invoices(connection, hospital, rows)), cursor)


def _invoices(connection: Connection, hospital: HospitalId, rows: Sequence[StoredRow[Any]]) -> list[Invoice]:
    state, lines = states(connection, hospital, "invoice"), _lines(connection, hospital, [row.document for row in rows])
    return [
        Invoice(
            document=row.document,
            supplier=row.supplier,
            number=row.invoice,
            dated=row.dated,
            due=row.due,
            amount=Money(row.amount),
            entered_at=Instant(row.entered_at),
            entered_by=row.entered_by,
            state=InvoiceState(state[row.document]),
            lines=tuple(lines[row.document]),
        )
        for row in rows
    ]


def _lines(connection: Connection, hospital: HospitalId, documents: Sequence[str]) -> dict[str, list[InvoicedLine]]:
    found: dict[str, list[InvoicedLine]] = {document: [] for document in documents}
    chosen = INVOICE_LINE.select().where(INVOICE_LINE.c.hospital == hospital, INVOICE_LINE.c.document.in_(documents))
    for row in connection.execute(chosen.order_by(INVOICE_LINE.c.document, INVOICE_LINE.c.line_no)):
        found[row.document].append(InvoicedLine(row.order_no, row.order_line, row.qty, Money(row.price)))
    return found


def invoiced(connection: Connection, hospital: HospitalId) -> dict[tuple[str, int], int]:
    """Return the base units asked for so far by invoices that were not withdrawn, by order line."""
    gone = {name for name, state in states(connection, hospital, "invoice").items() if state == InvoiceState.WITHDRAWN}
    line = INVOICE_LINE.c
    rows = connection.execute(
        select(line.order_no, line.order_line, func.sum(line.qty).label("qty"))
        .where(line.hospital == hospital, line.document.not_in(gone))
        .group_by(line.order_no, line.order_line)
    )
    return {(row.order_no, row.order_line): int(row.qty) for row in rows}
