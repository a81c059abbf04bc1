"""`/discrepancies/{id}`: one discrepancy with its likely causes and its evidence, and the steps that close it."""

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from central.api.door import Asks
from central.api.etags import Seen, tell_version
from central.api.one_hop import resource
from central.api.problems import Problem
from central.services.causes import Moment
from central.services.desk import Desk
from central.services.settling import REMARK_MAX, Case, Settling
from protocols.values.instant import to_iso

REFUSED: dict[int | str, dict[str, object]] = {
    403: {"model": Problem}, 404: {"model": Problem}, 409: {"model": Problem},
}  # fmt: skip
CAUSE_MAX = 32


class CauseOut(BaseModel):
    """One likely cause: its share of all causes, and what speaks for it."""

    cause: str
    weight: float
    signs: list[str]


class ThingOut(BaseModel):
    """What a movement moved: base units of an item, the lot and the piece (EPC) where it names them."""

    item: str
    lot: str
    unit: str
    qty: int


class MomentOut(BaseModel):
    """One thing that happened; `late_s` how much later than it happened central had it.

    `things` are what a movement moved, the first few of them, `more` how many others.
    """

    at: str
    sort: str
    place: str
    who: str
    said: str
    p: float | None
    late_s: float
    event: str
    things: list[ThingOut]
    more: int


class StepOut(BaseModel):
    """One step that somebody took to close it."""

    step: str
    person: str
    at: str
    cause: str
    remark: str
    adjust: bool


class OwnerOut(BaseModel):
    """Somebody whose it is to close."""

    person: str
    name: str


class CaseOut(BaseModel):
    """One discrepancy: `first_cause` the likeliest, `age_s` since it was found, `waits` for a second person.

    `book` and `physical` are of its item and lot in its storeroom now.
    """

    id: str
    kind: str
    place: str
    item: str
    lot: str
    unit: str
    book: int
    physical: int
    status: str
    cause: str
    first_cause: str
    causes: list[CauseOut]
    timeline: list[MomentOut]
    steps: list[StepOut]
    age_s: float
    owner_role: str
    owners: list[OwnerOut]
    needs_two: bool
    waits: bool


class SettleIn(BaseModel):
    """What somebody found: the cause, in words why, whether the book is to follow the shelf."""

    cause: str = Field(max_length=CAUSE_MAX, examples=["unscanned_take"])
    remark: str = Field(min_length=1, max_length=REMARK_MAX)
    adjust: bool = False


class RemarkIn(BaseModel):
    """Why."""

    remark: str = Field(min_length=1, max_length=REMARK_MAX)


class SettledOut(BaseModel):
    """How the discrepancy stands now: `closed`, `waiting` for a second person, or `open`."""

    id: str
    state: str


def settling_routes(desk: Desk) -> APIRouter:
    """Return the routes of this resource."""
    router, settling = resource("discrepancies"), Settling(desk.purchasing.documents)

    @router.get("/discrepancies/{id}", responses={404: {"model": Problem}})
    def told(caller: Asks, response: Response, id: str) -> CaseOut:
        """Tell a discrepancy with its likely causes and evidence."""
        case = settling.case(caller, id)
        tell_version(response, len(case.steps))
        return _out(case, age_s=(desk.now() - case.one.found_at) / 1_000_000)

    @router.post("/discrepancies/{id}/settle", responses=REFUSED)
    def settled(caller: Asks, seen: Seen, id: str, body: SettleIn) -> SettledOut:
        """Close a discrepancy, or propose to, where a second person must agree."""
        state = settling.settle(caller, id, body.cause, body.remark, adjust=body.adjust, seen=seen)
        return SettledOut(id=id, state=state)

    @router.post("/discrepancies/{id}/approve", responses=REFUSED)
    def approved(caller: Asks, seen: Seen, id: str) -> SettledOut:
        """Agree to what another person proposed."""
        return SettledOut(id=id, state=settling.approve(caller, id, seen))

    @router.post("/discrepancies/{id}/refuse", responses=REFUSED)
    def refused(caller: Asks, seen: Seen, id: str, body: RemarkIn) -> SettledOut:
        """Turn down what was proposed."""
        return SettledOut(id=id, state=settling.refuse(caller, id, body.remark, seen))

    return router


def _out(case: Case, age_s: float) -> CaseOut:
    one, account = case.one, case.account
    return CaseOut(
        id=one.id,
        kind=one.kind,
        place=one.place,
        item=one.item,
        lot=one.lot,
        unit=one.unit,
        book=case.line.book,
        physical=case.line.physical,
        status=one.status,
        cause=one.cause,
        first_cause=account.causes[0].why,
        causes=[CauseOut(cause=each.why, weight=each.weight, signs=list(each.signs)) for each in account.causes],
        timeline=[_moment(each) for each in account.moments],
        steps=[
            StepOut(
                step=each.step,
                person=each.proposed.person,
                at=to_iso(each.at),
                cause=each.proposed.verdict.cause,
                remark=each.proposed.verdict.remark,
                adjust=each.proposed.verdict.adjust,
            )
            for each in case.steps
        ],
        age_s=age_s,
        owner_role=case.owner_role,
        owners=[OwnerOut(person=person, name=name) for person, name in case.owners],
        needs_two=case.needs_two,
        waits=case.waits is not None,
    )


def _moment(one: Moment) -> MomentOut:
    return MomentOut(
        at=to_iso(one.at),
        sort=one.sort,
        place=one.place,
        who=one.who,
        said=one.said,
        p=one.p,
        late_s=one.late_s,
        event=one.event,
        things=[ThingOut(item=each.item, lot=each.lot, unit=each.unit, qty=each.qty) for each in one.things],
        more=one.more,
    )
