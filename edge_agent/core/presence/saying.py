"""What of a filter's beliefs is said aloud: a tag's state when it changes, each once.

Said is that a tag is here for the first time, or again; that it is missing; that what the book has sent away is gone;
that something is here though the book says not; that it is heard on another shelf than its own, and no longer. The
probability said is that of being here with a tag that lives, and
beside it that of being here with a dead one. The rule that must not be broken: what is no alarm is not said twice; an
alarm is said, whatever was said before the book changed.
"""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from edge_agent.core.presence.calibration import CLAIM_MAX
from edge_agent.core.presence.course import Course, Raised
from edge_agent.core.presence.judge import HIGH, LOW
from edge_agent.core.presence.shelves import Shelves

TAKING_BINS = 20
"""Bins after a fact in which a piece that is on its way is not said to be gone."""

DOOR_BINS = 15
"""A read at the door so many bins before a piece fell silent, or was heard again, tells of its way."""
HERE_FROM = 0.5
"""From this probability a belief of the last run was that it is here."""


class State(Enum):
    """What was last said of a tag."""

    NOTHING = 0
    HERE = 1
    GONE = 2


class Anew(NamedTuple):
    """One belief to be said: the tag, P(here with a living tag), P(here with a dead one), the bin it goes back to.

    `door` is the bin in which the door heard it around then, None where it did not, `shelf` another shelf than its own
    on which it is heard, else empty.
    """

    tag: int
    p: float
    dead: float
    since: int
    door: int | None
    shelf: str


class Saying:
    """What was said of the tags of one storeroom."""

    def __init__(self, course: Course, shelves: Shelves) -> None:
        self._course, self._shelves = course, shelves
        self._said = [State.NOTHING] * len(course.ward.tags)
        self._on = [""] * len(course.ward.tags)
        """The other shelf on which each was last said to be."""

    def add(self) -> None:
        """Take one more tag, that stands at the end of the ward's."""
        self._said.append(State.NOTHING)
        self._on.append("")

    def believed(self, tag: int, p: float) -> None:
        """Take what the last run said of a tag."""
        self._said[tag] = State.GONE if p < HERE_FROM else State.HERE

    def placed(self, tag: int, shelf: str) -> None:
        """Take on which other shelf the last run said a tag to be."""
        self._on[tag] = shelf

    def after(self, number: int, raised: Sequence[Raised], chances: Sequence[float]) -> list[Anew]:
        """Return what is to be said after a bin with its alarms and P(here) of every tag."""
        alarms = {each.tag: each for each in raised}
        course, found = self._course, list[Anew]()
        for tag, p in enumerate(chances):
            was, stand = self._said[tag], self._shelves.stands[tag]
            now = self._judged(tag, p, alarms.get(tag))
            if now is not None and (now is not was or tag in alarms):
                since = course.since(tag) if now is State.HERE else course.silent_since(tag)
            elif was is State.HERE and stand.said != self._on[tag]:
                now, since = was, stand.since if stand.said else number
            else:
                continue
            self._said[tag], self._on[tag] = now, stand.said if now is State.HERE else ""
            since = since if since > 0 else number
            dead = min(CLAIM_MAX, course.tags.dead(tag))
            found.append(Anew(tag, course.tags.living(tag), dead, since, self._door(tag, since), self._on[tag]))
        return found

    def _door(self, tag: int, since: int) -> int | None:
        heard = self._course.marks(tag)[2]
        return heard if heard >= since - DOOR_BINS else None

    def _judged(self, tag: int, p: float, alarm: Raised | None) -> State | None:
        """Return what is to be said of a tag; None when nothing is certain enough."""
        if alarm is not None:
            return State.GONE if alarm.missing else State.HERE
        here, since_fact = self._course.tags.booked(tag)
        if here:
            return State.HERE if p > HIGH and self._course.tags.living(tag) > HIGH else None
        return State.GONE if p < LOW and since_fact > TAKING_BINS else None
