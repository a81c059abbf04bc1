"""The page of proposals: accept, change and refuse many at once, each as it was seen.

It decides nothing. The rule that must not be broken: a line that cannot be done does not hold up the others, and is
counted and shown again as it is now.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import FastAPI, Form, Query, Request
from starlette.responses import Response

from central.core.approval import Route
from central.core.order_checks import Judged, Known
from central.core.orders import State
from central.core.rights import Caller, Right
from central.errors import BadInput, NotAllowed, NotNow, NotThere
from central.services.approvals import approve_as, change_qty, reject, routes
from central.services.desk import Desk
from central.services.order_checks import known_at, selected_instead
from central.services.overview import Proposal as Shown
from central.services.overview_now import proposals_shown
from central.services.reasons import names_now
from central.services.stock import storerooms
from central.store.queries_work import Proposal, open_proposals, proposals
from central.web.languages import Language
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import Renderer, Visit
from protocols.values.ids import PlaceId
from protocols.values.instant import business_day

COLUMN_MAX = 500
"""Lines of the form; the page shows at most 200."""
QTY_DIGITS = 10
TEXT_MAX = 500
Column = Annotated[Sequence[str], Form(max_length=COLUMN_MAX)]

REFUSED = (BadInput, NotAllowed, NotNow, NotThere)


@dataclass(frozen=True, slots=True)
class Told:
    """What a press of the button did."""

    approved: int = 0
    rejected: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of the form: the proposal, the version that was seen, and the quantity entered."""

    proposal: str
    version: str
    qty: int | None


def add_proposals(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the page of proposals."""

    @pages.get("/proposals")
    def listed(
        request: Request,
        place: Annotated[str, Query(max_length=64)] = "",
        all: Annotated[str, Query(max_length=1)] = "",
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_ORDERS)
        answer = _page(renderer, visit, caller, desk, place, None, all_chosen=all == "1")
        keep_language(request, visit, answer)
        return answer

    @pages.post("/proposals")
    def worked(
        request: Request,
        act: Annotated[str, Form(max_length=16)] = "",
        reason: Annotated[str, Form(max_length=TEXT_MAX)] = "",
        word: Annotated[str, Form(max_length=WORD_MAX)] = "",
        chosen: Column = (),
        id: Column = (),
        version: Column = (),
        qty: Column = (),
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.APPROVE)
        porter.check_form(request, visit, word)
        told = _work(desk, caller, choices(set(chosen), id, version, qty), act, reason)
        place = request.query_params.get("place", "")
        return _page(renderer, visit, caller, desk, place, told)


def choices(
    chosen: Container[str], ids: Sequence[str], versions: Sequence[str], quantities: Sequence[str]
) -> list[Choice]:
    """Return the lines chosen, from the columns of the form. Raises `BadInput` when the columns differ in length."""
    if not len(ids) == len(versions) == len(quantities):
        raise BadInput("form: expected as many versions and quantities as lines; reload the page")
    return [
        Choice(proposal, version, int(qty) if qty.isdecimal() and len(qty) <= QTY_DIGITS else None)
        for proposal, version, qty in zip(ids, versions, quantities, strict=True)
        if proposal in chosen
    ]


def _work(desk: Desk, caller: Caller, lines: Sequence[Choice], act: str, reason: str) -> Told:
    done, failed = 0, 0
    for line in lines:
        try:
            if act == "reject":
                reject(caller, desk.store, desk.hospital, line.proposal, reason, desk.now(), line.version)
            else:
                _accept(desk, caller, line)
            done += 1
        except REFUSED:
            failed += 1
    return Told(0, done, failed) if act == "reject" else Told(done, 0, failed)


def _accept(desk: Desk, caller: Caller, line: Choice) -> None:
    """Approve one line; a quantity that is another one is set first, and the limits then hold for that."""
    seen = line.version
    with desk.store.read() as connection:
        now = [one.qty for one in proposals(connection, desk.hospital, id=line.proposal) if one.status is State.OPEN]
    if line.qty is None:
        raise BadInput("quantity: expected a whole number")
    if now and now[0] != line.qty:
        seen = change_qty(caller, desk.store, desk.hospital, line.proposal, line.qty, desk.now(), seen)
    approve_as(caller, desk.store, desk.hospital, line.proposal, desk.now(), seen)


def _page(
    renderer: Renderer,
    visit: Visit,
    caller: Caller,
    desk: Desk,
    place: str,
    told: Told | None,
    *,
    all_chosen: bool = False,
) -> Response:
    with desk.store.read() as connection:
        everywhere = open_proposals(connection, desk.hospital, caller.scope(Right.SEE_ORDERS))
        waiting = {one.id: one for one in everywhere if not place or one.place == place}
        prices = caller.may(Right.SEE_PRICES)
        shown = proposals_shown(connection, desk.hospital, list(waiting.values()), prices=prices)
        asked = routes(connection, desk.hospital, list(waiting.values()), desk.now())
        names = names_now(connection, desk.hospital)
        known = known_at(connection, desk.hospital, desk.now())
        instead = selected_instead(connection, desk.hospital, business_day(desk.now()))
    rows = [
        {
            "proposal": one,
            "route": asked[one.id].route,
            "may": _may(caller, one, asked[one.id].route),
            "found": [] if waiting[one.id].internal else _found(known, waiting[one.id]),
            "source": waiting[one.id].source,
            "instead": instead.get(one.item.code, []),
            "said": names.said(one.item.code, waiting[one.id].source, waiting[one.id].reason)[_tongue(visit)],
        }
        for one in shown
    ]
    return renderer.page(
        "proposals_list.html.j2",
        visit,
        rows=rows,
        of_all=len(waiting),
        catalogue=names.catalogue,
        firms=names.sources,
        may_any=any(row["may"] for row in rows),
        rooms=storerooms(desk, caller) if caller.may(Right.SEE_STOCK) else [],
        place=place,
        told=told,
        all_chosen=all_chosen,
    )


def _found(known: Known, one: Proposal) -> list[Judged]:
    return known.of(one.item, one.source, one.price)


def _may(caller: Caller, shown: Shown, route: Route) -> bool:
    needs_head = route is Route.HEAD and not caller.may(Right.APPROVE_HIGH)
    return caller.may(Right.APPROVE, PlaceId(shown.place.code)) and not needs_head


def _tongue(visit: Visit) -> int:
    return 0 if visit.language is Language.ZH else 1
