"""The pages of stock: a storeroom's lines and the trace of a piece or a lot.

It decides nothing. The rule that must not be broken: a storeroom is shown to who may see it.
"""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import FastAPI, Query, Request
from starlette.responses import Response

from central.core.rights import Right
from central.errors import BadInput, NotThere
from central.services.desk import Desk
from central.services.shelves import shelved
from central.services.stock import PAGE_LINES, stock_page, storerooms
from central.services.trace import QUESTION_MAX, Trace, trace
from central.web.porter import Porter, keep_language
from central.web.render import Renderer
from protocols.values.instant import business_day

PlaceQuery = Annotated[str, Query(max_length=64)]


def add_stock(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the pages of stock."""
    _add_lines(pages, renderer, porter, desk)
    _add_trace(pages, renderer, porter, desk)


def _add_lines(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.get("/stock")
    def lines(
        request: Request,
        place: PlaceQuery = "",
        q: Annotated[str, Query(max_length=64)] = "",
        differing: Annotated[str, Query(max_length=1)] = "",
        page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_STOCK)
        rooms = storerooms(desk, caller)
        if not rooms:
            raise NotThere("stock: expected a storeroom you may see, there is none")
        chosen = place or rooms[0].place
        found = stock_page(desk, caller, chosen, q, differing=bool(differing), page=page)
        with desk.store.read() as connection:
            shelves = shelved(connection, desk, chosen, found.lines)
        answer = renderer.page(
            "stock.html.j2",
            visit,
            shelves=shelves,
            rooms=rooms,
            place=chosen,
            question=q,
            differing=bool(differing),
            lines=found.lines,
            count=found.count,
            page=page,
            pages=-(-found.count // PAGE_LINES),
            link="/stock?" + urlencode({"place": chosen, "q": q, "differing": differing}),
            today=business_day(desk.now()),
        )
        keep_language(request, visit, answer)
        return answer


def _add_trace(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.get("/trace")
    def traced(request: Request, q: Annotated[str, Query(max_length=QUESTION_MAX)] = "") -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_STOCK)
        found: Trace | None = None
        if q.strip():
            try:
                found = trace(desk.store, desk.hospital, caller, q, desk.now())
            except (NotThere, BadInput):
                found = None
        answer = renderer.page("trace.html.j2", visit, question=q.strip(), found=found, now=desk.now())
        keep_language(request, visit, answer)
        return answer
