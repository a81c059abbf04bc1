"""Where pieces and lots have been: bindings found by what is printed on them, and the movements they took part in.

Reading only, no rule. The rule that must not be broken: every query names the hospital and has a limit.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, and_, select

from central.store.tables.ledger import BALANCE, BINDING, EVENT, LEDGER, POSTING_LINE
from central.store.tables.master import ITEM
from protocols.errors import ProtocolsError
from protocols.movements.bodies import read_body
from protocols.movements.posting import MovementBody
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
    lines = connection.execute(chosen).all()  # first which lines are shown: an item has a hundred thousand others
    said = _said_of(connection, hospital, {row.event_id for row in lines})
    return [
        Moved(
            *(row.event_id.hex(), who.kind, Instant(row.at), who.actor, who.device),
            *(row.item, row.lot, row.unit, row.qty),
            *(row.source, row.source_position, row.target, row.target_position),
            who.patient,
        )
        for row in lines
        if (who := said.get(row.event_id)) is not None
    ]


@dataclass(frozen=True, slots=True)
class _Said:
    """What an entry says for all of its lines."""

    kind: str
    actor: str
    device: str
    patient: str


def _said_of(connection: Connection, hospital: HospitalId, events: Collection[bytes]) -> dict[bytes, _Said]:
    """Return what some entries say, each read once however many lines it has."""
    entry = and_(
        LEDGER.c.hospital == EVENT.c.hospital,
        LEDGER.c.incarnation == EVENT.c.incarnation,
        LEDGER.c.seq == EVENT.c.seq,
    )
    rows = connection.execute(
        select(EVENT.c.event_id, EVENT.c.kind, EVENT.c.actor, EVENT.c.device, LEDGER.c.body)
        .join(LEDGER, entry)
        .where(EVENT.c.hospital == hospital, EVENT.c.event_id.in_(sorted(events)))
    )
    return {row.event_id: _Said(row.kind, row.actor, row.device, patient_of(row.body)) for row in rows}


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
