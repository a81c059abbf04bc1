"""`/requisitions`: what people of a storeroom ask for, who decides, and what became of it."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from central.api.door import Asks
from central.api.etags import Seen, tell_version
from central.api.one_hop import resource
from central.api.paging import Listed, Paged
from central.api.problems import Problem
from central.core.refusals import Alteration
from central.core.requisitions import LINES_MAX, PAPER_MAX, REASON_MAX, RequisitionState, RequisitionStep, Wanted, Wish
from central.core.rights import Right
from central.services.askable import Askable, askable
from central.services.desk import Desk
from central.services.emergencies import Running, emergencies, rank
from central.services.requisitions import Said, looks, seen_by
from central.services.trace import QUESTION_MAX
from central.store import queries_requisitions as kept
from central.store.paging import page_of
from central.store.queries_purchasing import history
from protocols.values.instant import to_iso
from protocols.values.quantity import LINE_QTY_MAX

REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (403, 404, 409, 422)}
Code = Annotated[str, Field(min_length=1, max_length=64)]


class WishIn(BaseModel):
    """One line: base units of an item."""

    item: Code
    qty: int = Field(ge=1, le=LINE_QTY_MAX)


class RequisitionIn(BaseModel):
    """What is asked for, for which storeroom and why; an emergency is ordered before its approval."""

    place: Code
    lines: list[WishIn] = Field(min_length=1, max_length=LINES_MAX)
    reason: str = Field(min_length=1, max_length=REASON_MAX)
    emergency: bool = False


class RequisitionLineOut(BaseModel):
    """One line: base units asked for, and the order it became; empty: none yet."""

    line_no: int
    item: str
    qty: int
    order_no: str


class RequisitionOut(BaseModel):
    """One requisition; its orders tell how far it has come."""

    requisition: str
    place: str
    asked_by: str
    asked_at: str
    emergency: bool
    reason: str
    state: str
    lines: list[RequisitionLineOut]


class RequisitionsOut(Listed):
    """Requisitions, the newest first."""

    items: list[RequisitionOut]


class EmergencyClockOut(BaseModel):
    """One clock: `answer` of the supplier, `supply` of goods, `papers` of the approval given after; hours."""

    clock: str
    taken_h: float
    limit_h: int
    running: bool
    in_time: bool


class EmergencyOut(BaseModel):
    """One emergency with its clocks; `late` tells that one that runs is over its limit."""

    requisition: RequisitionOut
    late: bool
    clocks: list[EmergencyClockOut]


class EmergenciesOut(Listed):
    """Emergencies of the last 90 days, those that are late first."""

    items: list[EmergencyOut]


class RequisitionStepIn(BaseModel):
    """What a step says: `refuse` the reason, `complete` the paper's number; `approve` and `place` may set quantities.

    `quantities` are base units by line number, at most what was asked for; 0 leaves a line out. Less than was asked for
    needs `cut`, the code of why; above the limit (rule `approval.text_yuan`), or where it is `other`, `reason` too.
    """

    reason: str = Field(default="", max_length=REASON_MAX)
    paper: str = Field(default="", max_length=PAPER_MAX)
    quantities: dict[int, int] = Field(default={}, max_length=LINES_MAX)
    cut: Alteration | Literal[""] = ""


class AskableOut(BaseModel):
    """One item that may be asked for; `instead` are the selected products it is not."""

    item: str
    name_zh: str
    name_en: str
    spec: str
    here: int
    above: int
    instead: list[str]


class AskablesOut(BaseModel):
    """Items that may be asked for, selected products first."""

    items: list[AskableOut]


def requisition_routes(desk: Desk) -> APIRouter:
    """Return the routes of this resource."""
    router = resource("requisitions")
    _add_reading(router, desk)

    @router.post("/requisitions", status_code=201, responses=REFUSED)
    def asked(caller: Asks, response: Response, body: RequisitionIn) -> RequisitionOut:
        """Ask for goods."""
        lines = tuple(Wish(line.item, line.qty) for line in body.lines)
        made = desk.requisitions.ask(caller, Wanted(body.place, lines, body.reason, body.emergency))
        response.headers["Location"] = f"/api/v1/requisitions/{made.requisition}"
        return _told(made)

    @router.post("/requisitions/{requisition}/steps/{step}", responses=REFUSED)
    def stepped(
        caller: Asks,
        seen: Seen,
        requisition: str,
        step: Literal["approve", "place", "complete", "refuse", "withdraw"],
        body: RequisitionStepIn,
    ) -> RequisitionOut:
        """Approve, order in an emergency, complete its paperwork, refuse, or take back."""
        said = Said(body.reason, body.paper, body.quantities, body.cut)
        return _told(desk.requisitions.step(caller, requisition, RequisitionStep(step), said, seen))

    return router


def _add_reading(router: APIRouter, desk: Desk) -> None:
    @router.get("/requisitions")
    def listed(
        caller: Asks, page: Paged, state: Annotated[RequisitionState | None, Query(description="Only those")] = None
    ) -> RequisitionsOut:
        """List what people asked for."""
        looks(caller)
        with desk.store.read() as connection:
            found = kept.requisitions_page(connection, desk.hospital, page.asked, seen_by(caller), state or "")
        return RequisitionsOut(items=[_told(one) for one in found.items], next=page.next(found))

    @router.get("/requisitions/{requisition}", responses={404: {"model": Problem}})
    def one(caller: Asks, response: Response, requisition: str) -> RequisitionOut:
        """Tell one requisition; its version is the number of its steps."""
        looks(caller)
        with desk.store.read() as connection:
            found = desk.requisitions.one(connection, caller, requisition)
            steps = history(connection, desk.hospital, requisition)
        tell_version(response, len(steps))
        return _told(found)

    @router.get("/emergencies")
    def urgent(caller: Asks, page: Paged) -> EmergenciesOut:
        """List the emergencies with their clocks."""
        looks(caller)
        with desk.store.read() as connection:
            running = emergencies(connection, desk.hospital, desk.now(), seen_by(caller))
        found = page_of("emergencies", running, rank, page.asked)
        return EmergenciesOut(items=[_running(one) for one in found.items], next=page.next(found))

    @router.get("/askable", responses=REFUSED)
    def items(
        caller: Asks,
        place: Annotated[str, Query(max_length=64, description="The storeroom")],
        q: Annotated[str, Query(max_length=QUESTION_MAX, description="A code, name or its letters")] = "",
    ) -> AskablesOut:
        """List items that may be asked for, selected products before what they should be used instead of."""
        caller.need(Right.REQUEST)
        return AskablesOut(items=[_item(one) for one in askable(desk, caller, place, q)])


def _told(one: kept.Requisition) -> RequisitionOut:
    return RequisitionOut(
        requisition=one.requisition,
        place=one.place,
        asked_by=one.asked_by,
        asked_at=to_iso(one.asked_at),
        emergency=one.emergency,
        reason=one.reason,
        state=one.state,
        lines=[
            RequisitionLineOut(line_no=number, item=line.item, qty=line.qty, order_no=one.orders.get(line.item, ""))
            for number, line in enumerate(one.lines, 1)
        ],
    )


def _running(one: Running) -> EmergencyOut:
    clocks = [
        EmergencyClockOut(
            clock=name, taken_h=each.taken_h, limit_h=each.limit_h, running=each.running, in_time=each.in_time
        )
        for name, each in one.clocks.items()
    ]
    return EmergencyOut(requisition=_told(one.requisition), late=one.late, clocks=clocks)


def _item(one: Askable) -> AskableOut:
    item = one.item
    return AskableOut(
        item=item.item, name_zh=item.name_zh, name_en=item.name_en, spec=item.spec, here=one.here, above=one.above,
        instead=list(one.instead),
    )  # fmt: skip
