"""Trace a piece or a lot: where it has been since its receipt, where the book has it now, and who used it on whom.

It answers a question as people put it: an EPC, a scanned label, a serial, a lot, an item code. The rule that must not
be broken: who may see some storerooms only is shown the movements that touch those; patients appear as keyed hashes.

Source: E4 (S0), every high-value piece traced from receipt to patient; NMPA rules on UDI, article 13 (追溯).
"""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection

from central.core.rights import Caller, Right, Scope
from central.core.whereabouts import Whereabouts, whereabouts
from central.errors import BadInput, NotThere
from central.services.match import at_work
from central.services.policy import rules_at
from central.services.reconcile import bounds_of
from central.store import queries_trace as kept
from central.store.engine import Store
from central.store.queries_book import units_against
from central.store.queries_charges import piece
from central.store.queries_evidence import beliefs_about
from central.store.queries_master import Item, Place, expiries_among, items, places
from central.store.queries_settling import cases_about
from protocols.codes.label import Label, UnreadableLabel, read_label
from protocols.errors import ProtocolsError
from protocols.values.ids import HospitalId, PlaceId, is_virtual
from protocols.values.instant import Instant

QUESTION_MAX = 512


class Sort(StrEnum):
    """What a question turned out to name."""

    UNIT = "unit"
    LOT = "lot"
    ITEM = "item"


@dataclass(frozen=True, slots=True)
class Physical:
    """What is said of a piece in one storeroom; whether its readers are at work, and the discrepancy open about it."""

    where: Whereabouts
    listening: bool
    discrepancy: str


@dataclass(frozen=True, slots=True)
class Trace:
    """What is known of a piece, a lot or an item; movements are the newest first.

    `units` are the named pieces of a lot or item, `held` where the book has them, `patients` how many movements went to
    a patient. `names` and `rooms` are what things are called; `physical` is what readers say of a piece.
    """

    sort: Sort
    item: str
    lot: str
    serial: str
    epc: str
    expiry: str
    units: tuple[kept.Bound, ...]
    held: tuple[kept.Held, ...]
    moved: tuple[kept.Moved, ...]
    name: Item | None
    rooms: dict[str, Place]
    physical: tuple[Physical, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Tell whether the movements shown are all there are."""
        return len(self.moved) < kept.MOVED_MAX


@dataclass(frozen=True, slots=True)
class Named:
    """What a question names: an item, a lot of it, or one piece."""

    sort: Sort
    item: str
    lot: str = ""
    unit: kept.Bound | None = None


def trace(store: Store, hospital: HospitalId, caller: Caller, question: str, now: Instant) -> Trace:
    """Answer a question. Raises `BadInput` for an empty or endless one, `NotThere` when it names nothing known here."""
    caller.need(Right.SEE_STOCK)
    asked = question.strip()
    if not 1 <= len(asked) <= QUESTION_MAX:
        raise BadInput(f"trace: expected an EPC, label, serial, lot or item code of 1 to {QUESTION_MAX} characters")
    with store.read() as connection:
        found = named(connection, hospital, asked)
        if found is None or found.unit is None:
            found = _untagged(connection, hospital, asked, found) or found
        if found is None:
            raise NotThere(
                f"trace: expected something the book has seen, got {asked!r:.60}; check it, or scan the label"
            )
        return _trace(connection, hospital, found, caller.scope(Right.SEE_STOCK), now)


def _trace(connection: Connection, hospital: HospitalId, found: Named, scope: Scope, now: Instant) -> Trace:
    one, lot = found.unit, found.lot
    if one is not None:
        moved = kept.moved(connection, hospital, unit=one.epc)
        held = kept.held(connection, hospital, unit=one.epc)
        units: list[kept.Bound] = []
    else:
        whole_item = found.sort is Sort.ITEM
        moved = kept.moved(connection, hospital, item=found.item, lot=None if whole_item else lot)
        held = [] if whole_item else kept.held(connection, hospital, item=found.item, lot=lot)
        units = [] if whole_item else kept.bound(connection, hospital, item=found.item, lot=lot)
    seen = [line for line in moved if _storeroom(line.source) in scope or _storeroom(line.target) in scope]
    if not seen and not scope.everywhere:
        raise NotThere("trace: expected something that was in your storerooms, this never was")
    day = expiries_among(connection, hospital, [(found.item, lot)]).get((found.item, lot))
    return Trace(
        sort=found.sort,
        item=found.item,
        lot=lot,
        serial="" if one is None else one.serial,
        epc="" if one is None else one.epc,
        expiry=(one.expiry if one is not None else "") or ("" if day is None else day.isoformat()),
        units=tuple(units),
        held=tuple(line for line in held if _storeroom(line.place) in scope),
        moved=tuple(seen),
        name=items(connection, hospital, [found.item]).get(found.item),
        rooms={room.place: room for room in places(connection, hospital)},
        physical=() if one is None else _physical(connection, hospital, one.epc, scope, now),
    )


def _physical(
    connection: Connection, hospital: HospitalId, epc: str, scope: Scope, now: Instant
) -> tuple[Physical, ...]:
    """Return what readers say of a piece in the storerooms of a scope, wherever the book or a belief has it."""
    rules = rules_at(connection, hospital, now)
    bounds = bounds_of(rules)
    heard = {one.place for one in beliefs_about(connection, hospital, epc)}
    booked = {line.place for line in kept.held(connection, hospital, unit=epc) if line.qty > 0}
    states = [
        (place, state)
        for place in sorted(heard | booked)
        if PlaceId(place) in scope and not is_virtual(PlaceId(place))
        for state in units_against(connection, hospital, place, bounds, [epc])
        if state.unit == epc
    ]
    cases = cases_about(connection, hospital, epc)
    return tuple(
        Physical(said, bool(at_work(connection, hospital, said.place, rules, now)), cases.get(said.place, ""))
        for said in whereabouts(states, bounds)
    )


def _storeroom(place: str) -> PlaceId:
    return PlaceId(place.rpartition("@")[2])


def named(connection: Connection, hospital: HospitalId, asked: str) -> Named | None:
    """Return what a question names, as people or scanners put it; None for nothing known here."""
    units = kept.bound(connection, hospital, epc=asked.upper()) or kept.bound(connection, hospital, serial=asked)
    if len(units) == 1:
        return _unit(units[0])
    label = _label(asked)
    if label is not None:
        return _by_label(connection, hospital, label)
    of_lot = kept.lots_named(connection, hospital, asked)
    if of_lot:
        return Named(Sort.LOT, of_lot[0], asked)
    if items(connection, hospital, [asked]):
        return Named(Sort.ITEM, asked)
    return None


def _untagged(connection: Connection, hospital: HospitalId, asked: str, found: Named | None) -> Named | None:
    """Return a piece that has no tag and is known by its own serial, as at a ward without a reader; None for none."""
    label = _label(asked)
    serial = asked if label is None else str(label.serial or "")
    known = piece(connection, hospital, serial) if serial else None
    if known is None or (found is not None and known[0] != found.item):
        return None
    item, lot = known
    return Named(Sort.UNIT, item, lot, kept.Bound(serial, item, lot, "", serial, ""))


def _unit(one: kept.Bound) -> Named:
    return Named(Sort.UNIT, one.item, one.lot, one)


def _label(asked: str) -> Label | None:
    try:
        read = read_label(asked)
    except (UnreadableLabel, ProtocolsError):
        return None
    return read if isinstance(read, Label) else None


def _by_label(connection: Connection, hospital: HospitalId, label: Label) -> Named | None:
    gtin = str(label.product or "")
    if label.serial:
        units = kept.bound(connection, hospital, gtin=gtin, serial=str(label.serial))
        if len(units) == 1:
            return _unit(units[0])
    of_product = kept.items_named(connection, hospital, gtin=gtin)
    if not of_product:
        return None
    return Named(Sort.LOT, of_product[0], str(label.lot)) if label.lot else Named(Sort.ITEM, of_product[0])
