"""The page of reports: what was reported by month and quarter, each as a signed file to hand on.

It decides nothing. The rule that must not be broken: a file leaves byte for byte as it was signed.
"""

from fastapi import FastAPI, Request
from starlette.responses import Response

from central.core.rights import Right
from central.services.desk import Desk
from central.services.reports import report_text, reports
from central.web.porter import Porter, keep_language
from central.web.render import HEADERS, Renderer


def add_reports(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the page of reports and their files."""

    @pages.get("/reports")
    def listed(request: Request) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_PRICES)
        desk.looks.saw(caller, "see-prices", "reports")
        with desk.store.read() as connection:
            found = reports(connection, desk.hospital)
        answer = renderer.page("reports.html.j2", visit, tab="reports", reports=found, now=desk.now())
        keep_language(request, visit, answer)
        return answer

    @pages.get("/reports/{kind}/{period}.json")
    def file(request: Request, kind: str, period: str) -> Response:
        _, caller = porter.visit_of(request, Right.SEE_PRICES)
        desk.looks.saw(caller, "see-prices", "reports")
        with desk.store.read() as connection:
            text = report_text(connection, desk.hospital, kind, period)
        named = {"Content-Disposition": f'attachment; filename="{kind}-{period}.json"'}
        return Response(text.encode(), media_type="application/json", headers=HEADERS | named)
