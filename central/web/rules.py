"""Two pages that explain the house: which jobs ran and what they said, and the policy table with its sources.

It decides nothing. The rule that must not be broken: a threshold is shown with the days it holds and the text it is
from, so that nobody has to believe it.
"""

from typing import Annotated

from fastapi import FastAPI, Query, Request
from starlette.responses import Response

from central.core.rights import Right
from central.services.desk import Desk
from central.store.queries_jobs import last_runs
from central.store.queries_master import policy_rows
from central.web.porter import Porter, keep_language
from central.web.render import Renderer
from protocols.values.instant import business_day

TEXT_MAX = 64


def add_rules(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the pages of jobs and of policy rules."""

    @pages.get("/jobs")
    def jobs(request: Request) -> Response:
        visit, _ = porter.visit_of(request, Right.SEE_FLEET)
        with desk.store.read() as connection:
            runs = last_runs(connection, desk.hospital)
        answer = renderer.page("jobs.html.j2", visit, runs=runs, now=desk.now())
        keep_language(request, visit, answer)
        return answer

    @pages.get("/rules")
    def rules(request: Request, q: Annotated[str, Query(max_length=TEXT_MAX)] = "") -> Response:
        visit, _ = porter.visit_of(request)
        with desk.store.read() as connection:
            rows = policy_rows(connection, desk.hospital)
        asked = q.strip().casefold()
        shown = sorted(
            (one for one in rows if asked in f"{one.code} {one.scope} {one.source_doc}".casefold()),
            key=lambda one: (one.code, one.scope, one.effective_from),
        )
        answer = renderer.page("rules.html.j2", visit, rules=shown, question=q.strip(), today=business_day(desk.now()))
        keep_language(request, visit, answer)
        return answer
