"""The pages of suppliers: all with grade, delivery and papers beside what is missing, and one with its documents.

It decides nothing; which step a button stands for is read from the state table. The rule that must not be broken: a
button that would be refused is not shown.
"""

import json
from typing import Annotated
from urllib.parse import quote

from fastapi import FastAPI, Form, Request
from starlette.responses import RedirectResponse, Response

from central.core.rights import Caller, Right
from central.core.suppliers import CASE_STEPS, CaseKind, CaseStep, Dimension, failed, shares_of_deliveries
from central.errors import BadInput, NotAllowed, NotNow, NotThere
from central.services.deliveries import dealings_now
from central.services.desk import Desk
from central.services.supplier_scores import marks_of
from central.services.suppliers import Matter, firms_now, papers_on, shortages_now, uncovered_now
from central.store import queries_suppliers as kept
from central.store.queries_master import items
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import Renderer, Visit
from protocols.values.instant import business_day

TEXT_MAX = 500
DOCUMENTS_SHOWN_MAX = 40

Text = Annotated[str, Form(max_length=TEXT_MAX)]
Word = Annotated[str, Form(max_length=WORD_MAX)]


def add_suppliers(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the pages of suppliers."""
    _add_acts(pages, renderer, porter, desk)

    @pages.get("/suppliers")
    def listed(request: Request) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_PRICES)
        answer = _list_page(renderer, visit, caller, desk)
        keep_language(request, visit, answer)
        return answer

    @pages.get("/suppliers/{supplier}")
    def one(request: Request, supplier: str) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_PRICES)
        answer = _one_page(renderer, visit, caller, desk, supplier)
        keep_language(request, visit, answer)
        return answer


def _add_acts(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.post("/suppliers/{supplier}/cases")
    def opened(
        request: Request, supplier: str, kind: Text = "", item: Text = "", said: Text = "", word: Word = ""
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.PURCHASE)
        porter.check_form(request, visit, word)
        try:
            if kind not in set(CaseKind):
                raise BadInput("kind: expected one of the list")
            desk.suppliers.open_case(caller, CaseKind(kind), supplier, item.strip(), said)
        except (BadInput, NotThere):
            return _one_page(renderer, visit, caller, desk, supplier, fault="case", status=409)
        return RedirectResponse(f"/suppliers/{quote(supplier)}", 303)

    @pages.post("/suppliers/{supplier}/cases/{case_no}/{step}")
    def moved(request: Request, supplier: str, case_no: str, step: str, said: Text = "", word: Word = "") -> Response:
        visit, caller = porter.visit_of(request, Right.PURCHASE)
        porter.check_form(request, visit, word)
        if step not in set(CaseStep):
            raise NotThere(f"case: expected one of {', '.join(CaseStep)}, got {step!r:.20}")
        try:
            desk.suppliers.move_case(caller, case_no, CaseStep(step), said)
        except (BadInput, NotNow, NotAllowed):
            return _one_page(renderer, visit, caller, desk, supplier, fault="step", status=409)
        return RedirectResponse(f"/suppliers/{quote(supplier)}", 303)

    @pages.post("/suppliers/tasks/{task}/done")
    def done(request: Request, task: str, word: Word = "") -> Response:
        visit, caller = porter.visit_of(request, Right.PURCHASE)
        porter.check_form(request, visit, word)
        try:
            desk.suppliers.finish_task(caller, task)
        except NotNow:
            return _list_page(renderer, visit, caller, desk)
        return RedirectResponse("/suppliers", 303)


def _list_page(renderer: Renderer, visit: Visit, caller: Caller, desk: Desk) -> Response:
    now = desk.now()
    with desk.store.read() as connection:
        dealt = dealings_now(connection, desk.hospital, now)
        rules, names = dealt.rules, dealt.names
        firms = firms_now(connection, desk.hospital, now, dealt)
        lacking = uncovered_now(connection, desk.hospital, now, dealt)
        watched = shortages_now(connection, desk.hospital, now, dealt)
        work = kept.tasks(connection, desk.hospital)
        of_items = [
            one
            for one in papers_on(connection, desk.hospital, business_day(now), rules)
            if not one.certificate.supplier and one.standing != "valid"
        ]
        catalogue = items(connection, desk.hospital)
    marks = marks_of(rules)
    return renderer.page(
        "suppliers.html.j2", visit, tab="suppliers", firms=firms, lacking=lacking, watched=watched, work=work,
        of_items=of_items, catalogue=catalogue, names=names, gates=marks.gates, dimensions=list(Dimension),
        rate_min=rules.number("delivery.rate_min"), may=caller.may(Right.PURCHASE), now=now,
        shares=shares_of_deliveries({one.supplier: one.rate for one in firms}),
        share_max=rules.number("delivery.share_max"),
    )  # fmt: skip


def _one_page(
    renderer: Renderer,
    visit: Visit,
    caller: Caller,
    desk: Desk,
    supplier: str,
    *,
    fault: str = "",
    status: int = 200,
) -> Response:
    now = desk.now()
    with desk.store.read() as connection:
        dealt = dealings_now(connection, desk.hospital, now)
        rules, found = dealt.rules, firms_now(connection, desk.hospital, now, dealt, only=supplier)
        if not found:
            raise NotThere(f"supplier: expected one that is known, got {supplier!r:.40}")
        history = kept.scores(connection, desk.hospital, supplier=supplier)
        catalogue = items(connection, desk.hospital)
        relations = [one for one in kept.relations(connection, desk.hospital) if one.distributor == supplier]
    (firm,), marks = found, marks_of(rules)
    if caller.may(Right.SEE_PRICES):
        desk.looks.saw(caller, "see-prices", f"supplier {supplier}")
    return renderer.page(
        "supplier.html.j2", visit, status, tab="suppliers", firm=firm, gates=marks.gates, weights=marks.weights,
        wrong=failed(firm.tallies, marks), history=[(one, json.loads(one.documents)) for one in history],
        shown_max=DOCUMENTS_SHOWN_MAX, catalogue=catalogue, relations=relations,
        rate_min=rules.number("delivery.rate_min"), kinds=list(CaseKind), dimensions=list(Dimension),
        steps={one.case.case_no: _steps(caller, one) for one in firm.matters}, may=caller.may(Right.PURCHASE),
        fault=fault, now=now,
    )  # fmt: skip


def _steps(caller: Caller, matter: Matter) -> list[CaseStep]:
    """Return the steps a caller may take of a case now."""
    case = matter.case
    admitted = [step for kind, state, step in CASE_STEPS if (kind, state) == (case.kind, case.state)]
    return [
        step
        for step in admitted
        if caller.may(Right.APPROVE_HIGH if step in {CaseStep.BLOCK, CaseStep.LIFT} else Right.PURCHASE)
        and not (step is CaseStep.BLOCK and case.opened_by == caller.person)
    ]
