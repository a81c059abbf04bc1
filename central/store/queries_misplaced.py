"""Where pieces stand in a storeroom, and which lines have one in another storeroom or on another shelf of its own.

In another storeroom: one misses it, another has it unexpectedly. On another shelf: its own storeroom's readers say so.
Reading only. The rule that must not be broken: every query names the hospital.
"""

from collections import Counter

from sqlalchemy import Connection, func, select

from central.core.discrepancies import Kind
from central.store.queries_book import IS_TAGGED
from central.store.tables.ledger import BALANCE, BELIEF, BINDING, IS_HELD
from central.store.tables.work import DISCREPANCY
from protocols.values.ids import HospitalId


def misplaced_lines(connection: Connection, hospital: HospitalId) -> dict[str, int]:
    """Return how many lines of each storeroom have such a piece, by the discrepancies that stand open."""
    row = DISCREPANCY.c
    stands = (row.hospital == hospital, row.status == "open")
    found = (
        select(row.unit, func.min(row.place).label("first"), func.max(row.place).label("last"))
        .where(*stands, row.kind == Kind.UNEXPECTED)
        .group_by(row.unit)
        .subquery("found")
    )
    elsewhere = (found.c.first != row.place) | (found.c.last != row.place)
    lines = (
        select(row.place, row.item, row.lot)
        .distinct()
        .join(found, found.c.unit == row.unit)
        .where(*stands, row.kind == Kind.MISSING, elsewhere)
        .subquery()
    )
    rows = connection.execute(select(lines.c.place, func.count().label("lines")).group_by(lines.c.place))
    return {row.place: row.lines for row in rows}


def on_other_shelves(connection: Connection, hospital: HospitalId, place: str) -> dict[tuple[str, str], dict[str, int]]:
    """Return how many pieces of each item and lot readers hear on a shelf that the book does not say, by shelf."""
    booked = (BALANCE.c.hospital == BELIEF.c.hospital) & (BALANCE.c.place == place) & (BALANCE.c.unit == BELIEF.c.epc)
    booked &= IS_HELD & IS_TAGGED  # by which the index of tagged pieces is found
    bound = (BINDING.c.hospital == BELIEF.c.hospital) & (BINDING.c.epc == BELIEF.c.epc)
    rows = connection.execute(
        select(BINDING.c.item, BINDING.c.lot, BELIEF.c.position, func.count().label("pieces"))
        .select_from(BELIEF)
        .join(BINDING, bound)
        .join(BALANCE, booked & (BALANCE.c.item == BINDING.c.item) & (BALANCE.c.qty > 0))
        .where(BELIEF.c.hospital == hospital, BELIEF.c.place == place, BELIEF.c.position != "")
        .where(BALANCE.c.position != BELIEF.c.position)
        .group_by(BINDING.c.item, BINDING.c.lot, BELIEF.c.position)
        .order_by(BINDING.c.item, BINDING.c.lot, BELIEF.c.position)
    )
    found: dict[tuple[str, str], dict[str, int]] = {}
    for row in rows:
        found.setdefault((row.item, row.lot), {})[row.position] = row.pieces
    return found


def booked_at(
    connection: Connection, hospital: HospitalId, place: str
) -> tuple[dict[str, str], dict[tuple[str, str, str], int]]:
    """Return where the book of a storeroom has each tagged piece, and its loose pieces by item, lot and position."""
    rows = connection.execute(
        select(BALANCE.c.unit, BALANCE.c.item, BALANCE.c.lot, BALANCE.c.position, BALANCE.c.qty).where(
            BALANCE.c.hospital == hospital, BALANCE.c.place == place, IS_HELD
        )
    )
    pieces: dict[str, str] = {}
    loose: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        if not row.unit:
            loose[row.item, row.lot, row.position] += row.qty
        elif row.qty > 0:
            pieces[row.unit] = row.position
    return pieces, loose


def heard_at(connection: Connection, hospital: HospitalId, place: str) -> dict[str, str]:
    """Return the position of each piece that readers of a storeroom hear on another shelf than the book's."""
    rows = connection.execute(
        select(BELIEF.c.epc, BELIEF.c.position).where(
            BELIEF.c.hospital == hospital, BELIEF.c.place == place, BELIEF.c.position != ""
        )
    )
    return {row.epc: row.position for row in rows}
