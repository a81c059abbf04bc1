"""The pages of requisitions: ask for goods on a phone or a PC, see what became of it, and decide.

It decides nothing. The rules that must not be broken: it works with scripts off and loses nothing that was typed when a
search or a refusal draws the form again; a button that would be refused is not shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import FastAPI, Form, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from central.core.orders import Progress
from central.core.requisitions import REASON_MAX, RequisitionState, RequisitionStep, Wanted, Wish
from central.core.rights import Caller, Right
from central.errors import BadInput, NotAllowed, NotNow, NotThere, Stopped
from central.services.askable import askable, rooms_to_ask_for
from central.services.desk import Desk
from central.services.emergencies import emergencies
from central.services.orders import progress_of
from central.services.reasons import names_now
from central.services.requisitions import Said, looks, placer, seen_by, steps_for, to_decide
from central.services.trace import QUESTION_MAX
from central.store import queries_requisitions as kept
from central.store.paging import CURSOR_MAX, PageAsked
from central.store.queries_purchasing import history
from central.store.queries_work import orders
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import Renderer, Visit
from central.web.typed import in_step, whole_of

SHOWN = 100
"""Rows of a page; the next ones stand behind a link."""
COLUMN_MAX = 200
"""Lines of the form; the page shows at most 80 beside those chosen."""
EMERGENCY, LATE, DECIDE = "emergency", "late", "decide"
"""The lists beside those by state: emergencies, those over their time, and what waits for the reader's decision."""
Column = Annotated[Sequence[str], Form(max_length=COLUMN_MAX)]
Text = Annotated[str, Form(max_length=REASON_MAX)]
Word = Annotated[str, Form(max_length=WORD_MAX)]


Decision = tuple[Sequence[str], str, str]
"""What a decision's form held: quantities by line, the words, and the code of why less is granted."""
NOT_DECIDED: Decision = ((), "", "")


class AskForm(BaseModel):
    """What the form of a requisition sends, as typed; `act` is `find` or `send`."""

    place: str = Field(default="", max_length=64)
    act: str = Field(default="", max_length=16)
    item: list[str] = Field(default=[], max_length=COLUMN_MAX)
    qty: list[str] = Field(default=[], max_length=COLUMN_MAX)
    q: str = Field(default="", max_length=QUESTION_MAX)
    reason: str = Field(default="", max_length=REASON_MAX)
    emergency: str = Field(default="", max_length=8)
    word: str = Field(default="", max_length=WORD_MAX)


@dataclass(frozen=True, slots=True)
class Typed:
    """What the form of a requisition holds so far: quantities by item as typed, reason, and emergency or not."""

    quantities: dict[str, str]
    reason: str = ""
    emergency: bool = False
    question: str = ""


@dataclass(frozen=True, slots=True)
class _Book:
    """Draws the pages."""

    renderer: Renderer
    porter: Porter
    desk: Desk

    def listed(self, visit: Visit, caller: Caller, state: str, cursor: str) -> Response:
        """Return a page of the list; what is urgent or waits for somebody stands on one."""
        wanted, asked = state if state in set(RequisitionState) else "", PageAsked(SHOWN, cursor)
        with self.desk.store.read() as connection:
            found = kept.requisitions_page(connection, self.desk.hospital, asked, seen_by(caller), wanted)
            running = emergencies(connection, self.desk.hospital, self.desk.now(), seen_by(caller))
            names = names_now(connection, self.desk.hospital)
            decides = to_decide(connection, self.desk.hospital, caller) if state == DECIDE else []
        buys = caller.scope(Right.PURCHASE)
        apart = {
            EMERGENCY: [one.requisition for one in running],
            LATE: [one.requisition for one in running if one.late and one.requisition.place in buys],
            DECIDE: decides,
        }
        return self.renderer.page(
            "requisitions.html.j2", visit, rows=apart.get(state, found.items),
            older="" if state in apart else found.cursor, state=state if state in apart else wanted,
            states=list(RequisitionState), names=names, now=self.desk.now(),
            clocks={one.requisition.requisition: one for one in running},
        )  # fmt: skip

    def form(self, visit: Visit, caller: Caller, place: str, typed: Typed, *, fault: str = "") -> Response:
        """Return the form for a storeroom; of one whose people may ask in several, first the choice."""
        rooms = rooms_to_ask_for(self.desk, caller)
        chosen = place or (rooms[0].place if len(rooms) == 1 else "")
        offered = askable(self.desk, caller, chosen, typed.question) if chosen else []
        with self.desk.store.read() as connection:
            names = names_now(connection, self.desk.hospital)
        return self.renderer.page(
            "requisition_new.html.j2", visit, 409 if fault else 200, rooms=rooms, place=chosen, offered=offered,
            typed=typed, names=names, fault=fault,
        )  # fmt: skip

    def one(
        self, visit: Visit, caller: Caller, requisition: str, *, fault: str = "", typed: Decision = NOT_DECIDED
    ) -> Response:
        """Return one requisition with its orders and what may be done now; `typed` is what did not fit."""
        hospital = self.desk.hospital
        with self.desk.store.read() as connection:
            one = self.desk.requisitions.one(connection, caller, requisition)
            steps = history(connection, hospital, requisition)
            made = orders(connection, hospital, named=set(one.orders.values()))
            come = progress_of(connection, hospital, made, self.desk.now())
            running = emergencies(connection, hospital, self.desk.now(), named=requisition) if one.emergency else []
            names = names_now(connection, hospital)
        return self.renderer.page(
            "requisition.html.j2", visit, 409 if fault else 200, one=one, steps=steps, names=names, fault=fault,
            clocks=next(iter(running), None), typed=typed,
            orders={order.lines[0].item: (order, come.get(order.order_no, Progress.APPROVED)) for order in made},
            may=steps_for(one, caller, placer(steps)), sees_orders=caller.may(Right.SEE_ORDERS), now=self.desk.now(),
        )  # fmt: skip


def add_requisitions(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the pages."""
    book = _Book(renderer, porter, desk)
    _add_asking(pages, book)
    _add_deciding(pages, book)


def _add_asking(pages: FastAPI, book: _Book) -> None:
    @pages.get("/requisitions/new")
    def empty(
        request: Request,
        place: Annotated[str, Query(max_length=64)] = "",
        q: Annotated[str, Query(max_length=QUESTION_MAX)] = "",
    ) -> Response:
        visit, caller = book.porter.visit_of(request, Right.REQUEST)
        answer = book.form(visit, caller, place, Typed({}, question=q))
        keep_language(request, visit, answer)
        return answer

    @pages.post("/requisitions/new")
    def asked(request: Request, form: Annotated[AskForm, Form()]) -> Response:
        visit, caller = book.porter.visit_of(request, Right.REQUEST)
        book.porter.check_form(request, visit, form.word)
        typed = Typed(_typed(form.item, form.qty), form.reason, bool(form.emergency), form.q)
        try:
            wanted = _quantities(form.item, form.qty)
            if form.act != "send":
                return book.form(visit, caller, form.place, typed)
            lines = tuple(Wish(one, count) for one, count in wanted.items())
            made = book.desk.requisitions.ask(caller, Wanted(form.place, lines, form.reason, typed.emergency))
        except (BadInput, NotNow) as error:
            return book.form(visit, caller, form.place, typed, fault=_fault(error))
        return RedirectResponse(f"/requisitions/{made.requisition}", 303)


def _add_deciding(pages: FastAPI, book: _Book) -> None:
    @pages.get("/requisitions")
    def listed(
        request: Request,
        state: Annotated[str, Query(max_length=16)] = "",
        cursor: Annotated[str, Query(max_length=CURSOR_MAX)] = "",
    ) -> Response:
        visit, caller = book.porter.visit_of(request)
        looks(caller)
        answer = book.listed(visit, caller, state, cursor)
        keep_language(request, visit, answer)
        return answer

    @pages.get("/requisitions/{requisition}")
    def one(request: Request, requisition: str) -> Response:
        visit, caller = book.porter.visit_of(request)
        looks(caller)
        answer = book.one(visit, caller, requisition)
        keep_language(request, visit, answer)
        return answer

    @pages.post("/requisitions/{requisition}/{step}")
    def stepped(
        request: Request,
        requisition: str,
        step: str,
        qty: Column = (),
        reason: Text = "",
        paper: Annotated[str, Form(max_length=64)] = "",
        cut: Annotated[str, Form(max_length=64)] = "",
        word: Word = "",
    ) -> Response:
        visit, caller = book.porter.visit_of(request)
        looks(caller)
        book.porter.check_form(request, visit, word)
        if step not in set(RequisitionStep):
            raise NotThere(f"requisition: expected one of {', '.join(RequisitionStep)}, got {step!r:.20}")
        try:
            said = Said(reason, paper, {number: whole_of("quantity", one) for number, one in enumerate(qty, 1)}, cut)
            book.desk.requisitions.step(caller, requisition, RequisitionStep(step), said)
        except (BadInput, NotNow) as error:
            return book.one(visit, caller, requisition, fault=_fault(error), typed=(qty, reason, cut))
        except NotAllowed as error:
            if "expected the right" in str(error):
                raise
            return book.one(visit, caller, requisition, fault="two people")
        return RedirectResponse(f"/requisitions/{requisition}", 303)


def _typed(items: Sequence[str], counts: Sequence[str]) -> dict[str, str]:
    """Return what was typed by item, readable or not, to be shown again."""
    return {item: count for item, count in zip(items, counts, strict=False) if count.strip(" 0")}


def _quantities(items: Sequence[str], counts: Sequence[str]) -> dict[str, int]:
    """Return what was typed by item; an empty box asks for nothing. Raises `BadInput`."""
    in_step("quantity", items, counts)
    typed = {item: whole_of("quantity", count) for item, count in zip(items, counts, strict=True)}
    return {item: count for item, count in typed.items() if count}


def _fault(error: Exception) -> str:
    """Return what a refusal is about, from which a page makes a sentence."""
    if isinstance(error, Stopped):
        return "stopped"
    said = str(error)
    if "is suspended" in said:
        return "suspended"
    if "expected a source" in said:
        return "source"
    return said.partition(":")[0].partition(" ")[0]
