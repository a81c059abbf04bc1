"""`/conflicts`: facts of several edges that cannot all be the whole truth, and closing one once somebody has looked."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from central.api.door import Asks
from central.api.one_hop import resource
from central.api.paging import Listed, Paged
from central.api.problems import Problem
from central.services.conflict_desk import PRICES, REMARK_MAX, Conflicts
from central.services.desk import Desk
from protocols.values.instant import to_iso

REFUSED: dict[int | str, dict[str, object]] = {
    403: {"model": Problem}, 404: {"model": Problem}, 409: {"model": Problem},
}  # fmt: skip


class ConflictOut(BaseModel):
    """One conflict: the storeroom that must look, the `other` one, the event that shows it, and until when.

    `provisional`: decided by the earlier receipt. `detail` is what the rule saw; its names depend on `sort`.
    """

    id: str
    sort: str
    place: str
    other: str
    item: str
    lot: str
    unit: str
    event: str
    provisional: bool
    due_at: str | None
    detail: dict[str, str | int]
    status: str
    opened_at: str
    closed_at: str | None
    closed_by: str
    remark: str


class ConflictList(Listed):
    """Conflicts, the newest first."""

    items: list[ConflictOut]


class ConflictClosedIn(BaseModel):
    """What was found."""

    remark: str = Field(min_length=1, max_length=REMARK_MAX)


class ConflictClosedOut(BaseModel):
    """The conflict that is closed now."""

    id: str
    status: str


def conflict_routes(desk: Desk) -> APIRouter:
    """Return the routes of this resource."""
    router, conflicts = resource("conflicts"), Conflicts(desk.purchasing.documents)

    @router.get("/conflicts")
    def conflicts_listed(
        caller: Asks, page: Paged, status: Annotated[Literal["open", "closed", "all"], Query()] = "open"
    ) -> ConflictList:
        """List the conflicts that concern the caller's storerooms."""
        found = conflicts.page(caller, page.asked, "" if status == "all" else status)
        if any(PRICES & one.detail.keys() for one in found.items):
            desk.looks.saw(caller, "see-prices", "conflicts")
        return ConflictList(
            next=page.next(found),
            items=[
                ConflictOut(
                    id=one.id,
                    sort=one.sort,
                    place=one.place,
                    other=one.other,
                    item=one.item,
                    lot=one.lot,
                    unit=one.unit,
                    event=one.event,
                    provisional=one.provisional,
                    due_at=None if one.due_at is None else to_iso(one.due_at),
                    detail=dict(one.detail),
                    status=one.status,
                    opened_at=to_iso(one.opened_at),
                    closed_at=None if one.closed_at is None else to_iso(one.closed_at),
                    closed_by=one.closed_by,
                    remark=one.remark,
                )
                for one in found.items
            ],
        )

    @router.post("/conflicts/{conflict}/close", responses=REFUSED)
    def conflict_closed(caller: Asks, conflict: str, body: ConflictClosedIn) -> ConflictClosedOut:
        """Note that somebody has looked and what was found; the book is not changed by it."""
        conflicts.close(caller, conflict, body.remark)
        return ConflictClosedOut(id=conflict, status="closed")

    return router
