"""The filter's course through the bins of one storeroom: in which order what is weighed, learned, believed and judged.

It knows what belongs to the room (antennas, visits, the door, late facts) and leaves the numbers of the tags to one of
two forms, `columns` (all at once) or `floats` (one by one). The rule that must not be broken: after bin i nothing
depends on a bin or a fact later than i.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from edge_agent.core.presence.antennas import Antennas, Doorway, Listening
from edge_agent.core.presence.company import Company, Nudge, Ties
from edge_agent.core.presence.hazards import Hazards, Radio
from edge_agent.core.presence.step import Air
from edge_agent.core.presence.ward import Bin, Fact, Place, Ward

LATE_BINS = 15
"""How far back a late fact is filtered again."""
STRAY_AFTER_BINS = 10
"""A tag surely on its shelf so long after the door heard it has not passed the door."""
PASSED_AFTER_BINS = 15
STRAYS_AGAIN_BINS = 720
LONG_AGO = -1_000_000


@dataclass(frozen=True, slots=True)
class Model:
    """The figures of the filter."""

    hazards: Hazards = field(default_factory=Hazards)
    radio: Radio = field(default_factory=Radio)
    ties: Ties = field(default_factory=Ties)


class Tags(Protocol):
    """The numbers of all tags of a storeroom, in one of two forms."""

    def weigh(self, heard: Bin, listening: Listening, hazards: Hazards) -> None:
        """Weigh and learn what a bin brought, and keep it for `LATE_BINS`."""

    def believe(self, facts: Sequence[Fact], hazards: Hazards) -> None:
        """Take facts that claim this bin."""

    def move(self, air: Air, hazards: Hazards) -> None:
        """Let the bin pass."""

    def filter_again(self, facts: Sequence[Fact], hazards: Hazards) -> None:
        """Go back to the bin each late fact claims, and filter its tag anew from there."""

    def rebook(self, facts: Sequence[Fact]) -> None:
        """Take what the book says now."""

    def judge(self) -> list[tuple[bool, int]]:
        """Return the alarms of this bin: whether missing (else unexpected), and the tag."""

    def nudge(self, nudges: Sequence[Nudge]) -> None:
        """Multiply beliefs of some tags."""

    def door_strays(self, rates: Mapping[str, float]) -> None:
        """Take how often a tag of each shelf is heard at the door though it stays."""

    def p(self, tag: int) -> float:
        """Return P(here) of one tag."""

    def all_p(self) -> list[float]:
        """Return P(here) of every tag."""


@dataclass(frozen=True, slots=True)
class Raised:
    """An alarm of one bin: whether missing (else unexpected), the tag, P(here), the bin it goes back to."""

    missing: bool
    tag: int
    p: float
    since: int


class Course:
    """A storeroom. Give it every bin in order, with the facts that became known in it."""

    def __init__(self, ward: Ward, tags: Tags, model: Model) -> None:
        self.ward, self.tags, self.hazards = ward, tags, model.hazards
        self.number = -1
        self._antennas = Antennas(ward, model.hazards)
        self._doorway = Doorway(ward, model.hazards)
        self._company = Company(ward, model.ties)
        size = len(ward.tags)
        self._fixed = set((ward.ref or {}).values())
        self._last_heard, self._first_heard, self._door_heard = [-1] * size, [-1] * size, [LONG_AGO] * size
        self._strays: deque[tuple[int, int]] = deque()
        self._passages: deque[tuple[int, int]] = deque()

    def take(self, heard: Bin, facts: Sequence[Fact] = ()) -> list[Raised]:
        """Take a bin and what became known in it; return what is alarming now."""
        self.number = heard.number
        listening = self._antennas.listen(heard)
        self.tags.weigh(heard, listening, self.hazards)
        self._note(heard)
        self.tags.nudge(self._company.take(heard, listening.whole and listening.rounds > 0))
        late = [fact for fact in facts if heard.number - LATE_BINS <= fact.at < heard.number]
        self.tags.believe([fact for fact in facts if fact not in late], self.hazards)
        self.tags.move(listening.air, self.hazards)
        if late:
            self.tags.filter_again(late, self.hazards)
        if facts:
            self._note_facts(facts)
            self._company.note_facts(facts)
            self.tags.rebook(facts)
        return [self._raised(*each) for each in self.tags.judge() if each[1] not in self._fixed]

    def _raised(self, missing: bool, tag: int) -> Raised:
        since = self._last_heard[tag] + 1 if missing else max(0, self._first_heard[tag])
        return Raised(missing, tag, self.tags.p(tag), since)

    def _note(self, heard: Bin) -> None:
        number, last = heard.number, self._last_heard
        for row in heard.room:
            tag = row[0]
            if row[1]:
                if last[tag] < number - STRAY_AFTER_BINS:
                    self._first_heard[tag] = number
                last[tag] = number
        for tag, _ in heard.door:
            if self._door_heard[tag] < number - STRAY_AFTER_BINS:
                self._strays.append((tag, number))
            self._door_heard[tag] = number
        self._learn_door(number)

    def _note_facts(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            if fact.to is not Place.HERE and not fact.kind.seen:
                self._passages.append((fact.tag, self.number))

    def _learn_door(self, now: int) -> None:
        doorway, learned = self._doorway, now % STRAYS_AGAIN_BINS == 0
        while self._strays and self._strays[0][1] <= now - STRAY_AFTER_BINS:
            tag, at = self._strays.popleft()
            if self._last_heard[tag] >= max(at + 2, now - 2) and self.tags.p(tag) > 0.9:
                doorway.strays[self.ward.tags[tag].shelf] += 1.0
                learned = True
        while self._passages and self._passages[0][1] <= now - PASSED_AFTER_BINS:
            tag, at = self._passages.popleft()
            if self.tags.p(tag) < 0.1:
                doorway.passages += 1.0
                doorway.hits += 1.0 if self._door_heard[tag] >= at - PASSED_AFTER_BINS else 0.0
        if learned:
            self.tags.door_strays({shelf: doorway.stray_rate(shelf, now + 1) for shelf in doorway.strays})
