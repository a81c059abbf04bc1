"""What acts at wards without a device read: the last acts, the open count sheet, the end of central's own chain.

No rule lives here. The rule that must not be broken: every query names the hospital.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, delete, func, or_, select

from central.store.chains import OWN_DEVICE
from central.store.tables.ledger import BALANCE, EVENT, LEDGER, POSTING_LINE
from central.store.tables.once import ONCE
from central.store.tables.settling import COUNTED_LINE
from protocols.errors import ProtocolsError
from protocols.movements import MovementBody, read_body
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
