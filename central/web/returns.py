"""The pages of returns and claims: ask from an order's receipts, see where each stands, and take its next step.

It decides nothing. The rule that must not be broken: a button that would be refused is not shown.
"""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import FastAPI, Form, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from central.core.returns import SAID_MAX, Back, Claimed, ReturnKind, ReturnState, ReturnStep, Why
from central.core.rights import Caller, Right
from central.errors import BadInput, NotAllowed, NotNow, NotThere
from central.services.desk import Desk
from central.services.reasons import names_now
from central.services.returns import Credit, approver, steps_for
from central.store import queries_returns as kept
from central.store.paging import CURSOR_MAX, PageAsked
from central.store.queries_purchasing import history, receipts_of
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import Renderer, Visit
from central.web.typed import day_of, in_step, whole_of, yuan_of
from protocols.values.money import Money

SHOWN = 100
"""Rows of a page; the next ones stand behind a link."""
COLUMN_MAX = 500
Text = Annotated[str, Form(max_length=SAID_MAX)]
Word = Annotated[str, Form(max_length=WORD_MAX)]


class ReturnForm(BaseModel):
    """What the form of a return sends: quantities by receipt line, as typed."""

    word: str = Field(default="", max_length=WORD_MAX)
    order_no: str = Field(default="", max_length=64)
    kind: str = Field(default="return", max_length=16)
    why: str = Field(default="", max_length=16)
    claim: str = Field(default="", max_length=32)
    said: str = Field(default="", max_length=SAID_MAX)
    line: list[str] = Field(default=[], max_length=COLUMN_MAX)
    qty: list[str] = Field(default=[], max_length=COLUMN_MAX)

    def wanted(self) -> Claimed:
        """Return what is asked for. Raises `BadInput`."""
        if self.kind not in set(ReturnKind) or self.why not in set(Why):
            raise BadInput("return: expected what is asked for and why; choose both")
        in_step("quantity", self.line, self.qty)
        typed = ((line, whole_of("quantity", qty)) for line, qty in zip(self.line, self.qty, strict=True))
        lines = tuple(_back(line, qty) for line, qty in typed if qty)
        return Claimed(ReturnKind(self.kind), Why(self.why), lines, _claimed(self.claim), self.said)


@dataclass(frozen=True, slots=True)
class _Book:
    """Draws the pages."""

    renderer: Renderer
    desk: Desk

    def listed(self, visit: Visit, caller: Caller, state: str, cursor: str) -> Response:
        """Return a page of the list."""
        wanted, scope = state if state in set(ReturnState) else "", caller.scope(Right.SEE_ORDERS)
        with self.desk.store.read() as connection:
            found = kept.returns_page(connection, self.desk.hospital, PageAsked(SHOWN, cursor), scope, wanted)
            names = names_now(connection, self.desk.hospital)
        prices = self.desk.looks.sees_prices(caller, "returns")
        return self.renderer.page(
            "returns.html.j2", visit, rows=found.items, older=found.cursor, state=wanted, states=list(ReturnState),
            names=names, prices=prices, now=self.desk.now(),
        )  # fmt: skip

    def form(self, visit: Visit, caller: Caller, order_no: str, typed: ReturnForm, *, fault: str = "") -> Response:
        """Return the form for an order's receipts."""
        documents = self.desk.purchasing.documents
        with self.desk.store.read() as connection:
            order = documents.order(connection, caller, Right.SEE_ORDERS, order_no)
            came = [row for row in receipts_of(connection, self.desk.hospital, order_no) if row["accepted"]]
            back = {row["receipt"]: kept.asked_back(connection, self.desk.hospital, row["receipt"]) for row in came}
            names = names_now(connection, self.desk.hospital)
        left = {
            (row["receipt"], row["line_no"]): row["accepted"] - back[row["receipt"]][row["line_no"]] for row in came
        }
        return self.renderer.page(
            "return_new.html.j2", visit, 409 if fault else 200, order=order, came=came, left=left, names=names,
            typed=typed, fault=fault, whys=list(Why),
        )  # fmt: skip

    def one(self, visit: Visit, caller: Caller, return_no: str, *, fault: str = "") -> Response:
        """Return one return or claim with what may be done now."""
        with self.desk.store.read() as connection:
            one = self.desk.returns.one(connection, caller, return_no)
            steps = history(connection, self.desk.hospital, return_no)
            names = names_now(connection, self.desk.hospital)
        prices = self.desk.looks.sees_prices(caller, return_no)
        return self.renderer.page(
            "return.html.j2", visit, 409 if fault else 200, one=one, steps=steps, names=names, fault=fault,
            prices=prices, may=steps_for(one, caller, approver(steps)),
        )  # fmt: skip


def add_returns(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the pages."""
    book = _Book(renderer, desk)
    _add_asking(pages, porter, book)
    _add_deciding(pages, porter, book)


def _add_asking(pages: FastAPI, porter: Porter, book: _Book) -> None:
    @pages.get("/returns")
    def listed(
        request: Request,
        state: Annotated[str, Query(max_length=16)] = "",
        cursor: Annotated[str, Query(max_length=CURSOR_MAX)] = "",
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_ORDERS)
        answer = book.listed(visit, caller, state, cursor)
        keep_language(request, visit, answer)
        return answer

    @pages.get("/returns/new/{order_no}")
    def empty(request: Request, order_no: str) -> Response:
        visit, caller = porter.visit_of(request)
        _may_ask(caller)
        answer = book.form(visit, caller, order_no, ReturnForm())
        keep_language(request, visit, answer)
        return answer

    @pages.post("/returns/new/{order_no}")
    def asked(request: Request, order_no: str, form: Annotated[ReturnForm, Form()]) -> Response:
        visit, caller = porter.visit_of(request)
        _may_ask(caller)
        porter.check_form(request, visit, form.word)
        try:
            made = book.desk.returns.ask(caller, form.wanted())
        except (BadInput, NotNow) as error:
            return book.form(visit, caller, order_no, form, fault=_fault(error))
        return RedirectResponse(f"/returns/{made.return_no}", 303)


def _add_deciding(pages: FastAPI, porter: Porter, book: _Book) -> None:
    @pages.get("/returns/{return_no}")
    def one(request: Request, return_no: str) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_ORDERS)
        answer = book.one(visit, caller, return_no)
        keep_language(request, visit, answer)
        return answer

    @pages.post("/returns/{return_no}/{step}")
    def stepped(
        request: Request,
        return_no: str,
        step: str,
        reason: Text = "",
        number: Text = "",
        dated: Text = "",
        claim: Text = "",
        word: Word = "",
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_ORDERS)
        porter.check_form(request, visit, word)
        if step not in set(ReturnStep):
            raise NotThere(f"return: expected one of {', '.join(ReturnStep)}, got {step!r:.20}")
        try:
            credit = Credit(number.strip(), _printed(dated), _claimed(claim)) if step == ReturnStep.CREDIT else None
            book.desk.returns.step(caller, return_no, ReturnStep(step), said=reason, credit=credit)
        except (BadInput, NotNow) as error:
            return book.one(visit, caller, return_no, fault=_fault(error))
        except NotAllowed as error:
            if "expected the right" in str(error):
                raise
            return book.one(visit, caller, return_no, fault="two people")
        return RedirectResponse(f"/returns/{return_no}", 303)


def _may_ask(caller: Caller) -> None:
    if not caller.may(Right.RECEIVE):
        caller.need(Right.PURCHASE)


def _back(line: str, qty: int) -> Back:
    """Read which receipt line a quantity is of. Raises `BadInput`."""
    receipt, _, number = line.rpartition("/")
    return Back(receipt, whole_of("line", number), qty)


def _printed(text: str) -> date:
    """Read the day printed on a credit note. Raises `BadInput`."""
    day = day_of("credit", text)
    if day is None:
        raise BadInput("credit: expected the day printed on the note, got nothing")
    return day


def _claimed(text: str) -> Money:
    """Read an amount in yuan, nothing where none was typed. Raises `BadInput`."""
    return yuan_of("claim", text.strip() or "0")


def _fault(error: Exception) -> str:
    """Return what a refusal is about, from which a page makes a sentence."""
    said = str(error)
    if "not there by the book" in said:
        return "book"
    return said.partition(":")[0].partition(" ")[0]
