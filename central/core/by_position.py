"""Book and shelf of a storeroom's lines position by position: an item and lot as it lies on each shelf. Pure.

A piece is in the book where its last movement put it, and on the shelf where readers hear it, which is there unless
they say another. Loose pieces have no reader and follow the book. The rule that must not be broken: what stands at the
positions of a line sums to its book and to its shelf exactly; a piece on a wrong shelf is no missing piece.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from central.core.certainty import certainty
from central.core.reconcile import UnitState, presence_in

Key = tuple[str, str]
"""Item and lot."""


@dataclass(frozen=True, slots=True)
class AtPosition:
    """One item and lot at one position: whole pieces in the book and on the shelf, between `low` and `high` (95 %).

    An empty position is none in particular.
    """

    position: str
    book: int
    physical: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A tagged piece with the position at which the book has it, and at which readers hear it, "" where not said."""

    state: UnitState
    booked: str = ""
    heard: str = ""


@dataclass(slots=True)
class _Sum:
    book: int = 0
    physical: int = 0
    sure: int = 0
    chances: list[float] = field(default_factory=list)


def by_position(
    place: str, pieces: Iterable[Placed], loose: Mapping[tuple[str, str, str], int], here_from: float
) -> dict[Key, tuple[AtPosition, ...]]:
    """Return what lies at each position of each line; `loose` is the book of loose pieces by item, lot and position.

    A position that holds nothing by the book, and by readers almost surely nothing, is left out.
    """
    sums: dict[Key, dict[str, _Sum]] = {}

    def at(key: Key, position: str) -> _Sum:
        return sums.setdefault(key, {}).setdefault(position, _Sum())

    for (item, lot, position), qty in loose.items():
        one = at((item, lot), position)
        one.book, one.physical, one.sure = one.book + qty, one.physical + qty, one.sure + qty
    for piece in pieces:
        state, chance = piece.state, presence_in(piece.state, place)
        key = state.item, state.lot
        at(key, piece.booked).book += state.booked_in(place)
        lies = at(key, (piece.heard if state.heard() is not None else "") or piece.booked)
        lies.physical += chance >= here_from
        if state.heard() is None:
            lies.sure += round(chance)
        else:
            lies.chances.append(chance)
    told = {key: [_told(name, one) for name, one in sorted(shelves.items())] for key, shelves in sums.items()}
    return {key: tuple(one for one in shelves if one.book or one.high) for key, shelves in told.items()}


def _told(position: str, one: _Sum) -> AtPosition:
    sure = certainty(one.book, one.chances, one.sure)
    return AtPosition(position, one.book, one.physical, sure.low, sure.high)
