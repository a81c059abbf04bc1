"""`/permits` and `/recalls`: how far each ward may draw by itself and what moves that; lots nobody may take."""

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from central.api.door import Asks
from central.api.etags import Seen, tell_version
from central.api.one_hop import resource
from central.api.paging import Listed, Paged
from central.api.problems import Problem
from central.core.permits import Step
from central.errors import NotThere
from central.services.desk import Desk
from central.services.permits import WHY_MAX, Room
from central.services.recalls import LOT_MAX
from central.store.paging import page_of
from central.store.queries_permits import Recalled
from protocols.values.instant import Instant, to_iso

REFUSED: dict[int | str, dict[str, object]] = {
    403: {"model": Problem}, 404: {"model": Problem}, 409: {"model": Problem},
}  # fmt: skip
WORD_MAX = 32
ITEM_MAX = 64


class PermitStepOut(BaseModel):
    """One step of a permit: what moved it, `done`, `proposed`, `confirmed` or `refused`, and what holds after it."""

    audit: str
    phase: str
    permit: str
    at: str
    person: str
    why: str


class PermitOut(BaseModel):
    """One ward: its permit, the policy last issued with its lease, and whether its edge has taken that in.

    `edge_knows` is null where no device watches the ward, or none has told yet what it holds.
    """

    place: str
    permit: str
    waits: PermitStepOut | None
    version: int
    since: str | None
    lease_until: str | None
    edge_knows: bool | None
    choices: list[str]
    steps: list[PermitStepOut]


class Permits(Listed):
    """The wards you may see, by name."""

    items: list[PermitOut]


class AuditIn(BaseModel):
    """What somebody notes: `audit failed`, `audit passed` or `plan accepted`, and why."""

    audit: str = Field(max_length=WORD_MAX, examples=["audit failed"])
    why: str = Field(min_length=1, max_length=WHY_MAX)


class JudgedIn(BaseModel):
    """What a second person says to the step that waits: `confirmed` or `refused`."""

    phase: str = Field(max_length=WORD_MAX, examples=["confirmed"])
    why: str = Field(default="", max_length=WHY_MAX)


class RecallIn(BaseModel):
    """A lot that nobody may take any more, and why."""

    item: str = Field(min_length=1, max_length=ITEM_MAX)
    lot: str = Field(min_length=1, max_length=LOT_MAX)
    why: str = Field(min_length=1, max_length=WHY_MAX)


class LotIn(BaseModel):
    """One lot."""

    item: str = Field(min_length=1, max_length=ITEM_MAX)
    lot: str = Field(min_length=1, max_length=LOT_MAX)


class RecallOut(BaseModel):
    """One recall; `lifted_at` is null while it is in force."""

    item: str
    lot: str
    at: str
    person: str
    why: str
    lifted_at: str | None
    lifted_by: str


class Recalls(Listed):
    """Every recall, the newest first."""

    items: list[RecallOut]


def permit_routes(desk: Desk) -> APIRouter:
    """Return the routes of this resource."""
    router = resource("permits")

    @router.get("/permits")
    def permits(caller: Asks, page: Paged) -> Permits:
        """List the wards you may see with their permits."""
        rooms = sorted(desk.permits.rooms(caller), key=lambda one: one.place.place)
        found = page_of("permits", rooms, lambda one: (one.place.place,), page.asked)
        return Permits(items=[_permit(one) for one in found.items], next=page.next(found))

    @router.get("/permits/{place}", responses=REFUSED)
    def permit(caller: Asks, response: Response, place: str) -> PermitOut:
        """Tell one ward's permit; its version is the number of its steps."""
        found = [one for one in desk.permits.rooms(caller) if one.place.place == place]
        if not found:
            raise NotThere(f"permit: expected one of your wards, got {place!r:.40}")
        tell_version(response, len(found[0].steps))
        return _permit(found[0])

    @router.post("/permits/{place}/audits", responses=REFUSED)
    def audited(caller: Asks, seen: Seen, place: str, body: AuditIn) -> PermitStepOut:
        """Note an audit or an accepted plan; what would close the ward waits for a second person."""
        return _step(desk.permits.move(caller, place, body.audit, body.why, seen))

    @router.post("/permits/{place}/judge", responses=REFUSED)
    def judged(caller: Asks, seen: Seen, place: str, body: JudgedIn) -> PermitStepOut:
        """Confirm or refuse the step that waits."""
        return _step(desk.permits.decide(caller, place, body.phase, body.why, seen))

    @router.get("/recalls")
    def recalls(caller: Asks, page: Paged) -> Recalls:
        """List every recall, the newest first."""
        found = page_of("recalls", sorted(desk.recalls.every(caller), key=_newest), _newest, page.asked)
        return Recalls(items=[_recall(one) for one in found.items], next=page.next(found))

    @router.post("/recalls", responses=REFUSED, status_code=201)
    def recalled(caller: Asks, body: RecallIn) -> None:
        """Recall a lot: every edge holds what it has of it and refuses it."""
        desk.recalls.recall(caller, body.item, body.lot, body.why)

    @router.post("/recalls/lift", responses=REFUSED, status_code=204)
    def lifted(caller: Asks, body: LotIn) -> None:
        """Lift a recall; what an edge holds is released there by an inspection."""
        desk.recalls.lift(caller, body.item, body.lot)

    return router


def _permit(room: Room) -> PermitOut:
    stand = room.standing
    return PermitOut(
        place=room.place.place,
        permit=stand.permit,
        waits=None if stand.waits is None else _step(stand.waits),
        version=stand.version,
        since=None if stand.last is None else to_iso(stand.last.at),
        lease_until=None if room.policy is None else to_iso(Instant(room.policy.lease_until)),
        edge_knows=room.known,
        choices=list(room.choices),
        steps=[_step(one) for one in room.steps],
    )


def _step(one: Step) -> PermitStepOut:
    return PermitStepOut(
        audit=one.audit, phase=one.phase, permit=one.permit, at=to_iso(one.at), person=one.person, why=one.why
    )


def _newest(one: Recalled) -> tuple[int, str, str]:
    return -one.at, one.item, one.lot


def _recall(one: Recalled) -> RecallOut:
    return RecallOut(
        item=one.item,
        lot=one.lot,
        at=to_iso(one.at),
        person=one.person,
        why=one.why,
        lifted_at=None if one.lifted_at is None else to_iso(one.lifted_at),
        lifted_by=one.lifted_by,
    )
