"""What the ledger's tables say, read for reconciling and reordering: units, beliefs, loose pieces, flows, arrivals.

Reading only, no rule: rows become the core's values. The rule that must not be broken: every query names the hospital.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, Table, func, or_, select

from central.core.demand import Flow
from central.core.orders import Arrived
from central.core.reconcile import Belief, Moved, UnitState, Written
from central.store.tables.ledger import (
    BALANCE,
    BELIEF,
    BINDING,
    DEVICE,
    EVENT,
    INCARNATION,
    LEDGER,
    POSTING_LINE,
    QUARANTINE,
)
from central.store.tables.purchasing import RECEIPT_LINE
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


def units_of(connection: Connection, hospital: HospitalId, place: str, also: Iterable[str] = ()) -> list[UnitState]:
    """Return every tagged unit that a storeroom's book holds or its readers believe in, and those named besides."""
    booked = _booked_units(connection, hospital, place)
    beliefs = _beliefs(connection, hospital, place)
    named = sorted({*booked, *beliefs, *also})
    moved = _last_movements(connection, hospital, named)
    bound = _bindings(connection, hospital, place)
    states = []
    for unit in named:
        item, lot, last = moved.get(unit, (*bound.get(unit, ("", "")), None))
        if last is not None and (last.place == place) != (unit in booked):
            last = Moved(place if unit in booked else "", last.at, last.kind, last.event, last.written)
        if item:
            states.append(UnitState(unit, item, lot, last, beliefs.get(unit)))
    return states


def _booked_units(connection: Connection, hospital: HospitalId, place: str) -> set[str]:
    rows = connection.execute(
        select(BALANCE.c.unit)
        .where(BALANCE.c.hospital == hospital, BALANCE.c.place == place, BALANCE.c.unit != "")
        .group_by(BALANCE.c.unit)
        .having(func.sum(BALANCE.c.qty) > 0)
    )
    return set(rows.scalars())


def _beliefs(connection: Connection, hospital: HospitalId, place: str) -> dict[str, Belief]:
    beliefs: dict[str, Belief] = {}
    for row in connection.execute(
        _with_writing(select(BELIEF, *WRITING).select_from(BELIEF), BELIEF).where(
            BELIEF.c.hospital == hospital, BELIEF.c.place == place
        )
    ):
        said = Belief(place, row.p, row.since, row.at, row.model, row.event_id.hex(), row.device, _written(row))
        known = beliefs.get(row.epc)
        if known is None or said.written.after(known.written):
            beliefs[row.epc] = said
    return beliefs


WRITING = (LEDGER.c.incarnation, LEDGER.c.seq, LEDGER.c.received_at)
"""Where the entry of an event stands."""


def _with_writing(query: Select[Any], table: Table) -> Select[Any]:
    """Return a query over a table that names events, joined with them and with the ledger's rows that brought them."""
    event, ledger = EVENT.c, LEDGER.c
    return query.join(EVENT, (event.hospital == table.c.hospital) & (event.event_id == table.c.event_id)).join(
        LEDGER,
        (ledger.hospital == event.hospital) & (ledger.incarnation == event.incarnation) & (ledger.seq == event.seq),
    )


def _written(row: Any) -> Written:  # noqa: ANN401 # a row of Core has no type of its own
    return Written(row.incarnation.hex(), row.seq, row.received_at)


def _bindings(connection: Connection, hospital: HospitalId, place: str) -> dict[str, tuple[str, str]]:
    believed = select(BELIEF.c.epc).where(BELIEF.c.hospital == hospital, BELIEF.c.place == place)
    rows = connection.execute(
        select(BINDING.c.epc, BINDING.c.item, BINDING.c.lot).where(
            BINDING.c.hospital == hospital, BINDING.c.epc.in_(believed)
        )
    )
    return {row.epc: (row.item, row.lot) for row in rows}


UNITS_A_QUERY_MAX = 5_000
"""Bounds the parameters of one statement; SQLite admits 32,766."""


def _last_movements(
    connection: Connection, hospital: HospitalId, units: list[str]
) -> dict[str, tuple[str, str, Moved]]:
    """Return item, lot and the last movement of each unit: the last written, whatever time it says."""
    last: dict[str, tuple[str, str, Moved]] = {}
    for start in range(0, len(units), UNITS_A_QUERY_MAX):
        for row in connection.execute(_movements(hospital, units[start : start + UNITS_A_QUERY_MAX])):
            moved = Moved(row.target, row.at, row.kind, row.event_id.hex(), _written(row))
            known = last.get(row.unit)
            if known is None or not known[2].written.after(moved.written):
                last[row.unit] = (row.item, row.lot, moved)
    return last


def _movements(hospital: HospitalId, units: list[str]) -> Select[Any]:
    line, event = POSTING_LINE.c, EVENT.c
    said = select(line.unit, line.item, line.lot, line.target, line.at, event.kind, event.event_id, *WRITING)
    return (
        _with_writing(said.select_from(POSTING_LINE), POSTING_LINE)
        .where(line.hospital == hospital, line.unit.in_(units))
        .order_by(LEDGER.c.received_at, event.device, event.seq, line.line_no)
    )


def loose_in(connection: Connection, hospital: HospitalId, place: str) -> dict[tuple[str, str], int]:
    """Return the book quantity of pieces that are not told apart in a storeroom, by item and lot."""
    rows = connection.execute(
        select(BALANCE.c.item, BALANCE.c.lot, BALANCE.c.qty).where(
            BALANCE.c.hospital == hospital, BALANCE.c.place == place, BALANCE.c.unit == ""
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
        _with_writing(said, POSTING_LINE)
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
    from_outside = [virtual_place(role, PlaceId(place)) for role in ("supplier", "transit")]
    line = POSTING_LINE.c
    rows = connection.execute(
        select(line.item, line.qty, line.at, line.event_id)
        .where(line.hospital == hospital, line.target == place, line.source.in_(from_outside), line.at >= since)
        .order_by(line.at)
    )
    told = _receipts(connection, hospital, place, since)
    arrived: defaultdict[str, list[Arrived]] = defaultdict(list)
    for row in rows:
        if (row.event_id, row.item) not in told:
            arrived[row.item].append(Arrived(row.at, row.qty))
    for (_, item), came in told.items():
        arrived[item] += came
    return arrived


def _receipts(
    connection: Connection, hospital: HospitalId, place: str, since: Instant
) -> dict[tuple[bytes, str], list[Arrived]]:
    """Return what was accepted by receipts for a storeroom since an instant, by the entry that posted it and item."""
    line, order = RECEIPT_LINE.c, PURCHASE_ORDER.c
    rows = connection.execute(
        select(line.event_id, line.item, line.accepted, POSTING_LINE.c.at, line.order_no, line.order_line)
        .join(PURCHASE_ORDER, (order.hospital == line.hospital) & (order.order_no == line.order_no))
        .join(
            POSTING_LINE,
            (POSTING_LINE.c.hospital == line.hospital)
            & (POSTING_LINE.c.event_id == line.event_id)
            & (POSTING_LINE.c.line_no == 0),
        )
        .where(line.hospital == hospital, order.place == place, line.accepted > 0, POSTING_LINE.c.at >= since)
        .order_by(line.receipt, line.line_no)
    )
    told: defaultdict[tuple[bytes, str], list[Arrived]] = defaultdict(list)
    for row in rows:
        told[row.event_id, row.item].append(Arrived(row.at, row.accepted, (row.order_no, row.order_line)))
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
        .where(INCARNATION.c.hospital == hospital)
        .group_by(INCARNATION.c.device)
    )
    return {row.device: row.kept for row in rows}
