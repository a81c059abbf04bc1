"""The page of proposals: accept, change and refuse many at once, each as it was seen.

It decides nothing. The rule that must not be broken: a line that cannot be done does not hold up the others, and is
counted and shown again as it is now.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated

from fastapi import FastAPI, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.responses import Response

from central.core.approval import Route
from central.core.order_checks import Judged, Known
from central.core.orders import State
from central.core.rights import Caller, Right
from central.errors import BadInput, NotAllowed, NotNow, NotThere, Stopped
from central.services.approvals import Another, approve_in, reject, routes, words_above
from central.services.desk import Desk
from central.services.order_checks import known_at, selected_instead
from central.services.overview import Proposal as Shown
from central.services.overview_now import proposals_shown
from central.services.policy import rules_at
from central.services.reasons import names_now
from central.services.stock import storerooms
from central.store.queries_budget import cuts_standing
from central.store.queries_work import Proposal, open_proposals, proposals
from central.web.entrance import fault_of
from central.web.languages import Language
from central.web.porter import Porter, keep_language
from central.web.render import Renderer, Visit
from protocols.values.ids import PlaceId
from protocols.values.instant import business_day

COLUMN_MAX = 500
"""Lines of the form; the page shows at most 200."""
QTY_DIGITS = 10
REFUSED_SHOWN = 20
NOTHING_TYPED: Mapping[str, str] = MappingProxyType({})

REFUSED = (BadInput, NotAllowed, NotNow, NotThere)
WORDLESS = frozenset({"refusal", "change", "words"})
"""What a refusal of ours is about where only the reason is lacking."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a press of the button did."""

    approved: int = 0
    rejected: int = 0
    failed: int = 0
    wordless: int = 0
    """Of those that failed, how many only lack why: the code or the words of a refusal or of another quantity."""
    left: frozenset[str] = frozenset()
    """Those that failed for want of it: they stay chosen, with what was typed."""
    why: tuple[str, str] = ("", "")
    refuses: bool = False
    """What was given as the reason, and whether it was one for refusing."""
    causes: tuple[tuple[str, str], ...] = ()
    """Of the others that failed, the proposal of each and what stood in its way."""


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
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_ORDERS)
        answer = _page(renderer, visit, caller, desk, place)
        keep_language(request, visit, answer)
        return answer

    @pages.post("/proposals")
    async def worked(request: Request) -> Response:
        return await run_in_threadpool(_worked, renderer, porter, desk, request, await request.form())


def _worked(renderer: Renderer, porter: Porter, desk: Desk, request: Request, form: FormData) -> Response:
    visit, caller = porter.visit_of(request, Right.APPROVE)
    word, act, refusal, text = (_one(form, name) for name in ("word", "act", "refusal", "text"))
    porter.check_form(request, visit, word)
    chosen, *columns = (_column(form, name) for name in ("chosen", "id", "version", "qty"))
    place, typed = request.query_params.get("place", ""), dict(zip(columns[0], columns[2], strict=False))
    if act in {"all", "none", "keep"}:
        marked = {"all": set(columns[0]), "none": set[str]()}.get(act, set(chosen))
        return _page(renderer, visit, caller, desk, place, chosen=marked, typed=typed)
    why = (refusal if act == "reject" else _one(form, "another"), text)
    told = _work(desk, caller, choices(set(chosen), *columns), act, why)
    left = {name: qty for name, qty in typed.items() if name not in chosen or name in told.left}
    return _page(renderer, visit, caller, desk, place, told=told, typed=left, chosen=told.left)


def _one(form: FormData, name: str) -> str:
    found = form.get(name, "")
    return found if isinstance(found, str) else ""


def _column(form: FormData, name: str) -> list[str]:
    """Return a column of the form. Raises `BadInput` for more lines than the form has."""
    found = [value for value in form.getlist(name) if isinstance(value, str)]
    if len(found) > COLUMN_MAX:
        raise BadInput(f"form: expected at most {COLUMN_MAX} lines, got {len(found)}; reload the page")
    return found


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


def _work(desk: Desk, caller: Caller, lines: Sequence[Choice], act: str, why: tuple[str, str]) -> Told:
    done, failed, left = 0, 0, set()
    causes: list[tuple[str, str]] = []
    for line in lines:
        try:
            if act == "reject":
                reject(caller, desk.store, desk.hospital, line.proposal, why, desk.now(), line.version)
            else:
                _accept(desk, caller, line, why)
            done += 1
        except REFUSED as error:
            failed += 1
            if fault_of(error) in WORDLESS:
                left.add(line.proposal)
            else:
                causes.append((line.proposal, _cause(error)))
    count = (0, done) if act == "reject" else (done, 0)
    return Told(*count, failed, len(left), frozenset(left), why, act == "reject", tuple(causes))


def _cause(error: Exception) -> str:
    """Return what stood in the way of a line: one word of ours, or `stopped` and what the checks found."""
    if isinstance(error, Stopped):
        return " ".join(("stopped", *error.found))
    if isinstance(error, NotAllowed):
        return {"approval": "head", "order": "waiver"}.get(fault_of(error), "right")
    about = fault_of(error)
    return about if isinstance(error, BadInput) and about in {"quantity", "value"} else "changed"


def _accept(desk: Desk, caller: Caller, line: Choice, why: tuple[str, str]) -> None:
    """Approve one line in the quantity entered."""
    if line.qty is None:
        raise BadInput("quantity: expected a whole number")
    another = Another(line.qty, *why)
    approve_in(caller, desk.store, desk.hospital, line.proposal, another, desk.now(), line.version)


def _page(
    renderer: Renderer,
    visit: Visit,
    caller: Caller,
    desk: Desk,
    place: str,
    *,
    told: Told | None = None,
    chosen: Container[str] = (),
    typed: Mapping[str, str] = NOTHING_TYPED,
) -> Response:
    """Return the page, with the lines marked that were chosen and the quantities as they were typed."""
    with desk.store.read() as connection:
        everywhere = open_proposals(connection, desk.hospital, caller.scope(Right.SEE_ORDERS))
        waiting = {one.id: one for one in everywhere if not place or one.place == place}
        prices = caller.may(Right.SEE_PRICES)
        shown = proposals_shown(connection, desk.hospital, list(waiting.values()), prices=prices)
        asked = routes(connection, desk.hospital, list(waiting.values()), desk.now())
        names = names_now(connection, desk.hospital)
        known = known_at(connection, desk.hospital, desk.now())
        limit = words_above(rules_at(connection, desk.hospital, desk.now()))
        instead = selected_instead(connection, desk.hospital, business_day(desk.now()))
        cuts = cuts_standing(connection, desk.hospital, caller.scope(Right.SEE_ORDERS), place=place)
        scope = caller.scope(Right.SEE_ORDERS)
        causes = [
            (one, cause)
            for number, cause in (told.causes if told is not None else ())
            for one in proposals(connection, desk.hospital, id=number, scope=scope)
        ]
    rows = [
        {
            "proposal": one,
            "route": asked[one.id].route,
            "may": _may(caller, one, asked[one.id].route),
            "found": [] if waiting[one.id].internal else _found(known, waiting[one.id]),
            "source": waiting[one.id].source,
            "instead": instead.get(one.item.code, []),
            "changed": waiting[one.id].reason.get("changed"),
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
        causes=causes,
        chosen=chosen,
        typed=typed,
        lately=_refused_lately(desk, caller, place),
        words_above=limit,
        why=told.why if told is not None and told.left else ("", ""),
        refuses=told is not None and told.refuses,
        cuts=[(cut, names.said(cut.item, cut.source, cut.reason)[_tongue(visit)]) for cut in cuts],
        spent_known=caller.may(Right.SEE_PRICES),
    )


def _refused_lately(desk: Desk, caller: Caller, place: str) -> list[Proposal]:
    """Return the newest proposals that somebody refused."""
    with desk.store.read() as connection:
        scope, status = caller.scope(Right.SEE_ORDERS), State.REJECTED.value
        found = proposals(connection, desk.hospital, status=status, scope=scope)
    return [one for one in found if place in {"", one.place}][:REFUSED_SHOWN]


def _found(known: Known, one: Proposal) -> list[Judged]:
    return known.of(one.item, one.source, one.price)


def _may(caller: Caller, shown: Shown, route: Route) -> bool:
    needs_head = route is Route.HEAD and not caller.may(Right.APPROVE_HIGH)
    return caller.may(Right.APPROVE, PlaceId(shown.place.code)) and not needs_head


def _tongue(visit: Visit) -> int:
    return 0 if visit.language is Language.ZH else 1
