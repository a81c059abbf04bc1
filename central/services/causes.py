"""Gather what is known about a discrepancy, weigh its causes, and lay its evidence on a line of time.

It decides nothing itself; `core.causes` does. The rule that must not be broken: evidence is read from the ledger anew
each time, so that what came late is weighed too, and each moment of it names where it stands.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import Connection, select

from central.core.causes import TAKE_KINDS, Evidence, Weighed, rank
from central.core.claims import ShiftEnd
from central.core.discrepancies import Finding, Kind
from central.core.policy import Rules
from central.store import queries_evidence as near
from central.store.merge import merge
from central.store.queries_trace import Moved, moved
from central.store.queries_work import Discrepancy, discrepancies
from central.store.tables.settling import DISCREPANCY_CAUSE
from protocols.errors import ProtocolsError
from protocols.movements.bodies import read_body
from protocols.movements.posting import MovementBody
from protocols.movements.reports import DiscrepancyBody, DutyBody, VisitBody
from protocols.movements.table import MOVEMENTS
from protocols.movements.tags import ObserveBody
from protocols.values.ids import HospitalId, is_virtual, place_id
from protocols.values.instant import Instant, plus

BEFORE_S = 1_800.0
"""A piece may be silent for a while before a reader's belief says so: half an hour covers the longest window."""
AFTER_S = 600.0
LIVELY_S = 7_200.0
"""A storeroom in which somebody badged within two hours of an instant is in use then."""
TOGETHER_S = 600.0
"""Takes of one hand within this belong to one visit."""
SEEN_BACK_S = 2 * 86_400.0
"""How far back beliefs about a unit are looked for."""
RANKED_MAX = 200
"""Open discrepancies of a storeroom weighed in one comparison; more at once are a reader's fault."""
TIMELINE_MAX = 200
THINGS_MAX = 5
"""Things one moment names: a person looks for one piece; a delivery of hundreds of lines is counted."""
HERE_FROM = 0.5
GONE_LEAST = 0.001
"""No model is surer than this that a silent piece is not gone."""
VISIT, LEFT = "visit", "visit_end"
"""What is said of a visit that began, and of one that ended."""
ACTS = tuple(kind for kind, row in MOVEMENTS.items() if row.posts)


class Sort(StrEnum):
    """What a moment of the evidence is."""

    BELIEF = "belief"
    HEARD = "heard"
    SILENT = "silent"
    DOOR = "door"
    MOVEMENT = "movement"
    VISIT = "visit"
    UNCLAIMED = "unclaimed"
    FOUND = "found"
    OPENED = "opened"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Thing:
    """What a movement moved: base units of an item, the lot and the piece (EPC) where it names them."""

    item: str
    lot: str
    unit: str
    qty: int


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened: `said` a movement's kind or a cause, `p` a belief's, `late_s` its delay.

    `things` are what a movement moved, the first `THINGS_MAX` of them; `more` says how many are left out.
    """

    at: Instant
    sort: Sort
    place: str
    who: str = ""
    said: str = ""
    p: float | None = None
    late_s: float = 0.0
    event: str = ""
    things: tuple[Thing, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """All that is known of one discrepancy; `elsewhere` the storeroom that hears the piece or books it, if another."""

    evidence: Evidence
    elsewhere: str
    causes: tuple[Weighed, ...]
    moments: tuple[Moment, ...]


def account_of(connection: Connection, hospital: HospitalId, one: Discrepancy) -> Account:
    """Return what is known of a discrepancy now."""
    devices = near.devices_at(connection, hospital, one.place) or [one.device]
    first, last = plus(one.since, -BEFORE_S), plus(one.since, AFTER_S)
    history = moved(connection, hospital, unit=one.unit)
    wide = near.entries_between(
        connection, hospital, devices, (VISIT, *ACTS), plus(one.since, -LIVELY_S), plus(one.since, LIVELY_S)
    )
    visits = [entry for entry in wide if first <= entry.at <= last]
    seen = _beliefs(connection, hospital, one, devices)
    told = _unclaimed(connection, hospital, one, devices)
    keeps = any(near.keeps_visits(connection, hospital, device) for device in devices)
    there = _there(connection, hospital, one)
    evidence = _evidence(connection, hospital, one, history, seen, there)
    evidence = _with_people(evidence, visits, keeps=keeps, lively=any(entry.kind == "visit" for entry in wide))
    evidence = replace(evidence, unclaimed=told is not None)
    moments = _timeline(one, history, visits, seen, told, there)
    return Account(evidence, _elsewhere(evidence, history, there), tuple(rank(evidence)), moments)


def _there(connection: Connection, hospital: HospitalId, one: Discrepancy) -> list[near.BeliefThere]:
    """Return what other storerooms' readers have said of the piece since it differs, the surest first."""
    every = near.beliefs_about(connection, hospital, one.unit)
    others = [belief for belief in every if belief.place != one.place and belief.at >= one.since]
    return sorted(others, key=lambda belief: (-belief.p, belief.place, belief.device))


def _elsewhere(known: Evidence, history: list[Moved], there: list[near.BeliefThere]) -> str:
    """Return the other storeroom that speaks for having the piece: by its readers, else by its book; else none."""
    if there and there[0].p >= HERE_FROM:
        return there[0].place
    return history[0].target if known.booked_elsewhere else ""


def _evidence(
    connection: Connection,
    hospital: HospitalId,
    one: Discrepancy,
    history: list[Moved],
    seen: list[near.Near],
    there: list[near.BeliefThere],
) -> Evidence:
    last = history[0] if history else None
    book = "" if last is None else last.target
    booked_elsewhere = bool(book) and not is_virtual(place_id(book)) and book != one.place
    others = discrepancies(connection, hospital, status="open", place=one.place)
    counterparts = [other for other in others if _is_counterpart(one, other)]
    rooms = {one.place, *([book] if booked_elsewhere else [])}
    return Evidence(
        kind=Kind(one.kind),
        p_elsewhere=there[0].p if there else None,
        booked_elsewhere=booked_elsewhere,
        counterparts=len(counterparts),
        coming=near.pending_of(connection, hospital, rooms),
        last_kind="" if last is None else last.kind,
        seen_since=_seen_since(last, seen),
        taken_together=_together(connection, hospital, one, last),
        dead_to_gone=_dead_to_gone(seen),
        at_door=bool(seen) and _left_by_door(seen[-1]),
    )


def _is_counterpart(one: Discrepancy, other: Discrepancy) -> bool:
    """Tell whether two differences may be one exchange: the same item, one too few and one too many, in one visit."""
    together = abs(other.since - one.since) <= BEFORE_S * 1_000_000
    return other.item == one.item and other.kind != one.kind and together


def _with_people(known: Evidence, visits: list[near.Near], *, keeps: bool, lively: bool) -> Evidence:
    somebody = True if visits else (False if keeps else None)
    return replace(known, somebody_there=somebody, lively=lively)


def _seen_since(last: Moved | None, seen: list[near.Near]) -> bool | None:
    """Tell whether a reader believed the unit here after its last movement, None where its readers never spoke."""
    if last is None or not seen:
        return None
    return any(_p(one) >= HERE_FROM for one in seen if one.at >= last.at)


def _p(one: near.Near) -> float:
    return read_body(one.body, ObserveBody).p


def _dead_to_gone(seen: list[near.Near]) -> float | None:
    """Return what the newest belief says of a dead tag beside a piece that is gone; None where its model does not."""
    if not seen:
        return None
    said = read_body(seen[-1].body, ObserveBody)
    gone = max(GONE_LEAST, 1.0 - said.p - said.dead)
    return said.dead / gone if said.dead else None


def _left_by_door(newest: near.Near) -> bool:
    """Tell whether the newest belief is that the piece is away, and the door heard it on its way."""
    said = read_body(newest.body, ObserveBody)
    return said.p < HERE_FROM and said.door > 0


def _together(connection: Connection, hospital: HospitalId, one: Discrepancy, last: Moved | None) -> int:
    """Return how many other pieces of the item the same hand took in the same visit as this one."""
    if last is None or last.kind not in TAKE_KINDS or not last.actor:
        return 0
    beside = moved(connection, hospital, item=one.item)
    return sum(
        other.unit != one.unit
        and other.actor == last.actor
        and other.kind == last.kind
        and abs(other.at - last.at) <= TOGETHER_S * 1_000_000
        for other in beside
    )


def _beliefs(connection: Connection, hospital: HospitalId, one: Discrepancy, devices: list[str]) -> list[near.Near]:
    """Return what the storeroom's readers said of the unit, oldest first."""
    first = plus(one.since, -SEEN_BACK_S)
    said = near.entries_between(
        connection, hospital, devices, ("observe",), first, plus(one.found_at, AFTER_S), near.OBSERVED_MAX
    )
    return [entry for entry in said if one.unit.encode() in entry.body.upper() and _is_of(entry, one.unit)]


def _is_of(entry: near.Near, unit: str) -> bool:
    try:
        return read_body(entry.body, ObserveBody).epc.upper() == unit
    except ProtocolsError:
        return False


def _unclaimed(connection: Connection, hospital: HospitalId, one: Discrepancy, devices: list[str]) -> near.Near | None:
    """Return the entry by which the storeroom said that nobody claimed the piece, None where it did not."""
    last = plus(one.found_at, SEEN_BACK_S)
    for entry in near.entries_between(connection, hospital, devices, ("discrepancy",), one.since, last):
        try:
            body = read_body(entry.body, DiscrepancyBody)
        except ProtocolsError:
            continue
        if (body.sort, body.unit.upper(), body.closes) == ("unclaimed", one.unit, ""):
            return entry
    return None


def _timeline(
    one: Discrepancy,
    history: list[Moved],
    visits: list[near.Near],
    seen: list[near.Near],
    told: near.Near | None,
    there: list[near.BeliefThere],
) -> tuple[Moment, ...]:
    moments = [_movement(line) for line in history]
    own = {line.event for line in history}
    moments += [_visit(one.place, each) for each in visits if each.event not in own]
    for each in seen:
        moments.append(Moment(each.at, Sort.BELIEF, one.place, p=_p(each), late_s=_late(each), event=each.event))
        moments += _reads(one.place, each)
    moments += [Moment(each.at, Sort.BELIEF, each.place, p=each.p, event=each.event) for each in there]
    if told is not None:
        moments.append(Moment(told.at, Sort.UNCLAIMED, one.place, event=told.event))
    moments.append(Moment(one.found_at, Sort.FOUND, one.place, p=one.evidence["belief"]["p"], event=one.found_event))
    moments.append(Moment(one.opened_at, Sort.OPENED, one.place))
    if one.closed_at is not None:
        moments.append(Moment(one.closed_at, Sort.CLOSED, one.place, said=one.cause))
    return tuple(sorted(moments, key=lambda each: (each.at, each.sort))[-TIMELINE_MAX:])


def _movement(line: Moved) -> Moment:
    thing = Thing(line.item, line.lot, line.unit, line.qty)
    return Moment(line.at, Sort.MOVEMENT, line.target, line.actor, line.kind, event=line.event, things=(thing,))


def _visit(place: str, entry: near.Near) -> Moment:
    """Return what somebody did in the room around then: a badge, or a movement of other things than this piece."""
    every = _things(entry) if entry.kind in ACTS else ()
    said = LEFT if entry.kind == VISIT and _phase(entry) == "end" else entry.kind
    return Moment(
        entry.at, Sort.VISIT, place, entry.actor, said, late_s=_late(entry), event=entry.event,
        things=every[:THINGS_MAX], more=max(0, len(every) - THINGS_MAX),
    )  # fmt: skip


def _phase(entry: near.Near) -> str:
    try:
        return read_body(entry.body, VisitBody).phase
    except ProtocolsError:
        return ""


def _things(entry: near.Near) -> tuple[Thing, ...]:
    try:
        body = read_body(entry.body, MovementBody)
    except ProtocolsError:
        return ()  # a kind whose body posts otherwise
    return tuple(Thing(line.item, line.lot, line.unit, line.qty) for line in body.lines)


def _reads(place: str, entry: near.Near) -> list[Moment]:
    """Return the reads behind a belief: since when it was heard, or no more, and when the door heard it."""
    said = read_body(entry.body, ObserveBody)
    sort = Sort.HEARD if said.p >= HERE_FROM else Sort.SILENT
    found = [Moment(Instant(said.since), sort, place, event=entry.event)]
    return [*found, Moment(Instant(said.door), Sort.DOOR, place, event=entry.event)] if said.door else found


def _late(entry: near.Near) -> float:
    return max(0.0, (entry.received_at - entry.at) / 1_000_000)


def weigh_open(connection: Connection, hospital: HospitalId, place: str, now: Instant) -> int:
    """Weigh the causes of every open discrepancy of a storeroom and keep them; returns how many."""
    standing = discrepancies(connection, hospital, status="open", place=place)[:RANKED_MAX]
    rows = [
        {
            "hospital": hospital,
            "discrepancy": one.id,
            "first": causes[0].why,
            "ranking": json.dumps([[each.why, round(each.weight, 4)] for each in causes]),
            "at": now,
        }
        for one in standing
        for causes in (account_of(connection, hospital, one).causes,)
    ]
    merge(connection, DISCREPANCY_CAUSE, rows)
    return len(rows)


def first_causes(connection: Connection, hospital: HospitalId, ids: Iterable[str]) -> dict[str, str]:
    """Return the likeliest cause of some discrepancies as last weighed, by id."""
    row = DISCREPANCY_CAUSE.c
    rows = connection.execute(
        select(row.discrepancy, row.first).where(row.hospital == hospital, row.discrepancy.in_(sorted(set(ids))))
    )
    return {each.discrepancy: each.first for each in rows}


def shift_ends(
    connection: Connection, hospital: HospitalId, found: Iterable[Finding], rules: Rules
) -> dict[str, ShiftEnd]:
    """Return the last shift's end that each device behind missing pieces recorded, of those that keep shifts."""
    devices = {one.device for one in found if one.kind is Kind.MISSING}
    wait_max_s = float(rules.number("claims.wait_max_s"))
    return {
        device: ShiftEnd(due, wait_max_s)
        for device in sorted(devices)
        if (due := _last_shift_end(connection, hospital, device)) is not None
    }


def _last_shift_end(connection: Connection, hospital: HospitalId, device: str) -> Instant | None:
    for entry in near.duties_of(connection, hospital, device):
        try:
            body = read_body(entry.body, DutyBody)
        except ProtocolsError:
            continue
        if body.duty == "shift_end":
            return Instant(body.due)
    return None
