"""The lines of a storeroom with who observed each, as the store has it: what every match that is shown is made from.

It decides nothing itself; `core.match` does. The rules that must not be broken: figures, pages, statements and the
check of the store ask here and nowhere else; one answer is read in one transaction.
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from central.core.counts import last_counts
from central.core.match import Key, Looked, Observed, Watched, observed
from central.core.policy import Rules
from central.core.reconcile import UnitState, lines_by
from central.services.antennas import Told, antennas_told_since
from central.store.queries_counts import counted_at
from central.store.queries_match import last_written, pieces_told, put_right
from central.store.queries_rooms import books_of
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, plus

HOUR_S, DAY_S = 3_600, 86_400
HEARD_H, COUNT_DAYS = "match.heard_h", "match.count_days"
"""The rules that say how old a look may be."""


def observed_in(
    connection: Connection, hospital: HospitalId, place: str, units: Sequence[UnitState], rules: Rules, now: Instant
) -> list[Observed]:
    """Return the lines of a storeroom with who observed each; `units` are those whose belief may speak against it."""
    return observed_of(connection, hospital, {place: units}, rules, now)[place]


def observed_of(
    connection: Connection, hospital: HospitalId, units: Mapping[str, Sequence[UnitState]], rules: Rules, now: Instant
) -> dict[str, list[Observed]]:
    """Return the same of several storerooms at once, of the units of each."""
    here = float(rules.number("presence.here_from"))
    books = books_of(connection, hospital, units)
    looked = watched_of(connection, hospital, list(units), rules, now)
    return {room: observed(lines_by(room, books[room], units[room], here), looked[room]) for room in units}


def watched(connection: Connection, hospital: HospitalId, place: str, rules: Rules, now: Instant) -> Watched:
    """Return who looked at a storeroom, and how long ago."""
    return watched_of(connection, hospital, [place], rules, now)[place]


def watched_of(
    connection: Connection, hospital: HospitalId, rooms: Sequence[str], rules: Rules, now: Instant
) -> dict[str, Watched]:
    """Return the same of several storerooms at once."""
    listening = at_work_of(connection, hospital, rooms, rules, now)
    told = pieces_told(connection, hospital, listening)
    counted = _counted(connection, hospital, rooms, plus(now, -rules.whole(COUNT_DAYS) * DAY_S))
    return {room: Watched(max(listening[room].values(), default=None), told[room], counted[room]) for room in rooms}


def at_work(connection: Connection, hospital: HospitalId, place: str, rules: Rules, now: Instant) -> dict[str, Instant]:
    """Return the devices of a storeroom whose readers' word counts, with when each last wrote.

    A device that wrote nothing for too long says nothing any more; nor does one that last told that no antenna of its
    listened.
    """
    return at_work_of(connection, hospital, [place], rules, now)[place]


def at_work_of(
    connection: Connection, hospital: HospitalId, rooms: Sequence[str], rules: Rules, now: Instant
) -> dict[str, dict[str, Instant]]:
    """Return the same of several storerooms at once."""
    since = plus(now, -rules.whole(HEARD_H) * HOUR_S)
    last = last_written(connection, hospital, rooms)
    wrote = {room: {device: at for device, at in each.items() if at >= since} for room, each in last.items()}
    told = antennas_told_since(connection, hospital, {device for each in wrote.values() for device in each}, since)
    deaf = {device for device, every in told.items() if _is_deaf(every, now)}
    return {room: {device: at for device, at in each.items() if device not in deaf} for room, each in wrote.items()}


def _is_deaf(told: Iterable[Told], now: Instant) -> bool:
    """Tell whether what a device last told in time of its antennas is that none listened."""
    last = next((one for one in told if one.in_time and one.at <= now), None)
    return last is not None and not last.any_listened


def _counted(
    connection: Connection, hospital: HospitalId, rooms: Sequence[str], since: Instant
) -> dict[str, dict[Key, Looked]]:
    counted = counted_at(connection, hospital, rooms, since)
    last = {room: last_counts(counted[room]) for room in rooms}
    wrong = {(room, *key): one.at for room in rooms for key, one in last[room].items() if not one.found.is_right}
    right = put_right(connection, hospital, wrong)
    return {
        room: {
            key: Looked(one.at, one.found.counted - one.found.book - right[room, *key])
            for key, one in last[room].items()
        }
        for room in rooms
    }
