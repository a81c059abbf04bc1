"""A closed count of a ward without a device, agreed to by a second person: its differences become one entry.

The count itself moves nothing. Loose goods are put right by what the count differed from the book at its own cut, so
that what moved since stays; pieces with a number of their own are confirmed one by one. The rules that must not be
broken: nobody agrees to what they counted, and a sheet is put right once.

Sources: four eyes over adjustments, REQUIREMENTS I1 and "Day one"; an adjustment names its count.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from central.core.rights import Caller, Right
from central.errors import NotAllowed, NotNow
from central.services.documents import Documents
from central.services.hand_pieces import Piece, differing_pieces, draft_of
from central.services.own_chain import Draft, append_within
from central.store import queries_hand as kept
from central.store.queries_charges import lying
from central.store.queries_master import places
from protocols.movements.bodies import write_body
from protocols.movements.posting import MovementBody, PostingLine
from protocols.values.ids import HOSPITAL_OWNED, ActorId, PlaceId, virtual_place


@dataclass(frozen=True, slots=True)
class Differing:
    """One line of loose goods whose count was another than the book, in base units."""

    item: str
    lot: str
    counted: int
    book: int

    @property
    def off(self) -> int:
        """More than the book is above zero."""
        return self.counted - self.book


@dataclass(frozen=True, slots=True)
class Waiting:
    """A closed sheet with differences that nobody has agreed to yet, and who counted it.

    `unscanned` are lines of numbered pieces that were counted as if they were loose: which of them lack, nobody knows
    until each is scanned.
    """

    sheet: str
    counted_by: tuple[str, ...]
    lines: tuple[Differing, ...]
    pieces: tuple[Piece, ...] = ()
    unscanned: tuple[Differing, ...] = ()


class Adjusting:
    """The closed counts of the wards without a device of one hospital."""

    def __init__(self, documents: Documents) -> None:
        self._documents, self._hospital = documents, documents.hospital

    def waiting(self, place: str) -> Waiting | None:
        """Return the last closed sheet of a ward if it differs and waits; None otherwise."""
        with self._documents.store.read() as connection:
            return self._waiting(connection, place)

    def agree(self, caller: Caller, place: str, sheet: str) -> str:
        """Put the book right by a sheet; returns the entry's event (hex).

        Raises `NotAllowed` for who counted it or may not settle here, `NotNow` for one that does not wait.
        """
        ward = PlaceId(place)
        caller.need(Right.SETTLE, ward)
        with self._documents.store.write() as connection:
            found = self._waiting(connection, place)
            if found is None or found.sheet != sheet or not found.lines:
                raise NotNow("count: expected a closed sheet that differs and waits, got another; look again")
            if caller.person in found.counted_by:
                raise NotAllowed("count: expected another person than who counted; a second one must agree")
            lines = [line for one in found.lines for line in self._lines(connection, ward, one)]
            body = MovementBody(tuple(lines), refs=(sheet,))
            draft = Draft("adjust", write_body(body), ActorId(caller.person))
            event = append_within(connection, self._hospital, [draft], self._documents.clock)[0].entry.event_id.hex()
            told = {"place": place, "lines": len(found.lines), "counted_by": list(found.counted_by)}
            self._documents.note(connection, caller, "adjust-count", sheet, told)
        return event

    def agree_to_pieces(self, caller: Caller, place: str, sheet: str, units: Collection[str]) -> int:
        """Put the book right by the pieces a second person looked for and confirms; returns how many they were.

        Raises as `agree`, and `NotNow` for a piece that does not wait any more or that only its trace can explain.
        """
        ward = PlaceId(place)
        caller.need(Right.SETTLE, ward)
        with self._documents.store.write() as connection:
            found = self._waiting(connection, place)
            pieces = {one.unit: one for one in found.pieces} if found is not None and found.sheet == sheet else {}
            if found is None or not units or not set(units) <= pieces.keys():
                raise NotNow("count: expected pieces of a closed sheet that differ and wait; look again")
            if caller.person in found.counted_by:
                raise NotAllowed("count: expected another person than who counted; a second one must agree")
            drafts = [
                draft_of(connection, self._hospital, place, pieces[unit], sheet, ActorId(caller.person))
                for unit in sorted(set(units))
            ]
            append_within(connection, self._hospital, drafts, self._documents.clock)
            told = {"place": place, "pieces": sorted(set(units)), "counted_by": list(found.counted_by)}
            self._documents.note(connection, caller, "adjust-count", sheet, told)
        return len(drafts)

    def _waiting(self, connection: Connection, place: str) -> Waiting | None:
        if any(room.device for room in places(connection, self._hospital) if room.place == place):
            return None  # its device adjusts its own counts
        closed = kept.closed_sheet(connection, self._hospital, place)
        if closed is None:
            return None
        lines, unscanned = self._loose(connection, place, closed)
        if lines and kept.is_adjusted(connection, self._hospital, closed.number, closed.since):
            lines = ()
        pieces = differing_pieces(connection, self._hospital, place, closed)
        if unscanned:  # only scanning says which of their pieces lack
            vague = {(one.item, one.lot) for one in unscanned}
            pieces = tuple(one for one in pieces if (one.item, one.lot) not in vague)
        found = Waiting(closed.number, closed.counted_by, lines, pieces, unscanned)
        return found if lines or pieces or unscanned else None

    def _loose(
        self, connection: Connection, place: str, closed: kept.Closed
    ) -> tuple[tuple[Differing, ...], tuple[Differing, ...]]:
        """Return the lines of loose goods that differ, and those that were counted as loose and are not."""
        numbered = kept.pieces_booked(connection, self._hospital, place, closed.at)
        scanned = set(closed.pieces.values())
        lines, unscanned = [], []
        for item, lot, counted, book in closed.loose:
            pieces = numbered.get((item, lot), 0)
            if not pieces or (item, lot) in scanned:
                lines.append(Differing(item, lot, counted, book - pieces))
            else:
                unscanned.append(Differing(item, lot, counted, book))
        return tuple(one for one in lines if one.off), tuple(one for one in unscanned if one.off)

    def _lines(self, connection: Connection, ward: PlaceId, one: Differing) -> Sequence[PostingLine]:
        unknown = virtual_place("unknown", ward)
        if one.off > 0:
            return [PostingLine(one.item, one.off, unknown, ward, one.lot, HOSPITAL_OWNED)]
        lines, left = [], -one.off
        for lies in lying(connection, self._hospital, item=one.item, lot=one.lot, place=ward):
            part = min(left, lies.qty) if (lies.place, lies.lot) == (ward, one.lot) else 0
            if part > 0:
                lines.append(PostingLine(one.item, part, ward, unknown, one.lot, lies.owner, "", lies.position))
                left -= part
        if left:  # moved on since it was counted: the book goes below nothing until somebody looks
            lines.append(PostingLine(one.item, left, ward, unknown, one.lot, HOSPITAL_OWNED))
        return lines
