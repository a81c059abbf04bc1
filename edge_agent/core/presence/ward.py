"""What a filter of presence is told about one storeroom: its tags, antennas, one bin of reads, one fact of the book.

Only values, checked when made; no reader, file or clock is known here. Tags are told apart by their number, the place
in `Ward.tags`. The rule that must not be broken: nothing here says where a tag truly is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from protocols.errors import BadValue

TAGS_MAX = 50_000
"""Tags of one storeroom; more than any ward has, and a bound for memory."""
BIN_S_MAX = 3600.0


class Place(IntEnum):
    """Where the book has a tag: on our shelves, in the neighbouring room, or in neither."""

    HERE = 0
    NEXT = 1
    OUT = 2


class Kind(IntEnum):
    """What sort of fact the book learned. A count and a look are a person's eyes, the others are acts."""

    ACT = 0
    COUNT = 1
    LOOK = 2

    @property
    def seen(self) -> bool:
        """Return whether a person stood before the piece or before its empty place."""
        return self is not Kind.ACT


@dataclass(frozen=True, slots=True)
class TagOf:
    """One known tag: its item and lot, the shelf it belongs to (empty: none known), and where the book begins."""

    epc: str
    item: str
    lot: str
    shelf: str
    book: Place
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Ward:
    """A storeroom as the filter sees it; its tags may grow (`Course.add`). `ref`: an antenna's reference tag."""

    tags: Sequence[TagOf]
    room: tuple[str, ...]
    door: tuple[str, ...] = ()
    next: tuple[str, ...] = ()
    ref: Mapping[str, int] | None = None
    bin_s: float = 60.0
    round_s: float = 2.0

    def __post_init__(self) -> None:
        if len(self.tags) > TAGS_MAX:
            raise BadValue(f"ward: expected at most {TAGS_MAX} tags, got {len(self.tags)}")
        if not self.room:
            raise BadValue("ward: expected at least one antenna of the room, got none")
        if not 0 < self.bin_s <= BIN_S_MAX or not 0 < self.round_s <= self.bin_s:
            raise BadValue(f"ward: expected 0 < round_s <= bin_s <= {BIN_S_MAX:g}, got {self.round_s}, {self.bin_s}")

    @property
    def rounds_a_bin(self) -> int:
        """Return the rounds of a bin in which nothing fails."""
        return max(1, round(self.bin_s / self.round_s))


RoomRow = tuple[int, int, float, float]
"""A tag in the room: its number, rounds in which it was read, mean dBm where it was heard best, last second."""
DoorRow = tuple[int, float]
"""A tag at the door: its number, the last second of the bin it was read in."""
NextRow = tuple[int, int, float]
"""A tag at the neighbour's reader: its number, rounds in which it was read, mean dBm."""
AntRow = tuple[int, str, int, float]
"""A tag at one antenna: its number, the antenna, its reads, mean dBm. What a row does not tell is NaN."""


@dataclass(frozen=True, slots=True)
class Bin:
    """What one bin brought. `rounds` are those alive by antenna; `visit` None: no sensor; `ant` None: untold."""

    number: int
    rounds: Mapping[str, int]
    visit: int | None
    room: tuple[RoomRow, ...] = ()
    door: tuple[DoorRow, ...] = ()
    next: tuple[NextRow, ...] = ()
    ant: tuple[AntRow, ...] | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """What the book learned in bin `known`: it claims that the tag has been at `to` since bin `at`."""

    known: int
    at: int
    tag: int
    kind: Kind
    to: Place

    @property
    def word(self) -> str:
        """Return the name under which a step takes it (`step.Told`)."""
        return ("seen_" if self.kind.seen else "") + self.to.name.lower()
