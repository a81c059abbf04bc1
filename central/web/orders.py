"""The pages of orders: all of them, one with its history and what may be done to it now, and the invoices.

It decides nothing; which step a button stands for is read from the state tables. The rule that must not be broken: a
button that would be refused is not shown, and one that is pressed late is answered in plain words.
"""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import FastAPI, Form, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from central.core.orders import Progress
from central.core.purchasing import (
    INVOICE_STEPS,
    LINES_MAX,
    ORDER_STEPS,
    InvoicedLine,
    InvoiceState,
    InvoiceStep,
    OrderState,
    OrderStep,
    overdue_days,
)
from central.core.rights import Caller, Right
from central.errors import BadInput, NotAllowed, NotNow, NotThere
from central.services.desk import Desk
from central.services.orders import orders_now, progress_of
from central.services.purchasing import Inspected
from central.services.reasons import names_now
from central.store import queries_purchasing as kept
from central.store.queries_agreements import alerts_of
from central.store.queries_master import LEVEL_STORE, places
from central.store.queries_work import Order
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import Renderer, Visit
from protocols.errors import BadValue
from protocols.movements import LINE_QTY_MAX
from protocols.values.ids import PlaceId
from protocols.values.instant import business_day
from protocols.values.money import Money, times, yuan

TEXT_MAX = 500
PAGE_ORDERS = 50

Text = Annotated[str, Form(max_length=TEXT_MAX)]
Word = Annotated[str, Form(max_length=WORD_MAX)]


class ReceiptForm(BaseModel):
    """What a storekeeper enters of one lot that came: base units accepted and refused."""

    word: str = Field(default="", max_length=WORD_MAX)
    delivery_note: str = Field(default="", max_length=TEXT_MAX)
    line_no: int = Field(default=1, ge=1, le=LINES_MAX)
    lot: str = Field(default="", max_length=TEXT_MAX)
    expiry: str = Field(default="", max_length=TEXT_MAX)
    accepted: int = Field(default=0, ge=0, le=LINE_QTY_MAX)
    refused: int = Field(default=0, ge=0, le=LINE_QTY_MAX)
    why: str = Field(default="", max_length=TEXT_MAX)


@dataclass(frozen=True, slots=True)
class OrderView:
    """One order as a page draws it; `steps` are those its state and the reader's rights admit."""

    order: Order
    progress: Progress
    amount: Money | None
    history: tuple[kept.DocumentStep, ...]
    receipts: tuple[kept.Row, ...]
    steps: tuple[OrderStep, ...]
    may_receive: bool


def add_orders(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the pages of orders and invoices."""
    _add_list(pages, renderer, porter, desk)
    _add_one(pages, renderer, porter, desk)
    _add_receipt(pages, renderer, porter, desk)
    _add_invoices(pages, renderer, porter, desk)


def _add_list(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.get("/orders")
    def listed(
        request: Request,
        state: Annotated[str, Query(max_length=32)] = "",
        page: Annotated[int, Query(ge=1, le=1000)] = 1,
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_ORDERS)
        found = orders_now(desk.store, desk.hospital, desk.now(), caller.scope(Right.SEE_ORDERS))
        chosen = [(order, come) for order, come in found if not state or come == state]
        with desk.store.read() as connection:
            names = names_now(connection, desk.hospital)
        answer = renderer.page(
            "orders_list.html.j2",
            visit,
            orders=chosen[(page - 1) * PAGE_ORDERS : page * PAGE_ORDERS],
            count=len(chosen),
            page=page,
            pages=-(-len(chosen) // PAGE_ORDERS),
            state=state,
            states=list(Progress),
            names=names,
            now=desk.now(),
        )
        keep_language(request, visit, answer)
        return answer


def _add_one(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.get("/orders/{order_no}")
    def one(request: Request, order_no: str) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_ORDERS)
        answer = _order_page(renderer, visit, caller, desk, order_no)
        keep_language(request, visit, answer)
        return answer

    @pages.post("/orders/{order_no}/{step}")
    def stepped(
        request: Request,
        order_no: str,
        step: str,
        word: Word = "",
        platform_order_no: Text = "",
        promised: Text = "",
        delivery_note: Text = "",
        reason: Text = "",
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.PURCHASE)
        porter.check_form(request, visit, word)
        if step not in set(OrderStep):
            raise NotThere(f"order: expected one of {', '.join(OrderStep)}, got {step!r:.20}")
        said = {"platform_order_no": platform_order_no, "promised": promised, "delivery_note": delivery_note}
        detail = {name: text.strip() for name, text in (said | {"reason": reason}).items() if text.strip()}
        try:
            desk.purchasing.step(caller, order_no, OrderStep(step), detail)
        except (BadInput, NotNow) as error:
            return _order_page(renderer, visit, caller, desk, order_no, fault=_fault(error), status=409)
        return RedirectResponse(f"/orders/{order_no}", 303)


def _add_receipt(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.post("/orders/{order_no}/receipts/new")
    def received(request: Request, order_no: str, form: Annotated[ReceiptForm, Form()]) -> Response:
        visit, caller = porter.visit_of(request, Right.RECEIVE)
        porter.check_form(request, visit, form.word)
        try:
            day = _day(form.expiry)
            line = Inspected(form.line_no, form.lot.strip(), day, form.accepted, form.refused, form.why.strip())
            desk.purchasing.receive(caller, order_no, form.delivery_note.strip(), [line])
        except (BadInput, NotNow, NotAllowed) as error:
            return _order_page(renderer, visit, caller, desk, order_no, fault=_fault(error), status=409)
        return RedirectResponse(f"/orders/{order_no}", 303)


def _add_invoices(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.get("/invoices")
    def listed(request: Request) -> Response:
        visit, caller = porter.visit_of(request, Right.INVOICE)
        answer = _invoices_page(renderer, visit, caller, desk)
        keep_language(request, visit, answer)
        return answer

    @pages.post("/invoices")
    def entered(
        request: Request,
        word: Word = "",
        order_no: Text = "",
        invoice: Text = "",
        dated: Text = "",
        qty: Annotated[int, Form(ge=0, le=LINE_QTY_MAX)] = 0,
        price: Text = "",
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.INVOICE)
        porter.check_form(request, visit, word)
        try:
            with desk.store.read() as connection:
                order = desk.purchasing.documents.order(connection, caller, Right.SEE_ORDERS, order_no.strip())
            day = _day(dated)
            if day is None:
                raise BadInput("dated: expected the day printed on the invoice, got nothing")
            line = InvoicedLine(order.order_no, 1, qty, _yuan(price))
            desk.invoices.enter_invoice(caller, order.supplier, invoice.strip(), day, [line])
        except (BadInput, NotNow, NotThere) as error:
            return _invoices_page(renderer, visit, caller, desk, fault=_fault(error), status=409)
        return RedirectResponse("/invoices", 303)

    @pages.post("/invoices/{document}/{step}")
    def stepped(request: Request, document: str, step: str, word: Word = "") -> Response:
        visit, caller = porter.visit_of(request, Right.INVOICE)
        porter.check_form(request, visit, word)
        if step not in set(InvoiceStep):
            raise NotThere(f"invoice: expected one of {', '.join(InvoiceStep)}, got {step!r:.20}")
        try:
            desk.invoices.invoice_step(caller, document, InvoiceStep(step))
        except (NotNow, NotAllowed) as error:
            return _invoices_page(renderer, visit, caller, desk, fault=_fault(error), status=409)
        return RedirectResponse("/invoices", 303)


def _order_page(
    renderer: Renderer, visit: Visit, caller: Caller, desk: Desk, order_no: str, *, fault: str = "", status: int = 200
) -> Response:
    with desk.store.read() as connection:
        order = desk.purchasing.documents.order(connection, caller, Right.SEE_ORDERS, order_no)
        names = names_now(connection, desk.hospital)
        levels = {room.place: room.level for room in places(connection, desk.hospital)}
        history = kept.history(connection, desk.hospital, order_no)
        receipts = kept.receipts_of(connection, desk.hospital, order_no)
        come = progress_of(connection, desk.hospital, [order], desk.now())
        alerts = alerts_of(connection, desk.hospital, order_no)
    state = OrderState(history[-1].state) if history else OrderState.APPROVED
    prices = caller.may(Right.SEE_PRICES) and bool(order.supplier)
    if prices:
        desk.looks.saw(caller, "see-prices", order_no)
    buys = bool(order.supplier) and caller.may(Right.PURCHASE, PlaceId(order.place))
    view = OrderView(
        order=order,
        progress=come[order_no],
        amount=Money(sum(times(line.price, line.qty) for line in order.lines)) if prices else None,
        history=tuple(history),
        receipts=tuple(receipts),
        steps=tuple(event for before, event in ORDER_STEPS if before is state) if buys else (),
        may_receive=(
            caller.may(Right.RECEIVE)
            and levels.get(order.place) == LEVEL_STORE
            and state in {OrderState.SENT, OrderState.CONFIRMED, OrderState.ANNOUNCED}
            and order.approved_by != caller.person
        ),
    )
    return renderer.page(
        "order.html.j2",
        visit,
        status,
        view=view,
        alerts=alerts,
        names=names,
        fault=fault,
        now=desk.now(),
        prices=prices,
    )


def _invoices_page(
    renderer: Renderer, visit: Visit, caller: Caller, desk: Desk, *, fault: str = "", status: int = 200
) -> Response:
    today = business_day(desk.now())
    with desk.store.read() as connection:
        found = kept.invoices(connection, desk.hospital)
        names = names_now(connection, desk.hospital)
    desk.looks.saw(caller, "see-prices", "invoices")
    rows: list[dict[str, Any]] = [
        {
            "invoice": one,
            "late": overdue_days(one.due, today) if _unpaid(one.state) else 0,
            "steps": [
                event
                for before, event in INVOICE_STEPS
                if before is one.state and (event is not InvoiceStep.PAY or caller.may(Right.PAY))
            ],
        }
        for one in found
    ]
    return renderer.page("invoices.html.j2", visit, status, rows=rows, names=names, fault=fault, now=desk.now())


def _unpaid(state: InvoiceState) -> bool:
    return state in {InvoiceState.MATCHED, InvoiceState.DISPUTED}


def _fault(error: Exception) -> str:
    """Return what a refusal is about, from which a page makes a sentence."""
    if isinstance(error, NotAllowed):
        return "two people"
    return str(error).partition(":")[0].partition(" ")[0]


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise BadInput(f"day: expected one such as 2026-03-02, got {text!r:.20}") from error


def _yuan(text: str) -> Money:
    """Read a price in yuan. Raises `BadInput`."""
    try:
        amount = yuan(text.strip())
    except BadValue as error:
        raise BadInput(f"price: {error}") from error
    if amount < 0:
        raise BadInput(f"price: expected 0 or more, got {text!r:.20}")
    return amount
