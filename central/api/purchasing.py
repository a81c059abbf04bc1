"""`/orders/{order_no}/…` and `/invoices`: what happens to an order after its approval, until it is paid."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from central.api.door import Asks, sees_prices
from central.api.etags import Seen, tell_version
from central.api.paging import Listed, Paged
from central.api.problems import Problem
from central.core.purchasing import LINES_MAX, InvoicedLine, InvoiceStep, OrderStep, overdue_days
from central.core.rights import Right
from central.errors import NotThere
from central.services.desk import Desk
from central.services.purchasing import Inspected
from central.store import queries_purchasing as kept
from protocols.movements import LINE_QTY_MAX
from protocols.values.instant import business_day, to_iso
from protocols.values.money import Money

PRICE_MAX = 10_000_000_000_000
REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (403, 404, 409, 422)}

Number = Annotated[str, Field(min_length=1, max_length=64)]
Qty = Annotated[int, Field(ge=0, le=LINE_QTY_MAX)]


class StepIn(BaseModel):
    """What a step must say: `send` a platform order number if there is one, `confirm` the day the supplier promises,
    `announce` the delivery note's number, `close` and `cancel` the reason."""

    platform_order_no: str = Field(default="", max_length=64)
    promised: date | None = None
    delivery_note: str = Field(default="", max_length=64)
    reason: str = Field(default="", max_length=500)


class StateOut(BaseModel):
    """The state a document is in now."""

    document: str
    state: str


class InspectedIn(BaseModel):
    """One lot that came of one order line: base units accepted and refused, and why any were refused."""

    line_no: int = Field(ge=1, le=LINES_MAX)
    lot: str = Field(default="", max_length=64)
    expiry: date | None = None
    accepted: Qty
    refused: Qty = 0
    why: str = Field(default="", max_length=500)


class ReceiptIn(BaseModel):
    """What one delivery note brought."""

    delivery_note: Number
    lines: list[InspectedIn] = Field(min_length=1, max_length=LINES_MAX)


class ReceiptOut(BaseModel):
    """The receipt that was written."""

    receipt: str


class DocumentStepOut(BaseModel):
    """One step of a document."""

    step: str
    state: str
    at: str
    actor: str
    detail: dict[str, Any]


class ReceiptLineOut(BaseModel):
    """One line of a receipt, in base units."""

    receipt: str
    delivery_note: str
    order_line: int
    item: str
    lot: str
    expiry: date | None
    accepted: int
    refused: int
    refused_why: str
    at: str
    actor: str


class HistoryOut(BaseModel):
    """What has happened to an order since its approval."""

    document: str
    steps: list[DocumentStepOut]
    receipts: list[ReceiptLineOut]


class InvoiceLineIn(BaseModel):
    """One line of an invoice: base units of an order line, price in 1e-4 yuan a base unit."""

    order_no: Number
    line_no: int = Field(ge=1, le=LINES_MAX)
    qty: int = Field(ge=1, le=LINE_QTY_MAX)
    price: int = Field(ge=0, le=PRICE_MAX)


class InvoiceIn(BaseModel):
    """One invoice of a supplier, by the number printed on it."""

    supplier: Number
    invoice: Number
    dated: date
    lines: list[InvoiceLineIn] = Field(min_length=1, max_length=LINES_MAX)


class DifferenceOut(BaseModel):
    """One line that does not match: what is allowed, and what came."""

    order_no: str
    line_no: int
    why: str
    allowed: int
    came: int


class EnteredOut(BaseModel):
    """How an invoice stands once entered; a disputed one says what does not match."""

    document: str
    state: str
    differences: list[DifferenceOut]


class InvoiceOut(BaseModel):
    """One invoice; amount in 1e-4 yuan, null to who may not see it."""

    document: str
    supplier: str
    invoice: str
    dated: date
    due: date
    overdue_days: int
    amount: Money | None
    state: str
    entered_by: str


class Invoices(Listed):
    """Invoices, those due first first."""

    items: list[InvoiceOut]


class ReasonIn(BaseModel):
    """Why, where it is worth saying."""

    reason: str = Field(default="", max_length=500)


def purchasing_routes(desk: Desk) -> APIRouter:
    """Return the routes of these resources."""
    router = APIRouter(tags=["purchasing"])
    _add_orders(router, desk)
    _add_invoices(router, desk)
    return router


def _add_orders(router: APIRouter, desk: Desk) -> None:
    @router.post("/orders/{order_no}/steps/{step}", responses=REFUSED)
    def stepped(
        caller: Asks,
        seen: Seen,
        order_no: str,
        step: Literal["send", "confirm", "announce", "close", "cancel"],
        body: StepIn,
    ) -> StateOut:
        """Send an order, note what the supplier says, close or cancel it."""
        detail = {name: value for name, value in body.model_dump(mode="json").items() if value}
        state = desk.purchasing.step(caller, order_no, OrderStep(step), detail, seen)
        return StateOut(document=order_no, state=state)

    @router.post("/orders/{order_no}/receipts", status_code=201, responses=REFUSED)
    def received(caller: Asks, order_no: str, body: ReceiptIn) -> ReceiptOut:
        """Accept and refuse what a delivery brought for the level-1 storeroom."""
        lines = [Inspected(**line.model_dump()) for line in body.lines]
        return ReceiptOut(receipt=desk.purchasing.receive(caller, order_no, body.delivery_note, lines))

    @router.get("/orders/{order_no}/history", responses={404: {"model": Problem}})
    def history(caller: Asks, response: Response, order_no: str) -> HistoryOut:
        """Tell what has happened to an order since its approval."""
        caller.need(Right.SEE_ORDERS)
        documents = desk.purchasing.documents
        with desk.store.read() as connection:
            order = documents.order(connection, caller, Right.SEE_ORDERS, order_no)
            steps = kept.history(connection, desk.hospital, order.order_no)
            receipts = kept.receipts_of(connection, desk.hospital, order.order_no)
        tell_version(response, len(steps))
        return HistoryOut(
            document=order_no,
            steps=[_step(one) for one in steps],
            receipts=[ReceiptLineOut(**{**row, "at": to_iso(row["at"])}) for row in receipts],
        )


def _add_invoices(router: APIRouter, desk: Desk) -> None:
    @router.post("/invoices", status_code=201, responses=REFUSED)
    def entered(caller: Asks, body: InvoiceIn) -> EnteredOut:
        """Enter an invoice and match it with order and receipt."""
        lines = [InvoicedLine(one.order_no, one.line_no, one.qty, Money(one.price)) for one in body.lines]
        done = desk.invoices.enter_invoice(caller, body.supplier, body.invoice, body.dated, lines)
        differences = [
            DifferenceOut(order_no=one.order_no, line_no=one.line_no, why=one.why, allowed=one.allowed, came=one.came)
            for one in done.differences
        ]
        return EnteredOut(document=done.document, state=done.state, differences=differences)

    @router.post("/invoices/{document}/steps/{step}", responses=REFUSED)
    def stepped(
        caller: Asks, seen: Seen, document: str, step: Literal["match", "pay", "withdraw"], body: ReasonIn
    ) -> StateOut:
        """Match a disputed invoice again, pay a matched one, or withdraw it."""
        state = desk.invoices.invoice_step(caller, document, InvoiceStep(step), body.reason, seen)
        return StateOut(document=document, state=state)

    @router.get("/invoices")
    def listed(caller: Asks, page: Paged) -> Invoices:
        """List the invoices with the day each is due."""
        caller.need(Right.INVOICE)
        prices, today = sees_prices(desk, caller, "invoices"), business_day(desk.now())
        with desk.store.read() as connection:
            found = kept.invoices_page(connection, desk.hospital, page.asked)
        shown = [_invoice(one, today, prices=prices) for one in found.items]
        return Invoices(items=shown, next=page.next(found))

    @router.get("/invoices/{document}/history", responses={404: {"model": Problem}})
    def history(caller: Asks, response: Response, document: str) -> HistoryOut:
        """Tell what has happened to an invoice."""
        caller.need(Right.INVOICE)
        with desk.store.read() as connection:
            steps = kept.history(connection, desk.hospital, document)
        if not steps:
            raise NotThere(f"invoice: expected one that was entered, got {document!r:.40}")
        tell_version(response, len(steps))
        return HistoryOut(document=document, steps=[_step(one) for one in steps], receipts=[])


def _step(one: kept.DocumentStep) -> DocumentStepOut:
    return DocumentStepOut(step=one.step, state=one.state, at=to_iso(one.at), actor=one.actor, detail=dict(one.detail))


def _invoice(one: kept.Invoice, today: date, *, prices: bool) -> InvoiceOut:
    unpaid = one.state not in {"paid", "withdrawn"}
    return InvoiceOut(
        document=one.document,
        supplier=one.supplier,
        invoice=one.number,
        dated=one.dated,
        due=one.due,
        overdue_days=overdue_days(one.due, today) if unpaid else 0,
        amount=one.amount if prices else None,
        state=one.state,
        entered_by=one.entered_by,
    )
