"""Compare book and shelf of storerooms: open and close discrepancies, and keep how far each storeroom agrees.

It decides nothing itself; `core.reconcile` and `core.discrepancies` do. The rules that must not be broken: reading and
writing are one transaction, so that a discrepancy never rests on facts that were half there; a storeroom that cannot be
compared is named, and the others are compared.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from central.core.claims import CLAIMED, waiting
from central.core.discrepancies import Bounds, Closing, Finding, find, newly_open, resolved
from central.core.policy import Rules
from central.core.reconcile import Match, UnitState, lines_by, match_of
from central.services.causes import shift_ends, weigh_open
from central.services.policy import rules_at
from central.store.engine import Store
from central.store.merge import add_new, merge
from central.store.queries_book import book_in, units_against
from central.store.queries_evidence import entry
from central.store.queries_master import places
from central.store.queries_work import standing
from central.store.tables.work import DISCREPANCY, STOREROOM_MATCH
from protocols.errors import ProtocolsError
from protocols.movements import Flag, MovementBody, read_body
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What one comparison changed, over all storerooms looked at; `failed` names each that could not be, and why."""

    places: int
    opened: int
    closed: int
    failed: tuple[str, ...] = ()


def bounds_of(rules: Rules) -> Bounds:
    """Return the probabilities of the policy."""
    return Bounds(
        missing=float(rules.number("presence.missing_below")),
        unexpected=float(rules.number("presence.unexpected_above")),
        here=float(rules.number("presence.here_from")),
    )


def reconcile(store: Store, hospital: HospitalId, now: Instant, only: Iterable[str] | None = None) -> Reconciled:
    """Compare the storerooms named, or all, each in its own transaction. Doing it again changes nothing."""
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
    closings = resolved(open_now, {state.unit: state for state in units}, bounds)
    for closing in closings:
        _close(connection, hospital, told_by_claim(connection, hospital, closing))
    gone = {closing.id for closing in closings}
    found = due_findings(connection, hospital, place, units, rules, now)
    fresh = newly_open(found, [one for one in open_now if one.id not in gone])
    opened = add_new(connection, DISCREPANCY, [_row(hospital, one, now) for one in fresh])
    match = match_of(lines_by(place, book_in(connection, hospital, place), units, bounds.here))
    merge(connection, STOREROOM_MATCH, [_match_row(hospital, place, now, match)])
    weigh_open(connection, hospital, place, now)
    return opened, len(closings)


def due_findings(
    connection: Connection, hospital: HospitalId, place: str, units: Iterable[UnitState], rules: Rules, now: Instant
) -> list[Finding]:
    """Return the differences of a storeroom that call for a discrepancy now: what waits to be claimed does not."""
    found = find(place, units, bounds_of(rules))
    waits = waiting(found, shift_ends(connection, hospital, found, rules), now)
    return [one for one in found if one.id not in waits]


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
    }
