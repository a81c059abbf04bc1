"""The pages of invoices: all of them, and one beside its orders and receipts, so that it says why it does not match.

They decide nothing; which step a button stands for is read from the state table. The rule that must not be broken: a
disputed invoice names every difference, with what was ordered, accepted and invoiced side by side.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import FastAPI, Form, Query, Request
from pydantic import BaseModel, Field
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from central.core.purchasing import INVOICE_STEPS, LINES_MAX, InvoicedLine, InvoiceState, InvoiceStep, overdue_days
from central.core.rights import Caller, Right
from central.errors import BadInput, NotAllowed, NotNow, NotThere, Stopped
from central.services.desk import Desk
from central.services.reasons import names_now
from central.store import queries_purchasing as kept
from central.store.paging import CURSOR_MAX, PageAsked
from central.store.queries_consignment import notes as settlements
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import Renderer, Visit
from central.web.typed import day_of, in_step, whole_of, yuan_of
from protocols.values.instant import business_day

TEXT_MAX = 500
SHOWN = 100
"""Invoices of a page; the next ones stand behind a link."""
ORDERS_MAX = 20
"""Orders and settlements of one invoice on the page; the API takes more."""
COMPARED_MAX = 50
"""Disputed invoices of the list whose differences are named there; the others say them on their own page."""
UNPAID = frozenset({InvoiceState.MATCHED, InvoiceState.DISPUTED})

Text = Annotated[str, Form(max_length=TEXT_MAX)]
Typed = Annotated[str, Field(max_length=TEXT_MAX)]
Word = Annotated[str, Form(max_length=WORD_MAX)]


class InvoiceForm(BaseModel):
    """What the form of an invoice sends, as typed; of its lines those count that have a quantity."""

    word: str = Field(default="", max_length=WORD_MAX)
    order_no: list[Typed] = Field(default=[], max_length=LINES_MAX)
    line_no: list[Annotated[int, Field(ge=1, le=LINES_MAX)]] = Field(default=[], max_length=LINES_MAX)
    invoice: str = Field(default="", max_length=TEXT_MAX)
    dated: str = Field(default="", max_length=TEXT_MAX)
    qty: list[Typed] = Field(default=[], max_length=LINES_MAX)
    price: list[Typed] = Field(default=[], max_length=LINES_MAX)

    def lines(self) -> list[InvoicedLine]:
        """Return the lines that are asked for. Raises `BadInput`."""
        in_step("lines", self.order_no, self._numbers(), self.qty, self.price)
        rows = [(order, no, whole_of("lines", qty), price) for order, no, qty, price in self._rows() if qty.strip()]
        found = [InvoicedLine(order, no, qty, yuan_of("price", price)) for order, no, qty, price in rows if qty]
        if not found:
            raise BadInput("lines: expected at least one with a quantity and a price, got none")
        return found

    def day(self) -> date:
        """Return the day printed on it. Raises `BadInput`."""
        day = day_of("day", self.dated)
        if day is None:
            raise BadInput("dated: expected the day printed on the invoice, got nothing")
        return day

    def typed(self) -> dict[tuple[str, int], tuple[str, str]]:
        """Return what was typed of each line: quantity and price."""
        return {(order, no): (qty, price) for order, no, qty, price in self._rows()}

    def _rows(self) -> list[tuple[str, int, str, str]]:
        rows = zip(self.order_no, self._numbers(), self.qty, self.price, strict=False)
        return [(order.strip(), no, qty, price) for order, no, qty, price in rows]

    def _numbers(self) -> list[int]:
        return self.line_no or [1] * len(self.order_no)


NOTHING_TYPED = InvoiceForm()


@dataclass(frozen=True, slots=True)
class Part:
    """Which invoices a page lists: those in a state, from where the page before ended."""

    state: str = ""
    cursor: str = ""


WHOLE = Part()


@dataclass(frozen=True, slots=True)
class _Asked:
    """One line that an invoice may ask for: of an order or a settlement."""

    order_no: str
    line_no: int
    item: str


@dataclass(frozen=True, slots=True)
class _Billed:
    """Whose invoice it is, and the lines it may ask for."""

    supplier: str
    lines: tuple[_Asked, ...]


def add_invoices(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the pages of invoices."""
    _add_reading(pages, renderer, porter, desk)
    _add_entering(pages, renderer, porter, desk)
    _add_steps(pages, renderer, porter, desk)


def _add_reading(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.get("/invoices")
    def listed(
        request: Request,
        state: Annotated[str, Query(max_length=16)] = "",
        order: Annotated[str, Query(max_length=TEXT_MAX)] = "",
        cursor: Annotated[str, Query(max_length=CURSOR_MAX)] = "",
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.INVOICE)
        asked = InvoiceForm(order_no=_numbers(order))
        answer = _list_page(renderer, visit, caller, desk, part=Part(state, cursor), form=asked)
        keep_language(request, visit, answer)
        return answer

    @pages.get("/invoices/{document}")
    def one(request: Request, document: str) -> Response:
        visit, caller = porter.visit_of(request, Right.INVOICE)
        answer = _one_page(renderer, visit, caller, desk, document)
        keep_language(request, visit, answer)
        return answer


def _add_entering(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.post("/invoices")
    def entered(request: Request, form: Annotated[InvoiceForm, Form()]) -> Response:
        visit, caller = porter.visit_of(request, Right.INVOICE)
        porter.check_form(request, visit, form.word)
        try:
            lines = form.lines()
            with desk.store.read() as connection:
                supplier = _billed(connection, desk, caller, [line.order_no for line in lines]).supplier
            made = desk.invoices.enter_invoice(caller, supplier, form.invoice.strip(), form.day(), lines)
        except (BadInput, NotNow, NotThere) as error:
            return _list_page(renderer, visit, caller, desk, form=form, fault=fault_of(error), status=409)
        return RedirectResponse(f"/invoices/{made.document}" if made.differences else "/invoices", 303)


def _billed(connection: Connection, desk: Desk, caller: Caller, named: Sequence[str]) -> "_Billed":
    """Return the lines of the orders and settlements that an invoice may ask for.

    Raises `NotThere` for a number that is neither, `BadInput` where they are of several suppliers.
    """
    documents, found, firms = desk.purchasing.documents, list[_Asked](), set[str]()
    for number in dict.fromkeys(named):
        settled = settlements(connection, desk.hospital, named=[number])
        if settled:
            firms.add(settled[0].supplier)
            found += [_Asked(number, at, one.item) for at, one in enumerate(settled[0].lines, 1) if one.used > 0]
            continue
        order = documents.order(connection, caller, Right.SEE_ORDERS, number)
        firms.add(order.supplier)
        found += [_Asked(number, line.line_no, line.item) for line in order.lines]
    if len(firms) != 1 or "" in firms:
        raise BadInput("supplier: expected orders and settlements of one supplier; enter one invoice for each")
    return _Billed(firms.pop(), tuple(found))


def _add_steps(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.post("/invoices/{document}/{step}")
    def stepped(request: Request, document: str, step: str, word: Word = "", reason: Text = "") -> Response:
        visit, caller = porter.visit_of(request, Right.INVOICE)
        porter.check_form(request, visit, word)
        if step not in set(InvoiceStep):
            raise NotThere(f"invoice: expected one of {', '.join(InvoiceStep)}, got {step!r:.20}")
        try:
            desk.invoices.invoice_step(caller, document, InvoiceStep(step), reason.strip())
        except (NotNow, NotAllowed) as error:
            return _one_page(renderer, visit, caller, desk, document, fault=fault_of(error), status=409)
        return RedirectResponse("/invoices", 303)


def _numbers(typed: str) -> list[str]:
    """Return the numbers of orders and settlements in what was typed, parted by blanks or commas."""
    return [one for one in re.split(r"[\s,;，；、]+", typed) if one][:ORDERS_MAX]


def _list_page(
    renderer: Renderer,
    visit: Visit,
    caller: Caller,
    desk: Desk,
    *,
    part: Part = WHOLE,
    form: InvoiceForm = NOTHING_TYPED,
    fault: str = "",
    status: int = 200,
) -> Response:
    named = [one for one in dict.fromkeys(form.order_no) if one.strip()]
    wanted = part.state if part.state in set(InvoiceState) else ""
    order = kept.INVOICES if wanted in UNPAID else kept.NEWEST_INVOICES
    with desk.store.read() as connection:
        page = kept.invoices_page(connection, desk.hospital, PageAsked(SHOWN, part.cursor), wanted, order)
        found = page.items
        names = names_now(connection, desk.hospital)
        disputed = [one for one in found if one.state is InvoiceState.DISPUTED][:COMPARED_MAX]
        compared = {one.document: desk.invoices.compared(connection, one) for one in disputed}
        try:
            billed = _billed(connection, desk, caller, named) if named else None
        except (NotThere, BadInput) as error:
            billed, fault, status = None, fault or fault_of(error), status if fault else 409
    desk.looks.saw(caller, "see-prices", "invoices")
    return renderer.page(
        "invoices.html.j2", visit, status, rows=[_row(one, caller, desk) for one in found], compared=compared,
        names=names, fault=fault, state=wanted, states=list(InvoiceState), due_first=wanted in UNPAID,
        order=" ".join(named), billed=billed, form=form, typed=form.typed(), later=page.cursor,
    )  # fmt: skip


def _one_page(
    renderer: Renderer, visit: Visit, caller: Caller, desk: Desk, document: str, *, fault: str = "", status: int = 200
) -> Response:
    with desk.store.read() as connection:
        found = desk.invoices.one(connection, document)
        lines = desk.invoices.compared(connection, found)
        history = kept.history(connection, desk.hospital, document)
        names = names_now(connection, desk.hospital)
    desk.looks.saw(caller, "see-prices", f"invoices {document}")
    return renderer.page(
        "invoice.html.j2", visit, status, row=_row(found, caller, desk), lines=lines, history=history, names=names,
        fault=fault,
    )  # fmt: skip


def _row(one: kept.Invoice, caller: Caller, desk: Desk) -> dict[str, Any]:
    """Return an invoice with how late its payment is, and the steps this reader may take now."""
    return {
        "invoice": one,
        "late": overdue_days(one.due, business_day(desk.now())) if one.state in UNPAID else 0,
        "steps": [
            event
            for before, event in INVOICE_STEPS
            if before is one.state and (event is not InvoiceStep.PAY or caller.may(Right.PAY))
        ],
    }


def fault_of(error: Exception) -> str:
    """Return what a refusal is about, from which a page makes a sentence."""
    about = str(error).partition(":")[0].partition(" ")[0]
    if isinstance(error, NotThere):
        return "unknown"
    if isinstance(error, Stopped):
        return " ".join(("stopped", *error.found))
    return "two people" if isinstance(error, NotAllowed) and about != "head" else about
