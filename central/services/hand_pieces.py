"""Numbered pieces in a closed count of a ward without a device: which differ, and what puts one right.

A piece that was scanned and stands elsewhere in the book is here; one the book has here, of an item and lot that were
counted, and that nobody scanned, is missing. The rules that must not be broken: what moved since the sheet was opened
stays as it moved; each piece is put right by itself, by an entry that names the count.

Sources: four eyes over adjustments, REQUIREMENTS I1; a count never moves anything by itself, DESIGN "The ledger".
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from central.core.discrepancies import Kind
from central.core.settling import Held, adjustment
from central.errors import NotNow
from central.services.own_chain import Draft
from central.store import queries_hand as kept
from central.store.queries_settling import where_booked
from protocols.movements.bodies import write_body
from protocols.values.ids import ActorId, HospitalId, PlaceId


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece that was found otherwise than booked: `place` is where the book has it, empty where it has it nowhere.

    `can_follow` says that the book may follow the count; for what is on its way or was used, its trace is looked at.
    """

    unit: str
    item: str
    lot: str
    kind: Kind
    place: str
    can_follow: bool


def differing_pieces(
    connection: Connection, hospital: HospitalId, place: str, closed: kept.Closed
) -> tuple[Piece, ...]:
    """Return the pieces of a closed sheet that the book has otherwise, and that did not move since it was opened."""
    booked = kept.pieces_in(connection, hospital, place)
    counted = {(item, lot) for item, lot, _, _ in closed.loose} | set(closed.pieces.values())
    missing = {unit: key for unit, key in booked.items() if key in counted and unit not in closed.pieces}
    found = {unit: key for unit, key in closed.pieces.items() if unit not in booked}
    moved = kept.last_moved(connection, hospital, [*missing, *found])
    return tuple(
        _piece(connection, hospital, place, unit, key, Kind.MISSING if unit in missing else Kind.UNEXPECTED)
        for unit, key in sorted((missing | found).items(), key=lambda one: (one[1], one[0]))
        if unit not in moved or moved[unit] <= closed.since
    )


def draft_of(
    connection: Connection, hospital: HospitalId, place: str, piece: Piece, sheet: str, person: ActorId
) -> Draft:
    """Return the entry by which the book follows the count of one piece. Raises `NotNow` where it may not."""
    held = where_booked(connection, hospital, piece.unit)
    kind, body = adjustment(piece.kind, PlaceId(place), piece.item, piece.lot, piece.unit, held, (sheet,))
    return Draft(kind, write_body(body), person)


def _piece(
    connection: Connection, hospital: HospitalId, place: str, unit: str, key: tuple[str, str], kind: Kind
) -> Piece:
    held = where_booked(connection, hospital, unit)
    item, lot = key
    can_follow = _can_follow(kind, place, item, lot, unit, held)
    return Piece(unit, item, lot, kind, "" if held is None else held.place, can_follow)


def _can_follow(kind: Kind, place: str, item: str, lot: str, unit: str, held: Held | None) -> bool:
    try:
        adjustment(kind, PlaceId(place), item, lot, unit, held, ())
    except NotNow:
        return False
    return True
