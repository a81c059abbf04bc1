"""`/invoices`: what suppliers ask for, matched line by line with orders and receipts, until it is paid."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from central.api.door import Asks, sees_prices
from central.api.etags import Seen, tell_version
from central.api.one_hop import resource
from central.api.paging import Listed, Paged
from central.api.problems import Problem
from central.api.purchasing import REFUSED, HistoryOut, Number, StateOut, step_out
from central.core.purchasing import (
    LINES_MAX,
    PRICE_MAX,
    Difference,
    InvoicedLine,
    InvoiceState,
    InvoiceStep,
    Mismatch,
    overdue_days,
)
from central.core.rights import Right
from central.services.desk import Desk
from central.services.invoices import Compared
from central.store import queries_purchasing as kept
from protocols.values.instant import business_day
from protocols.values.money import Money
from protocols.values.quantity import LINE_QTY_MAX


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
    """One line that does not match: what is allowed, and what came; null where it is a price one may not see."""

    order_no: str
    line_no: int
    why: Mismatch
    allowed: int | None
    came: int | None


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


class ComparedLineOut(BaseModel):
    """One line of an invoice beside its order and its receipts, in base units and 1e-4 yuan a base unit.

    `ordered`, `ordered_price` and `accepted` are null where the supplier has no such order line; `invoiced_before` is
    what other invoices that match ask for. `differences` names what does not match; prices are null to who may not see
    them.
    """

    order_no: str
    line_no: int
    item: str
    ordered: int | None
    ordered_price: int | None
    accepted: int | None
    invoiced_before: int | None
    qty: int
    price: int | None
    differences: list[DifferenceOut]


class InvoiceTold(BaseModel):
    """One invoice with every line beside its order and what was accepted, as they stand now."""

    invoice: InvoiceOut
    lines: list[ComparedLineOut]


class Invoices(Listed):
    """Invoices, those due first first."""

    items: list[InvoiceOut]


class ReasonIn(BaseModel):
    """Why, where it is worth saying."""

    reason: str = Field(default="", max_length=500)


def invoice_routes(desk: Desk) -> APIRouter:
    """Return the routes of this resource."""
    router = resource("purchasing")

    @router.post("/invoices", status_code=201, responses=REFUSED)
    def entered(caller: Asks, body: InvoiceIn) -> EnteredOut:
        """Enter an invoice and match it with order and receipt."""
        lines = [InvoicedLine(one.order_no, one.line_no, one.qty, Money(one.price)) for one in body.lines]
        done = desk.invoices.enter_invoice(caller, body.supplier, body.invoice, body.dated, lines)
        told = [_difference(one, prices=True) for one in done.differences]
        return EnteredOut(document=done.document, state=done.state, differences=told)

    @router.post("/invoices/{document}/steps/{step}", responses=REFUSED)
    def stepped(
        caller: Asks, seen: Seen, document: str, step: Literal["match", "pay", "withdraw"], body: ReasonIn
    ) -> StateOut:
        """Match a disputed invoice again, pay a matched one, or withdraw it."""
        state = desk.invoices.invoice_step(caller, document, InvoiceStep(step), body.reason, seen)
        return StateOut(document=document, state=state)

    @router.get("/invoices")
    def listed(
        caller: Asks, page: Paged, state: Annotated[InvoiceState | None, Query(description="Only those")] = None
    ) -> Invoices:
        """List the invoices with the day each is due."""
        caller.need(Right.INVOICE)
        prices, today = sees_prices(desk, caller, "invoices"), business_day(desk.now())
        with desk.store.read() as connection:
            found = kept.invoices_page(connection, desk.hospital, page.asked, state or "")
        shown = [_invoice(one, today, prices=prices) for one in found.items]
        return Invoices(items=shown, next=page.next(found))

    @router.get("/invoices/{document}", responses={404: {"model": Problem}})
    def one(caller: Asks, response: Response, document: str) -> InvoiceTold:
        """Tell one invoice with what was ordered, accepted and invoiced side by side, and why it does not match."""
        caller.need(Right.INVOICE)
        with desk.store.read() as connection:
            found = desk.invoices.one(connection, document)
            lines = desk.invoices.compared(connection, found)
            steps = kept.history(connection, desk.hospital, document)
        tell_version(response, len(steps))
        prices, today = sees_prices(desk, caller, document), business_day(desk.now())
        shown = [_compared(line, prices=prices) for line in lines]
        return InvoiceTold(invoice=_invoice(found, today, prices=prices), lines=shown)

    @router.get("/invoices/{document}/history", responses={404: {"model": Problem}})
    def history(caller: Asks, response: Response, document: str) -> HistoryOut:
        """Tell what has happened to an invoice."""
        caller.need(Right.INVOICE)
        with desk.store.read() as connection:
            desk.invoices.one(connection, document)
            steps = kept.history(connection, desk.hospital, document)
        tell_version(response, len(steps))
        return HistoryOut(document=document, steps=[step_out(one) for one in steps], receipts=[])

    return router


def _difference(one: Difference, *, prices: bool) -> DifferenceOut:
    seen = prices or one.why is not Mismatch.OVER_PRICE
    allowed, came = (one.allowed, one.came) if seen else (None, None)
    return DifferenceOut(order_no=one.order_no, line_no=one.line_no, why=one.why, allowed=allowed, came=came)


def _compared(one: Compared, *, prices: bool) -> ComparedLineOut:
    ordered = one.ordered
    return ComparedLineOut(
        order_no=one.line.order_no,
        line_no=one.line.line_no,
        item=one.item,
        ordered=None if ordered is None else ordered.ordered,
        ordered_price=ordered.price if ordered is not None and prices else None,
        accepted=None if ordered is None else ordered.accepted,
        invoiced_before=None if ordered is None else ordered.invoiced,
        qty=one.line.qty,
        price=one.line.price if prices else None,
        differences=[_difference(each, prices=prices) for each in one.differences],
    )


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
