"""Record against physical: what the book says of a storeroom's units, what readers believe, line by line.

A line is one item and lot in one storeroom. Book is the units whose last movement left them here. Physical is the units
more likely here than not; a unit that moved after it was last believed in, or in which no reader ever believed, follows
the book, because nothing newer speaks against the person who moved it. What is newer is told by the order of writing,
never by a device's clock. Loose pieces have no reader and follow the book.

Netting over lots is not done: +5 and -5 are two wrong lines. Not here: which lines were observed at all, and how far
book and shelf match over them (`match`).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from protocols.values.instant import Instant


@dataclass(frozen=True, slots=True)
class Written:
    """Where an entry stands: its chain (hex) and seq, and when central received it. No clock of a device is in it."""

    incarnation: str
    seq: int
    received_at: Instant

    def after(self, other: "Written") -> bool:
        """Tell which of two is later: by seq in one chain, by central's receipt across chains."""
        if self.incarnation == other.incarnation:
            return self.seq > other.seq
        return (self.received_at, self.seq) > (other.received_at, other.seq)


@dataclass(frozen=True, slots=True)
class Moved:
    """The last movement of a unit: when it is said to have happened, its kind and event (hex), the place it led to."""

    place: str
    at: Instant
    kind: str
    event: str
    written: Written


@dataclass(frozen=True, slots=True)
class Belief:
    """A reader's belief that a unit is in `place`: `p` held by `model` since an instant, said in an entry at `at`."""

    place: str
    p: float
    since: Instant
    at: Instant
    model: str
    event: str
    device: str
    written: Written


@dataclass(frozen=True, slots=True)
class UnitState:
    """One tagged unit as one storeroom sees it; `moved` is None when no movement of it is known."""

    unit: str
    item: str
    lot: str
    moved: Moved | None
    belief: Belief | None

    def booked_in(self, place: str) -> bool:
        """Tell whether the book has this unit in a storeroom."""
        return self.moved is not None and self.moved.place == place

    def heard(self) -> Belief | None:
        """Return the belief if it was written after the last movement, else None: then the book is followed."""
        if self.belief is None or (self.moved is not None and not self.belief.written.after(self.moved.written)):
            return None
        return self.belief


@dataclass(frozen=True, slots=True)
class Line:
    """One item and lot in a storeroom: whole units in the book and on the shelf."""

    item: str
    lot: str
    book: int
    physical: int

    @property
    def difference(self) -> int:
        """Physical less book; below zero something is missing."""
        return self.physical - self.book


def presence_in(state: UnitState, place: str) -> float:
    """Return the probability that a unit is in a storeroom: the newer belief about it there, else the book."""
    heard = state.heard()
    if heard is None or heard.place != place:
        return 1.0 if state.booked_in(place) else 0.0
    return heard.p


def lines_in(
    place: str, units: Iterable[UnitState], loose: Mapping[tuple[str, str], int], here_from: float
) -> list[Line]:
    """Return the lines of a storeroom, sorted; `here_from` is the probability from which a unit counts as here.

    `units` are all that may be there, `loose` the book quantity of pieces that are not told apart, by item and lot.
    """
    every = list(units)
    book = Counter(loose)
    book.update((state.item, state.lot) for state in every if state.booked_in(place))
    return lines_by(place, book, every, here_from)


def lines_by(
    place: str, book: Mapping[tuple[str, str], int], units: Iterable[UnitState], here_from: float
) -> list[Line]:
    """Return the lines of a storeroom, sorted, from its whole book by item and lot.

    `units` are at least those whose belief speaks against the book; any other lies where it is booked. A line with
    nothing in the book and nothing on the shelf is no line.
    """
    physical = Counter(book)
    for state in units:
        physical[state.item, state.lot] += (presence_in(state, place) >= here_from) - state.booked_in(place)
    return [
        Line(item, lot, book.get((item, lot), 0), physical[item, lot])
        for item, lot in sorted(physical)
        if book.get((item, lot), 0) or physical[item, lot]
    ]
