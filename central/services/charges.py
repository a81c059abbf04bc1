"""Use beside charges as people look at it: what a ward's days differ by, and the one state of each piece.

It reads only. The rule that must not be broken: who may see some storerooms only is shown those.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection

from central.core.charging import ChargeState, DayLine, day_lines, lies_at, state_of
from central.core.rights import Caller, Right, Scope
from central.errors import BadInput, NotThere
from central.services.desk import Desk
from central.services.policy import rules_at
from central.store import queries_charges as kept
from central.store.queries_master import places
from protocols.values.ids import PlaceId
from protocols.values.instant import Instant, day_start

DAYS_MAX = 31


@dataclass(frozen=True, slots=True)
class Piece:
    """One named piece: its state, where the ledger has it, since when, and the charge that stands."""

    unit: str
    lot: str
    state: ChargeState
    place: str
    since: Instant
    charge: str


def differences(desk: Desk, caller: Caller, first: date, last: date, place: str = "") -> list[DayLine]:
    """Return use beside charges from a day to a day, both included. Raises `NotAllowed`, `BadInput`, `NotThere`."""
    scope = _scope(desk, caller, place)
    if not timedelta(0) <= last - first < timedelta(days=DAYS_MAX):
        raise BadInput(f"last: expected a day of the {DAYS_MAX} from {first} on, got {last}")
    since, until = day_start(first), day_start(last + timedelta(days=1))
    with desk.store.read() as connection:
        return day_lines(
            kept.used_by_day(connection, desk.hospital, scope, since, until),
            kept.charged_by_day(connection, desk.hospital, scope, since, until),
        )


def pieces(desk: Desk, caller: Caller, day: date, place: str, item: str) -> list[Piece]:
    """Return the named pieces that moved or were charged on a ward's day. Raises as `differences` does."""
    _scope(desk, caller, place)
    now = desk.now()
    with desk.store.read() as connection:
        days = rules_at(connection, desk.hospital, now).whole("charge.ageing_days")
        units = kept.units_moved(
            connection, desk.hospital, day_start(day), day_start(day + timedelta(days=1)), place=place, item=item
        )
        found = [_piece(connection, desk, unit, now, days) for unit in units]
    return [one for one in found if one is not None]


def _scope(desk: Desk, caller: Caller, place: str) -> Scope:
    caller.need(Right.SEE_STOCK, PlaceId(place) if place else None)
    if not place:
        return caller.scope(Right.SEE_STOCK)
    with desk.store.read() as connection:
        if place not in {room.place for room in places(connection, desk.hospital)}:
            raise NotThere(f"place: expected a storeroom, got {place!r:.40}")
    return Scope(everywhere=False, places=frozenset({PlaceId(place)}))


def _piece(connection: Connection, desk: Desk, unit: str, now: Instant, ageing_days: int) -> Piece | None:
    steps = kept.steps_of(connection, desk.hospital, unit)
    lies = [one for one in kept.lying(connection, desk.hospital, unit=unit) if one.qty > 0]
    if not steps or not lies:
        return None
    # where two places claim a piece, the one furthest along is what charging asks about
    where = next((one for one in lies if one.place.startswith("patient@")), lies[0])
    last = next((one for one in reversed(steps) if one.target == where.place), steps[-1])
    charged = kept.standing(connection, desk.hospital, [unit]).get(unit, 0) > 0
    charge = kept.last_charge(connection, desk.hospital, unit) if charged else None
    lying = lies_at(where.place, last.source)
    state = state_of(lying, charged=charged, since=last.at, now=now, ageing_days=ageing_days)
    return Piece(unit, where.lot, state, where.place, last.at, "" if charge is None else charge.charge)
