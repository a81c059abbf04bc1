"""What figures are summed from: flows of storerooms, stock with its last use, chains of used pieces, days of figures.

Reading only, and the one write that keeps a day's figure. The rule that must not be broken: every query names the
hospital.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, case, func, literal, or_, select

from central.core.figures import Figure, Flow, Link, Stocked
from central.store.merge import merge
from central.store.queries_book import USED_ROLES
from central.store.tables.ledger import BALANCE, BELIEF, EVENT, IS_HELD, LEDGER, POSTING_LINE
from central.store.tables.master import USE_DAY
from central.store.tables.settling import FIGURE_DAY
from protocols.errors import ProtocolsError
from protocols.movements import MovementBody, read_body
from protocols.values.ids import HospitalId, PlaceId, virtual_place
from protocols.values.instant import MICROS, Instant, business_day, day_start

DAYS_SHOWN = 90
UNITS_AT_ONCE = 500
DAY_MICROS = 86_400 * MICROS
SPLIT = 2**31
"""Quantities are summed in two parts, because a database's own sum ends at 64 bits."""


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


def day_flows(connection: Connection, hospital: HospitalId, rooms: Sequence[str], first: date) -> list[Flow]:
    """Return what moved in some storerooms since a day, summed by storeroom, item and day.

    What moved before stands as one flow of the day before each, such that all of an item's flows sum to its balance.
    """
    moved = [
        *_moved_in(connection, hospital, rooms, first, inward=True),
        *_moved_in(connection, hospital, rooms, first, inward=False),
    ]
    before: Counter[tuple[str, str]] = Counter()
    held = select(BALANCE.c.place, BALANCE.c.item, BALANCE.c.qty)
    for row in connection.execute(held.where(BALANCE.c.hospital == hospital, BALANCE.c.place.in_(rooms), IS_HELD)):
        before[row.place, row.item] += row.qty
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
    return Flow(row.event_id.hex(), day, row.kind, room, row.item, row.lot, row.qty if inward else -row.qty, used)


def stocked(connection: Connection, hospital: HospitalId, room: str) -> list[Stocked]:
    """Return the items a storeroom's book has, with the day since which each lies unused."""
    held: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    there = BALANCE.select().where(BALANCE.c.hospital == hospital, BALANCE.c.place == room, IS_HELD)
    for row in connection.execute(there):
        held[row.item][0] += row.qty
        held[row.item][1] += row.qty if row.unit else 0
    idle = _idle_since(connection, hospital, room)
    return [Stocked(room, item, qty, tagged, idle.get(item)) for item, (qty, tagged) in sorted(held.items()) if qty > 0]


def _idle_since(connection: Connection, hospital: HospitalId, room: str) -> dict[str, date]:
    """Return the last day each item was used, else the day it first came."""
    line, use = POSTING_LINE.c, USE_DAY.c
    beside = [virtual_place(role, PlaceId(room)) for role in USED_ROLES]
    came = select(line.item, func.min(line.at).label("at")).where(line.hospital == hospital, line.target == room)
    used = select(line.item, func.max(line.at).label("at")).where(
        line.hospital == hospital, line.source == room, line.target.in_(beside)
    )
    imported = select(use.item, func.max(use.day).label("day")).where(
        use.hospital == hospital, use.place == room, use.qty > 0
    )
    since = {row.item: business_day(Instant(row.at)) for row in connection.execute(came.group_by(line.item))}
    for row in connection.execute(imported.group_by(use.item)):
        since[row.item] = row.day
    for row in connection.execute(used.group_by(line.item)):
        since[row.item] = max(business_day(Instant(row.at)), since.get(row.item, date.min))
    return since


def used_pieces(
    connection: Connection, hospital: HospitalId, room: str, items: Iterable[str]
) -> list[tuple[str, str, str, int]]:
    """Return what of some items the book has with patients of a storeroom, as (item, lot, unit, pieces)."""
    place = virtual_place("patient", PlaceId(room))
    sums: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    wanted = set(items)
    for row in connection.execute(BALANCE.select().where(BALANCE.c.hospital == hospital, BALANCE.c.place == place)):
        if row.item in wanted:
            sums[row.item, row.lot, row.unit] += row.qty
    return [(*key, qty) for key, qty in sorted(sums.items()) if qty > 0]


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


def positions(connection: Connection, hospital: HospitalId, room: str) -> list[str]:
    """Return the positions of a storeroom at which its book has something."""
    chosen = select(BALANCE.c.position).where(
        BALANCE.c.hospital == hospital, BALANCE.c.place == room, BALANCE.c.qty > 0
    )
    return sorted(connection.scalars(chosen.distinct()))


def has_readers(connection: Connection, hospital: HospitalId, room: str) -> bool:
    """Tell whether readers have ever said anything of a storeroom."""
    chosen = select(BELIEF.c.epc).where(BELIEF.c.hospital == hospital, BELIEF.c.place == room)
    return connection.execute(chosen.limit(1)).first() is not None


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
    connection: Connection, hospital: HospitalId, figure: str, rooms: Sequence[str]
) -> list[tuple[date, int, int]]:
    """Return a figure by day over some storerooms as (day, above, below), the last `DAYS_SHOWN`, oldest first."""
    row = FIGURE_DAY.c
    rows = connection.execute(
        select(row.day, func.sum(row.above).label("above"), func.sum(row.below).label("below"))
        .where(row.hospital == hospital, row.figure == figure, row.place.in_(rooms))
        .group_by(row.day)
        .order_by(row.day.desc())
        .limit(DAYS_SHOWN)
    ).all()
    return [(each.day, int(each.above), int(each.below)) for each in reversed(rows)]
