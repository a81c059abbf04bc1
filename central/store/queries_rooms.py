"""What books and readers have of several storerooms, in as many questions as of one: a page of all wards asks here.

What is asked of one storeroom alone, by every request, is in `queries_book`. Reading only, no rule. The rule that must
not be broken: a question is asked once for all storerooms, never once for each.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, case, func, select

from central.core.discrepancies import Bounds
from central.core.reconcile import Belief, UnitState
from central.store.queries_book import BELIEVED, IS_TAGGED, doubtful, in_parts, last_movements, newest_said, states_at
from central.store.tables.ledger import BALANCE, BELIEF, BINDING, IS_HELD, POSTING_LINE
from protocols.values.ids import HospitalId

Line = tuple[str, str]
"""Item and lot."""

_HOSPITAL: BindParameter[str] = bindparam("hospital")
_ROOMS: BindParameter[Any] = bindparam("rooms", expanding=True)
_HELD_IN = (BALANCE.c.hospital == _HOSPITAL, BALANCE.c.place.in_(_ROOMS), IS_HELD)
_LOOSE_IN = select(BALANCE.c.place, BALANCE.c.item, BALANCE.c.lot, BALANCE.c.qty).where(*_HELD_IN, BALANCE.c.unit == "")
BOOKED_IN = (
    select(BALANCE.c.place, BALANCE.c.unit, *(func.max(one).label(one.name) for one in (BALANCE.c.item, BALANCE.c.lot)))
    .where(*_HELD_IN, IS_TAGGED)
    .group_by(BALANCE.c.place, BALANCE.c.unit)
    .having(func.sum(BALANCE.c.qty) > 0)
    .subquery("booked")
)
"""The tagged units that the books of some `rooms` hold, with the line of each."""
_LINE_IN = (BOOKED_IN.c.place, BOOKED_IN.c.item, BOOKED_IN.c.lot)
_TAGGED_IN = select(*_LINE_IN, func.count().label("units")).group_by(*_LINE_IN)


def book_in(connection: Connection, hospital: HospitalId, place: str) -> dict[Line, int]:
    """Return what a storeroom's book holds, by item and lot: loose pieces, and one for each tagged unit."""
    return books_of(connection, hospital, [place])[place]


def books_of(connection: Connection, hospital: HospitalId, rooms: Collection[str]) -> dict[str, dict[Line, int]]:
    """Return the same of several storerooms at once."""
    books: dict[str, dict[Line, int]] = {room: {} for room in rooms}
    asked = {"hospital": hospital, "rooms": list(books)}
    for question in (_LOOSE_IN, _TAGGED_IN):
        for place, item, lot, qty in connection.execute(question, asked).all():
            books[place][item, lot] = books[place].get((item, lot), 0) + qty
    return books


_ITEM: BindParameter[str] = bindparam("item")
_OF_ITEM = (*_HELD_IN, BALANCE.c.item == _ITEM)
_LOOSE_OF = select(BALANCE.c.place, BALANCE.c.lot, BALANCE.c.qty).where(*_OF_ITEM, BALANCE.c.unit == "")
_BOOKED_OF = (
    select(BALANCE.c.place, BALANCE.c.unit)
    .where(*_OF_ITEM, IS_TAGGED)
    .group_by(BALANCE.c.place, BALANCE.c.unit)
    .having(func.sum(BALANCE.c.qty) > 0)
)
_BOUND_OF = select(BINDING.c.epc).where(BINDING.c.hospital == _HOSPITAL, BINDING.c.item == _ITEM)
_MOVED_OF = select(POSTING_LINE.c.unit).where(
    POSTING_LINE.c.hospital == _HOSPITAL, POSTING_LINE.c.item == _ITEM, POSTING_LINE.c.unit != ""
)
_BELIEFS_OF = BELIEVED.add_columns(BELIEF.c.place).where(
    BELIEF.c.place.in_(_ROOMS), BELIEF.c.epc.in_(_BOUND_OF) | BELIEF.c.epc.in_(_MOVED_OF)
)


def loose_of(
    connection: Connection, hospital: HospitalId, rooms: Collection[str], item: str
) -> dict[str, dict[Line, int]]:
    """Return of an item what the books of several storerooms have of pieces that are not told apart."""
    loose: dict[str, dict[Line, int]] = {room: {} for room in rooms}
    for place, lot, qty in connection.execute(_LOOSE_OF, {"hospital": hospital, "rooms": list(loose), "item": item}):
        loose[place][item, lot] = loose[place].get((item, lot), 0) + qty
    return loose


def units_of_item(
    connection: Connection, hospital: HospitalId, rooms: Collection[str], item: str
) -> dict[str, list[UnitState]]:
    """Return of an item every tagged unit that the books of several storerooms hold or their readers believe in."""
    asked = {"hospital": hospital, "rooms": list(rooms), "item": item}
    booked: dict[str, set[str]] = {room: set() for room in rooms}
    for place, unit in connection.execute(_BOOKED_OF, asked):
        booked[place].add(unit)
    beliefs = _by_room(connection.execute(_BELIEFS_OF, asked))
    named = {room: sorted({*booked[room], *beliefs.get(room, ())}) for room in rooms}
    moved = last_movements(connection, hospital, sorted({unit for units in named.values() for unit in units}))
    states = {room: states_at(room, named[room], booked[room], beliefs.get(room, {}), moved) for room in rooms}
    return {room: [one for one in several if one.item == item] for room, several in states.items()}


_IS_BOOKED = (BOOKED_IN.c.place == BELIEF.c.place) & (BOOKED_IN.c.unit == BELIEF.c.epc)
_SPEAKS_AGAINST = case(
    (BOOKED_IN.c.unit.is_not(None), BELIEF.c.p < bindparam("low")), else_=BELIEF.c.p >= bindparam("high")
)
_AGAINST = (
    select(BELIEF.c.place, BELIEF.c.epc, BOOKED_IN.c.unit.is_not(None).label("booked"))
    .select_from(BELIEF)
    .outerjoin(BOOKED_IN, _IS_BOOKED)
    .where(BELIEF.c.hospital == _HOSPITAL, BELIEF.c.place.in_(_ROOMS), _SPEAKS_AGAINST)
)
_BELIEFS_IN = BELIEVED.add_columns(BELIEF.c.place).where(
    BELIEF.c.place.in_(_ROOMS), BELIEF.c.epc.in_(bindparam("units", expanding=True))
)


def units_against_in(
    connection: Connection, hospital: HospitalId, rooms: Collection[str], bounds: Bounds
) -> dict[str, list[UnitState]]:
    """Return the tagged units of several storerooms whose belief may speak against their books, as `units_against`."""
    low, high = doubtful(bounds)
    named: dict[str, set[str]] = {room: set() for room in rooms}
    booked: dict[str, set[str]] = {room: set() for room in rooms}
    for place, unit, is_booked in connection.execute(
        _AGAINST, {"hospital": hospital, "rooms": list(named), "low": low, "high": high}
    ):
        named[place].add(unit)
        booked[place] |= {unit} if is_booked else set()
    units = sorted({unit for several in named.values() for unit in several})
    moved = last_movements(connection, hospital, units)
    beliefs = _beliefs_in(connection, hospital, [room for room in named if named[room]], units)
    return {room: states_at(room, sorted(named[room]), booked[room], beliefs.get(room, {}), moved) for room in named}


def _beliefs_in(
    connection: Connection, hospital: HospitalId, rooms: Sequence[str], units: Sequence[str]
) -> dict[str, dict[str, Belief]]:
    asked = ({"hospital": hospital, "rooms": rooms, "units": some} for some in in_parts(units))
    return _by_room(row for each in asked for row in connection.execute(_BELIEFS_IN, each))


def _by_room(rows: Iterable[Sequence[Any]]) -> dict[str, dict[str, Belief]]:
    """Return by storeroom what was last said of its units, of rows that end with a storeroom."""
    said: defaultdict[str, list[Sequence[Any]]] = defaultdict(list)
    for *row, place in rows:
        said[place].append(row)
    return {place: newest_said(place, several) for place, several in said.items()}
