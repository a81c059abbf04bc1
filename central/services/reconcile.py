"""Compare book and shelf of storerooms: open and close discrepancies, and keep how far each storeroom agrees.

It decides nothing itself; `core.reconcile` and `core.discrepancies` do. The rules that must not be broken: reading and
writing are one transaction, so that a discrepancy never rests on facts that were half there; a storeroom that cannot be
compared is named, and the others are compared.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from central.core.claims import CLAIMED, waiting
from central.core.discrepancies import Bounds, Closing, Finding, find, newly_open, resolved
from central.core.match import Match, match_of
from central.core.policy import Rules
from central.core.reconcile import Belief, UnitState
from central.services.causes import HERE_FROM, shift_ends, weigh_open
from central.services.counts_taken import take_in_counts
from central.services.match import observed_in
from central.services.policy import rules_at
from central.store.engine import Store
from central.store.merge import add_new, merge
from central.store.queries_book import units_against
from central.store.queries_evidence import beliefs_about, entry
from central.store.queries_master import places
from central.store.queries_work import standing
from central.store.tables.work import DISCREPANCY, STOREROOM_MATCH
from central.store.ward_facts import places_with_a_device, tell
from protocols.errors import ProtocolsError
from protocols.movements.bodies import read_body
from protocols.movements.posting import Flag, MovementBody
from protocols.movements.tags import SIGHTED
from protocols.values.ids import HospitalId, PlaceId, is_virtual
from protocols.values.instant import Instant


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What one comparison changed, over all storerooms looked at; `failed` names each that could not be, and why."""

    places: int
    opened: int
    closed: int
    failed: tuple[str, ...] = ()


BOUNDS = ("presence.missing_below", "presence.unexpected_above", "presence.here_from")
"""The rules that `bounds_of` reads."""


def bounds_of(rules: Rules) -> Bounds:
    """Return the probabilities of the policy."""
    missing, unexpected, here = (float(rules.number(code)) for code in BOUNDS)
    return Bounds(missing=missing, unexpected=unexpected, here=here)


def reconcile(store: Store, hospital: HospitalId, now: Instant, only: Iterable[str] | None = None) -> Reconciled:
    """Compare the storerooms named, or all, each in its own transaction. Doing it again changes nothing.

    What people counted meanwhile is read first, so that a match rests on it.
    """
    with store.write() as connection:
        take_in_counts(connection, hospital)
    with store.read() as connection:
        rules = rules_at(connection, hospital, now)
        known = [place.place for place in places(connection, hospital)]
    wanted = known if only is None else sorted(set(only) & set(known))
    opened = closed = 0
    failed: list[str] = []
    for place in wanted:
        try:
            with store.write() as connection:
                fresh, settled = _reconcile_one(connection, hospital, place, now, rules)
        except Exception as error:  # noqa: BLE001 # one storeroom's facts may be broken; the others are not
            failed.append(f"{place}: {type(error).__name__}: {error}")
            continue
        opened, closed = opened + fresh, closed + settled
    return Reconciled(len(wanted), opened, closed, tuple(failed))


def _reconcile_one(
    connection: Connection, hospital: HospitalId, place: str, now: Instant, rules: Rules
) -> tuple[int, int]:
    bounds = bounds_of(rules)
    open_now = standing(connection, hospital, place)
    units = units_against(connection, hospital, place, bounds, {one.unit for one in open_now})
    _tell_owners(connection, hospital, place, units)
    closings = resolved(open_now, {state.unit: state for state in units}, bounds)
    for closing in closings:
        _close(connection, hospital, told_by_claim(connection, hospital, closing))
    gone = {closing.id for closing in closings}
    found = due_findings(connection, hospital, place, units, rules, now)
    fresh = newly_open(found, [one for one in open_now if one.id not in gone])
    opened = add_new(connection, DISCREPANCY, [_row(hospital, one, now) for one in fresh])
    match = match_of(observed_in(connection, hospital, place, units, rules, now))
    merge(connection, STOREROOM_MATCH, [_match_row(hospital, place, now, match)])
    weigh_open(connection, hospital, place, now)
    return opened, len(closings)


def due_findings(
    connection: Connection, hospital: HospitalId, place: str, units: Sequence[UnitState], rules: Rules, now: Instant
) -> list[Finding]:
    """Return the differences of a storeroom that call for a discrepancy now: what waits to be claimed does not."""
    found = find(place, units, bounds_of(rules))
    waits = waiting(found, shift_ends(connection, hospital, found, rules), now)
    misplaced = _misplaced(connection, hospital, place, units)
    sighted = {state.unit for state, _ in _sighted(place, units)} - misplaced
    return [one for one in found if one.id not in waits and one.unit not in sighted]


def _misplaced(connection: Connection, hospital: HospitalId, place: str, units: Iterable[UnitState]) -> set[str]:
    """Return the pieces that a storeroom sights and that another's book holds, where no reader believes them.

    A piece behind a thin wall is heard in two rooms and is in one; a delivery that is not booked in yet is no riddle.
    """
    return {
        state.unit
        for state, _ in _sighted(place, units)
        if state.moved is not None
        and not is_virtual(PlaceId(state.moved.place))
        and all(
            belief.place == place or belief.p < HERE_FROM for belief in beliefs_about(connection, hospital, state.unit)
        )
    }


def _tell_owners(connection: Connection, hospital: HospitalId, place: str, units: Iterable[UnitState]) -> None:
    """Have the storeroom that books a piece be told that this one's readers hear it."""
    listening = places_with_a_device(connection, hospital)
    for state, heard in _sighted(place, units):
        owner = PlaceId("" if state.moved is None else state.moved.place)
        if owner in listening:
            tell(connection, hospital, owner, [bytes.fromhex(heard.event)])


def _sighted(place: str, units: Iterable[UnitState]) -> list[tuple[UnitState, Belief]]:
    """Return the pieces of others that a storeroom sights, each with what it says of it."""
    heard = [(state, state.heard()) for state in units if not state.booked_in(place)]
    return [(state, belief) for state, belief in heard if belief is not None and belief.model == SIGHTED]


def told_by_claim(connection: Connection, hospital: HospitalId, closing: Closing) -> Closing:
    """Return a closing under the cause `claimed` where its movement is somebody's claim, else as it is."""
    named = entry(connection, hospital, closing.event)
    if named is None or named.kind != closing.cause:
        return closing
    return replace(closing, cause=CLAIMED) if is_claim(named.body) else closing


def is_claim(body: bytes) -> bool:
    """Tell whether a movement was recorded by somebody who claimed what had left without a scan."""
    try:
        return Flag.CLAIMED in read_body(body, MovementBody).flags
    except ProtocolsError:
        return False


def _close(connection: Connection, hospital: HospitalId, closing: Closing) -> None:
    connection.execute(
        DISCREPANCY.update()
        .where(DISCREPANCY.c.hospital == hospital, DISCREPANCY.c.discrepancy == closing.id)
        .values(
            status="closed",
            closed_at=closing.at,
            cause=closing.cause,
            closed_event_id=bytes.fromhex(closing.event),
        )
    )


def _row(hospital: HospitalId, one: Finding, now: Instant) -> dict[str, object]:
    return {
        "hospital": hospital,
        "discrepancy": one.id,
        "kind": str(one.kind),
        "device": one.device,
        "place": one.place,
        "item": one.item,
        "lot": one.lot,
        "unit": one.unit,
        "found_at": one.found_at,
        "opened_at": now,
        "since": one.since,
        "found_event_id": bytes.fromhex(one.event),
        "status": "open",
        "closed_at": None,
        "cause": "",
        "closed_event_id": None,
        "evidence": json.dumps(one.evidence, sort_keys=True),
    }


def _match_row(hospital: HospitalId, place: str, now: Instant, match: Match) -> dict[str, object]:
    return {
        "hospital": hospital,
        "place": place,
        "at": now,
        "lines": match.lines,
        "lines_right": match.lines_right,
        "book": match.book,
        "differing": match.differing,
        "unobserved": match.unobserved,
    }
