"""`/wards`, `/lines`, `/devices`: how storerooms stand, and what is in them."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from central.api.door import Asks
from central.api.one_hop import ready, resource
from central.api.paging import Listed, Paged
from central.core.match import LINE_MATCH, Match
from central.core.rights import Right
from central.services.desk import Desk
from central.services.fleet import DeviceHealth, fleet
from central.services.stock import lines_page
from central.services.wards import Standing, standings
from central.store.paging import page_of
from central.store.queries_master import places
from protocols.values.instant import to_iso


class WardOut(BaseModel):
    """One storeroom; rates are shares of 1, null where nothing was observed; instants ISO 8601.

    `lines` has its lines; of these `line_match` (its definition: `match_definition`) is over those that were observed,
    `share_observed` of all, as of `compared_at`.
    `offline` is null where no device watches, and where one does that `never_connected`.
    """

    place: str
    level: int
    name_zh: str
    name_en: str
    device: str
    last_contact: str | None
    offline: bool | None
    never_connected: bool
    status: str
    reason: str
    pending: int
    quarantined: int
    lines: int | None
    lines_matching: int | None
    lines_differing: int | None
    lines_not_observed: int | None
    lines_misplaced: int | None
    share_observed: float | None
    match_definition: str
    line_match: float | None
    unit_match: float | None
    compared_at: str | None
    open_discrepancies: int
    open_proposals: int


class ShelfLineOut(BaseModel):
    """One item and lot in a storeroom: whole base units in the book and on the shelf."""

    item: str
    name_zh: str
    name_en: str
    spec: str
    lot: str
    expiry: str | None
    book: int
    physical: int
    difference: int


class DeviceOut(BaseModel):
    """One device as central last heard it; `pending` entries it said it holds and central has not.

    `clock_ahead_us` is by how many microseconds its clock was ahead of central's when it last told of an error, above
    2 s, or that it was mended; null where it never told. `antennas` are the thousandths of the time up to
    `antennas_told_at`, a day as a rule, in which each antenna (`reader:number`) listened; null where none were told
    within a week.
    """

    device: str
    place: str
    status: str
    reason: str
    agent_version: str
    last_contact: str | None
    head_seq: int
    pending: int
    clock_ahead_us: int | None
    clock_told_at: str | None
    antennas: dict[str, int] | None
    antennas_told_at: str | None


class Wards(Listed):
    """Every storeroom, wards first."""

    items: list[WardOut]


class ShelfLines(Listed):
    """The lines of one storeroom."""

    place: str
    items: list[ShelfLineOut]


class Devices(Listed):
    """Every device."""

    items: list[DeviceOut]


def ward_routes(desk: Desk) -> APIRouter:
    """Return the routes of this resource."""
    router = resource("storerooms")

    @router.get("/wards")
    def wards(caller: Asks, page: Paged) -> Wards:
        """List the storerooms: last contact, record against physical, what stands open."""
        caller.need(Right.SEE_STOCK)
        with desk.store.read() as connection:
            seen = standings(connection, desk.hospital, desk.now(), caller.scope(Right.SEE_STOCK))
        seen.sort(key=_place)
        found = page_of("wards", seen, _place, page.asked)
        return Wards(items=[_ward(one) for one in found.items], next=page.next(found))

    @router.get("/lines", response_model=ShelfLines)
    def lines(caller: Asks, page: Paged, place: Annotated[str, Query(max_length=64, examples=["ward-01"])]) -> Response:
        """List a storeroom's lines, book beside shelf."""
        found = lines_page(desk, caller, place, page.asked)
        told = found.items  # in the form that `ShelfLineOut` describes
        return ready({"next": page.next(found), "place": place, "items": told})

    @router.get("/devices")
    def every_device(caller: Asks, page: Paged) -> Devices:
        """List the devices: last contact, how far each ledger has come, clock, antennas, version."""
        caller.need(Right.SEE_FLEET)
        with desk.store.read() as connection:
            seen = fleet(connection, desk.hospital, desk.now())
            homes = {room.device: room.place for room in places(connection, desk.hospital)}
        found = page_of("devices", seen, lambda one: (str(one.seen.device),), page.asked)
        return Devices(next=page.next(found), items=[_device(one, homes) for one in found.items])

    return router


def _place(one: Standing) -> tuple[str]:
    return (one.place.place,)


def _device(one: DeviceHealth, homes: Mapping[str, str]) -> DeviceOut:
    seen, clock, antennas = one.seen, one.clock, one.antennas
    return DeviceOut(
        device=seen.device,
        place=seen.place or homes.get(seen.device, ""),
        status=seen.status,
        reason=seen.reason,
        agent_version=seen.agent_version,
        last_contact=None if seen.last_seen_at is None else to_iso(seen.last_seen_at),
        head_seq=seen.head_seq,
        pending=seen.pending,
        clock_ahead_us=None if clock is None else clock.ahead_us,
        clock_told_at=None if clock is None else to_iso(clock.at),
        antennas=None if antennas is None else dict(antennas.heard),
        antennas_told_at=None if antennas is None else to_iso(antennas.at),
    )


def _ward(one: Standing) -> WardOut:
    seen, match = one.seen, one.match
    rates = {} if match is None else _rates(match)
    return WardOut(
        place=one.place.place,
        level=one.place.level,
        name_zh=one.place.name_zh,
        name_en=one.place.name_en,
        device=one.place.device,
        last_contact=None if seen is None or seen.last_seen_at is None else to_iso(seen.last_seen_at),
        offline=one.offline,
        never_connected=one.never_connected,
        status="" if seen is None else seen.status,
        reason="" if seen is None else seen.reason,
        pending=0 if seen is None else seen.pending,
        quarantined=one.quarantined,
        lines=None if match is None else match.lines_all,
        lines_matching=None if match is None else match.lines_right,
        lines_differing=None if match is None else match.lines_differing,
        lines_not_observed=None if match is None else match.unobserved,
        lines_misplaced=None if match is None else match.misplaced,
        share_observed=rates.get("share_observed"),
        match_definition=LINE_MATCH,
        line_match=rates.get("line_match"),
        unit_match=rates.get("unit_match"),
        compared_at=None if one.looked_at is None else to_iso(one.looked_at),
        open_discrepancies=one.discrepancies,
        open_proposals=one.proposals,
    )


def _rates(match: Match) -> dict[str, float]:
    """Return the rates of a match that there are."""
    every = {
        "line_match": match.line_match,
        "unit_match": match.unit_match,
        "share_observed": match.share_observed,
    }
    return {name: float(rate) for name, rate in every.items() if rate is not None}
