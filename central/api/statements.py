"""`/statements`: the daily signed statements, as the files that `wardstock-central verify-statement` checks."""

from datetime import date
from typing import Any

from fastapi import APIRouter, Response

from central.api.door import Asks
from central.api.one_hop import resource
from central.core.rights import Right
from central.errors import NotThere
from central.services.desk import Desk
from central.services.statements import lacking, statements
from protocols.values.ids import PlaceId

STATED: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {"schema": {"type": "object"}}}, "description": "As it was signed"}
}


def statement_routes(desk: Desk) -> APIRouter:
    """Return the routes of this resource."""
    router = resource("statements")

    @router.get("/statements/{day}/{place}", responses=STATED, response_class=Response)
    def stated(caller: Asks, day: date, place: str) -> Response:
        """Give the statement of one storeroom and day, exactly as it was signed."""
        caller.need(Right.SEE_STOCK, PlaceId(place))
        found = statements(desk.store, desk.hospital, day).get(place)
        if found is None:
            why = lacking(desk.store, desk.hospital, day, desk.now()).get(place, "no such storeroom")
            raise NotThere(f"statement: expected a storeroom that was stated on {day}, got {place!r:.40}: {why}")
        return Response(found, media_type="application/json")

    return router
