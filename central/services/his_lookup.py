"""What the hospital information system asks before a use: what a label is, where the piece lies, what is against it.

It writes nothing. The rule that must not be broken: a piece in a storeroom that the caller may not see is not told of.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from central.core.charging import ChargeItem
from central.core.rights import Caller, Right
from central.core.uses import Lying
from central.errors import NotAllowed, NotThere
from central.services.trace import Sort, named
from central.store import queries_charges as kept
from central.store.feeds import recalls
from central.store.queries_master import Item, expiries_among, items
from central.store.queries_trace import moved
from protocols.movements.posting import Flag
from protocols.values.ids import HospitalId, PlaceId
from protocols.values.instant import Instant, business_day


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a label is: the item, the piece where it names one, where the ledger has it, and what may speak against it.

    `used_by` and `used_at` tell of the use that stands; `warnings` are `expired`, `recalled`, `not-chargeable`.
    """

    item: Item
    lot: str
    serial: str
    unit: str
    expiry: str
    place: str
    used_at: Instant | None
    used_by: str
    charged: bool
    codes: tuple[ChargeItem, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scanned:
    """What was scanned: a piece, or loose goods of a lot (empty: not known)."""

    item: str
    lot: str = ""
    unit: str = ""
    serial: str = ""


def what_is(connection: Connection, hospital: HospitalId, code: str) -> Scanned:
    """Return what a label, EPC, serial, lot or item code names. Raises `NotThere`."""
    found = named(connection, hospital, code.strip())
    moved_once = kept.piece(connection, hospital, code.strip()) if found is None else None
    if moved_once is not None:
        return Scanned(*moved_once, code.strip(), code.strip())
    if found is None:
        raise NotThere(f"code: expected a label, EPC, serial or item code known here, got {code!r:.60}; scan it again")
    if found.sort is Sort.UNIT and found.unit is not None:
        return Scanned(found.item, found.lot, found.unit.epc, found.unit.serial)
    return Scanned(found.item, found.lot if found.sort is Sort.LOT else "")


def resolved(connection: Connection, hospital: HospitalId, caller: Caller, code: str, now: Instant) -> Resolved:
    """Return everything about what a code names. Raises `NotThere`, `NotAllowed`."""
    what, today = what_is(connection, hospital, code), business_day(now)
    lies = kept.lying(connection, hospital, unit=what.unit) if what.unit else []
    place = next((one.place for one in lies if one.qty > 0), "")
    if place and PlaceId(place.rpartition("@")[2]) not in caller.scope(Right.SEE_STOCK):
        raise NotAllowed("code: expected a piece of your storerooms, this one is elsewhere")
    stands = standing_use(connection, hospital, what.unit, lies)
    day = expiries_among(connection, hospital, [(what.item, what.lot)]).get((what.item, what.lot))
    flags = flags_of(connection, hospital, what.item, {what.lot}, now)
    charged = what.item in kept.chargeable(connection, hospital)
    return Resolved(
        item=items(connection, hospital)[what.item],
        lot=what.lot,
        serial=what.serial,
        unit=what.unit,
        expiry="" if day is None else day.isoformat(),
        place=place,
        used_at=None if stands is None else stands.at,
        used_by="" if stands is None else stands.actor or stands.device,
        charged=bool(what.unit) and kept.standing(connection, hospital, [what.unit]).get(what.unit, 0) > 0,
        codes=tuple(one for one in kept.charge_items(connection, hospital, what.item) if one.holds(today)),
        warnings=(*([] if charged else ["not-chargeable"]), *flags),
    )


def standing_use(connection: Connection, hospital: HospitalId, unit: str, lies: Iterable[Lying]) -> kept.Step | None:
    """Return the posting by which a piece came to the patient it is with, None while it is with none."""
    if not any(one.place.startswith("patient@") and one.qty > 0 for one in lies):
        return None
    into = [one for one in kept.steps_of(connection, hospital, unit) if one.target.startswith("patient@")]
    return into[-1] if into else None


def patient_of(connection: Connection, hospital: HospitalId, unit: str, event: str) -> str:
    """Return the patient that an entry about a piece names, as a keyed hash; empty where it names none."""
    return next((one.patient for one in moved(connection, hospital, unit=unit) if one.event == event), "")


def flags_of(
    connection: Connection, hospital: HospitalId, item: str, lots: Iterable[str], at: Instant
) -> tuple[str, ...]:
    """Return what is unusual about using some lots: expired, held by a recall. It is recorded all the same (E6)."""
    known, day = set(lots), business_day(at)
    days = expiries_among(connection, hospital, [(item, lot) for lot in known])
    expired = any(days.get((item, lot), day) < day for lot in known)
    held = any(of == item and lot in known for of, lot, _ in recalls(connection, hospital))
    return (*([Flag.EXPIRED.value] if expired else []), *([Flag.HELD.value] if held else []))
