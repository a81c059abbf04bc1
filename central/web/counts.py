"""The page of counts: what a storeroom is asked to count today, and book, shelf and last count side by side.

It decides nothing. The rule that must not be broken: a storeroom is shown to who may see it.
"""

from typing import Annotated

from fastapi import FastAPI, Query, Request
from starlette.responses import Response

from central.core.rights import Right
from central.errors import NotThere
from central.services.counts import side_by_side
from central.services.desk import Desk
from central.services.stock import storerooms
from central.store.queries_master import items
from central.store.queries_settling import tasks
from central.web.porter import Porter, keep_language
from central.web.render import Renderer

LINES_SHOWN_MAX = 300
"""More than a person reads; those asked for come first, and the API gives all."""


def add_counts(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the page of counts."""

    @pages.get("/counts")
    def counted(request: Request, place: Annotated[str, Query(max_length=64)] = "") -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_STOCK)
        rooms = storerooms(desk, caller)
        if not rooms:
            raise NotThere("counts: expected a storeroom you may see, there is none")
        chosen = place or rooms[0].place
        lines = side_by_side(desk, caller, chosen)
        with desk.store.read() as connection:
            asked = tasks(connection, desk.hospital, status="open", place=chosen)
            catalogue = items(connection, desk.hospital)
        answer = renderer.page(
            "counts.html.j2", visit, rooms=rooms, place=chosen, asked=asked, catalogue=catalogue,
            lines=lines[:LINES_SHOWN_MAX], count=len(lines),
        )  # fmt: skip
        keep_language(request, visit, answer)
        return answer
