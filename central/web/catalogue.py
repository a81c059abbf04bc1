"""The pages of the catalogue: its lines with codes and classes, one item from draft to use, and the quarterly review.

It decides nothing; which step a button stands for is read from the state table. The rule that must not be broken: a
file that was given is handed back as a file to save, never shown by the browser.
"""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import FastAPI, Form, Query, Request, UploadFile
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from central.core.catalogue import FILE_BYTES_MAX, ITEM_STEPS, ItemState, ItemStep
from central.core.rights import Caller, Right
from central.errors import BadInput, NotAllowed, NotNow, NotThere
from central.services.catalogue import GIVERS, NAME_MAX, PACK_MAX, Drafted, Shown, catalogue_now, trims_now
from central.services.desk import Desk
from central.services.policy import rules_at
from central.store import queries_catalogue as kept
from central.store.queries_master import terms
from central.store.queries_purchasing import history
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import HEADERS, Renderer, Visit
from protocols.values.instant import business_day

PAGE_LINES = 100
TEXT_MAX = 500

Text = Annotated[str, Form(max_length=TEXT_MAX)]
Word = Annotated[str, Form(max_length=WORD_MAX)]


class DraftForm(BaseModel):
    """What is entered of a new item."""

    word: str = Field(default="", max_length=WORD_MAX)
    item: str = Field(default="", max_length=NAME_MAX)
    name_zh: str = Field(default="", max_length=NAME_MAX)
    name_en: str = Field(default="", max_length=NAME_MAX)
    spec: str = Field(default="", max_length=NAME_MAX)
    unit_zh: str = Field(default="", max_length=NAME_MAX)
    unit_en: str = Field(default="", max_length=NAME_MAX)
    pack: int = Field(default=1, ge=1, le=PACK_MAX)
    class_: str = Field(default="", max_length=NAME_MAX)
    criticality: str = Field(default="", max_length=NAME_MAX)
    registration: str = Field(default="", max_length=NAME_MAX)
    udi_di: str = Field(default="", max_length=NAME_MAX)
    insurance: str = Field(default="", max_length=NAME_MAX)
    platform: str = Field(default="", max_length=NAME_MAX)
    tier: str = Field(default="", max_length=NAME_MAX)
    mode: str = Field(default="usual", max_length=NAME_MAX)


@dataclass(frozen=True, slots=True)
class Sought:
    """What of the catalogue is looked for: a text, a state, class or tier (`doubted`: doubtful codes), and the page."""

    question: str = ""
    show: str = ""
    page: int = 1


def add_catalogue(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the pages of the catalogue."""
    _add_list(pages, renderer, porter, desk)
    _add_review(pages, renderer, porter, desk)
    _add_one(pages, renderer, porter, desk)
    _add_steps(pages, renderer, porter, desk)


def _add_list(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.get("/catalogue")
    def listed(
        request: Request,
        q: Annotated[str, Query(max_length=64)] = "",
        show: Annotated[str, Query(max_length=16)] = "",
        page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_ORDERS)
        answer = _list_page(renderer, visit, caller, desk, Sought(q.strip(), show, page))
        keep_language(request, visit, answer)
        return answer

    @pages.post("/catalogue")
    def drafted(request: Request, form: Annotated[DraftForm, Form()]) -> Response:
        visit, caller = porter.visit_of(request, Right.MANAGE_MASTER)
        porter.check_form(request, visit, form.word)
        told = {name: value for name, value in form.model_dump().items() if name != "word"}
        try:
            desk.catalogue.draft(caller, Drafted(**{**told, "item": form.item.strip()}))
        except (BadInput, NotNow):
            return _list_page(renderer, visit, caller, desk, Sought(), fault="draft", status=409)
        return RedirectResponse(f"/catalogue/items/{quote(form.item.strip())}", 303)

    @pages.post("/catalogue/baseline")
    def frozen(request: Request, word: Word = "") -> Response:
        visit, caller = porter.visit_of(request, Right.APPROVE_HIGH)
        porter.check_form(request, visit, word)
        try:
            desk.catalogue.freeze(caller)
        except NotNow:
            return _list_page(renderer, visit, caller, desk, Sought(), fault="baseline", status=409)
        return RedirectResponse("/catalogue", 303)


def _list_page(
    renderer: Renderer, visit: Visit, caller: Caller, desk: Desk, sought: Sought, *, fault: str = "", status: int = 200
) -> Response:
    year = business_day(desk.now()).year
    with desk.store.read() as connection:
        every = catalogue_now(connection, desk.hospital)
        trimmed = trims_now(connection, desk.hospital, year)
        rules = rules_at(connection, desk.hospital, desk.now())
    page = sought.page
    found = [one for one in every if _fits(one, sought)]
    counts = {state: sum(one.line.state is state for one in every) for state in ItemState}
    return renderer.page(
        "catalogue.html.j2", visit, status, tab="catalogue", rows=found[(page - 1) * PAGE_LINES : page * PAGE_LINES],
        count=len(found), page=page, pages=-(-len(found) // PAGE_LINES), question=sought.question, show=sought.show,
        link="/catalogue?" + urlencode({"q": sought.question, "show": sought.show}), counts=counts, year=year,
        trims=trimmed,
        doubted=sum(bool(one.faults) for one in every), fault=fault,
        wanted=(rules.number("catalogue.trim_min"), rules.number("catalogue.trim_max")),
        may=caller.may(Right.MANAGE_MASTER), head=caller.may(Right.APPROVE_HIGH),
    )  # fmt: skip


def _fits(one: Shown, sought: Sought) -> bool:
    line = one.line
    said = (line.item, line.name_zh, line.name_en, line.spec, line.codes.registration, line.codes.platform)
    if not any(sought.question.lower() in text.lower() for text in said):
        return False
    if sought.show == "doubted":
        return bool(one.faults)
    return sought.show in {"", line.state, one.abc, line.tier}


def _add_review(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.get("/catalogue/review")
    def review(request: Request, quarter: Annotated[str, Query(max_length=8)] = "") -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_ORDERS)
        answer = _review_page(renderer, visit, caller, desk, quarter)
        keep_language(request, visit, answer)
        return answer

    @pages.post("/catalogue/review/{quarter}/{item}")
    def decided(
        request: Request, quarter: str, item: str, decision: Text = "", reason: Text = "", word: Word = ""
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.APPROVE_HIGH)
        porter.check_form(request, visit, word)
        try:
            desk.catalogue.decide(caller, quarter, item, decision, reason)
        except (BadInput, NotNow):
            return _review_page(renderer, visit, caller, desk, quarter, fault=item, status=409)
        return RedirectResponse(f"/catalogue/review?{urlencode({'quarter': quarter})}", 303)


def _review_page(
    renderer: Renderer, visit: Visit, caller: Caller, desk: Desk, quarter: str, *, fault: str = "", status: int = 200
) -> Response:
    with desk.store.read() as connection:
        quarters = kept.review_quarters(connection, desk.hospital)
        chosen = quarter or (quarters[0] if quarters else "")
        rows = kept.reviews(connection, desk.hospital, chosen)
        catalogue = {one.item: one for one in kept.lines(connection, desk.hospital)}
        below = rules_at(connection, desk.hospital, desk.now()).number("catalogue.usage_below")
    prices = caller.may(Right.SEE_PRICES)
    if prices:
        desk.looks.saw(caller, "see-prices", "review")
    return renderer.page(
        "review.html.j2", visit, status, tab="review", quarters=quarters, chosen=chosen, rows=rows, below=below,
        catalogue=catalogue, prices=prices, may=caller.may(Right.APPROVE_HIGH), fault=fault,
    )  # fmt: skip


def _add_one(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.get("/catalogue/items/{item}")
    def one(request: Request, item: str) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_ORDERS)
        answer = _item_page(renderer, visit, caller, desk, item)
        keep_language(request, visit, answer)
        return answer

    @pages.get("/catalogue/items/{item}/evidence/{seq}")
    def file(request: Request, item: str, seq: int) -> Response:
        porter.visit_of(request, Right.SEE_ORDERS)
        with desk.store.read() as connection:
            found = kept.evidence_file(connection, desk.hospital, item, seq)
        if found is None:
            raise NotThere(f"evidence: expected one with a file, got {seq}")
        named = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(found[0])}"}
        return Response(found[1], media_type="application/octet-stream", headers=HEADERS | named)


def _add_steps(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.post("/catalogue/items/{item}/evidence")
    def given(
        request: Request,
        item: str,
        title: Text = "",
        number: Text = "",
        word: Word = "",
        file: UploadFile | None = None,
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.MANAGE_MASTER)
        porter.check_form(request, visit, word)
        content = b"" if file is None else file.file.read(FILE_BYTES_MAX + 1)
        name = (file.filename or "")[-NAME_MAX:] if file is not None and content else ""
        try:
            desk.catalogue.give_evidence(caller, item, title, number, name, content)
        except (BadInput, NotNow):
            return _item_page(renderer, visit, caller, desk, item, fault="evidence", status=409)
        return RedirectResponse(f"/catalogue/items/{quote(item)}", 303)

    @pages.post("/catalogue/items/{item}/{step}")
    def stepped(request: Request, item: str, step: str, reason: Text = "", word: Word = "") -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_ORDERS)
        porter.check_form(request, visit, word)
        if step not in set(ItemStep):
            raise NotThere(f"item: expected one of {', '.join(ItemStep)}, got {step!r:.20}")
        try:
            desk.catalogue.step(caller, item, ItemStep(step), reason)
        except (BadInput, NotNow, NotAllowed) as error:
            status = 403 if isinstance(error, NotAllowed) else 409
            return _item_page(renderer, visit, caller, desk, item, fault="step", status=status)
        return RedirectResponse(f"/catalogue/items/{quote(item)}", 303)


def _item_page(
    renderer: Renderer, visit: Visit, caller: Caller, desk: Desk, item: str, *, fault: str = "", status: int = 200
) -> Response:
    with desk.store.read() as connection:
        found = [one for one in catalogue_now(connection, desk.hospital) if one.line.item == item]
        if not found:
            raise NotThere(f"item: expected one of the catalogue, got {item!r:.40}")
        steps = history(connection, desk.hospital, kept.document_of(item))
        given = kept.evidence(connection, desk.hospital, item)
        instead = kept.substitutes(connection, desk.hospital).get(item, [])
        catalogue = {one.item: one for one in kept.lines(connection, desk.hospital)}
        offers = terms(connection, desk.hospital).get(item, [])
    (one,) = found
    mine = any(step.step in GIVERS and step.actor == caller.person for step in steps)
    return renderer.page(
        "catalogue_item.html.j2", visit, status, tab="catalogue", one=one, history=steps, given=given,
        instead=instead, catalogue=catalogue, offers=offers, prices=desk.looks.sees_prices(caller, item),
        steps=_steps(caller, one.line.state, mine=mine), fault=fault, mine=mine, now=desk.now(),
    )  # fmt: skip


def _steps(caller: Caller, state: ItemState, *, mine: bool) -> list[ItemStep]:
    """Return the steps a caller may take of an item now; drafting again is done on the list."""
    admitted = [event for before, event in ITEM_STEPS if before is state and event is not ItemStep.DRAFT]
    keeper, head = caller.may(Right.MANAGE_MASTER), caller.may(Right.APPROVE_HIGH)
    return [
        event
        for event in admitted
        if (keeper if event in {ItemStep.EVIDENCE, ItemStep.ACTIVATE} else head)
        and not (event is ItemStep.APPROVE and mine)
    ]
