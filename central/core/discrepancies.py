"""Discrepancies: differences somebody must close, opened by a belief against the book, closed by what resolves them.

`missing`: the book has the unit here, and a reader has become nearly sure that it is not. `unexpected`: the book has
it elsewhere, and a reader has been nearly sure since after that movement that it is here. Not here: who is told, and
what a person writes when closing one. The rule that must not be broken: the same facts give the same ids, so that
looking twice opens nothing twice, and nothing that was opened is ever removed.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from central.core.reconcile import Belief, Moved, UnitState
from protocols.values.instant import Instant

ID_DIGITS = 24


class Kind(StrEnum):
    """Sorts of discrepancy."""

    MISSING = "missing"
    UNEXPECTED = "unexpected"


class Cause(StrEnum):
    """Why a discrepancy closed by itself; a movement closes it under the name of its kind."""

    SEEN_AGAIN = "seen_again"
    GONE_AGAIN = "gone_again"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Probabilities of the policy: below `missing` a unit is gone, above `unexpected` it is here; `here` parts them."""

    missing: float
    unexpected: float
    here: float


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference now seen: `found_at` is when the reader's belief was entered, `since` when it began."""

    id: str
    kind: Kind
    place: str
    unit: str
    item: str
    lot: str
    found_at: Instant
    since: Instant
    event: str
    device: str
    evidence: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Open:
    """A discrepancy that stands open: all that is needed to tell whether it is resolved."""

    id: str
    kind: Kind
    place: str
    unit: str


@dataclass(frozen=True, slots=True)
class Closing:
    """An open discrepancy that later facts resolved, with the fact."""

    id: str
    cause: str
    at: Instant
    event: str


def finding_id(kind: Kind, unit: str, event: str) -> str:
    """Return the id of a discrepancy: a function of its kind, its unit and the entry that showed it."""
    return hashlib.sha256(f"{kind}\n{unit}\n{event}".encode()).hexdigest()[:ID_DIGITS]


def find(place: str, units: Iterable[UnitState], bounds: Bounds) -> list[Finding]:
    """Return the differences of a storeroom that are strong enough to open a discrepancy."""
    found = []
    for state in units:
        heard = state.heard()
        if heard is None or heard.place != place:
            continue
        kind = _kind_of(state, heard, place, bounds)
        if kind is not None:
            found.append(_finding(kind, place, state, heard))
    return found


def _kind_of(state: UnitState, heard: Belief, place: str, bounds: Bounds) -> Kind | None:
    if state.booked_in(place):
        return Kind.MISSING if heard.p < bounds.missing else None
    return Kind.UNEXPECTED if heard.p > bounds.unexpected and _began_after(heard, state.moved) else None


def _began_after(heard: Belief, moved: Moved | None) -> bool:
    """Tell whether a belief began after a movement; it was written after it.

    The two times are one clock's, unless that clock was ahead at the movement; then only the order of writing counts.
    """
    return moved is None or heard.since > moved.at or moved.at > heard.at


def _finding(kind: Kind, place: str, state: UnitState, heard: Belief) -> Finding:
    moved = state.moved
    return Finding(
        id=finding_id(kind, state.unit, heard.event),
        kind=kind,
        place=place,
        unit=state.unit,
        item=state.item,
        lot=state.lot,
        found_at=heard.at,
        since=heard.since,
        event=heard.event,
        device=heard.device,
        evidence={
            "belief": {
                "p": heard.p,
                "model": heard.model,
                "since": heard.since,
                "at": heard.at,
                "device": heard.device,
            },
            "book": None
            if moved is None
            else {"place": moved.place, "at": moved.at, "kind": moved.kind, "event": moved.event},
        },
    )


def newly_open(found: Iterable[Finding], standing: Iterable[Open]) -> list[Finding]:
    """Return the findings that no open discrepancy of the same kind, place and unit already says."""
    said = {(one.kind, one.place, one.unit) for one in standing}
    return [one for one in found if (one.kind, one.place, one.unit) not in said]


def resolved(standing: Iterable[Open], units: Mapping[str, UnitState], bounds: Bounds) -> list[Closing]:
    """Return the open discrepancies that a later movement or belief has settled; `units` by unit."""
    closings = []
    for one in standing:
        state = units.get(one.unit)
        closing = _settled(one, state, bounds) if state is not None else None
        if closing is not None:
            closings.append(closing)
    return closings


def _settled(one: Open, state: UnitState, bounds: Bounds) -> Closing | None:
    heard = state.heard()
    match one.kind:
        case Kind.MISSING:
            agrees, cause = not state.booked_in(one.place), Cause.SEEN_AGAIN
            turned = heard is not None and heard.place == one.place and heard.p >= bounds.here
        case Kind.UNEXPECTED:
            agrees, cause = state.booked_in(one.place), Cause.GONE_AGAIN
            turned = heard is not None and heard.place == one.place and heard.p < bounds.here
        case _:
            assert_never(one.kind)
    if state.moved is not None and (agrees or heard is None):
        return Closing(one.id, state.moved.kind, state.moved.at, state.moved.event)
    if turned and heard is not None:
        return Closing(one.id, cause, heard.at, heard.event)
    return None
