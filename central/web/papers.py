"""Forms to print: `/papers/NAME/DOCUMENT.pdf`, on A4 or continuous paper, in the reader's language.

It decides nothing. The rule that must not be broken: who may not see a document gets no form of it.
"""

from urllib.parse import quote

from fastapi import FastAPI, Request
from starlette.responses import Response

from central.links.paper import Size, pdf_of
from central.services.desk import Desk
from central.services.papers import Asked, paper_named
from central.web.languages import Language
from central.web.porter import Porter
from central.web.render import HEADERS


def add_papers(pages: FastAPI, porter: Porter, desk: Desk, hospital: tuple[str, str]) -> None:
    """Add the forms to print; `hospital` is its name in Chinese and English."""

    @pages.get("/papers/{name}/{document}.pdf")
    def printed(request: Request, name: str, document: str, size: Size = Size.A4) -> Response:
        visit, caller = porter.visit_of(request)
        zh = visit.language is Language.ZH
        form = paper_named(name)(Asked(desk, caller, document, zh, hospital[0 if zh else 1]))
        named = {"Content-Disposition": f"inline; filename*=UTF-8''{quote(f'{name}-{document}.pdf')}"}
        return Response(pdf_of(form, size), media_type="application/pdf", headers=HEADERS | named)
