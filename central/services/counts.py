"""Ask storerooms to count a few lines a day, and show book, shelf and count side by side.

It decides nothing itself; `core.counts` does. The rule that must not be broken: a count is compared with the book at
its own cut, never with the book of now.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from central.core.by_position import AtPosition, Placed, by_position
from central.core.certainty import Certainty
from central.core.counts import LastCount, LineKey, Risk, choose, last_counts, slipped, unheard_in, wrong_units
from central.core.match import Eyes, observed
from central.core.policy import Rules
from central.core.reconcile import Line, UnitState, lines_in
from central.core.rights import Caller, Right
from central.errors import NotThere
from central.services.asking import CONFLICT, COUNT, OPEN, ask_for, asked_now, end_over, room_on, since_of
from central.services.desk import Desk
from central.services.documents import number_of
from central.services.match import watched, watched_of
from central.services.policy import rules_at
from central.services.reconcile import bounds_of
from central.services.stated import sure_lines
from central.store import queries_counts as kept
from central.store import queries_settling as tasks_kept
from central.store.engine import Store
from central.store.queries_book import loose_in, units_of
from central.store.queries_master import Item, items, places
from central.store.queries_misplaced import booked_at, heard_at
from central.store.queries_rooms import loose_of, units_of_item
from protocols.values.ids import HospitalId, PlaceId
from protocols.values.instant import Instant, business_day, plus
from protocols.values.money import UNITS_A_YUAN, Money

LOOKED_BACK_S = 90 * 86_400.0
"""How far back counts and loose movements bear on a line."""
RUN = "run"
"""In the reason of a count that a reorder run asks for before it orders."""


@dataclass(frozen=True, slots=True)
class Sided:
    """One line: the book, the shelf as far as readers know it, and the last count by a person; `by` who observed it.

    `shelves` are book and shelf at each position, which sum to the line where readers observed it.
    """

    line: Line
    sure: Certainty
    count: LastCount | None
    asked: bool
    item: Item | None
    by: Eyes
    shelves: tuple[AtPosition, ...] = ()


def ask(store: Store, hospital: HospitalId, now: Instant) -> int:
    """Ask every storeroom for the riskiest lines of the day, once a day; returns how many lines were asked for."""
    asked = 0
    with store.read() as connection:
        rules = rules_at(connection, hospital, now)
        rooms = [room.place for room in places(connection, hospital)]
    for place in rooms:
        with store.write() as connection:
            end_over(connection, hospital, place, now)
            room = room_on(connection, hospital, place, rules, now)
            if not room or _was_asked(connection, hospital, place, business_day(now)):
                continue
            chosen = _chosen(connection, hospital, place, room, rules, now)
            tasks = [_task(place, one, business_day(now)) for one in chosen]
            asked += ask_for(connection, hospital, place, tasks, rules, now)
    return asked


def _was_asked(connection: Connection, hospital: HospitalId, place: str, today: date) -> bool:
    """Tell whether the day's riskiest lines were asked for already, and not only what a run or a conflict needs."""
    every = tasks_kept.tasks(connection, hospital, place=place)
    return any(one.kind == COUNT and since_of(one) == today and not {RUN, CONFLICT} & set(one.reason) for one in every)


def task_id(place: str, day: date, key: LineKey) -> str:
    """Return the id of a count task: a line is asked for once a day, whoever asks."""
    return number_of("CT", place, day.isoformat(), key.item, key.lot)


def _task(place: str, one: Risk, today: date) -> tasks_kept.Task:
    id = task_id(place, today, one.key)
    reason = {"wrong": round(one.wrong, 4), "price": one.price}
    return tasks_kept.Task(id, COUNT, place, one.key.item, one.key.lot, "", today, reason, OPEN, None)


def _chosen(
    connection: Connection, hospital: HospitalId, place: str, room: int, rules: Rules, now: Instant
) -> list[Risk]:
    wrong = wrong_in(connection, hospital, place, rules, now)
    prices = tasks_kept.prices(connection, hospital)
    risks = [Risk(key, pieces, prices.get(key.item, Money(0))) for key, pieces in wrong.items()]
    value_min = float(rules.number("count.value_min_yuan")) * UNITS_A_YUAN
    return choose(risks, room, value_min)


def wrong_in(
    connection: Connection, hospital: HospitalId, place: str, rules: Rules, now: Instant
) -> dict[LineKey, float]:
    """Return how many pieces of each line of a storeroom are expected to stand wrongly in its book."""
    since = plus(now, -LOOKED_BACK_S)
    counted = {one.key: at for at, one in kept.counted_in(connection, hospital, place, since)}
    loose = loose_in(connection, hospital, place)
    units = units_of(connection, hospital, place)
    unheard = unheard_in(place, units)
    heard = {one.unit for one in units if one.belief is not None}
    moves = kept.loose_moves(connection, hospital, place, since, counted)
    moves += kept.tagged_moves(connection, hospital, place, since, counted, unheard, heard)
    wrong = wrong_units(place, units)
    slip = float(rules.number("count.slip"))
    for key, times in moves.items():
        wrong[key] = wrong.get(key, 0.0) + slipped(times, loose.get(key, 0) + unheard.get(key, 0), slip)
    return wrong


def side_by_side(desk: Desk, caller: Caller, place: str) -> list[Sided]:
    """Return every line of a storeroom with book, shelf and last count. Raises `NotAllowed`, `NotThere`."""
    return first_sides(desk, caller, place, None)[0]


def first_sides(desk: Desk, caller: Caller, place: str, most: int | None) -> tuple[list[Sided], int]:
    """Return the first lines of a storeroom, those asked for before the others, and how many there are in all.

    `most` None gives all of them. Raises `NotAllowed`, `NotThere`.
    """
    caller.need(Right.SEE_STOCK, PlaceId(place))
    with desk.store.read() as connection:
        if place not in {one.place for one in places(connection, desk.hospital)}:
            raise NotThere(f"place: expected a storeroom that was imported, got {place!r:.40}")
        rules = rules_at(connection, desk.hospital, desk.now())
        units, loose = units_of(connection, desk.hospital, place), loose_in(connection, desk.hospital, place)
        every = lines_in(place, units, loose, bounds_of(rules).here)
        open_tasks = asked_now(connection, desk.hospital, desk.now(), place=place)
        asked = {LineKey(one.item, one.lot) for one in open_tasks if one.kind == COUNT}
        lines = sorted(every, key=lambda one: (_key(one) not in asked, one.item, one.lot))[:most]
        keys = {_key(one) for one in lines}
        units = [one for one in units if (one.item, one.lot) in keys]
        seen = observed(lines, watched(connection, desk.hospital, place, rules, desk.now()))
        counts = last_counts(kept.counted_in(connection, desk.hospital, place, plus(desk.now(), -LOOKED_BACK_S)))
        catalogue = items(connection, desk.hospital, {one.item for one in lines} if most is not None else None)
        shelves = _shelves(connection, desk.hospital, place, units, keys, bounds_of(rules).here)
    found = [
        Sided(
            line, sure, counts.get(_key(line)), _key(line) in asked, catalogue.get(line.item), one.by,
            shelves.get(_key(line), ()),
        )
        for one, (line, sure) in zip(seen, sure_lines(place, [one.line for one in seen], units, loose), strict=True)
    ]  # fmt: skip
    return found, len(every)


def _key(line: Line) -> LineKey:
    return LineKey(line.item, line.lot)


def sides_of_item(
    connection: Connection, desk: Desk, rooms: Sequence[str], item: str, lots: Collection[str] | None = None
) -> list[tuple[str, Line, Certainty, LastCount | None]]:
    """Return every line of one item in some storerooms, with what is sure of it and its last count by a person.

    With `lots`, the lines of those.
    """
    hospital, now = desk.hospital, desk.now()
    rules = rules_at(connection, hospital, now)
    units, loose = units_of_item(connection, hospital, rooms, item), loose_of(connection, hospital, rooms, item)
    if lots is not None:
        units = {room: [one for one in several if one.lot in lots] for room, several in units.items()}
        loose = {room: {key: qty for key, qty in several.items() if key[1] in lots} for room, several in loose.items()}
    looked = watched_of(connection, hospital, rooms, rules, now)
    counted = kept.counted_at(connection, hospital, rooms, plus(now, -LOOKED_BACK_S))
    found = []
    for room in rooms:
        seen = observed(lines_in(room, units[room], loose[room], bounds_of(rules).here), looked[room])
        last = last_counts(counted[room])
        for line, sure in sure_lines(room, [one.line for one in seen], units[room], loose[room]):
            found.append((room, line, sure, last.get(LineKey(line.item, line.lot))))
    return found


def _shelves(
    connection: Connection,
    hospital: HospitalId,
    place: str,
    units: Iterable[UnitState],
    keys: Collection[LineKey],
    here_from: float,
) -> dict[tuple[str, str], tuple[AtPosition, ...]]:
    booked, loose = booked_at(connection, hospital, place)
    heard = heard_at(connection, hospital, place)
    pieces = [Placed(one, booked.get(one.unit, ""), heard.get(one.unit, "")) for one in units]
    here = {key: qty for key, qty in loose.items() if key[:2] in keys}
    return by_position(place, pieces, here, here_from)
