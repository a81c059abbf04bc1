"""Entries that cannot come any more: trimmed at the device and lost here, or spoilt on its disk.

A gap closes the chain over the entries that are gone: a doubt names their range, and what they came to is posted
through the storeroom's suspense account by an entry of central's own. A spoilt entry is kept as it is, set aside, and
the device goes on in a new chain. The rule that must not be broken: nothing is posted twice; a page counts once.
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, func, select

from central.clock import Clock
from central.core.gaps import SUSPENSE, bodies, missing_lines
from central.services.own_chain import Draft, append_within
from central.store.chains import move_head
from central.store.losses import open_loss
from central.store.merge import add_new
from central.store.tables.ledger import EVENT, INCARNATION, LEDGER, POSTING_LINE, QUARANTINE
from central.store.tables.replays import STILL_KEPT
from central.store.tables.sync import LEDGER_GAP
from protocols.entry import SEQ_MAX, content_hash, decode_entry
from protocols.errors import ProtocolsError
from protocols.movements.bodies import write_body
from protocols.movements.posting import lines_of
from protocols.sync.frames import Damaged, Gap, Head, Key
from protocols.sync.gaps import unpack_rows
from protocols.sync.reception import Lost
from protocols.values.ids import ActorId, DeviceId, HospitalId, Incarnation, PlaceId

GAP = "gap"
GAP_LOST, SPOILT = "gap", "damaged"
REASON_MAX = 400
ID_BYTES = 16
EVENTS_AT_ONCE = 500


def close_gap(
    connection: Connection,
    hospital: HospitalId,
    device: DeviceId,
    place: PlaceId,
    incarnation: Incarnation,
    gap: Gap,
    clock: Clock,
    *,
    tip: Incarnation,
) -> Head | None:
    """Take one page of a gap that begins right behind the chain's head; return the new head once all are here.

    `tip` is the chain that the device now writes. Raises `PeerBroke` for rows that cannot be read.
    """
    now, rows = clock.now(), unpack_rows(gap.rows)
    where = {"hospital": hospital, "incarnation": incarnation, "last_seq": gap.last_seq}
    if not _has_page(connection, where, gap.page):
        way = _way(connection, hospital, tip)
        mine = _own_book(connection, hospital, way)
        mine.update(_set_aside(connection, hospital, device, way))
        said = f"{device}: entries {gap.first_seq}..{gap.last_seq} of {incarnation.hex()[:8]}"
        lines = missing_lines(place, rows, mine, gap.after, gap.upto)
        drafts = [Draft(GAP, write_body(body), ActorId(device)) for body in bodies(lines, said)]
        written = append_within(connection, hospital, drafts, clock) if drafts else []
        events = b"".join(each.entry.event_id for each in written)
        said_row = {"first_seq": gap.first_seq, "hash": gap.hash, "pages": gap.pages, "events": events, "at": now}
        connection.execute(LEDGER_GAP.insert(), [{**where, "page": gap.page, **said_row}])
        open_loss(connection, hospital, device, Lost(GAP_LOST, incarnation, gap.first_seq, gap.last_seq), now)
    here = [LEDGER_GAP.c[name] == value for name, value in where.items()]
    count = connection.scalar(select(func.count()).select_from(LEDGER_GAP).where(*here))
    if count != gap.pages:
        return None
    head = Head(incarnation, gap.last_seq, gap.hash)
    move_head(connection, hospital, device, head, now)
    return head


def _has_page(connection: Connection, where: Mapping[str, object], page: int) -> bool:
    here = [LEDGER_GAP.c[name] == value for name, value in where.items()]
    return connection.scalar(select(LEDGER_GAP.c.page).where(*here, LEDGER_GAP.c.page == page)) is not None


def _way(connection: Connection, hospital: HospitalId, tip: Incarnation) -> dict[bytes, int]:
    """Return the chains that a device's ledger is made of, from the one now written, each as far as it is walked."""
    way: dict[bytes, int] = {}
    chain: bytes | None = tip
    upto = SEQ_MAX
    while chain is not None and chain not in way:
        way[chain] = upto
        where = (INCARNATION.c.hospital == hospital, INCARNATION.c.incarnation == chain)
        row = connection.execute(select(INCARNATION.c.parent, INCARNATION.c.parent_seq).where(*where)).one_or_none()
        chain, upto = (None, 0) if row is None else (row.parent, row.parent_seq)
    return way


def _own_book(connection: Connection, hospital: HospitalId, way: Mapping[bytes, int]) -> Counter[Key]:
    """Return what the entries of a ledger came to here, with what earlier gaps of it put right."""
    events: set[bytes] = set()
    for chain, upto in way.items():
        of_chain = (LEDGER.c.hospital == hospital, LEDGER.c.incarnation == chain)
        events.update(connection.scalars(select(LEDGER.c.event_id).where(*of_chain, LEDGER.c.seq <= upto)))
        closed = (LEDGER_GAP.c.hospital == hospital, LEDGER_GAP.c.incarnation == chain)
        for ids in connection.scalars(select(LEDGER_GAP.c.events).where(*closed)):
            events.update(ids[at : at + ID_BYTES] for at in range(0, len(ids), ID_BYTES))
    book: Counter[Key] = Counter()
    ordered = sorted(events)
    for at in range(0, len(ordered), EVENTS_AT_ONCE):
        line = POSTING_LINE.c
        part = line.event_id.in_(ordered[at : at + EVENTS_AT_ONCE])
        for row in connection.execute(select(POSTING_LINE).where(line.hospital == hospital, part)):
            _add(book, row)
    return book


def _set_aside(
    connection: Connection, hospital: HospitalId, device: DeviceId, way: Mapping[bytes, int]
) -> Counter[Key]:
    """Return what a ledger's entries in quarantine would have come to: its book has them, and they are no loss."""
    first = (QUARANTINE.c.hospital == EVENT.c.hospital) & (QUARANTINE.c.event_id == EVENT.c.event_id)
    columns = (QUARANTINE.c.incarnation, QUARANTINE.c.seq, QUARANTINE.c.raw, EVENT.c.content_hash)
    query = select(*columns).join(EVENT, first).where(QUARANTINE.c.hospital == hospital, STILL_KEPT)
    raws: dict[bytes, bytes] = {}
    for row in connection.execute(query.where(QUARANTINE.c.incarnation.in_(way))):
        if row.seq <= way[row.incarnation] and content_hash(device, row.raw) == row.content_hash:
            raws[row.content_hash] = row.raw
    book: Counter[Key] = Counter()
    for raw in raws.values():
        book.update(_said_by(raw))
    return book


def _said_by(raw: bytes) -> Counter[Key]:
    book: Counter[Key] = Counter()
    with suppress(ProtocolsError):
        entry = decode_entry(raw)
        for line in lines_of(entry.kind, entry.body):
            _add(book, line)
    return book


def _add(book: Counter[Key], line: Any) -> None:  # noqa: ANN401 # a row of Core or a line of a body: the same names
    what = (line.item, line.lot, line.owner, line.unit)
    for place, position, qty in (
        (line.source, line.source_position, -line.qty),
        (line.target, line.target_position, line.qty),
    ):
        if not place.startswith(f"{SUSPENSE}@"):
            book[(place, position, *what)] += qty


def keep_spoilt(
    connection: Connection,
    hospital: HospitalId,
    device: DeviceId,
    incarnation: Incarnation,
    damaged: Damaged,
    clock: Clock,
) -> None:
    """Keep what is left of an entry that cannot be sent as it was written, and open a doubt about it."""
    row = {
        "hospital": hospital,
        "incarnation": incarnation,
        "seq": damaged.seq,
        "event_id": b"",
        "reason": f"{device}: {damaged.detail}; its chain says {damaged.hash.hex()}"[:REASON_MAX],
        "raw": damaged.raw,
        "at": clock.now(),
    }
    add_new(connection, QUARANTINE, [row])
    open_loss(connection, hospital, device, Lost(SPOILT, incarnation, damaged.seq, damaged.seq), clock.now())
