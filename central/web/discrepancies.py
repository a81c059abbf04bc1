"""The pages of discrepancies: the list, and one with its likely causes, its evidence and the form that closes it.

They decide nothing. The rule that must not be broken: a button that would be refused is not shown, and one that is
pressed late is answered in plain words.
"""

from typing import Annotated

from fastapi import FastAPI, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from central.core.causes import PRIORS
from central.core.discrepancies import Kind
from central.core.rights import Caller, Right
from central.errors import BadInput, NotAllowed, NotNow
from central.services.causes import first_causes
from central.services.desk import Desk
from central.services.settling import CLOSED, OPEN, PROPOSED, REMARK_MAX, WAITING, Case, Settling
from central.store.paging import CURSOR_MAX, PageAsked
from central.store.queries_master import items, places
from central.store.queries_settling import awaited, proposers
from central.store.queries_work import discrepancies_page
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import Renderer, Visit

CAUSE_MAX = 32
SHOWN = 100
"""Rows of a page; the next ones stand behind a link."""
STATUS_MAX = 16
ALL = "all"

Word = Annotated[str, Form(max_length=WORD_MAX)]
Remark = Annotated[str, Form(max_length=REMARK_MAX)]


def add_discrepancies(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the list of discrepancies, the page of one and its forms."""
    _add_list(pages, renderer, porter, desk)
    settling = Settling(desk.purchasing.documents)

    @pages.get("/discrepancies/{id}")
    def told(request: Request, id: str, said: Annotated[str, Query(max_length=16)] = "") -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_STOCK)
        answer = _drawn(renderer, desk, visit, settling.case(caller, id), said=said)
        keep_language(request, visit, answer)
        return answer

    @pages.post("/discrepancies/{id}/{step}")
    def stepped(
        request: Request,
        id: str,
        step: str,
        word: Word = "",
        cause: Annotated[str, Form(max_length=CAUSE_MAX)] = "",
        remark: Remark = "",
        adjust: Annotated[str, Form(max_length=1)] = "",
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_STOCK)
        porter.check_form(request, visit, word)
        try:
            state = _do(settling, caller, id, step, cause, remark, adjust=bool(adjust))
        except (BadInput, NotNow, NotAllowed) as error:
            status = 403 if isinstance(error, NotAllowed) else 409 if isinstance(error, NotNow) else 400
            return _drawn(renderer, desk, visit, settling.case(caller, id), status, fault=type(error).__name__)
        return RedirectResponse(f"/discrepancies/{id}?said={state}", 303)


def _add_list(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.get("/discrepancies")
    def listed(
        request: Request,
        status: Annotated[str, Query(max_length=STATUS_MAX)] = OPEN,
        cursor: Annotated[str, Query(max_length=CURSOR_MAX)] = "",
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_STOCK)
        chosen = status if status in {OPEN, WAITING, PROPOSED, CLOSED, ALL} else OPEN
        wanted, scope, among = "" if chosen == ALL else chosen, caller.scope(Right.SEE_STOCK), None
        if chosen in {WAITING, PROPOSED}:
            wanted, scope = OPEN, caller.scope(Right.SETTLE)
            among = awaited(desk.hospital, caller.person, own=chosen == PROPOSED)
        with desk.store.read() as connection:
            asked = PageAsked(SHOWN, cursor)
            found = discrepancies_page(connection, desk.hospital, asked, status=wanted, scope=scope, among=among)
            ids = [one.id for one in found.items]
            answer = renderer.page(
                "discrepancy_list.html.j2", visit, found=found, chosen=chosen, now=desk.now(),
                likeliest=first_causes(connection, desk.hospital, ids),
                waits=proposers(connection, desk.hospital, ids),
                items=items(connection, desk.hospital, [one.item for one in found.items]),
                rooms={room.place: room for room in places(connection, desk.hospital)},
            )  # fmt: skip
        keep_language(request, visit, answer)
        return answer


def _do(settling: Settling, caller: Caller, id: str, step: str, cause: str, remark: str, *, adjust: bool) -> str:
    if step == "settle":
        return settling.settle(caller, id, cause, remark, adjust=adjust)
    if step == "approve":
        return settling.approve(caller, id)
    if step == "refuse":
        return settling.refuse(caller, id, remark)
    raise BadInput(f"step: expected settle, approve or refuse, got {step!r:.40}")


def _drawn(
    renderer: Renderer, desk: Desk, visit: Visit, case: Case, status: int = 200, *, said: str = "", fault: str = ""
) -> Response:
    return renderer.page(
        "discrepancy.html.j2",
        visit,
        status,
        case=case,
        choices=list(PRIORS[Kind(case.one.kind)]),
        now=desk.now(),
        said=said,
        fault=fault,
    )
