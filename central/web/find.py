"""The pages that find: the search of every page's box, an item on every shelf, a lot's reach, and what expires.

It decides nothing. The rule that must not be broken: a search that can mean one thing only leads there at once, so that
a scanner needs no second act.
"""

from datetime import timedelta
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import FastAPI, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from central.core.rights import Caller, Right
from central.errors import BadInput, NotNow, NotThere
from central.services.desk import Desk
from central.services.find import LETTERS_MIN, Found, find, item_here
from central.services.lot_reach import DAYS, DAYS_SHOWN, expiring_in, reach_of
from central.services.recalls import WHY_MAX
from central.services.stock import storerooms
from central.services.trace import QUESTION_MAX
from central.store.paging import CURSOR_MAX, PageAsked
from central.store.queries_master import items, places
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import Renderer, Visit
from protocols.values.instant import business_day

CODE_MAX = 64
PAGE_LOTS = 100

Code = Annotated[str, Form(max_length=CODE_MAX)]
Word = Annotated[str, Form(max_length=WORD_MAX)]


def add_find(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the pages that find."""
    _add_search(pages, renderer, porter, desk)
    _add_recalls(pages, renderer, porter, desk)
    _add_expiry(pages, renderer, porter, desk)


def _add_search(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.get("/search")
    def searched(request: Request, q: Annotated[str, Query(max_length=QUESTION_MAX)] = "") -> Response:
        visit, caller = porter.visit_of(request)
        asked = q.replace("\x00", "").strip()
        found = find(desk, caller, asked)
        if found.count == 1:
            return RedirectResponse(_only(found, found.asked, caller), 303)
        with desk.store.read() as connection:
            rooms = {room.place: room for room in places(connection, desk.hospital)}
        answer = renderer.page("search.html.j2", visit, question=asked, found=found, rooms=rooms, letters=LETTERS_MIN)
        keep_language(request, visit, answer)
        return answer

    @pages.get("/items/{item}")
    def item(request: Request, item: str) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_STOCK)
        known, lots, whole = item_here(desk, caller, item)
        answer = renderer.page(
            "item.html.j2", visit, item=known, lots=lots, whole=whole, today=str(business_day(desk.now()))
        )
        keep_language(request, visit, answer)
        return answer


def _only(found: Found, asked: str, caller: Caller) -> str:
    """Return the address of the one thing that was found."""
    if found.items:
        item = quote(found.items[0].item, safe="")
        return f"/items/{item}" if caller.may(Right.SEE_STOCK) else f"/catalogue/items/{item}"
    if found.orders:
        return f"/orders/{quote(found.orders[0][0], safe='')}"
    return f"/trace?{urlencode({'q': asked})}"


def _add_recalls(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.get("/recalls")
    def listed(request: Request, item: Annotated[str, Query(max_length=CODE_MAX)] = "") -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_STOCK)
        answer = _recalls_page(renderer, visit, caller, desk, item=item)
        keep_language(request, visit, answer)
        return answer

    @pages.post("/recalls")
    def recalled(
        request: Request,
        item: Code = "",
        lot: Code = "",
        why: Annotated[str, Form(max_length=WHY_MAX)] = "",
        word: Word = "",
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.MANAGE_MASTER)
        porter.check_form(request, visit, word)
        try:
            desk.recalls.recall(caller, item.strip(), lot.strip(), why)
        except (BadInput, NotThere):
            return _recalls_page(renderer, visit, caller, desk, item=item, fault="recall", status=400)
        return RedirectResponse(_address(item.strip(), lot.strip()), 303)

    @pages.post("/recalls/lift")
    def lifted(request: Request, item: Code = "", lot: Code = "", word: Word = "") -> Response:
        visit, caller = porter.visit_of(request, Right.MANAGE_MASTER)
        porter.check_form(request, visit, word)
        try:
            desk.recalls.lift(caller, item, lot)
        except NotNow:
            return _recalls_page(renderer, visit, caller, desk, fault="lift", status=409)
        return RedirectResponse("/recalls", 303)

    @pages.get("/lots")
    def reached(
        request: Request,
        item: Annotated[str, Query(max_length=CODE_MAX)],
        lot: Annotated[str, Query(max_length=CODE_MAX)],
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_STOCK)
        reach = reach_of(desk, caller, item, lot)
        answer = renderer.page("lot.html.j2", visit, reach=reach, now=desk.now(), today=business_day(desk.now()))
        keep_language(request, visit, answer)
        return answer


def _add_expiry(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.get("/expiry")
    def expiring(
        request: Request,
        days: Annotated[int, Query(ge=0, le=max(DAYS))] = DAYS_SHOWN,
        place: Annotated[str, Query(max_length=CODE_MAX)] = "",
        cursor: Annotated[str, Query(max_length=CURSOR_MAX)] = "",
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_STOCK)
        page = expiring_in(desk, caller, days, place, PageAsked(PAGE_LOTS, cursor))
        rooms = storerooms(desk, caller)
        answer = renderer.page(
            "expiry.html.j2",
            visit,
            lots=page.items,
            rooms={room.place: room for room in rooms},
            place=place,
            days=days,
            choices=DAYS,
            until=business_day(desk.now()) + timedelta(days=days),
            today=business_day(desk.now()),
            next=f"/expiry?{urlencode({'days': days, 'place': place, 'cursor': page.cursor})}" if page.cursor else "",
            first=not cursor,
        )
        keep_language(request, visit, answer)
        return answer


def _recalls_page(
    renderer: Renderer, visit: Visit, caller: Caller, desk: Desk, *, item: str = "", fault: str = "", status: int = 200
) -> Response:
    found = desk.recalls.every(caller)
    with desk.store.read() as connection:
        catalogue = items(connection, desk.hospital, [one.item for one in found])
    return renderer.page(
        "recalls.html.j2", visit, status, recalls=found, catalogue=catalogue, item=item, fault=fault, now=desk.now()
    )


def _address(item: str, lot: str) -> str:
    return f"/lots?{urlencode({'item': item, 'lot': lot})}"
