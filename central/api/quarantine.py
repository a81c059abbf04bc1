"""`/quarantine`: entries that were set aside, why, and posting one once its cause is mended."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from central.api.door import Asks
from central.api.one_hop import resource
from central.api.paging import Listed, Paged
from central.api.problems import Problem
from central.services.desk import Desk
from central.services.quarantine import Kept, Quarantine
from protocols.entry import SEQ_MAX
from protocols.values.instant import to_iso

REFUSED: dict[int | str, dict[str, object]] = {
    403: {"model": Problem}, 404: {"model": Problem}, 409: {"model": Problem},
}  # fmt: skip
CHAIN_DIGITS = 32
"""Hex digits of a chain's name."""


class KeptOut(BaseModel):
    """One entry: its device, chain (hex) and number, why it was set aside, and why it cannot be posted now ("" it can).

    `body` is the beginning of what it says; `replayed_at` when it was posted after all.
    """

    device: str
    place: str
    incarnation: str
    seq: int
    kind: str
    actor: str
    body: str
    reason: str
    now: str
    at: str
    replayed_at: str | None
    replayed_by: str


class KeptList(Listed):
    """Entries, the newest first."""

    items: list[KeptOut]


class ReplayedOut(BaseModel):
    """An entry that is posted now; `fresh` is false where it was before."""

    incarnation: str
    seq: int
    fresh: bool


def quarantine_routes(desk: Desk) -> APIRouter:
    """Return the routes of this resource."""
    router, quarantine = resource("conflicts"), Quarantine(desk.purchasing.documents)

    @router.get("/quarantine")
    def quarantine_listed(
        caller: Asks, page: Paged, status: Annotated[Literal["kept", "replayed", "all"], Query()] = "kept"
    ) -> KeptList:
        """List the entries of the caller's storerooms that were set aside."""
        found = quarantine.page(caller, page.asked, "" if status == "all" else status)
        return KeptList(next=page.next(found), items=[_out(each) for each in found.items])

    @router.post("/quarantine/{incarnation}/{seq}/replay", responses=REFUSED)
    def quarantine_replayed(
        caller: Asks,
        incarnation: Annotated[str, Path(max_length=CHAIN_DIGITS)],
        seq: Annotated[int, Path(ge=0, le=SEQ_MAX)],
    ) -> ReplayedOut:
        """Post an entry, now that its cause is mended; doing it again posts nothing."""
        return ReplayedOut(incarnation=incarnation, seq=seq, fresh=quarantine.replay(caller, incarnation, seq))

    return router


def _out(each: Kept) -> KeptOut:
    one = each.one
    return KeptOut(
        device=one.device,
        place=one.place,
        incarnation=one.incarnation.hex(),
        seq=one.seq,
        kind=each.kind,
        actor=each.actor,
        body=each.body,
        reason=one.reason,
        now=each.now,
        at=to_iso(one.at),
        replayed_at=None if one.replayed_at is None else to_iso(one.replayed_at),
        replayed_by=one.replayed_by,
    )
