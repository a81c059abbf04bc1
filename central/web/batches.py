"""The page of orders that wait to be sent: by supplier and storeroom, sent together, with what that saves in freight.

It decides nothing. The rule that must not be broken: what is sent is what was ticked, all of it or nothing.
"""

from typing import Annotated

from fastapi import FastAPI, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from central.core.rights import Caller, Right
from central.errors import BadInput, NotNow
from central.services.batches import BATCH_MAX, KPI_DAYS, NUMBER_MAX, Batches, freight_saved, waiting
from central.services.desk import Desk
from central.services.reasons import names_now
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import Renderer, Visit
from protocols.values.instant import plus

Number = Annotated[str, Form(max_length=NUMBER_MAX)]


def add_batches(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the page of orders to send together."""
    batches = Batches(desk.purchasing.documents)

    def page(visit: Visit, caller: Caller, sent: str, *, fault: bool = False, status: int = 200) -> Response:
        now = desk.now()
        with desk.store.read() as connection:
            found = waiting(connection, desk.hospital, caller.scope(Right.PURCHASE), now)
            kept = freight_saved(connection, desk.hospital, plus(now, -KPI_DAYS * 86_400.0))
            names = names_now(connection, desk.hospital)
        prices = caller.may(Right.SEE_PRICES)
        if prices:
            desk.looks.saw(caller, "see-prices", "batches")
        return renderer.page(
            "batches.html.j2", visit, status, tab="batches", batches=found, kept=kept, names=names, sent=sent,
            fault=fault, prices=prices, days=KPI_DAYS, now=now, number_max=NUMBER_MAX,
        )  # fmt: skip

    @pages.get("/batches")
    def listed(request: Request, sent: Annotated[str, Query(max_length=NUMBER_MAX)] = "") -> Response:
        visit, caller = porter.visit_of(request, Right.PURCHASE)
        answer = page(visit, caller, sent)
        keep_language(request, visit, answer)
        return answer

    @pages.post("/batches")
    def sent(
        request: Request,
        order: Annotated[list[str], Form(max_length=BATCH_MAX)] = [],  # noqa: B006 # FastAPI copies it
        platform_order_no: Number = "",
        word: Annotated[str, Form(max_length=WORD_MAX)] = "",
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.PURCHASE)
        porter.check_form(request, visit, word)
        try:
            number = batches.send(caller, order, platform_order_no)
        except (BadInput, NotNow):
            return page(visit, caller, "", fault=True, status=409)
        return RedirectResponse(f"/batches?sent={number}", 303)
