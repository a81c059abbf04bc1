"""What the ledger's tables say, read for reconciling and reordering: units, beliefs, loose pieces, flows, arrivals.

Reading only, no rule: rows become the core's values. The rule that must not be broken: every query names the hospital.
"""

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, Table, bindparam, case, func, literal_column, or_, select

from central.core.demand import Flow
from central.core.discrepancies import Bounds
from central.core.orders import Arrived
from central.core.reconcile import Belief, Moved, UnitState, Written
from central.store.named_orders import orders_named
from central.store.prepared import Among, Prepared
from central.store.tables.ledger import (
    BALANCE,
    BELIEF,
    BINDING,
    DEVICE,
    EVENT,
    INCARNATION,
    IS_HELD,
    LEDGER,
    POSTING_LINE,
    QUARANTINE,
)
from central.store.tables.purchasing import RECEIPT_LINE
from central.store.tables.replays import STILL_KEPT
from central.store.tables.work import PURCHASE_ORDER
from protocols.values.ids import HospitalId, PlaceId, virtual_place
from protocols.values.instant import Instant

USED_ROLES = ("issued", "patient")
"""Where stock goes when people ask for it; what comes back from there is a return."""


@dataclass(frozen=True, slots=True)
class DeviceSeen:
    """One device as central last heard it; `pending` entries it said it holds and central has not."""

    device: str
    place: str
    status: str
    reason: str
    agent_version: str
    last_seen_at: Instant | None
    head_seq: int
    said_seq: int

    @property
    def pending(self) -> int:
        """Entries the device said it holds above the head that central has."""
        return max(0, self.said_seq - self.head_seq)


def devices(connection: Connection, hospital: HospitalId) -> list[DeviceSeen]:
    """Return every device, by name."""
    head = select(INCARNATION.c.head_seq).where(
        INCARNATION.c.hospital == DEVICE.c.hospital, INCARNATION.c.incarnation == DEVICE.c.incarnation
    )
    rows = connection.execute(
        select(DEVICE, head.scalar_subquery().label("head_seq"))
        .where(DEVICE.c.hospital == hospital)
        .order_by(DEVICE.c.device)
    )
    return [
        DeviceSeen(
            row.device,
            row.place,
            row.status,
            row.reason,
            row.agent_version,
            row.last_seen_at,
            -1 if row.head_seq is None else row.head_seq,
            row.said_seq,
        )
        for row in rows
    ]


_HOSPITAL: BindParameter[str] = bindparam("hospital")
_PLACE: BindParameter[str] = bindparam("place")
"""Questions are made once below and asked with their values: making one costs more than SQLite's answer to it."""

IS_TAGGED = BALANCE.c.unit != literal_column("''")
"""By which a query of tagged units finds its index, as with `IS_HELD`."""
_HELD_HERE = (BALANCE.c.hospital == _HOSPITAL, BALANCE.c.place == _PLACE, IS_HELD)
_BOOKED = (
    select(BALANCE.c.unit).where(*_HELD_HERE, IS_TAGGED).group_by(BALANCE.c.unit).having(func.sum(BALANCE.c.qty) > 0)
)
_BOOKED_NAMED = Among(lambda units: _BOOKED.where(BALANCE.c.unit.in_(units)))
_SPEAKS_AGAINST = case(
    (BELIEF.c.epc.in_(_BOOKED), BELIEF.c.p < bindparam("low")), else_=BELIEF.c.p >= bindparam("high")
)
_AGAINST = Prepared(
    select(BELIEF.c.epc, BELIEF.c.p).where(BELIEF.c.hospital == _HOSPITAL, BELIEF.c.place == _PLACE, _SPEAKS_AGAINST)
)


def units_of(connection: Connection, hospital: HospitalId, place: str, also: Iterable[str] = ()) -> list[UnitState]:
    """Return every tagged unit that a storeroom's book holds or its readers believe in, and those named besides."""
    booked = {*connection.scalars(_BOOKED, {"hospital": hospital, "place": place})}
    beliefs = _beliefs(connection, hospital, place)
    return _states(connection, hospital, place, sorted({*booked, *beliefs, *also}), booked, beliefs)


def units_against(
    connection: Connection, hospital: HospitalId, place: str, bounds: Bounds, also: Iterable[str] = ()
) -> list[UnitState]:
    """Return the tagged units of a storeroom whose belief may speak against its book, and those named besides.

    They are what book and shelf may differ by: in the book and hardly believed in, or believed in and not in the book.
    """
    low, high = doubtful(bounds)
    here: dict[str, Any] = {"hospital": hospital, "place": place}
    believed: dict[str, float] = dict(_AGAINST.rows(connection, **here, low=low, high=high))
    named = sorted({*believed, *also})
    booked = {unit for unit, p in believed.items() if p < high}  # else it would not have been chosen
    unsure = [unit for unit in named if unit not in believed or high <= believed[unit] < low]
    beliefs: dict[str, Belief] = {}
    for some in in_parts(unsure):
        booked.update(unit for (unit,) in _BOOKED_NAMED.rows(connection, some, **here))
    for some in in_parts(named):
        beliefs |= _beliefs(connection, hospital, place, some)
    return _states(connection, hospital, place, named, booked, beliefs)


def doubtful(bounds: Bounds) -> tuple[float, float]:
    """Return below what a belief may speak against a book that holds the unit, and from what where it does not."""
    return max(bounds.here, bounds.missing), min(bounds.here, bounds.unexpected)


def _states(
    connection: Connection,
    hospital: HospitalId,
    place: str,
    named: Sequence[str],
    booked: Container[str],
    beliefs: Mapping[str, Belief],
) -> list[UnitState]:
    return states_at(place, named, booked, beliefs, last_movements(connection, hospital, named))


LastMovement = tuple[str, str, Moved | None]
"""Item, lot and the last movement of a unit; None of one that never moved and is only bound."""


def states_at(
    place: str,
    named: Iterable[str],
    booked: Container[str],
    beliefs: Mapping[str, Belief],
    moved: Mapping[str, LastMovement],
) -> list[UnitState]:
    """Return units as a storeroom has them; a unit that nobody knows is left out."""
    states = []
    for unit in named:
        item, lot, last = moved.get(unit, ("", "", None))
        if last is not None and (last.place == place) != (unit in booked):
            last = Moved(place if unit in booked else "", last.at, last.kind, last.event, last.written)
        if item:
            states.append(UnitState(unit, item, lot, last, beliefs.get(unit)))
    return states


def _beliefs(
    connection: Connection, hospital: HospitalId, place: str, units: Sequence[str] | None = None
) -> dict[str, Belief]:
    """Return what is believed of a storeroom's units, or of those named."""
    here: dict[str, Any] = {"hospital": hospital, "place": place}
    rows = _BELIEFS.rows(connection, **here) if units is None else _BELIEFS_NAMED.rows(connection, units, **here)
    return newest_said(place, rows)


def newest_said(place: str, rows: Iterable[Sequence[Any]]) -> dict[str, Belief]:
    """Return what was last said of each unit of a storeroom, of rows in the columns of `BELIEVED`."""
    beliefs: dict[str, Belief] = {}
    for epc, p, since, at, model, event, device, *writing in rows:
        said = Belief(place, p, since, at, model, event.hex(), device, written(*writing))
        known = beliefs.get(epc)
        if known is None or said.written.after(known.written):
            beliefs[epc] = said
    return beliefs


WRITING = (LEDGER.c.incarnation, LEDGER.c.seq, LEDGER.c.received_at)
"""Where the entry of an event stands."""


def with_writing(query: Select[Any], table: Table) -> Select[Any]:
    """Return a query over a table that names events, joined with them and with the ledger's rows that brought them."""
    event, ledger = EVENT.c, LEDGER.c
    return query.join(EVENT, (event.hospital == table.c.hospital) & (event.event_id == table.c.event_id)).join(
        LEDGER,
        (ledger.hospital == event.hospital) & (ledger.incarnation == event.incarnation) & (ledger.seq == event.seq),
    )


_SAID = (BELIEF.c.epc, BELIEF.c.p, BELIEF.c.since, BELIEF.c.at, BELIEF.c.model, BELIEF.c.event_id, BELIEF.c.device)
BELIEVED = with_writing(select(*_SAID, *WRITING).select_from(BELIEF), BELIEF).where(BELIEF.c.hospital == _HOSPITAL)
"""What was said of units, and where that is written."""
_BELIEVED = BELIEVED.where(BELIEF.c.place == _PLACE)
_BELIEFS = Prepared(_BELIEVED)
_BELIEFS_NAMED = Among(lambda units: _BELIEVED.where(BELIEF.c.epc.in_(units)))
_BOUND = Among(
    lambda units: select(BINDING.c.epc, BINDING.c.item, BINDING.c.lot).where(
        BINDING.c.hospital == _HOSPITAL, BINDING.c.epc.in_(units)
    )
)
_LINE = POSTING_LINE.c
_MOVED = with_writing(
    select(
        *(_LINE.unit, _LINE.item, _LINE.lot, _LINE.target, _LINE.at, EVENT.c.kind, EVENT.c.event_id), *WRITING
    ).select_from(POSTING_LINE),
    POSTING_LINE,
).order_by(LEDGER.c.received_at, EVENT.c.device, EVENT.c.seq, _LINE.line_no)
_MOVEMENTS = Among(lambda units: _MOVED.where(_LINE.hospital == _HOSPITAL, _LINE.unit.in_(units)))


def written(incarnation: bytes, seq: int, received_at: Instant) -> Written:
    """Return the columns of `WRITING` as the core's value."""
    return Written(incarnation.hex(), seq, received_at)


def _bindings(connection: Connection, hospital: HospitalId, units: Sequence[str]) -> dict[str, tuple[str, str]]:
    bound: dict[str, tuple[str, str]] = {}
    for some in in_parts(units):
        for epc, item, lot in _BOUND.rows(connection, some, hospital=hospital):
            bound[epc] = (item, lot)
    return bound


UNITS_A_QUERY_MAX = 5_000
"""Bounds the parameters of one statement; SQLite admits 32,766."""


def in_parts(units: Sequence[str]) -> Iterator[Sequence[str]]:
    """Give units in as many parts as statements are needed to name them."""
    return (units[start : start + UNITS_A_QUERY_MAX] for start in range(0, len(units), UNITS_A_QUERY_MAX))


def last_movements(connection: Connection, hospital: HospitalId, units: Sequence[str]) -> dict[str, LastMovement]:
    """Return item, lot and the last movement of each unit: the last written, whatever time it says."""
    last: dict[str, tuple[str, str, Moved]] = {}
    for some in in_parts(units):
        for unit, item, lot, target, at, kind, event, *writing in _MOVEMENTS.rows(connection, some, hospital=hospital):
            moved = Moved(target, at, kind, event.hex(), written(*writing))
            known = last.get(unit)
            if known is None or not known[2].written.after(moved.written):
                last[unit] = (item, lot, moved)
    unmoved = [unit for unit in units if unit not in last]
    bound = {unit: (*named, None) for unit, named in _bindings(connection, hospital, unmoved).items()}
    return {**last, **bound}


def loose_in(connection: Connection, hospital: HospitalId, place: str) -> dict[tuple[str, str], int]:
    """Return the book quantity of pieces that are not told apart in a storeroom, by item and lot."""
    rows = connection.execute(
        select(BALANCE.c.item, BALANCE.c.lot, BALANCE.c.qty).where(
            BALANCE.c.hospital == hospital, BALANCE.c.place == place, BALANCE.c.unit == "", IS_HELD
        )
    )
    return _summed(rows)


def _summed(rows: Iterable[Any]) -> dict[tuple[str, str], int]:
    """Return quantities by item and lot; summed here, because the database's own sum ends at 64 bits."""
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        sums[row.item, row.lot] += row.qty
    return dict(sums)


def items_held(connection: Connection, hospital: HospitalId, place: str) -> frozenset[str]:
    """Return the items of which anything ever came into a storeroom, by the ledger."""
    line = POSTING_LINE.c
    rows = connection.scalars(select(line.item).where(line.hospital == hospital, line.target == place).distinct())
    return frozenset(rows)


def flows_of(
    connection: Connection, hospital: HospitalId, place: str, roles: Iterable[str], since: Instant
) -> list[Flow]:
    """Return what left a storeroom to places of some roles beside it since an instant, and what came back.

    They come as central received them, so that a return follows its issue.
    """
    beside = [virtual_place(role, PlaceId(place)) for role in roles]
    line, ledger = POSTING_LINE.c, LEDGER.c
    said = select(line.item, line.unit, line.qty, line.at, line.source).select_from(POSTING_LINE)
    rows = connection.execute(
        with_writing(said, POSTING_LINE)
        .where(
            line.hospital == hospital,
            line.at >= since,
            or_(
                (line.source == place) & line.target.in_(beside),
                (line.target == place) & line.source.in_(beside),
            ),
        )
        .order_by(ledger.received_at, ledger.device, ledger.seq, line.line_no)
    )
    return [Flow(row.item, row.unit, row.qty, row.at, outward=row.source == place) for row in rows]


def arrivals_at(
    connection: Connection, hospital: HospitalId, place: str, since: Instant
) -> Mapping[str, list[Arrived]]:
    """Return what came into a storeroom from suppliers or from transit since an instant, by item.

    What a receipt tells of comes as its lines, each with the order line it names.
    """
    return arrivals_in(connection, hospital, [place], since)[place]


def arrivals_in(
    connection: Connection,
    hospital: HospitalId,
    rooms: Collection[str],
    since: Instant,
    items: Collection[str] | None = None,
) -> Mapping[str, Mapping[str, list[Arrived]]]:
    """Return the same of several storerooms at once, of some items where they are named."""
    beside = {virtual_place(role, PlaceId(room)): room for role in ("supplier", "transit") for room in rooms}
    line = POSTING_LINE.c
    chosen = (
        select(line.target, line.source, line.item, line.qty, line.at, line.event_id)
        .where(line.hospital == hospital, line.target.in_(rooms), line.source.in_(beside), line.at >= since)
        .order_by(line.at)
    )
    found = connection.execute(chosen if items is None else chosen.where(line.item.in_(items))).all()
    told = _receipts(connection, hospital, rooms, since, items)
    named = orders_named(connection, hospital, {row.event_id for row in found})
    arrived: dict[str, defaultdict[str, list[Arrived]]] = {room: defaultdict(list) for room in rooms}
    for row in found:
        if beside[row.source] == row.target and (row.target, row.event_id, row.item) not in told:
            order = named.get(row.event_id)
            arrived[row.target][row.item].append(Arrived(row.at, row.qty, (order, 0) if order else None))
    for (room, _, item), came in told.items():
        arrived[room][item] += came
    return arrived


def _receipts(
    connection: Connection,
    hospital: HospitalId,
    rooms: Collection[str],
    since: Instant,
    items: Collection[str] | None,
) -> dict[tuple[str, bytes, str], list[Arrived]]:
    """Return what was accepted by receipts since an instant, by storeroom, the entry that posted it, and item."""
    line, order = RECEIPT_LINE.c, PURCHASE_ORDER.c
    chosen = (
        select(
            *(line.receipt, line.line_no, line.event_id, line.item, line.accepted, line.order_no, line.order_line),
            *(POSTING_LINE.c.at, order.place),
        )
        .join(PURCHASE_ORDER, (order.hospital == line.hospital) & (order.order_no == line.order_no))
        .join(
            POSTING_LINE,
            (POSTING_LINE.c.hospital == line.hospital)
            & (POSTING_LINE.c.event_id == line.event_id)
            & (POSTING_LINE.c.line_no == 0),
        )
        .where(line.hospital == hospital, order.place.in_(rooms), line.accepted > 0, POSTING_LINE.c.at >= since)
    )
    rows = connection.execute(chosen if items is None else chosen.where(line.item.in_(items))).all()
    told: defaultdict[tuple[str, bytes, str], list[Arrived]] = defaultdict(list)
    for row in sorted(rows, key=lambda one: (one.receipt, one.line_no)):
        came = Arrived(row.at, row.accepted, (row.order_no, row.order_line))
        told[row.place, row.event_id, row.item].append(came)
    return told


def lines_opened(connection: Connection, hospital: HospitalId, place: str) -> dict[tuple[str, str], int]:
    """Return the quantities with which a storeroom's loose stock was opened, by item and lot."""
    line = POSTING_LINE.c
    rows = connection.execute(
        select(line.item, line.lot, line.qty).where(
            line.hospital == hospital,
            line.target == place,
            line.source == virtual_place("opening", PlaceId(place)),
            line.unit == "",
        )
    )
    return _summed(rows)


def quarantined(connection: Connection, hospital: HospitalId) -> dict[str, int]:
    """Return how many entries of each device are kept but not posted."""
    rows = connection.execute(
        select(INCARNATION.c.device, func.count().label("kept"))
        .join(
            QUARANTINE,
            (QUARANTINE.c.hospital == INCARNATION.c.hospital) & (QUARANTINE.c.incarnation == INCARNATION.c.incarnation),
        )
        .where(INCARNATION.c.hospital == hospital, STILL_KEPT)
        .group_by(INCARNATION.c.device)
    )
    return {row.device: row.kept for row in rows}
