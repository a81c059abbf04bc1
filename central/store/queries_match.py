"""Who observed the lines of a storeroom: pieces its readers spoke of, when its device last wrote, what was put right.

Reading only, no rule. The rule that must not be broken: what is asked here is of the ledger and of what was made from
it, never of a greeting, so that a comparison can be made again later from the same facts.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, or_, select, tuple_

from central.core.match import Key
from central.store.queries_rooms import BOOKED_IN
from central.store.tables.ledger import BELIEF, DEVICE, EVENT, INCARNATION, LEDGER, POSTING_LINE
from central.store.tables.settling import COUNTED_LINE
from protocols.values.ids import HospitalId, PlaceId, is_virtual
from protocols.values.instant import Instant

READ_MAX = 10_000
"""Entries of a chain one look reads; the comparison of every storeroom finds what is behind them."""

_SPOKEN_OF = (
    select(BELIEF.c.place, BELIEF.c.epc)
    .distinct()
    .where(
        BELIEF.c.hospital == bindparam("hospital"),
        tuple_(BELIEF.c.place, BELIEF.c.device).in_(bindparam("listening", expanding=True)),
    )
    .subquery("spoken_of")
)
_LINE_IN = (BOOKED_IN.c.place, BOOKED_IN.c.item, BOOKED_IN.c.lot)
_TOLD = (
    select(*_LINE_IN, func.count().label("pieces"))
    .join(_SPOKEN_OF, and_(_SPOKEN_OF.c.place == BOOKED_IN.c.place, _SPOKEN_OF.c.epc == BOOKED_IN.c.unit))
    .group_by(*_LINE_IN)
)


def pieces_told(
    connection: Connection, hospital: HospitalId, listening: Mapping[str, Iterable[str]]
) -> dict[str, dict[Key, int]]:
    """Return of each line how many tagged pieces of the book readers ever spoke of; `listening` are devices by room."""
    told: dict[str, dict[Key, int]] = {room: {} for room in listening}
    pairs = sorted((room, device) for room, devices in listening.items() for device in devices)
    if not pairs:
        return told
    rooms = sorted({room for room, _ in pairs})
    for row in connection.execute(_TOLD, {"hospital": hospital, "rooms": rooms, "listening": pairs}):
        told[row.place][row.item, row.lot] = row.pieces
    return told


def last_written(connection: Connection, hospital: HospitalId, rooms: Collection[str]) -> dict[str, dict[str, Instant]]:
    """Return when central received the last entry of each device of some storerooms."""
    rows = connection.execute(
        select(DEVICE.c.place, DEVICE.c.device, LEDGER.c.received_at)
        .join(
            INCARNATION,
            (INCARNATION.c.hospital == DEVICE.c.hospital) & (INCARNATION.c.incarnation == DEVICE.c.incarnation),
        )
        .join(
            LEDGER,
            and_(
                LEDGER.c.hospital == INCARNATION.c.hospital,
                LEDGER.c.incarnation == INCARNATION.c.incarnation,
                LEDGER.c.seq == INCARNATION.c.head_seq,
            ),
        )
        .where(DEVICE.c.hospital == hospital, DEVICE.c.place.in_(rooms))
    )
    last: dict[str, dict[str, Instant]] = {room: {} for room in rooms}
    for row in rows:
        last[row.place][row.device] = Instant(row.received_at)
    return last


def put_right(
    connection: Connection, hospital: HospitalId, since: Mapping[tuple[str, str, str], Instant]
) -> Counter[tuple[str, str, str]]:
    """Return what adjustments moved into (or out of) some lines of storerooms after an instant of each.

    A line is named by storeroom, item and lot.
    """
    if not since:
        return Counter()
    rooms = sorted({room for room, _, _ in since})
    line = POSTING_LINE.c
    rows = connection.execute(
        select(line.item, line.lot, line.qty, line.source, line.target, EVENT.c.at)
        .join(EVENT, and_(EVENT.c.hospital == line.hospital, EVENT.c.event_id == line.event_id))
        .where(
            EVENT.c.hospital == hospital,
            EVENT.c.kind == "adjust",
            EVENT.c.at >= min(since.values()),
            or_(line.source.in_(rooms), line.target.in_(rooms)),
        )
    )
    moved: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        for place, sign in ((row.target, 1), (row.source, -1)):
            key = (place, row.item, row.lot)
            if key in since and row.at >= since[key]:
                moved[key] += sign * row.qty
    return moved


def heads(connection: Connection, hospital: HospitalId) -> dict[bytes, tuple[int, str]]:
    """Return of every chain its last entry's number and its device."""
    columns = (INCARNATION.c.incarnation, INCARNATION.c.head_seq, INCARNATION.c.device)
    rows = connection.execute(select(*columns).where(INCARNATION.c.hospital == hospital))
    return {bytes(row.incarnation): (row.head_seq, row.device) for row in rows}


def moved_by(connection: Connection, hospital: HospitalId, incarnation: bytes, after: int) -> set[PlaceId]:
    """Return the storerooms in which entries of a chain behind one moved something."""
    ledger, line = LEDGER.c, POSTING_LINE.c
    rows = connection.execute(
        select(line.source, line.target)
        .distinct()
        .join(LEDGER, and_(ledger.hospital == line.hospital, ledger.event_id == line.event_id))
        .where(*_behind(hospital, incarnation, after))
    )
    ends = {PlaceId(end) for row in rows for end in (row.source, row.target)}
    return {end for end in ends if not is_virtual(end)}


def counted_by(connection: Connection, hospital: HospitalId, incarnation: bytes, after: int) -> set[PlaceId]:
    """Return the storerooms in which entries of a chain behind one counted something, of counts that were read."""
    ledger, counted = LEDGER.c, COUNTED_LINE.c
    rows = connection.scalars(
        select(counted.place)
        .distinct()
        .join(LEDGER, and_(ledger.hospital == counted.hospital, ledger.event_id == counted.event_id))
        .where(*_behind(hospital, incarnation, after))
    )
    return {PlaceId(place) for place in rows if place}


def _behind(hospital: HospitalId, incarnation: bytes, after: int) -> tuple[ColumnElement[bool], ...]:
    ledger = LEDGER.c
    return (
        ledger.hospital == hospital,
        ledger.incarnation == incarnation,
        ledger.seq.between(after + 1, after + READ_MAX),
    )
