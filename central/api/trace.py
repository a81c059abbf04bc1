"""`/trace`: where a piece or a lot has been, where it is, and whom it was used on."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from central.api.door import Asks
from central.api.one_hop import resource
from central.api.problems import Problem
from central.services.desk import Desk
from central.services.trace import QUESTION_MAX, Physical, Trace, trace
from protocols.values.instant import to_iso


class UnitOut(BaseModel):
    """A named piece of a lot."""

    epc: str
    serial: str
    expiry: str


class HeldOut(BaseModel):
    """What the book has in one place, in base units."""

    place: str
    position: str
    unit: str
    qty: int


class MovedOut(BaseModel):
    """One line of one ledger entry; `patient` is a keyed hash."""

    event: str
    kind: str
    at: str
    actor: str
    device: str
    unit: str
    lot: str
    qty: int
    source: str
    target: str
    patient: str


class PhysicalOut(BaseModel):
    """What is said of a piece in one storeroom, and by whom.

    `said`: `heard`, `missing`, `unsure`, `unexpected`, `gone` by readers, who hold it since `since` with probability
    `p` of being there, and said so at `told_at`; `moved_since`: it moved after readers last spoke; `unheard`: no reader
    ever spoke of it there: the book is all there is. `listening` tells whether readers are at work there now.
    """

    place: str
    said: str
    p: float | None
    since: str | None
    told_at: str | None
    source: str
    model: str
    listening: bool
    discrepancy: str


class TraceOut(BaseModel):
    """What is known of a unit, a lot or an item; `whole` tells whether all movements are shown, the newest first.

    `physical` is of a unit: where readers hear or miss it.
    """

    sort: str
    item: str
    name_zh: str
    name_en: str
    lot: str
    serial: str
    epc: str
    expiry: str
    units: list[UnitOut]
    held: list[HeldOut]
    physical: list[PhysicalOut]
    moved: list[MovedOut]
    whole: bool


def trace_routes(desk: Desk) -> APIRouter:
    """Return the routes of this resource."""
    router = resource("trace")

    @router.get("/trace", responses={404: {"model": Problem}})
    def traced(
        caller: Asks, q: Annotated[str, Query(min_length=1, max_length=QUESTION_MAX, examples=["K1"])]
    ) -> TraceOut:
        """Trace an EPC, a scanned label, a serial, a lot or an item."""
        return _out(trace(desk.store, desk.hospital, caller, q, desk.now()))

    return router


def _out(one: Trace) -> TraceOut:
    return TraceOut(
        sort=one.sort,
        item=one.item,
        name_zh="" if one.name is None else one.name.name_zh,
        name_en="" if one.name is None else one.name.name_en,
        lot=one.lot,
        serial=one.serial,
        epc=one.epc,
        expiry=one.expiry,
        units=[UnitOut(epc=unit.epc, serial=unit.serial, expiry=unit.expiry) for unit in one.units],
        held=[HeldOut(place=line.place, position=line.position, unit=line.unit, qty=line.qty) for line in one.held],
        physical=[_physical(each) for each in one.physical],
        moved=[
            MovedOut(
                event=line.event,
                kind=line.kind,
                at=to_iso(line.at),
                actor=line.actor,
                device=line.device,
                unit=line.unit,
                lot=line.lot,
                qty=line.qty,
                source=line.source,
                target=line.target,
                patient=line.patient,
            )
            for line in one.moved
        ],
        whole=one.is_whole,
    )


def _physical(one: Physical) -> PhysicalOut:
    belief = one.where.belief
    return PhysicalOut(
        place=one.where.place,
        said=one.where.said.value,
        p=None if belief is None else belief.p,
        since=None if belief is None else to_iso(belief.since),
        told_at=None if belief is None else to_iso(belief.at),
        source="" if belief is None else belief.device,
        model="" if belief is None else belief.model,
        listening=one.listening,
        discrepancy=one.discrepancy,
    )
