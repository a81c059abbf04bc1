"""`/discrepancies`: differences of book and shelf that somebody must close, and those that are closed."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from central.api.door import Asks
from central.api.one_hop import resource
from central.api.paging import Listed, Paged
from central.core.rights import Right
from central.services.causes import first_causes
from central.services.desk import Desk
from central.store.queries_master import items
from central.store.queries_work import discrepancies_page
from protocols.values.instant import to_iso


class DiscrepancyOut(BaseModel):
    """One discrepancy: `p` is what the reader believed `since` an instant and entered at `found_at`; central opened the
    discrepancy at `opened_at`, later when the device was cut off; `first_cause` the likeliest as last weighed."""

    id: str
    kind: str
    place: str
    device: str
    item: str
    name_zh: str
    name_en: str
    lot: str
    unit: str
    p: float
    opened_at: str
    found_at: str
    since: str
    found_event: str
    status: str
    closed_at: str | None
    cause: str
    first_cause: str
    evidence: dict[str, Any]


class Discrepancies(Listed):
    """Discrepancies, the newest first."""

    items: list[DiscrepancyOut]


def discrepancy_routes(desk: Desk) -> APIRouter:
    """Return the routes of this resource."""
    router = resource("discrepancies")

    @router.get("/discrepancies")
    def listed(
        caller: Asks,
        page: Paged,
        status: Annotated[Literal["open", "closed", "all"], Query()] = "open",
        place: Annotated[str, Query(max_length=64)] = "",
    ) -> Discrepancies:
        """List discrepancies with their evidence."""
        caller.need(Right.SEE_STOCK)
        wanted, scope = "" if status == "all" else status, caller.scope(Right.SEE_STOCK)
        with desk.store.read() as connection:
            found = discrepancies_page(connection, desk.hospital, page.asked, status=wanted, place=place, scope=scope)
            catalogue = items(connection, desk.hospital)
            likeliest = first_causes(connection, desk.hospital, [one.id for one in found.items])
        return Discrepancies(
            next=page.next(found),
            items=[
                DiscrepancyOut(
                    id=one.id,
                    kind=one.kind,
                    place=one.place,
                    device=one.device,
                    item=one.item,
                    name_zh=catalogue[one.item].name_zh if one.item in catalogue else "",
                    name_en=catalogue[one.item].name_en if one.item in catalogue else "",
                    lot=one.lot,
                    unit=one.unit,
                    p=one.evidence["belief"]["p"],
                    opened_at=to_iso(one.opened_at),
                    found_at=to_iso(one.found_at),
                    since=to_iso(one.since),
                    found_event=one.found_event,
                    status=one.status,
                    closed_at=None if one.closed_at is None else to_iso(one.closed_at),
                    cause=one.cause,
                    first_cause=likeliest.get(one.id, ""),
                    evidence=dict(one.evidence),
                )
                for one in found.items
            ],
        )

    return router
