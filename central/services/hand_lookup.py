"""What was scanned at a ward without a device, and what bears on acting with it.

It writes nothing. The rule that must not be broken: a label is never guessed; what nobody knows is refused by name.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from central.core.hand import Doing, No, Refusal, Shelf, Thing
from central.core.uses import Lying
from central.services.trace import Sort, named
from central.store import queries_charges as charges
from central.store.feeds import recalls
from central.store.queries_hand import lots_in
from central.store.queries_master import expiries
from central.store.queries_permits import closed_places
from protocols.codes.label import Label, UnreadableLabel, read_label
from protocols.values.ids import HospitalId, PlaceId, virtual_place


@dataclass(frozen=True, slots=True)
class Read:
    """What a scan names: an item, and as far as it says lot, piece, expiry and day made."""

    item: str
    lot: str = ""
    unit: str = ""
    expiry: date | None = None
    made: date | None = None


def thing_of(
    connection: Connection, hospital: HospitalId, doing: Doing, code: str, lot: str, expiry: date | None
) -> Read | Refusal:
    """Return what a scan names; `lot` and `expiry` are what a person typed where the label does not say."""
    label = _label(code)
    found = named(connection, hospital, code)
    if found is not None and found.sort is Sort.UNIT and found.unit is not None:
        return Read(found.item, found.lot, found.unit.epc)
    piece = charges.piece(connection, hospital, code) if found is None else None
    if piece is not None:
        return Read(*piece, code)
    if found is None:
        return Refusal(No.UNKNOWN)
    said_lot = (str(label.lot) if label is not None and label.lot else found.lot) or lot
    day = (label.expiry if label is not None else None) or expiry
    made = label.made if label is not None else None
    if label is None or not label.serial:
        return Read(found.item, said_lot, "", day, made)
    serial = str(label.serial)
    known = charges.piece(connection, hospital, serial)
    if known is not None and known[0] != found.item:
        return Refusal(No.OTHER_PIECE)
    if known is None and doing not in {Doing.RECEIVE, Doing.COUNT}:
        return Refusal(No.NEVER_RECEIVED)
    return Read(found.item, said_lot or ("" if known is None else known[1]), serial, day, made)


def _label(code: str) -> Label | None:
    try:
        read = read_label(code)
    except UnreadableLabel:
        return None
    return read if isinstance(read, Label) else None


def shelf_of(connection: Connection, hospital: HospitalId, ward: PlaceId, thing: Thing, today: date) -> Shelf:
    """Return what bears on an act with a thing in a ward."""
    days = {lot: day for (_, lot), day in expiries(connection, hospital, [thing.item]).items()}
    return Shelf(
        ward=ward,
        lies=_lies(connection, hospital, ward, thing),
        lots=frozenset(lots_in(connection, hospital, ward, thing.item)),
        days=days,
        held=frozenset(lot for item, lot, _ in recalls(connection, hospital) if item == thing.item),
        closed=ward in closed_places(connection, hospital),
        today=today,
    )


def _lies(connection: Connection, hospital: HospitalId, ward: PlaceId, thing: Thing) -> list[Lying]:
    if thing.unit:
        return charges.lying(connection, hospital, unit=thing.unit)
    coming = virtual_place("transit", ward)
    found = charges.lying(connection, hospital, item=thing.item, place=ward)
    return found + [
        one for one in charges.lying(connection, hospital, item=thing.item, place=coming) if "@" in one.place
    ]
