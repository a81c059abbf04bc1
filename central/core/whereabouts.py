"""What can be said of where one tagged piece is: by readers, storeroom by storeroom, beside what the book says. Pure.

It is one of a few sentences, each with the belief it rests on or the movement that is newer. Not here: what to do about
it (`discrepancies`). The rule that must not be broken: what no reader said is said to be the book's word alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from central.core.discrepancies import Bounds
from central.core.reconcile import Belief, Moved, UnitState


class Said(StrEnum):
    """What is said of a piece in a storeroom."""

    HEARD = "heard"
    MISSING = "missing"
    UNSURE = "unsure"
    UNEXPECTED = "unexpected"
    GONE = "gone"
    MOVED_SINCE = "moved_since"
    UNHEARD = "unheard"


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What is said of a piece in a storeroom: the belief it rests on, None where no reader spoke; its last movement."""

    place: str
    said: Said
    belief: Belief | None
    moved: Moved | None


def whereabouts(states: Iterable[tuple[str, UnitState]], bounds: Bounds) -> list[Whereabouts]:
    """Return what is said of a piece in each storeroom that books it or ever heard it."""
    found = []
    for place, state in states:
        said = _said(place, state, bounds)
        if said is not None:
            found.append(Whereabouts(place, said, state.belief, state.moved))
    return found


def _said(place: str, state: UnitState, bounds: Bounds) -> Said | None:
    heard, booked = state.heard(), state.booked_in(place)
    if heard is None:
        if not booked:
            return None  # it left, by the book, after readers last spoke of it there
        return Said.UNHEARD if state.belief is None else Said.MOVED_SINCE
    if booked:
        return Said.MISSING if heard.p < bounds.missing else Said.HEARD if heard.p >= bounds.here else Said.UNSURE
    return Said.UNEXPECTED if heard.p > bounds.unexpected else Said.GONE if heard.p < bounds.here else Said.UNSURE
