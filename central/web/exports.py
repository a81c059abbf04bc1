"""Every list as a table to save: `/exports/NAME.csv` and `/exports/NAME.xlsx`, with the filters of its page.

It decides nothing. The rule that must not be broken: who may not see a list on its page gets no table of it.
"""

from typing import Annotated

from fastapi import FastAPI, Query, Request
from starlette.responses import Response, StreamingResponse

from central.services.desk import Desk
from central.services.exports.form import FILTER_MAX, MEDIA, Form, chunks_of, table_of
from central.services.exports.lists import export_named
from central.web.languages import Language
from central.web.porter import Porter
from central.web.render import HEADERS

LANGUAGE = "lang"


def add_exports(pages: FastAPI, porter: Porter, desk: Desk) -> None:
    """Add the tables to save."""

    @pages.get("/exports/{name}.{form}")
    def saved(request: Request, name: str, form: Form, _lang: Annotated[str, Query(alias=LANGUAGE)] = "") -> Response:
        visit, caller = porter.visit_of(request)
        given = {key: text[:FILTER_MAX] for key, text in request.query_params.items() if key != LANGUAGE}
        table = table_of(export_named(name), form, desk, caller, given, visit.language is Language.ZH)
        named = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
        return StreamingResponse(chunks_of(table), media_type=MEDIA[form], headers=HEADERS | named)
