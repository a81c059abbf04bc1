"""`/exports/{name}.{form}`: every list as a table, CSV or Excel, with the filters of its page."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from central.api.door import Asks
from central.api.one_hop import resource
from central.api.problems import Problem
from central.services.desk import Desk
from central.services.exports.form import FILTER_MAX, MEDIA, Form, chunks_of, table_of
from central.services.exports.lists import EXPORTS, export_named

TABLES: dict[str, Any] = {media.partition(";")[0]: {} for media in MEDIA.values()}
REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (403, 404, 422)}

Filter = Annotated[str, Query(max_length=FILTER_MAX)]


class TableOut(BaseModel):
    """One list that may be had as a table, and the filters it knows."""

    name: str
    title_zh: str
    title_en: str
    filters: list[str]


class Tables(BaseModel):
    """Every list that may be had as a table by who asks."""

    items: list[TableOut]


def export_routes(desk: Desk) -> APIRouter:
    """Return the routes of this resource."""
    router = resource("exports")

    @router.get("/exports")
    def listed(caller: Asks) -> Tables:
        """List the tables."""
        found = [one for one in EXPORTS.values() if caller.may(one.right)]
        return Tables(
            items=[
                TableOut(name=one.name, title_zh=one.title.zh, title_en=one.title.en, filters=list(one.filters))
                for one in found
            ]
        )

    @router.get(
        "/exports/{name}.{form}",
        response_class=StreamingResponse,
        responses={200: {"content": TABLES, "description": "The table"}, **REFUSED},
    )
    def table(  # noqa: PLR0913, PLR0917 # each filter is a parameter of the description
        caller: Asks,
        name: str,
        form: Form,
        lang: Annotated[str, Query(pattern="^(zh|en)$")] = "zh",
        place: Filter = "",
        q: Filter = "",
        differing: Filter = "",
        item: Filter = "",
        lot: Filter = "",
        first: Filter = "",
        last: Filter = "",
        state: Filter = "",
        status: Filter = "",
        id: Filter = "",
    ) -> StreamingResponse:
        """Give a list as a table in the language asked for; a filter it does not know is refused."""
        given = {"place": place, "q": q, "differing": differing, "item": item, "lot": lot, "first": first}
        given |= {"last": last, "state": state, "status": status, "id": id}
        made = table_of(export_named(name), form, desk, caller, given, lang == "zh")
        named = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
        return StreamingResponse(chunks_of(made), media_type=MEDIA[form], headers=named)

    return router
