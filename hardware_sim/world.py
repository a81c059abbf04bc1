"""The true storeroom: tagged pieces, their shelves, the antennas that face these or the door, where each piece is when.

It is the only truth of the simulation; what a reader hears of it is drawn in `noise`. Every move is kept with its
instant, so that a question about the past has one answer however late it is asked. The rule that must not be broken:
nobody but the story moves a piece, and a piece moves once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from hardware_sim.errors import BadSample
from protocols.errors import BadValue, ProtocolsError
from protocols.values.ids import Epc, ItemId, LotNo, PlaceId, Position, epc, place_id
from protocols.values.instant import Instant

ANTENNAS = (1, 2, 3, 4)
SHELF_ANTENNAS: Mapping[Position, tuple[int, ...]] = {
    Position("S1"): (1, 2),
    Position("S2"): (1, 2),
    Position("S3"): (2, 3),
    Position("S4"): (2, 3),
    Position("S5"): (3, 4),
    Position("S6"): (3, 4),
}
"""Each shelf is faced by two antennas, so that one lost antenna does not blind it."""
DOOR_ANTENNAS = (5, 6)
"""Where a storeroom has them: the inner and the outer side of its door."""

TAGS_MAX = 100_000
"""Tags of one storeroom; the largest a benchmark asks for."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One tagged piece and what its label says. `expiry` is an ISO date."""

    epc: Epc
    item: ItemId
    gtin: str
    lot: LotNo
    expiry: str
    serial: str
    position: Position

    def __post_init__(self) -> None:
        if self.position not in SHELF_ANTENNAS:
            raise BadSample(
                f"tag {self.epc}: expected a shelf of {', '.join(SHELF_ANTENNAS)}, got {self.position!r:.20}"
            )


@dataclass(frozen=True, slots=True)
class Move:
    """One piece left the shelf: why is `scanned`, `answered` (scanned, the answer was lost) or `unscanned`."""

    epc: Epc
    at: Instant
    why: str
    actor: str = ""


@dataclass(frozen=True, slots=True)
class Shift:
    """One piece stands on another shelf from an instant on."""

    epc: Epc
    at: Instant
    position: Position

    def __post_init__(self) -> None:
        if self.position not in SHELF_ANTENNAS:
            raise BadValue(f"shift: expected a shelf of {', '.join(SHELF_ANTENNAS)}, got {self.position!r:.20}")


class Storeroom:
    """One ward's pieces. Readers ask from one thread while a person moves from another: each step is one dict item."""

    def __init__(self, place: PlaceId, tags: Iterable[Tag]) -> None:
        self.place = place
        self.tags: dict[Epc, Tag] = {tag.epc: tag for tag in tags}
        if len(self.tags) > TAGS_MAX:
            raise BadSample(f"{place}: expected at most {TAGS_MAX} tags, got {len(self.tags)}")
        self._moves: dict[Epc, Move] = {}
        self._shifts: dict[Epc, Shift] = {}

    def passing(self, since: Instant, at: Instant) -> list[Epc]:
        """Return the pieces that left after `since` and by `at`."""
        return [move.epc for move in self.moves if since < move.at <= at]

    @property
    def moves(self) -> tuple[Move, ...]:
        """Return what has left, in the order in which it left."""
        return tuple(self._moves.values())

    def take(self, move: Move) -> None:
        """Take one piece away. Raises `BadValue` when it is not a piece of this room or has left already."""
        if move.epc not in self.tags or move.epc in self._moves:
            raise BadValue(f"{self.place}: expected a piece on the shelf, got {move.epc}")
        self._moves[move.epc] = move

    def put(self, shift: Shift) -> None:
        """Put one piece on another shelf, once. Raises `BadValue` for one that is not on a shelf here."""
        if shift.epc not in self.tags or shift.epc in self._moves or shift.epc in self._shifts:
            raise BadValue(f"{self.place}: expected a piece that stands where it always did, got {shift.epc}")
        self._shifts[shift.epc] = shift

    def position_of(self, epc: Epc, at: Instant) -> Position:
        """Return the shelf on which a piece stands at an instant, or stood last."""
        shift = self._shifts.get(epc)
        return self.tags[epc].position if shift is None or at < shift.at else shift.position

    def is_here(self, epc: Epc, at: Instant) -> bool:
        """Tell whether a piece is on its shelf at an instant."""
        move = self._moves.get(epc)
        return move is None or at < move.at

    def on_shelf(self, at: Instant) -> list[Tag]:
        """Return the pieces on their shelves at an instant."""
        return [tag for tag in self.tags.values() if self.is_here(tag.epc, at)]


@dataclass(frozen=True, slots=True)
class RoomFile:
    """A storeroom as a file: its place, and the pieces on its shelves."""

    place: PlaceId
    tags: tuple[Tag, ...]

    def __post_init__(self) -> None:
        place_id(self.place)
        for tag in self.tags:
            epc(tag.epc)


def write_room(place: PlaceId, tags: Iterable[Tag]) -> bytes:
    """Return a storeroom as the bytes of a file that a simulated reader can be given."""
    return msgspec.json.format(msgspec.json.encode(RoomFile(place, tuple(tags))), indent=1) + b"\n"


def read_room(raw: bytes) -> Storeroom:
    """Parse such a file. Raises `BadSample`."""
    try:
        room = msgspec.json.decode(raw, type=RoomFile)
    except (msgspec.MsgspecError, ProtocolsError, BadSample) as error:
        raise BadSample(f"world: expected {{place, tags: [{{epc, item, ..., position}}]}}; {error}") from error
    return Storeroom(room.place, room.tags)
