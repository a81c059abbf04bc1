"""The page of alarms: what stands and nobody took, what somebody took, what was closed lately.

It decides nothing. The rule that must not be broken: a button that would be refused is not shown, and one that is
pressed late is answered in plain words.
"""

from typing import Annotated

from fastapi import FastAPI, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from central.core.alarms import AlarmState, AlarmStep
from central.core.rights import Caller, Right
from central.errors import BadInput, NotNow, NotThere
from central.services.alarms import WORDS_MAX, Alarms, is_told
from central.services.desk import Desk
from central.store.paging import CURSOR_MAX, PageAsked
from central.store.queries_master import items, places
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import Renderer, Visit

SHOWN_MAX = 200
CLOSED_SHOWN = 30


def add_alarms(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the page of alarms and its forms."""

    @pages.get("/alarms")
    def listed(request: Request, cursor: Annotated[str, Query(max_length=CURSOR_MAX)] = "") -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_STOCK)
        answer = _page(renderer, visit, caller, desk, cursor=cursor)
        keep_language(request, visit, answer)
        return answer

    @pages.post("/alarms/{alarm}/{step}")
    def stepped(
        request: Request, alarm: str, step: str,
        word: Annotated[str, Form(max_length=WORD_MAX)] = "",
        words: Annotated[str, Form(max_length=WORDS_MAX)] = "",
    ) -> Response:  # fmt: skip
        visit, caller = porter.visit_of(request, Right.SEE_STOCK)
        porter.check_form(request, visit, word)
        if step not in set(AlarmStep):
            raise NotThere(f"alarm: expected one of {', '.join(AlarmStep)}, got {step!r:.20}")
        try:
            Alarms(desk.master.documents).step(caller, alarm, AlarmStep(step), words)
        except (NotNow, BadInput) as error:
            fault = "words" if isinstance(error, BadInput) else "meanwhile"
            return _page(renderer, visit, caller, desk, fault, 400 if fault == "words" else 409)
        return RedirectResponse("/alarms", 303)


def _page(
    renderer: Renderer, visit: Visit, caller: Caller, desk: Desk, fault: str = "", status: int = 200, cursor: str = ""
) -> Response:
    kept = Alarms(desk.master.documents)
    sections = {
        state: kept.page(
            caller, PageAsked(CLOSED_SHOWN, cursor) if state is AlarmState.CLOSED else PageAsked(SHOWN_MAX), state
        )
        for state in AlarmState
    }
    found = {state: page.items for state, page in sections.items()}
    with desk.store.read() as connection:
        named = {one.item for several in found.values() for one in several if one.item}
        catalogue, rooms = items(connection, desk.hospital, named), places(connection, desk.hospital)
    may = {one.alarm: is_told(caller, one) for several in found.values() for one in several}
    return renderer.page(
        "alarms.html.j2", visit, status, found=found, catalogue=catalogue, may=may, fault=fault, now=desk.now(),
        rooms={one.place: one for one in rooms}, older=sections[AlarmState.CLOSED].cursor,
    )  # fmt: skip
