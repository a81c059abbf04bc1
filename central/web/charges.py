"""The page of use beside charges: by ward, day and item, the pieces of one of them, and the rows that did not fit.

It decides nothing. The rule that must not be broken: a storeroom is shown to who may see it.
"""

from datetime import date, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import FastAPI, Query, Request
from starlette.responses import Response

from central.core.rights import Right
from central.services.charges import DAYS_MAX, differences, pieces
from central.services.desk import Desk
from central.services.stock import storerooms
from central.store.queries_charges import faults
from central.store.queries_master import items
from central.web.porter import Porter, keep_language
from central.web.render import Renderer
from protocols.values.instant import business_day

WEEK = timedelta(days=6)
LINES_SHOWN_MAX = 500
"""More than a person reads; those that differ most come first, and the API gives all."""
FAULTS_SHOWN_MAX = 50

Name = Annotated[str, Query(max_length=64)]


def add_charges(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the page."""

    @pages.get("/charges")
    def charged(
        request: Request,
        place: Name = "",
        first: date | None = None,
        last: date | None = None,
        differing: Annotated[str, Query(max_length=1)] = "",
        item: Name = "",
        day: date | None = None,
        of: Name = "",
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_STOCK)
        rooms = storerooms(desk, caller)
        until = last or business_day(desk.now())
        since = max(first or until - WEEK, until - timedelta(days=DAYS_MAX - 1))
        lines = [
            one for one in differences(desk, caller, since, max(until, since), place) if not differing or one.difference
        ]
        with desk.store.read() as connection:
            catalogue = items(connection, desk.hospital)
            wrong = faults(connection, desk.hospital) if caller.scope(Right.SEE_STOCK).everywhere else []
        chosen = pieces(desk, caller, day, of, item) if day and of and item else None
        asked = {"place": place, "first": since.isoformat(), "last": until.isoformat(), "differing": differing}
        answer = renderer.page(
            "charges.html.j2", visit, rooms=rooms, names={room.place: room for room in rooms}, place=place, first=since,
            last=until, differing=bool(differing), lines=lines[:LINES_SHOWN_MAX], count=len(lines),
            off=sum(1 for one in lines if one.difference), catalogue=catalogue, faults=wrong[:FAULTS_SHOWN_MAX],
            faults_all=len(wrong), pieces=chosen, day=day, item=item, of=of, link="/charges?" + urlencode(asked),
        )  # fmt: skip
        keep_language(request, visit, answer)
        return answer
