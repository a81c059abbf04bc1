"""The pages of `central`: one application beside the API, so that its errors are pages and the API's stay JSON.

It holds no rule about stock: what it shows and what a button does come in as callables. The rule that must not be
broken: every page works with scripts off, and a page about stock or people is drawn for somebody who may see it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

from fastapi import FastAPI, Form, Query, Request
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from central.core.rights import Caller, Right
from central.errors import (
    BadInput,
    NotNow,
    Stopped,
)
from central.links.telemetry import UNTOLD
from central.services.desk import Desk
from central.services.needs import needs_of
from central.services.orders import Approved
from central.services.overview import Overview
from central.web.account import add_account
from central.web.agreements import add_agreements
from central.web.alarms import add_alarms
from central.web.batches import add_batches
from central.web.catalogue import add_catalogue
from central.web.charges import add_charges
from central.web.conflicts import add_conflicts
from central.web.counts import add_counts
from central.web.devices import add_devices
from central.web.discrepancies import add_discrepancies
from central.web.entrance import add_entrance
from central.web.exports import add_exports
from central.web.faults import add_faults
from central.web.figures import add_figures
from central.web.find import add_find
from central.web.hand import add_hand
from central.web.help import add_help
from central.web.imports import add_imports
from central.web.master import add_master
from central.web.month import add_months
from central.web.orders import add_orders
from central.web.papers import add_papers
from central.web.people import add_people
from central.web.permits import add_permits
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.proposals import add_proposals
from central.web.records import add_records
from central.web.render import About, Renderer
from central.web.reports import add_reports
from central.web.requisitions import add_requisitions
from central.web.rules import add_rules
from central.web.statements import add_statements
from central.web.stock import add_stock
from central.web.suppliers import add_suppliers
from central.web.tokens import add_tokens
from central.web.views import Said, view_of

REFRESH_S = 30
"""How often the page reads itself again."""
REFRESH_S_MIN = 2
VERSION_MAX = 64


@dataclass(frozen=True, slots=True)
class PageSources:
    """What the pages need of the rest.

    `overview` reads the hospital now, as far as a caller may see it. `approve` takes who approves, a proposal's id and
    the version the buyer saw, and returns the order and whether this made it; it raises `NotThere` for an id that never
    was, `NotNow` for one that may not be approved, any more or as it was seen, `NotAllowed`. `secure` tells that people
    reach the pages through TLS; `hospital` is its name in Chinese and English, for forms to print.
    """

    overview: Callable[[Caller], Overview]
    approve: Callable[[Caller, str, str], Approved]
    desk: Desk
    refresh_s: int
    about: About
    secure: bool = False
    statement_key: Path | None = None
    hospital: tuple[str, str] = ("", "")

    def __post_init__(self) -> None:
        if self.refresh_s < REFRESH_S_MIN:
            raise BadInput(f"page refresh: expected at least {REFRESH_S_MIN} s, got {self.refresh_s}")


def build_pages(sources: PageSources) -> FastAPI:
    """Return the application of the pages, to be mounted at `/` after everything else."""
    renderer, porter = Renderer(sources.about), Porter(sources.desk.entrance, sources.secure)
    pages = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, telemetry=UNTOLD)
    pages.mount("/static", StaticFiles(packages=[("central.web", "static")]), name="static")
    add_entrance(pages, renderer, porter)
    add_account(pages, renderer, porter)
    add_people(pages, renderer, porter, sources.desk.accounts, sources.desk.looks.saw)
    add_devices(pages, renderer, porter, sources.desk)
    add_proposals(pages, renderer, porter, sources.desk)
    add_orders(pages, renderer, porter, sources.desk)
    add_requisitions(pages, renderer, porter, sources.desk)
    add_months(pages, renderer, porter, sources.desk)
    add_stock(pages, renderer, porter, sources.desk)
    add_find(pages, renderer, porter, sources.desk)
    add_rules(pages, renderer, porter, sources.desk)
    add_alarms(pages, renderer, porter, sources.desk)
    add_tokens(pages, renderer, porter, sources.desk.accounts)
    add_discrepancies(pages, renderer, porter, sources.desk)
    add_conflicts(pages, renderer, porter, sources.desk)
    add_counts(pages, renderer, porter, sources.desk)
    add_charges(pages, renderer, porter, sources.desk)
    add_hand(pages, renderer, porter, sources.desk)
    add_master(pages, renderer, porter, sources.desk)
    add_help(pages, renderer, porter, sources.desk)
    if sources.statement_key is not None:
        add_statements(pages, renderer, porter, sources.desk, sources.statement_key)
    add_figures(pages, renderer, porter, sources.desk)
    add_permits(pages, renderer, porter, sources.desk)
    add_agreements(pages, renderer, porter, sources.desk)
    add_suppliers(pages, renderer, porter, sources.desk)
    add_catalogue(pages, renderer, porter, sources.desk)
    add_exports(pages, porter, sources.desk)
    add_imports(pages, renderer, porter, sources.desk)
    add_papers(pages, porter, sources.desk, sources.hospital)
    add_reports(pages, renderer, porter, sources.desk)
    add_records(pages, renderer, porter, sources.desk)
    add_batches(pages, renderer, porter, sources.desk)
    _add_overview(pages, renderer, porter, sources)
    _add_approval(pages, porter, sources)
    add_faults(pages, renderer, porter, sources.desk.now)
    return pages


def _add_overview(pages: FastAPI, renderer: Renderer, porter: Porter, sources: PageSources) -> None:
    @pages.get("/")
    def overview(
        request: Request, said: Annotated[str, Query()] = "", order: Annotated[str, Query(max_length=64)] = ""
    ) -> Response:
        visit, caller = porter.visit_of(request)
        if not caller.may(Right.SEE_STOCK) and caller.may(Right.SEE_PEOPLE):
            return RedirectResponse("/people", 303)
        caller.need(Right.SEE_STOCK)
        if caller.may(Right.SEE_PRICES):
            sources.desk.looks.saw(caller, "see-prices", "overview")
        view = view_of(sources.overview(caller), Said(said) if said in set(Said) else None, order)
        yours = needs_of(sources.desk, caller)
        answer = renderer.page("overview.html.j2", visit, view=view, yours=yours, refresh_s=sources.refresh_s)
        keep_language(request, visit, answer)
        return answer


def _add_approval(pages: FastAPI, porter: Porter, sources: PageSources) -> None:
    @pages.post("/proposals/{proposal}/approve")
    def approve(
        request: Request,
        proposal: str,
        version: Annotated[str, Form(max_length=VERSION_MAX)] = "",
        word: Annotated[str, Form(max_length=WORD_MAX)] = "",
    ) -> Response:
        visit, caller = porter.visit_of(request)
        porter.check_form(request, visit, word)
        try:
            done = sources.approve(caller, proposal, version)
            said = {"said": (Said.APPROVED if done.fresh else Said.ALREADY).value, "order": done.order_no}
        except Stopped:
            return RedirectResponse(f"/proposals?{urlencode({'lang': visit.language.value})}", status_code=303)
        except NotNow:
            said = {"said": Said.STALE.value}
        return RedirectResponse(f"/?{urlencode({'lang': visit.language.value, **said})}", status_code=303)
