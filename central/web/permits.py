"""The page of permits: how far each ward may draw by itself, what moved that, and what waits for a second person.

It decides nothing. The rule that must not be broken: a button that would be refused is not shown, and one that is
pressed late is answered in plain words.
"""

from typing import Annotated

from fastapi import FastAPI, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from central.core.permits import Phase
from central.core.rights import Caller, Right
from central.errors import BadInput, NotAllowed, NotNow
from central.services.desk import Desk
from central.services.permits import WHY_MAX
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import Renderer, Visit

AUDIT_MAX = 32
Word = Annotated[str, Form(max_length=WORD_MAX)]
Why = Annotated[str, Form(max_length=WHY_MAX)]


def add_permits(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the page of permits and its forms."""

    @pages.get("/permits")
    def told(request: Request, said: Annotated[str, Query(max_length=16)] = "", waits: bool = False) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_STOCK)
        answer = _drawn(renderer, desk, visit, caller, said=said, waits=waits)
        keep_language(request, visit, answer)
        return answer

    @pages.post("/permits/{place}/{act}")
    def stepped(
        request: Request,
        place: str,
        act: str,
        word: Word = "",
        audit: Annotated[str, Form(max_length=AUDIT_MAX)] = "",
        why: Why = "",
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_STOCK)
        porter.check_form(request, visit, word)
        try:
            if act == "audit":
                step = desk.permits.move(caller, place, audit, why)
            else:
                step = desk.permits.decide(caller, place, act, why)
        except (BadInput, NotNow, NotAllowed) as error:
            status = 403 if isinstance(error, NotAllowed) else 409 if isinstance(error, NotNow) else 400
            return _drawn(renderer, desk, visit, caller, status, fault=_fault_of(error))
        said = "waiting" if step.phase is Phase.PROPOSED else "noted"
        return RedirectResponse(f"/permits?said={said}", 303)


def _fault_of(error: Exception) -> str:
    """Return what a refusal is about: a right that this reader lacks is not the second person who is needed."""
    return "Right" if "expected the right" in str(error) else type(error).__name__


def _drawn(
    renderer: Renderer,
    desk: Desk,
    visit: Visit,
    caller: Caller,
    status: int = 200,
    *,
    said: str = "",
    fault: str = "",
    waits: bool = False,
) -> Response:
    rooms = desk.permits.rooms(caller)
    if waits:
        rooms = [one for one in rooms if one.standing.waits is not None and one.standing.waits.person != caller.person]
    return renderer.page(
        "permits.html.j2", visit, status, rooms=rooms, now=desk.now(), said=said, fault=fault, waits=waits
    )
