"""Where pieces and lots have been: bindings found by what is printed on them, and the movements they took part in.

Reading only, no rule. The rule that must not be broken: every query names the hospital and has a limit.
"""

from collections import defaultdict
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, and_, select

from central.store.tables.ledger import BALANCE, BINDING, EVENT, LEDGER, POSTING_LINE
from central.store.tables.master import ITEM
from protocols.errors import ProtocolsError
from protocols.movements import MovementBody, read_body
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant

UNITS_MAX = 200
"""Pieces one question shows; a lot of a ward has some tens."""
MOVED_MAX = 500
"""Movements one question shows."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A piece with a name: its EPC and what is printed on its label."""

    epc: str
    item: str
    gtin: str
    lot: str
    serial: str
    expiry: str


@dataclass(frozen=True, slots=True)
class Moved:
    """One line of one entry: `qty` base units from place to place; `patient` is a keyed hash, empty where none is."""

    event: str
    kind: str
    at: Instant
    actor: str
    device: str
    item: str
    lot: str
    unit: str
    qty: int
    source: str
    source_position: str
    target: str
    target_position: str
    patient: str


@dataclass(frozen=True, slots=True)
class Held:
    """What the book has of something in one place."""

    place: str
    position: str
    item: str
    lot: str
    unit: str
    qty: int


def bound(
    connection: Connection,
    hospital: HospitalId,
    *,
    epc: str = "",
    serial: str = "",
    gtin: str = "",
    item: str = "",
    lot: str = "",
) -> list[Bound]:
    """Return the pieces with all that is named; without anything named, none."""
    named = {"epc": epc, "serial": serial, "gtin": gtin, "item": item, "lot": lot}
    asked = [BINDING.c[name] == value for name, value in named.items() if value]
    if not asked:
        return []
    chosen = BINDING.select().where(BINDING.c.hospital == hospital, *asked).order_by(BINDING.c.epc)
    return [
        Bound(row.epc, row.item, row.gtin, row.lot, row.serial, row.expiry)
        for row in connection.execute(chosen.limit(UNITS_MAX))
    ]


def items_named(connection: Connection, hospital: HospitalId, *, gtin: str) -> list[str]:
    """Return the items with a GTIN."""
    rows = connection.execute(select(ITEM.c.item).where(ITEM.c.hospital == hospital, ITEM.c.gtin == gtin))
    return [row.item for row in rows]


def lots_named(connection: Connection, hospital: HospitalId, lot: str) -> list[str]:
    """Return the items that the book has ever had in a lot of that number."""
    chosen = select(BALANCE.c.item).where(BALANCE.c.hospital == hospital, BALANCE.c.lot == lot).distinct()
    return [row.item for row in connection.execute(chosen.order_by(BALANCE.c.item).limit(UNITS_MAX))]


def moved(
    connection: Connection, hospital: HospitalId, *, unit: str = "", item: str = "", lot: str | None = None
) -> list[Moved]:
    """Return the movements of a piece, or of an item's lot, the newest first."""
    line = POSTING_LINE.c
    asked = [line.unit == unit] if unit else [line.item == item, *([] if lot is None else [line.lot == lot])]
    newest = (line.at.desc(), line.event_id.desc(), line.line_no)
    chosen = select(POSTING_LINE).where(line.hospital == hospital, *asked).order_by(*newest).limit(MOVED_MAX)
    last = chosen.subquery("newest")  # first which lines are shown: an item has a hundred thousand others
    event = and_(EVENT.c.hospital == last.c.hospital, EVENT.c.event_id == last.c.event_id)
    entry = and_(
        LEDGER.c.hospital == EVENT.c.hospital,
        LEDGER.c.incarnation == EVENT.c.incarnation,
        LEDGER.c.seq == EVENT.c.seq,
    )
    rows = connection.execute(
        select(last, EVENT.c.kind, EVENT.c.actor, EVENT.c.device, LEDGER.c.body)
        .join(EVENT, event)
        .join(LEDGER, entry)
        .order_by(last.c.at.desc(), last.c.event_id.desc(), last.c.line_no)
    )
    return [
        Moved(
            row.event_id.hex(),
            row.kind,
            Instant(row.at),
            row.actor,
            row.device,
            row.item,
            row.lot,
            row.unit,
            row.qty,
            row.source,
            row.source_position,
            row.target,
            row.target_position,
            patient_of(row.body),
        )
        for row in rows
    ]


def held(connection: Connection, hospital: HospitalId, *, unit: str = "", item: str = "", lot: str = "") -> list[Held]:
    """Return where the book has a piece, or an item's lot, now."""
    asked = [BALANCE.c.unit == unit] if unit else [BALANCE.c.item == item, BALANCE.c.lot == lot]
    chosen = BALANCE.select().where(BALANCE.c.hospital == hospital, *asked)
    shelves: defaultdict[tuple[str, str, str, str], dict[str, int]] = defaultdict(dict)
    for row in sorted(connection.execute(chosen), key=lambda one: (one.place, one.unit, one.position)):
        shelves[row.place, row.item, row.lot, row.unit][row.position] = row.qty
    found = []
    for (place, of_item, of_lot, of_unit), positions in shelves.items():
        qty = sum(positions.values())  # what is taken without naming its shelf still leaves the storeroom
        where = " ".join(position for position, there in positions.items() if position and there > 0)
        found.append(Held(place, where, of_item, of_lot, of_unit, qty))
    return [one for one in found if one.qty > 0][:MOVED_MAX]


def patient_of(body: bytes) -> str:
    """Return the keyed hash of the patient an entry names, empty where it names none."""
    try:
        return read_body(body, MovementBody).patient
    except (ProtocolsError, ValueError, msgspec.MsgspecError):
        return ""  # a kind whose body posts otherwise names no patient
