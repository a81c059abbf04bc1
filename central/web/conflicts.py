"""The pages of conflicts: those that are open or closed, one with both its sides, and what was set aside.

They decide nothing; the desks do. The rule that must not be broken: a button that would be refused is not shown, and
one that is pressed late is answered in plain words.
"""

from typing import Annotated

from fastapi import FastAPI, Form, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from central.core.rights import Right
from central.errors import BadInput, NotNow
from central.services.conflict_desk import PRICES, REMARK_MAX, Conflicts
from central.services.desk import Desk
from central.services.quarantine import Quarantine
from central.store.paging import CURSOR_MAX, PageAsked
from central.store.queries_conflicts import CLOSED, OPEN
from central.store.queries_master import items, places
from central.store.replay import KEPT, REPLAYED
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import Renderer, Visit
from protocols.entry import SEQ_MAX

SHOWN = 100
"""Rows of a page; the next ones stand behind a link."""
NAME_MAX = 32

Word = Annotated[str, Form(max_length=WORD_MAX)]
Cursor = Annotated[str, Query(max_length=CURSOR_MAX)]
Chain = Annotated[str, Path(max_length=NAME_MAX)]


def add_conflicts(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the pages of conflicts and of the quarantine."""
    _add_list(pages, renderer, porter, desk)
    _add_one(pages, renderer, porter, desk)
    _add_quarantine(pages, renderer, porter, desk)


def _add_list(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    conflicts = Conflicts(desk.purchasing.documents)

    @pages.get("/conflicts")
    def listed(
        request: Request, status: Annotated[str, Query(max_length=NAME_MAX)] = OPEN, cursor: Cursor = ""
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_STOCK)
        chosen = status if status in {OPEN, CLOSED} else OPEN
        found = conflicts.page(caller, PageAsked(SHOWN, cursor), chosen)
        with desk.store.read() as connection:
            rooms = {room.place: room for room in places(connection, desk.hospital)}
            named = items(connection, desk.hospital, [one.item for one in found.items if one.item])
        answer = renderer.page(
            "conflicts.html.j2", visit, found=found, rooms=rooms, items=named, chosen=chosen, now=desk.now()
        )
        keep_language(request, visit, answer)
        return answer


def _add_one(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    conflicts = Conflicts(desk.purchasing.documents)

    def drawn(request: Request, visit: Visit, conflict: str, status: int = 200, fault: str = "") -> Response:
        _, caller = porter.visit_of(request, Right.SEE_STOCK)
        case = conflicts.case(caller, conflict)
        if PRICES & case.one.detail.keys():
            desk.looks.saw(caller, "see-prices", f"conflict {conflict}")
        return renderer.page("conflict.html.j2", visit, status, case=case, now=desk.now(), fault=fault)

    @pages.get("/conflicts/{conflict}")
    def told(request: Request, conflict: Annotated[str, Path(max_length=NAME_MAX)]) -> Response:
        visit, _ = porter.visit_of(request, Right.SEE_STOCK)
        answer = drawn(request, visit, conflict)
        keep_language(request, visit, answer)
        return answer

    @pages.post("/conflicts/{conflict}/close")
    def closed(
        request: Request,
        conflict: Annotated[str, Path(max_length=NAME_MAX)],
        word: Word = "",
        remark: Annotated[str, Form(max_length=REMARK_MAX)] = "",
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_STOCK)
        porter.check_form(request, visit, word)
        try:
            conflicts.close(caller, conflict, remark)
        except (BadInput, NotNow) as error:
            return drawn(request, visit, conflict, 409 if isinstance(error, NotNow) else 400, type(error).__name__)
        return RedirectResponse(f"/conflicts/{conflict}", 303)


def _add_quarantine(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    quarantine = Quarantine(desk.purchasing.documents)

    def drawn(
        request: Request, visit: Visit, status: str, cursor: str = "", code: int = 200, fault: str = ""
    ) -> Response:
        _, caller = porter.visit_of(request, Right.SEE_STOCK)
        found = quarantine.page(caller, PageAsked(SHOWN, cursor), status)
        with desk.store.read() as connection:
            rooms = {room.place: room for room in places(connection, desk.hospital)}
        return renderer.page(
            "quarantine.html.j2", visit, code, found=found, rooms=rooms, chosen=status, fault=fault, now=desk.now()
        )

    @pages.get("/quarantine")
    def listed(
        request: Request, status: Annotated[str, Query(max_length=NAME_MAX)] = KEPT, cursor: Cursor = ""
    ) -> Response:
        visit, _ = porter.visit_of(request, Right.SEE_STOCK)
        answer = drawn(request, visit, status if status in {KEPT, REPLAYED} else KEPT, cursor)
        keep_language(request, visit, answer)
        return answer

    @pages.post("/quarantine/{incarnation}/{seq}/replay")
    def replayed(
        request: Request, incarnation: Chain, seq: Annotated[int, Path(ge=0, le=SEQ_MAX)], word: Word = ""
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_STOCK)
        porter.check_form(request, visit, word)
        try:
            quarantine.replay(caller, incarnation, seq)
        except NotNow as error:
            return drawn(request, visit, KEPT, code=409, fault=str(error))
        return RedirectResponse("/quarantine?status=replayed", 303)
