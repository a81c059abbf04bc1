"""Ask storerooms to count a few lines a day, and show book, shelf and count side by side.

It decides nothing itself; `core.counts` does. The rule that must not be broken: a count is compared with the book at
its own cut, never with the book of now.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from central.core.certainty import Certainty
from central.core.counts import Counted, LineCount, LineKey, Risk, choose, line_counts, slipped, wrong_units
from central.core.policy import Rules
from central.core.reconcile import Line, lines_in
from central.core.rights import Caller, Right
from central.errors import NotThere
from central.services.desk import Desk
from central.services.documents import number_of
from central.services.policy import rules_at
from central.services.reconcile import bounds_of
from central.services.statements import sure_lines
from central.store import queries_counts as kept
from central.store import queries_settling as tasks_kept
from central.store.engine import Store
from central.store.queries_book import loose_in, units_of
from central.store.queries_master import Item, items, places
from protocols.values.ids import HospitalId, PlaceId
from protocols.values.instant import Instant, business_day, plus
from protocols.values.money import UNITS_A_YUAN, Money

LOOKED_BACK_S = 90 * 86_400.0
"""How far back counts and loose movements bear on a line."""
COUNT, OPEN, OVER = "count", "open", "over"


@dataclass(frozen=True, slots=True)
class LastCount:
    """When a line was last counted by a person, and what came out."""

    at: Instant
    found: LineCount


@dataclass(frozen=True, slots=True)
class Sided:
    """One line: the book, the shelf as far as readers know it, and the last count by a person."""

    line: Line
    sure: Certainty
    count: LastCount | None
    asked: bool
    item: Item | None


def ask(store: Store, hospital: HospitalId, now: Instant) -> int:
    """Ask every storeroom for the riskiest lines of the day, once a day; returns how many lines were asked for."""
    today, asked = business_day(now), 0
    with store.read() as connection:
        rules = rules_at(connection, hospital, now)
        rooms = [room.place for room in places(connection, hospital)]
    for place in rooms:
        with store.write() as connection:
            if _end_old(connection, hospital, place, today):
                continue
            chosen = _chosen(connection, hospital, place, rules, now)
            asked += tasks_kept.add_tasks(connection, hospital, [_task(place, one, today) for one in chosen], now)
    return asked


def _end_old(connection: Connection, hospital: HospitalId, place: str, today: date) -> bool:
    """End the counts of days that are over; tells whether this day's were asked for already."""
    every = tasks_kept.tasks(connection, hospital, place=place)
    mine = [one for one in every if one.kind == COUNT and "conflict" not in one.reason]  # a conflict's waits its day
    for one in mine:
        if one.status == OPEN and one.day < today:
            tasks_kept.end_task(connection, hospital, one.id, OVER, None, None)
    return any(one.day == today for one in mine)


def _task(place: str, one: Risk, today: date) -> tasks_kept.Task:
    id = number_of("CT", place, today.isoformat(), one.key.item, one.key.lot)
    reason = {"wrong": round(one.wrong, 4), "price": one.price}
    return tasks_kept.Task(id, COUNT, place, one.key.item, one.key.lot, "", today, reason, OPEN, None)


def _chosen(connection: Connection, hospital: HospitalId, place: str, rules: Rules, now: Instant) -> list[Risk]:
    since = plus(now, -LOOKED_BACK_S)
    counted = {one.key: at for at, one in kept.counted_in(connection, hospital, place, since)}
    loose = loose_in(connection, hospital, place)
    moves = kept.loose_moves(connection, hospital, place, since, counted)
    wrong = wrong_units(place, units_of(connection, hospital, place))
    slip = float(rules.number("count.slip"))
    for key, times in moves.items():
        wrong[key] = wrong.get(key, 0.0) + slipped(times, loose.get(key, 0), slip)
    prices = tasks_kept.prices(connection, hospital)
    risks = [Risk(key, pieces, prices.get(key.item, Money(0))) for key, pieces in wrong.items()]
    value_min = float(rules.number("count.value_min_yuan")) * UNITS_A_YUAN
    return choose(risks, rules.whole("count.lines_a_day"), value_min)


def side_by_side(desk: Desk, caller: Caller, place: str) -> list[Sided]:
    """Return every line of a storeroom with book, shelf and last count. Raises `NotAllowed`, `NotThere`."""
    caller.need(Right.SEE_STOCK, PlaceId(place))
    with desk.store.read() as connection:
        if place not in {one.place for one in places(connection, desk.hospital)}:
            raise NotThere(f"place: expected a storeroom that was imported, got {place!r:.40}")
        here = bounds_of(rules_at(connection, desk.hospital, desk.now())).here
        units, loose = units_of(connection, desk.hospital, place), loose_in(connection, desk.hospital, place)
        lines = lines_in(place, units, loose, here)
        counts = last_counts(kept.counted_in(connection, desk.hospital, place, plus(desk.now(), -LOOKED_BACK_S)))
        open_tasks = tasks_kept.tasks(connection, desk.hospital, status=OPEN, place=place)
        asked = {LineKey(one.item, one.lot) for one in open_tasks if one.kind == COUNT}
        catalogue = items(connection, desk.hospital)
    found = [
        Sided(
            one.line, one.sure, counts.get(LineKey(one.line.item, one.line.lot)),
            LineKey(one.line.item, one.line.lot) in asked, catalogue.get(one.line.item),
        )
        for one in sure_lines(place, lines, units, loose)
    ]  # fmt: skip
    return sorted(found, key=lambda one: (not one.asked, one.line.item, one.line.lot))


def last_counts(counted: list[tuple[Instant, Counted]]) -> dict[LineKey, LastCount]:
    """Return the last count of each line by people, of lines in the order they were counted."""
    found = line_counts(one for _, one in counted)
    newest = {one.key: (at, one.sheet) for at, one in counted}
    return {key: LastCount(at, found[sheet, key]) for key, (at, sheet) in newest.items()}
