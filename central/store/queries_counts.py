"""Counts as the ledger has them: entries not yet read, the book of a line at a cut, lines counted, loose movements.

No rule lives here. The rule that must not be broken: every query names the hospital, and a count is read once.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, and_, bindparam, exists, func, or_, select

from central.core.counts import Counted, LineKey
from central.store.merge import add_new
from central.store.queries_book import in_parts
from central.store.tables.ledger import DEVICE, EVENT, LEDGER, POSTING_LINE
from central.store.tables.settling import COUNTED_LINE
from protocols.movements.counts import CountBody, CountLine
from protocols.values.ids import HospitalId, Incarnation
from protocols.values.instant import Instant

KINDS = ("count_daily", "count_monthly")
READ_MAX = 2_000
"""Count entries read in one go; the next comparison reads on."""
LINES_MAX = 20_000
"""Counted lines of a storeroom one question reads: years of three a day."""
NO_LINE = -1


@dataclass(frozen=True, slots=True)
class CountEntry:
    """One count entry: where it stands, who wrote it, and what it says."""

    event: bytes
    place: str
    actor: str
    at: Instant
    incarnation: Incarnation
    seq: int
    received_at: Instant
    body: bytes


_JOINED = and_(
    LEDGER.c.hospital == EVENT.c.hospital, LEDGER.c.incarnation == EVENT.c.incarnation, LEDGER.c.seq == EVENT.c.seq
)


def unread(connection: Connection, hospital: HospitalId) -> list[CountEntry]:
    """Return count entries that were not read yet, in the order of their chains."""
    read = exists().where(COUNTED_LINE.c.hospital == EVENT.c.hospital, COUNTED_LINE.c.event_id == EVENT.c.event_id)
    rows = connection.execute(
        select(
            EVENT.c.event_id, EVENT.c.actor, EVENT.c.at, EVENT.c.incarnation, EVENT.c.seq, DEVICE.c.place,
            LEDGER.c.received_at, LEDGER.c.body,
        )
        .join(LEDGER, _JOINED)
        .join(DEVICE, and_(DEVICE.c.hospital == EVENT.c.hospital, DEVICE.c.device == EVENT.c.device))
        .where(EVENT.c.hospital == hospital, EVENT.c.kind.in_(KINDS), ~read)
        .order_by(LEDGER.c.received_at, EVENT.c.seq)
        .limit(READ_MAX)
    )  # fmt: skip
    return [
        CountEntry(
            row.event_id, row.place, row.actor, Instant(row.at), row.incarnation, row.seq, Instant(row.received_at),
            row.body,
        )
        for row in rows
    ]  # fmt: skip


def book_at(connection: Connection, hospital: HospitalId, place: str, key: LineKey, entry: CountEntry, cut: str) -> int:
    """Return the book of a line at a count's cut (hex event id), or at the entry itself where the cut is not known."""
    incarnation, seq, received = entry.incarnation, entry.seq, entry.received_at
    if cut:
        chosen = select(EVENT.c.incarnation, EVENT.c.seq, LEDGER.c.received_at).join(LEDGER, _JOINED)
        found = connection.execute(
            chosen.where(EVENT.c.hospital == hospital, EVENT.c.event_id == bytes.fromhex(cut))
        ).first()
        if found is not None:
            incarnation, seq, received = found.incarnation, found.seq, Instant(found.received_at)
    line = POSTING_LINE.c
    rows = connection.execute(
        select(line.qty, line.source, line.target)
        .join(EVENT, and_(EVENT.c.hospital == line.hospital, EVENT.c.event_id == line.event_id))
        .join(LEDGER, _JOINED)
        .where(
            line.hospital == hospital, line.item == key.item, line.lot == key.lot,
            or_(line.source == place, line.target == place),
            or_(
                and_(EVENT.c.incarnation == incarnation, EVENT.c.seq <= seq),
                and_(EVENT.c.incarnation != incarnation, LEDGER.c.received_at <= received),
            ),
        )
    )  # fmt: skip
    return sum(row.qty * ((row.target == place) - (row.source == place)) for row in rows)


def keep(
    connection: Connection, hospital: HospitalId, entry: CountEntry, body: CountBody, books: Mapping[LineKey, int]
) -> None:
    """Keep the lines of a count entry, so that it is not read again; one without lines leaves a mark."""
    place = body.place or entry.place
    said: list[tuple[int, CountLine | None]] = list(enumerate(body.lines)) or [(NO_LINE, None)]
    rows = [
        {
            "hospital": hospital, "event_id": entry.event, "line_no": no, "place": place, "sheet": body.sheet,
            "actor": entry.actor, "at": entry.at, "item": line.item if line else "", "lot": line.lot if line else "",
            "unit": line.unit if line else "", "qty": line.qty if line else 0,
            "book": books[LineKey(line.item, line.lot)] if line else 0,
        }
        for no, line in said
    ]  # fmt: skip
    add_new(connection, COUNTED_LINE, rows)


_NEWEST_FIRST = (COUNTED_LINE.c.at.desc(), COUNTED_LINE.c.event_id.desc(), COUNTED_LINE.c.line_no.desc())
_RANKED = (
    select(COUNTED_LINE, func.row_number().over(partition_by=COUNTED_LINE.c.place, order_by=_NEWEST_FIRST).label("no"))
    .where(
        COUNTED_LINE.c.hospital == bindparam("hospital"),
        COUNTED_LINE.c.place.in_(bindparam("rooms", expanding=True)),
        COUNTED_LINE.c.at >= bindparam("since"),
        COUNTED_LINE.c.actor != "",
        COUNTED_LINE.c.line_no != NO_LINE,
    )
    .subquery()
)
_COUNTED_IN = select(_RANKED).where(_RANKED.c.no <= LINES_MAX).order_by(_RANKED.c.place, _RANKED.c.no.desc())


def counted_in(
    connection: Connection, hospital: HospitalId, place: str, since: Instant
) -> list[tuple[Instant, Counted]]:
    """Return what people counted in a storeroom since an instant, oldest first; what readers counted is left out."""
    return counted_at(connection, hospital, [place], since)[place]


def counted_at(
    connection: Connection, hospital: HospitalId, rooms: Collection[str], since: Instant
) -> dict[str, list[tuple[Instant, Counted]]]:
    """Return the same of several storerooms at once."""
    found: dict[str, list[tuple[Instant, Counted]]] = {room: [] for room in rooms}
    for each in connection.execute(_COUNTED_IN, {"hospital": hospital, "rooms": list(found), "since": since}):
        counted = Counted(LineKey(each.item, each.lot), each.unit, each.qty, each.actor, each.sheet, each.book)
        found[each.place].append((Instant(each.at), counted))
    return found


def loose_moves(
    connection: Connection, hospital: HospitalId, place: str, since: Instant, counted: Mapping[LineKey, Instant]
) -> Counter[LineKey]:
    """Return how often loose pieces of each line moved since an instant and since they were last counted."""
    line = POSTING_LINE.c
    rows = connection.execute(
        select(line.item, line.lot, line.at).where(
            line.hospital == hospital, line.unit == "", line.at >= since,
            or_(line.source == place, line.target == place),
        )
    )  # fmt: skip
    return Counter(
        LineKey(row.item, row.lot) for row in rows if row.at > counted.get(LineKey(row.item, row.lot), Instant(0))
    )


def tagged_moves(
    connection: Connection,
    hospital: HospitalId,
    place: str,
    since: Instant,
    counted: Mapping[LineKey, Instant],
    keys: Collection[LineKey],
    heard: Collection[str],
) -> Counter[LineKey]:
    """Return the same of tagged pieces of some lines, of those that no reader there ever heard."""
    line, found = POSTING_LINE.c, Counter[LineKey]()
    for items in in_parts(sorted({key.item for key in keys})):
        rows = connection.execute(
            select(line.item, line.lot, line.unit, line.at).where(
                line.hospital == hospital, line.unit != "", line.at >= since, line.item.in_(items),
                or_(line.source == place, line.target == place),
            )
        )  # fmt: skip
        for row in rows:
            key = LineKey(row.item, row.lot)
            found[key] += key in keys and row.unit not in heard and row.at > counted.get(key, Instant(0))
    return +found


def relabelled(
    connection: Connection, hospital: HospitalId, units: Iterable[str], since: Instant
) -> dict[str, tuple[Instant, bytes]]:
    """Return when, and by which event, each of some units was bound to another tag since an instant."""
    chosen = select(EVENT.c.event_id, EVENT.c.at, LEDGER.c.body).join(LEDGER, _JOINED)
    rows = connection.execute(
        chosen.where(EVENT.c.hospital == hospital, EVENT.c.kind == "tag_replaced", EVENT.c.at >= since).order_by(
            EVENT.c.at
        )
    ).all()
    return {
        unit: (Instant(row.at), row.event_id) for unit in units for row in rows if unit.encode() in row.body.upper()
    }
