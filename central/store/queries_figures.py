"""What figures are summed from: flows of storerooms, stock with its last use, chains of used pieces, days of figures.

Reading only, and the one write that keeps a day's figure. The rule that must not be broken: every query names the
hospital.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, Select, and_, bindparam, case, func, literal, or_, select

from central.core.figures import Figure, Flow, Link, Stocked
from central.store.merge import merge
from central.store.queries_book import USED_ROLES
from central.store.tables.ledger import BALANCE, BELIEF, EVENT, IS_HELD, LEDGER, POSTING_LINE
from central.store.tables.master import ITEM, PLACE, USE_DAY
from central.store.tables.settling import FIGURE_DAY
from protocols.errors import ProtocolsError
from protocols.movements.bodies import read_body
from protocols.movements.posting import MovementBody
from protocols.values.ids import HospitalId, PlaceId, virtual_place
from protocols.values.instant import MICROS, Instant, business_day, day_start

DAYS_SHOWN = 90
UNITS_AT_ONCE = 500
DAY_MICROS = 86_400 * MICROS
SPLIT = 2**31
"""Quantities are summed in two parts, because a database's own sum ends at 64 bits."""

_HOSPITAL: BindParameter[str] = bindparam("hospital")
_ROOMS: BindParameter[Any] = bindparam("rooms", expanding=True)


def first_day(connection: Connection, hospital: HospitalId, rooms: Sequence[str]) -> date | None:
    """Return the day of the first movement of some storerooms, None before any."""
    line = POSTING_LINE.c
    earliest = connection.scalar(
        select(line.at)
        .where(line.hospital == hospital, or_(line.target.in_(rooms), line.source.in_(rooms)))
        .order_by(line.at)
        .limit(1)
    )
    return None if earliest is None else business_day(Instant(earliest))


_IS_TAGGED = case((BALANCE.c.unit == "", 0), else_=1)
_QTY = (BALANCE.c.qty // SPLIT, BALANCE.c.qty % SPLIT)
_HELD_BY_ITEM = (
    select(BALANCE.c.place, BALANCE.c.item, *(func.sum(one) for one in (*_QTY, *(part * _IS_TAGGED for part in _QTY))))
    .where(BALANCE.c.hospital == _HOSPITAL, BALANCE.c.place.in_(_ROOMS), IS_HELD)
    .group_by(BALANCE.c.place, BALANCE.c.item)
)

Held = Mapping[tuple[str, str], tuple[int, int]]
"""By storeroom and item, what a book has: pieces, and of them those with a tag."""


def first_days(connection: Connection, hospital: HospitalId, rooms: Sequence[str]) -> dict[str, date]:
    """Return the day of the first movement of each of some storerooms that had any."""
    line, place = POSTING_LINE.c, PLACE.c
    here = or_(line.target == place.place, line.source == place.place)
    first = select(line.at).where(line.hospital == place.hospital, here).order_by(line.at).limit(1).scalar_subquery()
    asked = select(place.place, first.label("at")).where(place.hospital == hospital, place.place.in_(rooms))
    return {row.place: business_day(Instant(row.at)) for row in connection.execute(asked) if row.at is not None}


def held_by_item(connection: Connection, hospital: HospitalId, rooms: Sequence[str]) -> Held:
    """Return what the books of some storerooms have."""
    rows = connection.execute(_HELD_BY_ITEM, {"hospital": hospital, "rooms": rooms}).all()
    return {
        (place, item): (int(high) * SPLIT + int(low), int(tagged_high) * SPLIT + int(tagged_low))
        for place, item, high, low, tagged_high, tagged_low in rows
    }


def day_flows(
    connection: Connection, hospital: HospitalId, rooms: Sequence[str], first: date, held: Held
) -> list[Flow]:
    """Return what moved in some storerooms since a day, summed by storeroom, item and day.

    What moved before stands as one flow of the day before each, such that all of an item's flows sum to its balance,
    of which `held` tells.
    """
    moved = [
        *_moved_in(connection, hospital, rooms, first, inward=True),
        *_moved_in(connection, hospital, rooms, first, inward=False),
    ]
    before = Counter({key: qty for key, (qty, _) in held.items()})
    for flow in moved:
        before[flow.place, flow.item] -= flow.qty
    eve = first - timedelta(days=1)
    return [Flow("", eve, "", place, item, "", qty, 0) for (place, item), qty in before.items()] + moved


def _moved_in(
    connection: Connection, hospital: HospitalId, rooms: Sequence[str], first: date, *, inward: bool
) -> Iterator[Flow]:
    """Give what came into storerooms, or left them, by day; each has 24 hours, for the zone has one offset."""
    line, since = POSTING_LINE.c, day_start(first)
    room, other = (line.target, line.source) if inward else (line.source, line.target)
    beside = or_(*(other == literal(f"{role}@").concat(room) for role in USED_ROLES))
    day = ((line.at - since) // DAY_MICROS).label("day")
    high, low = line.qty // SPLIT, line.qty % SPLIT
    sums = [func.sum(part) for part in (high, low)] + [func.sum(case((beside, part), else_=0)) for part in (high, low)]
    chosen = (
        select(room.label("place"), line.item, day, *sums)
        .where(line.hospital == hospital, line.at >= since, room.in_(rooms), line.source != line.target)
        .group_by(room, line.item, day)
    )
    for place, item, number, *parts in connection.execute(chosen):
        qty, used = (int(parts[at]) * SPLIT + int(parts[at + 1]) for at in (0, 2))
        sign = 1 if inward else -1
        yield Flow("", first + timedelta(days=number), "", place, item, "", sign * qty, -sign * used)


def flows(
    connection: Connection, hospital: HospitalId, rooms: Sequence[str], *, item: str = "", lot: str | None = None
) -> list[Flow]:
    """Return every ledger line of some storerooms, oldest first, of one item or lot where they are named."""
    line = POSTING_LINE.c
    chosen = _lines().where(line.hospital == hospital, or_(line.source.in_(rooms), line.target.in_(rooms)))
    if item:
        chosen = chosen.where(line.item == item)
    if lot is not None:
        chosen = chosen.where(line.lot == lot)
    found = []
    for row in connection.execute(chosen.order_by(line.at, line.event_id, line.line_no)):
        found += [_flow(row, room) for room in rooms if room in (row.source, row.target) and row.source != row.target]
    return found


def _lines() -> Select[Any]:
    same = and_(EVENT.c.hospital == POSTING_LINE.c.hospital, EVENT.c.event_id == POSTING_LINE.c.event_id)
    return select(POSTING_LINE, EVENT.c.kind).join(EVENT, same)


def _flow(row: Any, room: str) -> Flow:  # noqa: ANN401 # a row of Core has no type of its own
    beside = {virtual_place(role, PlaceId(room)) for role in USED_ROLES}
    inward = row.target == room
    used = row.qty * ((row.target in beside) - (row.source in beside))
    day = business_day(Instant(row.at))
    qty = row.qty if inward else -row.qty
    return Flow(row.event_id.hex(), day, row.kind, room, row.item, row.lot, qty, used, row.unit)


def stocked(connection: Connection, hospital: HospitalId, rooms: Sequence[str], held: Held) -> dict[str, list[Stocked]]:
    """Return by storeroom the items its book has, of which `held` tells, with the day since which each lies unused."""
    rows = connection.execute(_IDLE, {"hospital": hospital, "rooms": rooms}).all()
    idle = {(row.place, row.item): _idle_since(row) for row in rows}
    found: dict[str, list[Stocked]] = {room: [] for room in rooms}
    for (room, item), (qty, tagged) in sorted(held.items()):
        if qty > 0:
            found[room].append(Stocked(room, item, qty, tagged, idle.get((room, item))))
    return found


def _idle() -> Select[Any]:
    """Return the question when each item of a book came, was used, and was used before the ledger.

    Each is one look into an index, however long the ledger is.
    """
    kept = _HELD_BY_ITEM.with_only_columns(BALANCE.c.place, BALANCE.c.item).subquery("kept")
    line, use = POSTING_LINE.c, USE_DAY.c
    of_item = (line.hospital == _HOSPITAL, line.item == kept.c.item)
    beside = or_(*(line.target == literal(f"{role}@").concat(kept.c.place) for role in USED_ROLES))
    came = select(func.min(line.at)).where(*of_item, line.target == kept.c.place)
    used = select(func.max(line.at)).where(*of_item, line.source == kept.c.place, beside)
    before = select(func.max(use.day)).where(
        use.hospital == _HOSPITAL, use.place == kept.c.place, use.item == kept.c.item, use.qty > 0
    )
    told = {"came": came, "used": used, "before": before}
    return select(kept.c.place, kept.c.item, *(one.scalar_subquery().label(name) for name, one in told.items()))


_IDLE = _idle()


def _idle_since(row: Row[Any]) -> date | None:
    """Return the last day an item was used, else the day it first came."""
    came = None if row.came is None else business_day(Instant(row.came))
    since: date | None = row.before or came
    return since if row.used is None else max(business_day(Instant(row.used)), since or date.min)


_USED_IN = select(BALANCE.c.place, BALANCE.c.item, BALANCE.c.lot, BALANCE.c.unit, BALANCE.c.qty).where(
    BALANCE.c.hospital == _HOSPITAL,
    BALANCE.c.place.in_(_ROOMS),
    IS_HELD,
    BALANCE.c.item.in_(select(ITEM.c.item).where(ITEM.c.hospital == _HOSPITAL, ITEM.c["class"] == bindparam("of"))),
)
_POSITIONS_IN = (
    select(BALANCE.c.place, BALANCE.c.position)
    .distinct()
    .where(BALANCE.c.hospital == _HOSPITAL, BALANCE.c.place.in_(_ROOMS), BALANCE.c.qty > 0)
)
_IS_BELIEVED = (BELIEF.c.hospital == PLACE.c.hospital) & (BELIEF.c.place == PLACE.c.place)
_BELIEVED_IN = select(PLACE.c.place).where(
    PLACE.c.hospital == _HOSPITAL, PLACE.c.place.in_(_ROOMS), select(BELIEF.c.epc).where(_IS_BELIEVED).exists()
)


def used_pieces(
    connection: Connection, hospital: HospitalId, rooms: Sequence[str], class_: str
) -> dict[str, list[tuple[str, str, str, int]]]:
    """Return by storeroom what of a class the book has with its patients, as (item, lot, unit, pieces)."""
    sums: dict[str, Counter[tuple[str, str, str]]] = {
        virtual_place("patient", PlaceId(room)): Counter() for room in rooms
    }
    for row in connection.execute(_USED_IN, {"hospital": hospital, "rooms": list(sums), "of": class_}):
        sums[row.place][row.item, row.lot, row.unit] += row.qty
    return {
        room: [(*key, qty) for key, qty in sorted(used.items()) if qty > 0]
        for room, used in zip(rooms, sums.values(), strict=True)
    }


def chains(connection: Connection, hospital: HospitalId, units: Sequence[str]) -> dict[str, list[Link]]:
    """Return the movements of some pieces, as links of their chains."""
    found: defaultdict[str, list[Link]] = defaultdict(list)
    line = POSTING_LINE.c
    entry = and_(
        LEDGER.c.hospital == EVENT.c.hospital, LEDGER.c.incarnation == EVENT.c.incarnation, LEDGER.c.seq == EVENT.c.seq
    )
    for start in range(0, len(units), UNITS_AT_ONCE):
        chosen = _lines().add_columns(LEDGER.c.body).join(LEDGER, entry)
        for row in connection.execute(
            chosen.where(line.hospital == hospital, line.unit.in_(units[start : start + UNITS_AT_ONCE]))
        ):
            found[row.unit].append(Link(_role(row.source), _role(row.target), _names_patient(row.body)))
    return dict(found)


def _role(place: str) -> str:
    return place.rpartition("@")[0]


def _names_patient(body: bytes) -> bool:
    try:
        return bool(read_body(body, MovementBody).patient)
    except ProtocolsError:
        return False


def positions(connection: Connection, hospital: HospitalId, rooms: Sequence[str]) -> dict[str, list[str]]:
    """Return by storeroom the positions at which its book has something."""
    found: dict[str, list[str]] = {room: [] for room in rooms}
    for place, position in sorted(
        map(tuple, connection.execute(_POSITIONS_IN, {"hospital": hospital, "rooms": rooms}))
    ):
        found[place].append(position)
    return found


def with_readers(connection: Connection, hospital: HospitalId, rooms: Sequence[str]) -> frozenset[str]:
    """Return those storerooms of which readers have ever said anything."""
    return frozenset(connection.scalars(_BELIEVED_IN, {"hospital": hospital, "rooms": rooms}))


def keep_day(connection: Connection, hospital: HospitalId, found: Iterable[tuple[str, Figure]], now: Instant) -> None:
    """Keep figures of storerooms as those of today."""
    day = business_day(now)
    rows = [
        {
            "hospital": hospital, "figure": one.id, "place": place, "day": day, "above": one.above, "below": one.below,
            "at": now,
        }
        for place, one in found
    ]  # fmt: skip
    merge(connection, FIGURE_DAY, rows)


def days_of(
    connection: Connection, hospital: HospitalId, rooms: Sequence[str]
) -> dict[str, list[tuple[date, int, int]]]:
    """Return every figure by day over some storerooms as (day, above, below), the last `DAYS_SHOWN`, oldest first."""
    row = FIGURE_DAY.c
    newest = func.row_number().over(partition_by=row.figure, order_by=row.day.desc())
    ranked = (
        select(row.figure, row.day, func.sum(row.above).label("above"), func.sum(row.below).label("below"))
        .add_columns(newest.label("no"))
        .where(row.hospital == hospital, row.place.in_(rooms))
        .group_by(row.figure, row.day)
        .subquery()
    )
    found: defaultdict[str, list[tuple[date, int, int]]] = defaultdict(list)
    for each in connection.execute(select(ranked).where(ranked.c.no <= DAYS_SHOWN).order_by(ranked.c.no.desc())):
        found[each.figure].append((each.day, int(each.above), int(each.below)))
    return found
