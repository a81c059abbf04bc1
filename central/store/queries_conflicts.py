"""What conflicts are found in: pieces in two places, lines below zero, what moved around a count, acts after a loss.

No rule lives here. The rule that must not be broken: every query names the hospital, and each is bounded by the
storerooms asked for or by what already stands.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, case, func, not_, or_, select

from central.core.conflicts import Flag, Sort
from central.core.conflicts.pieces import At, Carry, Piece, Said
from central.core.rights import Scope
from central.store.merge import add_new
from central.store.paging import Key, Keyset, Page, PageAsked
from central.store.queries_work import within
from central.store.tables.conflicts import CONFLICT
from central.store.tables.ledger import BALANCE, EVENT, POSTING_LINE
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant

OURS = "suspense"
"""The kind of the entries by which central answers a conflict."""
OPEN, CLOSED = "open", "closed"
PIECES_AT_ONCE = 200
CONFLICTS_MAX = 2_000
_ELSEWHERE = ("opening", "supplier", "unknown", "suspense", "owner", "transit")
"""Roles of places where nobody has a piece in hand."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One conflict as it is kept."""

    id: str
    sort: Sort
    place: str
    other: str
    item: str
    lot: str
    unit: str
    event: str
    provisional: bool
    due_at: Instant | None
    detail: Mapping[str, str | int]
    status: str
    opened_at: Instant
    closed_at: Instant | None
    closed_by: str
    remark: str


def suspicious(connection: Connection, hospital: HospitalId, rooms: Collection[str] | None) -> list[Piece]:
    """Return the pieces to be judged: taken where they were not, held twice, or in a conflict before; all or `rooms`'.

    What is held twice without being below zero anywhere is looked for only over all rooms.
    """
    found = {*_taken_unfound(connection, hospital, rooms), *_touched_before(connection, hospital)}
    if rooms is None:
        found |= _held_twice(connection, hospital)
    return sorted(found)


def _taken_unfound(connection: Connection, hospital: HospitalId, rooms: Collection[str] | None) -> set[Piece]:
    row = BALANCE.c
    query = select(row.item, row.lot, row.owner, row.unit).where(
        row.hospital == hospital,
        row.unit != "",
        row.qty < 0,
        or_(not_(row.place.contains("@", autoescape=True)), row.place.startswith("transit@", autoescape=True)),
    )
    if rooms is not None:
        query = query.where(row.place.in_([each for room in sorted(rooms) for each in (room, f"transit@{room}")]))
    return {Piece(*each) for each in connection.execute(query.distinct())}


def _touched_before(connection: Connection, hospital: HospitalId) -> set[Piece]:
    line = POSTING_LINE.c
    query = (
        select(line.item, line.lot, line.owner, line.unit)
        .join(EVENT, and_(EVENT.c.hospital == line.hospital, EVENT.c.event_id == line.event_id))
        .where(EVENT.c.hospital == hospital, EVENT.c.kind == OURS, line.unit != "")
    )
    return {Piece(*each) for each in connection.execute(query.distinct())}


def _held_twice(connection: Connection, hospital: HospitalId) -> set[Piece]:
    row = BALANCE.c
    away = or_(*(row.place.startswith(f"{role}@", autoescape=True) for role in _ELSEWHERE))
    held = func.sum(case((and_(row.qty > 0, not_(away)), 1), else_=0))
    query = select(row.item, row.lot, row.owner, row.unit).where(row.hospital == hospital, row.unit != "")
    grouped = query.group_by(row.item, row.lot, row.owner, row.unit).having(held > 1)
    return {Piece(*each) for each in connection.execute(grouped)}


def said_of(connection: Connection, hospital: HospitalId, pieces: Sequence[Piece]) -> dict[Piece, list[Said]]:
    """Return every line of some pieces, one for each base unit."""
    found: defaultdict[Piece, list[Said]] = defaultdict(list)
    line = POSTING_LINE.c
    wanted = frozenset(pieces)
    units = sorted({piece.unit for piece in pieces})
    for start in range(0, len(units), PIECES_AT_ONCE):
        query = (
            select(POSTING_LINE, EVENT.c.kind)
            .join(EVENT, and_(EVENT.c.hospital == line.hospital, EVENT.c.event_id == line.event_id))
            .where(line.hospital == hospital, line.unit.in_(units[start : start + PIECES_AT_ONCE]))
        )
        for row in connection.execute(query):
            piece = Piece(row.item, row.lot, row.owner, row.unit)
            if piece in wanted:
                carry = Carry(At(row.source, row.source_position), At(row.target, row.target_position))
                one = Said(carry, Instant(row.at), row.event_id.hex(), row.kind == OURS)
                found[piece] += [one] * row.qty
    return dict(found)


def below_zero(
    connection: Connection, hospital: HospitalId, rooms: Collection[str] | None
) -> list[tuple[str, str, str, str, int]]:
    """Return the lines of storerooms whose book is below zero: place, item, lot, unit (empty: loose) and quantity."""
    row = BALANCE.c
    total = func.sum(row.qty)
    query = select(row.place, row.item, row.lot, row.unit, total).where(
        row.hospital == hospital, not_(row.place.contains("@", autoescape=True))
    )
    if rooms is not None:
        query = query.where(row.place.in_(sorted(rooms)))
    grouped = query.group_by(row.place, row.item, row.lot, row.unit).having(total < 0)
    return [(each[0], each[1], each[2], each[3], int(each[4])) for each in connection.execute(grouped)]


def last_taking(connection: Connection, hospital: HospitalId, place: str, item: str, lot: str, unit: str) -> str:
    """Return the last event (hex) that took from a line."""
    line = POSTING_LINE.c
    query = (
        select(line.event_id)
        .where(line.hospital == hospital, line.source == place, line.item == item, line.lot == lot, line.unit == unit)
        .order_by(line.at.desc(), line.event_id.desc())
        .limit(1)
    )
    found = connection.scalar(query)
    return "" if found is None else bytes(found).hex()


# --- what is kept ---


def standing(
    connection: Connection, hospital: HospitalId, *, sorts: Iterable[Sort] = (), status: str = OPEN, id: str = ""
) -> list[Standing]:
    """Return conflicts, those due first; of some sorts or all, of one status or any ('')."""
    row = CONFLICT.c
    query = CONFLICT.select().where(row.hospital == hospital)
    if status:
        query = query.where(row.status == status)
    if names := [str(sort) for sort in sorts]:
        query = query.where(row.sort.in_(names))
    if id:
        query = query.where(row.conflict == id)
    rows = connection.execute(query.order_by(row.due_at.is_(None), row.due_at, row.conflict).limit(CONFLICTS_MAX))
    return [_standing(each) for each in rows]


CONFLICTS = Keyset("conflicts", (Key(CONFLICT.c.opened_at, falling=True), Key(CONFLICT.c.conflict)))
"""The newest first."""


def conflicts_page(
    connection: Connection, hospital: HospitalId, asked: PageAsked, *, status: str, scope: Scope
) -> Page[Standing]:
    """Return a page of the conflicts of which one storeroom is in a scope. Raises `BadInput` for its cursor."""
    row = CONFLICT.c
    query = select(CONFLICT).where(row.hospital == hospital, or_(within(row.place, scope), within(row.other, scope)))
    if status:
        query = query.where(row.status == status)
    rows, cursor = CONFLICTS.rows(connection, query, asked)
    return Page(tuple(_standing(each) for each in rows), cursor)


def _standing(row: Row[Any]) -> Standing:
    return Standing(
        id=row.conflict,
        sort=Sort(row.sort),
        place=row.place,
        other=row.other,
        item=row.item,
        lot=row.lot,
        unit=row.unit,
        event=row.event_id.hex(),
        provisional=bool(row.provisional),
        due_at=None if row.due_at is None else Instant(row.due_at),
        detail=json.loads(row.detail),
        status=row.status,
        opened_at=Instant(row.opened_at),
        closed_at=None if row.closed_at is None else Instant(row.closed_at),
        closed_by=row.closed_by,
        remark=row.remark,
    )


def keep(connection: Connection, hospital: HospitalId, flags: Iterable[Flag], now: Instant) -> int:
    """Keep conflicts that are not kept yet; return how many that were."""
    return add_new(connection, CONFLICT, [_row(hospital, flag, now) for flag in flags])


def _row(hospital: HospitalId, flag: Flag, now: Instant) -> dict[str, object]:
    return {
        "hospital": hospital,
        "conflict": flag.id,
        "sort": str(flag.sort),
        "place": flag.place,
        "other": flag.other,
        "item": flag.item,
        "lot": flag.lot,
        "unit": flag.unit,
        "event_id": bytes.fromhex(flag.event),
        "provisional": flag.provisional,
        "due_at": flag.due_at,
        "detail": json.dumps(dict(flag.detail), sort_keys=True),
        "status": OPEN,
        "opened_at": now,
        "closed_at": None,
        "closed_by": "",
        "remark": "",
    }


def close(
    connection: Connection, hospital: HospitalId, ids: Collection[str], now: Instant, *, by: str, remark: str
) -> int:
    """Close open conflicts; return how many that were. `by` is empty where the facts themselves closed them."""
    here = (CONFLICT.c.hospital == hospital, CONFLICT.c.conflict.in_(sorted(ids)), CONFLICT.c.status == OPEN)
    over = {"status": CLOSED, "closed_at": now, "closed_by": by, "remark": remark}
    return connection.execute(CONFLICT.update().where(*here).values(**over)).rowcount


def open_again(connection: Connection, hospital: HospitalId, flags: Iterable[Flag]) -> int:
    """Open conflicts that the facts had closed and now show again; what a person closed stays closed."""
    row, opened = CONFLICT.c, 0
    for flag in flags:
        here = (row.hospital == hospital, row.conflict == flag.id, row.status == CLOSED, row.closed_by == "")
        renewed = {"status": OPEN, "closed_at": None, "remark": "", "due_at": flag.due_at}
        opened += connection.execute(CONFLICT.update().where(*here).values(**renewed)).rowcount
    return opened


def kept_of(connection: Connection, hospital: HospitalId, ids: Sequence[str]) -> dict[str, Standing]:
    """Return which of some conflicts are kept, and how."""
    found: dict[str, Standing] = {}
    for start in range(0, len(ids), PIECES_AT_ONCE):
        part = CONFLICT.c.conflict.in_(ids[start : start + PIECES_AT_ONCE])
        rows = connection.execute(CONFLICT.select().where(CONFLICT.c.hospital == hospital, part))
        found |= {row.conflict: _standing(row) for row in rows}
    return found


def renew(connection: Connection, hospital: HospitalId, flags: Iterable[Flag]) -> None:
    """Bring what open conflicts say up to date: later facts may have made one sure."""
    for flag in flags:
        said = {"provisional": flag.provisional, "detail": json.dumps(dict(flag.detail), sort_keys=True)}
        here = (CONFLICT.c.hospital == hospital, CONFLICT.c.conflict == flag.id, CONFLICT.c.status == OPEN)
        connection.execute(CONFLICT.update().where(*here).values(**said, event_id=bytes.fromhex(flag.event)))
