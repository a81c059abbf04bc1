"""What acts at wards without a device read: the last acts, the open count sheet, the end of central's own chain.

No rule lives here. The rule that must not be broken: every query names the hospital.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, delete, func, or_, select

from central.core.counts import Counted, LineKey, line_counts
from central.store.chains import OWN_DEVICE
from central.store.tables.ledger import BALANCE, EVENT, LEDGER, POSTING_LINE
from central.store.tables.once import ONCE
from central.store.tables.settling import COUNTED_LINE
from protocols.errors import ProtocolsError
from protocols.movements.bodies import read_body
from protocols.movements.posting import MovementBody
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant

ONCE_PREFIX = "form "
KINDS = ("issue", "use", "ward_receipt", "return_to_store", "reversal")
LOOKED_AT_MAX = 200
"""Entries of central's own chain looked through for the last ones of a ward."""
NO_LINE = -1


@dataclass(frozen=True, slots=True)
class Acted:
    """One act as it was written: what moved how, by whom, what was unusual, and whether it was taken back."""

    event: str
    kind: str
    at: Instant
    actor: str
    item: str
    lot: str
    unit: str
    qty: int
    flags: tuple[str, ...]
    undone: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """An open count sheet: its number, since when, and the lines counted so far (item, lot, unit, quantity, book)."""

    number: str
    since: Instant
    lines: tuple[tuple[str, str, str, int, int], ...]


def recent(connection: Connection, hospital: HospitalId, place: str, most: int) -> Sequence[Acted]:
    """Return the last acts that central wrote for a ward, the newest first."""
    return _acts(connection, hospital, place)[:most]


def acted(connection: Connection, hospital: HospitalId, place: str, event: str) -> Acted | None:
    """Return one of them."""
    return next((one for one in _acts(connection, hospital, place) if one.event == event), None)


def _acts(connection: Connection, hospital: HospitalId, place: str) -> list[Acted]:
    line, event = POSTING_LINE.c, EVENT.c
    rows = connection.execute(
        select(event.event_id, event.kind, event.at, event.actor, LEDGER.c.body, LEDGER.c.seq)
        .join(LEDGER, and_(LEDGER.c.hospital == event.hospital, LEDGER.c.event_id == event.event_id))
        .where(
            event.hospital == hospital, event.device == OWN_DEVICE, event.kind.in_(KINDS),
            select(line.unit)
            .where(
                line.hospital == event.hospital, line.event_id == event.event_id,
                or_(line.source == place, line.target == place, line.source.like(f"%@{place}")),
            )
            .exists(),
        )
        .order_by(LEDGER.c.seq.desc())
        .limit(LOOKED_AT_MAX)
    ).all()  # fmt: skip
    bodies = [(row, _body(row.body)) for row in rows]
    undone = {body.reverses for _, body in bodies}
    return [
        Acted(
            row.event_id.hex(), row.kind, Instant(row.at), row.actor, body.lines[0].item, body.lines[0].lot,
            body.lines[0].unit, sum(one.qty for one in body.lines if one.owner == body.lines[0].owner), body.flags,
            row.event_id.hex() in undone,
        )
        for row, body in bodies
        if body.lines
    ]  # fmt: skip


def _body(raw: bytes) -> MovementBody:
    try:
        return read_body(raw, MovementBody)
    except ProtocolsError:
        return MovementBody(())


def head_event(connection: Connection, hospital: HospitalId) -> str:
    """Return the last event of central's own chain (hex), the cut of a count made here; empty before the first."""
    where = (LEDGER.c.hospital == hospital, LEDGER.c.device == OWN_DEVICE)
    found = connection.scalar(select(LEDGER.c.event_id).where(*where).order_by(LEDGER.c.seq.desc()).limit(1))
    return "" if found is None else bytes(found).hex()


def open_sheet(connection: Connection, hospital: HospitalId, place: str) -> Sheet | None:
    """Return a ward's count sheet that was opened and not closed, with its lines; None where there is none."""
    row = COUNTED_LINE.c
    marks = (
        select(row.sheet, func.count().label("marks"), func.min(row.at).label("since"))
        .where(row.hospital == hospital, row.place == place, row.line_no == NO_LINE)
        .group_by(row.sheet)
        .order_by(func.min(row.at).desc())
        .limit(1)
    )
    newest = connection.execute(marks).first()
    if newest is None or newest.marks > 1:
        return None
    lines = connection.execute(
        select(row.item, row.lot, row.unit, row.qty, row.book)
        .where(row.hospital == hospital, row.place == place, row.sheet == newest.sheet, row.line_no != NO_LINE)
        .order_by(row.at.desc(), row.event_id.desc())
    )
    return Sheet(newest.sheet, Instant(newest.since), tuple((r.item, r.lot, r.unit, r.qty, r.book) for r in lines))


@dataclass(frozen=True, slots=True)
class Closed:
    """A count sheet that was closed: who counted, its lines of loose goods (item, lot, counted, book), and its pieces.

    `pieces` are those scanned, each with its item and lot; `at` is when the last line was counted.
    """

    number: str
    since: Instant
    at: Instant
    counted_by: tuple[str, ...]
    loose: tuple[tuple[str, str, int, int], ...]
    pieces: dict[str, tuple[str, str]]


def closed_sheet(connection: Connection, hospital: HospitalId, place: str) -> Closed | None:
    """Return a ward's newest count sheet that was closed; None where there is none."""
    row = COUNTED_LINE.c
    here = (row.hospital == hospital, row.place == place)
    newest = connection.execute(
        select(row.sheet, func.min(row.at).label("since"))
        .where(*here, row.line_no == NO_LINE)
        .group_by(row.sheet)
        .having(func.count() > 1)
        .order_by(func.min(row.at).desc())
        .limit(1)
    ).first()
    if newest is None:
        return None
    rows = connection.execute(
        select(row.item, row.lot, row.unit, row.qty, row.actor, row.sheet, row.book, row.at)
        .where(*here, row.sheet == newest.sheet, row.line_no != NO_LINE)
        .order_by(row.at, row.event_id, row.line_no)
    ).all()
    loose = [Counted(LineKey(r.item, r.lot), "", r.qty, r.actor, r.sheet, r.book) for r in rows if not r.unit]
    said = line_counts(loose)
    lines = tuple((key.item, key.lot, one.counted, one.book) for (_, key), one in sorted(said.items()))
    pieces = {r.unit: (r.item, r.lot) for r in rows if r.unit and r.qty}
    at = Instant(max([newest.since, *(r.at for r in rows)]))
    people = tuple(sorted({r.actor for r in rows} - {""}))
    return Closed(newest.sheet, Instant(newest.since), at, people, lines, pieces)


def pieces_in(connection: Connection, hospital: HospitalId, place: str) -> dict[str, tuple[str, str]]:
    """Return the pieces with a number of their own that the book has in a storeroom, each with its item and lot."""
    row = BALANCE.c
    rows = connection.execute(
        select(row.unit, row.item, row.lot)
        .where(row.hospital == hospital, row.place == place, row.unit != "")
        .group_by(row.unit, row.item, row.lot)
        .having(func.sum(row.qty) > 0)
    )
    return {one.unit: (one.item, one.lot) for one in rows}


def pieces_booked(connection: Connection, hospital: HospitalId, place: str, at: Instant) -> dict[tuple[str, str], int]:
    """Return how many pieces with a number of their own the book had in a storeroom at an instant, by item and lot."""
    line = POSTING_LINE.c
    rows = connection.execute(
        select(line.item, line.lot, line.source, line.target, line.qty).where(
            line.hospital == hospital, line.unit != "", line.at <= at, or_(line.source == place, line.target == place)
        )
    )
    found: dict[tuple[str, str], int] = {}
    for one in rows:
        key = (one.item, one.lot)
        found[key] = found.get(key, 0) + one.qty * ((one.target == place) - (one.source == place))
    return found


def last_moved(connection: Connection, hospital: HospitalId, units: Iterable[str]) -> dict[str, Instant]:
    """Return when each of some pieces moved last; one that never moved is not there."""
    line = POSTING_LINE.c
    rows = connection.execute(
        select(line.unit, func.max(line.at).label("at"))
        .where(line.hospital == hospital, line.unit.in_(sorted(set(units))))
        .group_by(line.unit)
    )
    return {one.unit: Instant(one.at) for one in rows}


def is_adjusted(connection: Connection, hospital: HospitalId, sheet: str, since: Instant) -> bool:
    """Tell whether an adjustment of loose goods in central's own chain names a count sheet."""
    of, entry = EVENT.c, LEDGER.c
    same = and_(entry.hospital == of.hospital, entry.event_id == of.event_id)
    asked = (of.hospital == hospital, of.kind == "adjust", of.at >= since, of.device == OWN_DEVICE)
    found = map(_body, connection.scalars(select(entry.body).join(EVENT, same).where(*asked)))
    return any(sheet in body.refs and any(not line.unit for line in body.lines) for body in found)


def lots_in(connection: Connection, hospital: HospitalId, place: str, item: str) -> list[str]:
    """Return the lots of an item that lie on a storeroom's shelves."""
    rows = connection.execute(
        select(BALANCE.c.lot)
        .where(BALANCE.c.hospital == hospital, BALANCE.c.place == place, BALANCE.c.item == item)
        .group_by(BALANCE.c.lot)
        .having(func.sum(BALANCE.c.qty) > 0)
    )
    return list(rows.scalars())


def forget_once(connection: Connection, hospital: HospitalId, person: str, once: str) -> None:
    """Free a form whose act was refused, so that it may be put right and sent again."""
    which = (ONCE.c.hospital == hospital, ONCE.c.person == person, ONCE.c.key == f"{ONCE_PREFIX}{once}")
    connection.execute(delete(ONCE).where(*which))
