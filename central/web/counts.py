"""The page of counts: what a storeroom is asked to count today, book, shelf and last count side by side, and a count
that differs and waits for a second person.

It decides nothing. The rule that must not be broken: a storeroom is shown to who may see it.
"""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import FastAPI, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from central.core.rights import Right
from central.errors import NotNow, NotThere
from central.services.asking import asked_now
from central.services.counts import first_sides
from central.services.desk import Desk
from central.services.hand_adjusting import Adjusting
from central.services.stock import storerooms
from central.store.queries_master import items
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import Renderer
from protocols.values.ids import PlaceId

LINES_SHOWN_MAX = 300
"""More than a person reads; those asked for come first, and the file to save has all."""
Said = Annotated[str, Query(max_length=16)]
Sheet = Annotated[str, Form(max_length=128)]
Word = Annotated[str, Form(max_length=WORD_MAX)]


def add_counts(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the page of counts."""

    adjusting = Adjusting(desk.purchasing.documents)

    @pages.get("/counts")
    def counted(request: Request, place: Annotated[str, Query(max_length=64)] = "", said: Said = "") -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_STOCK)
        rooms = storerooms(desk, caller)
        if not rooms:
            raise NotThere("counts: expected a storeroom you may see, there is none")
        chosen = place or rooms[0].place
        lines, count = first_sides(desk, caller, chosen, LINES_SHOWN_MAX)
        differs = adjusting.waiting(chosen)
        with desk.store.read() as connection:
            asked = asked_now(connection, desk.hospital, desk.now(), place=chosen)
            named = {one.line.item for one in lines} | {one.item for one in asked}
            named |= {one.item for one in differs.lines} if differs else set()
            catalogue = items(connection, desk.hospital, named)
        answer = renderer.page(
            "counts.html.j2", visit, rooms=rooms, place=chosen, asked=asked, catalogue=catalogue,
            lines=lines, count=count, said=said, differs=differs,
            settles=caller.may(Right.SETTLE, PlaceId(chosen)), person=caller.person,
        )  # fmt: skip
        keep_language(request, visit, answer)
        return answer

    @pages.post("/counts/{place}/agree")
    def agreed(request: Request, place: str, sheet: Sheet = "", word: Word = "") -> Response:
        visit, caller = porter.visit_of(request, Right.SETTLE)
        porter.check_form(request, visit, word)
        try:
            adjusting.agree(caller, place, sheet)
            told = "adjusted"
        except NotNow:
            told = "nothing"
        return RedirectResponse(f"/counts?{urlencode({'place': place, 'said': told})}", 303)
