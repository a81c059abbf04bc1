"""A script on its stage: each event becomes a visit in its bin, or something that fails.

It chooses nothing; `script` did. The rule that must not be broken: an event happens in the bin that the script names.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from hardware_sim.errors import WrongUse
from hardware_sim.storeroom.failures import Failures, Span
from hardware_sim.storeroom.happenings import BIN_S, Block, Death, Visit
from hardware_sim.storeroom.people import People
from hardware_sim.storeroom.room import Room
from hardware_sim.storeroom.script import PEOPLE, Event, Script
from hardware_sim.storeroom.stock import SHELVES, Where

TOLD = "N99"
"""The person of every event; nobody else is called so."""

STAY_S = (2.0, 50.0)
"""When in its bin the person of an event comes and goes."""

ALONE_BINS = 3
"""Nobody else comes so many bins around the death of a tag: who does might as well have taken its piece."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where events happen: the people, the room, and which tag each word of the script is."""

    people: People
    room: Room
    cast: Mapping[str, int]


def event_visits(script: Script) -> list[Visit]:
    """Return the visits in which the events of people happen."""
    return [
        Visit(event.b * BIN_S + STAY_S[0], event.b * BIN_S + STAY_S[1], TOLD, 0)
        for event in script.events
        if event.do in PEOPLE
    ]


def but_for_deaths(visits: Sequence[Visit], script: Script) -> list[Visit]:
    """Return the drawn visits without those around a death that the script tells.

    A tag that dies before somebody's eyes is, by all that can be heard, a take: a script that tells of one would not
    say which it is.
    """
    deaths = [event.b for event in script.events if event.do == "dead"]
    return [visit for visit in visits if not any(_is_near(visit, b) for b in deaths)]


def _is_near(visit: Visit, b: int) -> bool:
    return visit.since_s < (b + 1 + ALONE_BINS) * BIN_S and visit.until_s > (b - ALONE_BINS) * BIN_S


def perform(script: Script, stage: Stage) -> None:
    """Set every event of people to happen at its bin."""
    for event in script.events:
        if event.do in PEOPLE:
            stage.people.at(event.b * BIN_S + STAY_S[0], partial(_happen, stage, event))


def _happen(stage: Stage, event: Event, visit: Visit) -> None:
    tag = stage.cast[event.piece]
    where, wanted = Where(int(stage.room.where[tag])), WANTED.get(event.do, Where.HERE)
    if event.do != "look" and where != wanted:
        raise WrongUse(
            f"event {event.do} at {event.b}: expected {event.piece!r:.40} to be {wanted.word}, it is {where.word}"
        )
    ACTS[event.do](stage, event, visit, tag)


WANTED = {"return": Where.OUT, "from_next": Where.NEXT}
"""Where a piece must be for an event, unless it is here."""


def _inside_s(visit: Visit) -> float:
    return (visit.since_s + visit.until_s) / 2


def _take(stage: Stage, event: Event, visit: Visit, tag: int) -> None:
    stage.people.leave(visit, tag, scanned=event.scanned)
    if event.claimed_b is not None:
        stage.room.record(tag, "issue", Where.OUT, at_s=visit.until_s, known_s=float(event.claimed_b * BIN_S))


def _swap(stage: Stage, event: Event, visit: Visit, tag: int) -> None:
    stage.people.leave(visit, tag, scanned=False)
    stage.room.record(stage.cast[event.other], "issue", Where.OUT, at_s=_inside_s(visit))


def _to_next(stage: Stage, event: Event, visit: Visit, tag: int) -> None:
    stage.people.to_next(visit, tag, recorded=event.scanned)


def _from_next(stage: Stage, event: Event, visit: Visit, tag: int) -> None:
    del event
    stage.people.borrow(visit, tag)


def _return(stage: Stage, event: Event, visit: Visit, tag: int) -> None:
    stage.people.give_back(visit, tag, scanned=event.scanned)


def _move(stage: Stage, event: Event, visit: Visit, tag: int) -> None:
    stage.room.move(tag, _inside_s(visit), Where.HERE, shelf=SHELVES.index(event.shelf))


def _look(stage: Stage, event: Event, visit: Visit, tag: int) -> None:
    del event
    seen = Where.HERE if stage.room.where[tag] == Where.HERE else Where.OUT
    stage.room.record(tag, "look", seen, at_s=_inside_s(visit))


def _shield(stage: Stage, event: Event, visit: Visit, tag: int) -> None:
    stage.room.shield(tag, _inside_s(visit), Block.TOTAL if event.total else Block.LEAKY)


def _unshield(stage: Stage, event: Event, visit: Visit, tag: int) -> None:
    del event
    stage.room.shield(tag, _inside_s(visit), Block.CLEAR)


ACTS: Mapping[str, Callable[[Stage, Event, Visit, int], None]] = {
    "take": _take,
    "swap": _swap,
    "to_next": _to_next,
    "from_next": _from_next,
    "return": _return,
    "move": _move,
    "look": _look,
    "shield": _shield,
    "unshield": _unshield,
}


def with_events(failures: Failures, script: Script, cast: Mapping[str, int]) -> Failures:
    """Return the failures with those of a script added."""

    def spans(do: str, drawn: tuple[Span, ...]) -> tuple[Span, ...]:
        said = [
            Span(event.b * BIN_S, (event.b + event.bins) * BIN_S, event.antenna)
            for event in script.events
            if event.do == do
        ]
        return tuple(sorted([*drawn, *said]))

    dead = [Death(event.b * BIN_S, cast[event.piece]) for event in script.events if event.do == "dead"]
    return Failures(
        reader_off=spans("outage", failures.reader_off),
        next_off=spans("next_outage", failures.next_off),
        lost=spans("lost", failures.lost),
        blind=spans("blind", failures.blind),
        sensor_dead=spans("sensor_dead", failures.sensor_dead),
        deaths=tuple(sorted([*failures.deaths, *dead])),
    )
