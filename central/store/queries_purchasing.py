"""Steps, receipts and invoices read back, and the writes that add them.

No rule lives here. The rule that must not be broken: every query names the hospital, and nothing is changed.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, func, select
from sqlalchemy import Row as StoredRow

from central.core.amendments import Version, VersionLine
from central.core.purchasing import InvoicedLine, InvoiceState, OrderState
from central.store.paging import Key, Keyset, Page, PageAsked
from central.store.tables.purchasing import DOCUMENT_STEP, INVOICE, INVOICE_LINE, ORDER_VERSION, RECEIPT_LINE
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant
from protocols.values.money import Money

ORDERING = "ordering"
"""The turn of who receives, amends or enters an invoice: each decides by what the others wrote."""

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
    version: int
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
    return [_step(row) for row in connection.execute(chosen.order_by(DOCUMENT_STEP.c.seq))]


def histories(
    connection: Connection, hospital: HospitalId, documents: Collection[str]
) -> dict[str, list[DocumentStep]]:
    """Return the steps of several documents, the first first."""
    step = DOCUMENT_STEP.c
    chosen = DOCUMENT_STEP.select().where(step.hospital == hospital, step.document.in_(sorted(documents)))
    found: dict[str, list[DocumentStep]] = {}
    for row in connection.execute(chosen.order_by(step.document, step.seq)):
        found.setdefault(row.document, []).append(_step(row))
    return found


def _step(row: StoredRow[Any]) -> DocumentStep:
    return DocumentStep(row.seq, row.kind, row.step, row.state, Instant(row.at), row.actor, json.loads(row.detail))


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
    connection: Connection,
    hospital: HospitalId,
    kind: str,
    named: Collection[str] | None = None,
    *,
    standing: Collection[str] | None = None,
) -> dict[str, str]:
    """Return the state of every document of a kind that took a step, or of those named, or standing in some states."""
    chosen = _last_steps(hospital, kind, named)
    if standing is not None:
        chosen = chosen.where(DOCUMENT_STEP.c.state.in_(sorted(standing)))
    return {row.document: row.state for row in connection.execute(chosen)}


def standing_in(hospital: HospitalId, kind: str, standing: Collection[str]) -> Select[Any]:
    """Return the question for the documents of a kind that stand in some states, to choose rows of a list by."""
    last = _last_steps(hospital, kind).where(DOCUMENT_STEP.c.state.in_(sorted(standing)))
    return last.with_only_columns(DOCUMENT_STEP.c.document)


def _last_steps(hospital: HospitalId, kind: str, named: Collection[str] | None = None) -> Select[Any]:
    step = DOCUMENT_STEP.c
    steps = select(step.document, func.max(step.seq).label("seq")).where(step.hospital == hospital, step.kind == kind)
    if named is not None:
        steps = steps.where(step.document.in_(named))
    last = steps.group_by(step.document).subquery()
    return (
        select(step.document, step.state)
        .join(last, (last.c.document == step.document) & (last.c.seq == step.seq))
        .where(step.hospital == hospital)
    )


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


def invoice(connection: Connection, hospital: HospitalId, document: str) -> Invoice | None:
    """Return one invoice, None where there is none of that number."""
    chosen = INVOICE.select().where(INVOICE.c.hospital == hospital, INVOICE.c.document == document)
    return next(iter(_invoices(connection, hospital, connection.execute(chosen).all())), None)


def overdue(connection: Connection, hospital: HospitalId, today: date, standing: Collection[str]) -> int:
    """Count the invoices that stand in some states and whose last day of payment is before a day."""
    row = INVOICE.c
    late = (row.hospital == hospital, row.due < today, row.document.in_(standing_in(hospital, "invoice", standing)))
    return int(connection.scalar(select(func.count()).select_from(INVOICE).where(*late)) or 0)


INVOICES = Keyset("invoices", (Key(INVOICE.c.due), Key(INVOICE.c.document)))
"""Those due first on top: what is to be paid next."""
NEWEST_INVOICES = Keyset("newest-invoices", (Key(INVOICE.c.entered_at, falling=True), Key(INVOICE.c.document)))
"""Those entered last on top: what was paid years ago stands last."""


def invoices_page(
    connection: Connection, hospital: HospitalId, asked: PageAsked, state: str = "", order: Keyset = INVOICES
) -> Page[Invoice]:
    """Return a page of the invoices, or of those in a state, in an order. Raises `BadInput`."""
    chosen = select(INVOICE).where(INVOICE.c.hospital == hospital)
    if state:
        chosen = chosen.where(INVOICE.c.document.in_(standing_in(hospital, "invoice", [state])))
    rows, cursor = order.rows(connection, chosen, asked)
    return Page(tuple(_invoices(connection, hospital, rows)), cursor)


def _invoices(connection: Connection, hospital: HospitalId, rows: Sequence[StoredRow[Any]]) -> list[Invoice]:
    documents = [row.document for row in rows]
    state, lines = states(connection, hospital, "invoice", documents), _lines(connection, hospital, documents)
    return [
        Invoice(
            document=row.document,
            supplier=row.supplier,
            number=row.invoice,
            version=row.version,
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


def invoiced(connection: Connection, hospital: HospitalId, *, besides: str = "") -> dict[tuple[str, int], int]:
    """Return the base units that invoices which match ask for so far, by order line, `besides` one of them.

    A disputed invoice takes nothing: it asks for what another may be owed.
    """
    open_ = (InvoiceState.WITHDRAWN, InvoiceState.DISPUTED)
    gone = {besides, *states(connection, hospital, "invoice", standing=open_)}
    line = INVOICE_LINE.c
    rows = connection.execute(
        select(line.order_no, line.order_line, func.sum(line.qty).label("qty"))
        .where(line.hospital == hospital, line.document.not_in(gone))
        .group_by(line.order_no, line.order_line)
    )
    return {(row.order_no, row.order_line): int(row.qty) for row in rows}


def versions(connection: Connection, hospital: HospitalId, order_no: str) -> list[Version]:
    """Return the versions of an order that was amended, the first first; none of one that never was."""
    row = ORDER_VERSION.c
    chosen = ORDER_VERSION.select().where(row.hospital == hospital, row.order_no == order_no)
    rows = connection.execute(chosen.order_by(row.version, row.line_no)).all()
    lines: dict[int, list[VersionLine]] = {}
    for one in rows:
        lines.setdefault(one.version, []).append(VersionLine(one.line_no, one.item, one.qty, Money(one.price)))
    heads = {one.version: one for one in rows}
    return [
        Version(number, tuple(lines[number]), one.wanted, Instant(one.made_at), one.made_by, one.reason)
        for number, one in heads.items()
    ]


def add_version(connection: Connection, hospital: HospitalId, order_no: str, one: Version) -> None:
    """Add a version of an order."""
    head: dict[str, Any] = {"hospital": hospital, "order_no": order_no, "version": one.version, "wanted": one.wanted}
    head |= {"made_at": one.made_at, "made_by": one.made_by, "reason": one.reason}
    rows = [
        head | {"line_no": line.line_no, "item": line.item, "qty": line.qty, "price": line.price} for line in one.lines
    ]
    connection.execute(ORDER_VERSION.insert(), rows)


def version_in_force(connection: Connection, hospital: HospitalId, order_no: str) -> int:
    """Return the number of the version of an order that is in force."""
    row = ORDER_VERSION.c
    found = connection.scalar(select(func.max(row.version)).where(row.hospital == hospital, row.order_no == order_no))
    return 1 if found is None else int(found)


def amenders(connection: Connection, hospital: HospitalId, named: Collection[str]) -> set[str]:
    """Return who made a version of some orders."""
    row = ORDER_VERSION.c
    return set(connection.scalars(select(row.made_by).where(row.hospital == hospital, row.order_no.in_(sorted(named)))))


def amended_by(connection: Connection, hospital: HospitalId, person: str, named: Collection[str]) -> set[str]:
    """Return of which of some orders a person made a version."""
    row = ORDER_VERSION.c
    mine = (row.hospital == hospital, row.made_by == person, row.order_no.in_(sorted(named)))
    return set(connection.scalars(select(row.order_no).where(*mine)))
