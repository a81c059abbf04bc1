"""The filter's course through the bins of one storeroom: in which order what is weighed, learned, believed and judged.

It knows what belongs to the room (antennas, visits, the door, late facts) and leaves the numbers of the tags to one of
two forms, `columns` (all at once) or `floats` (one by one). The rule that must not be broken: after bin i nothing
depends on a bin or a fact later than i.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from edge_agent.core.presence.antennas import Antennas, Doorway, Listening
from edge_agent.core.presence.calibration import LEARNED, Table, claimed
from edge_agent.core.presence.company import LONG_AGO, Company, Nudge, Ties
from edge_agent.core.presence.fitting import Spells
from edge_agent.core.presence.ghosts import Ghosts
from edge_agent.core.presence.hazards import SURE, Hazards, Radio
from edge_agent.core.presence.step import Air
from edge_agent.core.presence.ward import Bin, Fact, Place, TagOf, Ward

LATE_BINS = 15
"""How far back a late fact is filtered again."""
STRAY_AFTER_BINS = 10
"""A tag surely on its shelf so long after the door heard it has not passed the door."""
PASSED_AFTER_BINS = 15
STRAYS_AGAIN_BINS = 720
CLEAR_AFTER_BINS = 5
FIT_BINS = 720
"""Bins after which the hazards are fitted anew."""


@dataclass(frozen=True, slots=True)
class Model:
    """The figures of the filter."""

    hazards: Hazards = field(default_factory=Hazards)
    radio: Radio = field(default_factory=Radio)
    ties: Ties = field(default_factory=Ties)
    table: Table = LEARNED


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

    def passed(self, tag: int) -> None:
        """Take that the door heard a tag: its next alarm waits no longer than any."""

    def nudge(self, nudges: Sequence[Nudge]) -> None:
        """Multiply beliefs of some tags."""

    def door_strays(self, rates: Mapping[str, float]) -> None:
        """Take how often a tag of each shelf is heard at the door though it stays."""

    def ghosts(self, rate: float) -> None:
        """Take how often, a round, a tag is read that is not there."""

    def p(self, tag: int) -> float:
        """Return P(here) of one tag, as it may be said."""

    def living(self, tag: int) -> float:
        """Return the probability that it is here with a tag that lives, as it may be said."""

    def dead(self, tag: int) -> float:
        """Return the probability that it is here with a dead tag."""

    def booked(self, tag: int) -> tuple[bool, float]:
        """Return whether the book has it here, and the bins since it last said so."""

    def clear(self, tag: int) -> float:
        """Return the probability that it is here and clear."""

    def hidden(self, tag: int) -> float:
        """Return the probability that it is here behind a total shield."""

    def all_p(self) -> list[float]:
        """Return P(here) of every tag, not cut to what may be said."""


@dataclass(frozen=True, slots=True)
class Raised:
    """An alarm of one bin: whether missing (else unexpected), the tag, the bin it goes back to.

    `p` is P(here); of what is missing, P(here with a tag that lives), for a dead tag is missed too.
    """

    missing: bool
    tag: int
    p: float
    since: int

    @property
    def kind(self) -> str:
        """Return the word for it."""
        return "missing" if self.missing else "unexpected"


class Course:
    """A storeroom. Give it every bin in order, with the facts that became known in it."""

    def __init__(self, ward: Ward, tags: Tags, model: Model) -> None:
        self.ward, self.tags, self.hazards, self._first = ward, tags, model.hazards, model.hazards
        self.number = -1
        self.bins = 0
        self.listened: tuple[int, ...] = (0,) * len(ward.room)
        """Which antennas of the room listened in the last bin, by place."""
        self._antennas = Antennas(ward, model.hazards)
        self._doorway = Doorway(ward, model.hazards)
        self._company = Company(ward, model.ties)
        size = len(ward.tags)
        self._fixed = set((ward.ref or {}).values())
        self._last_heard, self._first_heard, self._door_heard = [-1] * size, [-1] * size, [LONG_AGO] * size
        self._strays: deque[tuple[int, int]] = deque()
        self._passages: deque[tuple[int, int]] = deque()
        self._scans: deque[tuple[int, int]] = deque()
        self._ghosts = Ghosts(ward, model.radio.ghost_rate)

    def add(self, tag: TagOf) -> None:
        """Take one more tag, that stands at the end of the ward's."""
        self._ghosts.add(tag)
        for marks, first in ((self._last_heard, -1), (self._first_heard, -1), (self._door_heard, LONG_AGO)):
            marks.append(first)
        self._doorway.add(tag.shelf)
        self._company.add(tag)

    def rehome(self, old: str, new: str) -> None:
        """Take that the book has one tag of a shelf on another one now."""
        self._doorway.rehome(old, new)

    def take(self, heard: Bin, facts: Sequence[Fact] = ()) -> list[Raised]:
        """Take a bin and what became known in it; return what is alarming now."""
        self.number = heard.number
        self.bins += 1
        listening = self._antennas.listen(heard)
        self.listened = listening.room
        learned = self._ghosts.take(heard, listening.rounds if listening.whole else 0)
        if learned is not None:
            self.tags.ghosts(learned)
        self.tags.weigh(heard, listening, self.hazards)
        self._note(heard)
        self.tags.nudge(self._company.take(heard, listening.whole and listening.rounds > 0, listening.air.visit))
        late = [fact for fact in facts if heard.number - LATE_BINS <= fact.at < heard.number]
        self.tags.believe([fact for fact in facts if fact not in late], self.hazards)
        self.tags.move(listening.air, self.hazards)
        if late:
            self.tags.filter_again(late, self.hazards)
        if facts:
            self._note_facts(facts)
            self._company.note_facts(facts)
            self._ghosts.note_facts(facts)
            self.tags.rebook(facts)
        self._learn_spells(heard.number)
        return [self._raised(*each) for each in self.tags.judge() if each[1] not in self._fixed]

    def sighted(self, tag: int, odds: float) -> None:
        """Take that another storeroom hears a tag: by how many times that speaks for it being there."""
        self.tags.nudge([Nudge(tag, 1.0, 1.0, odds)])

    def p(self) -> list[float]:
        """Return P(here) of every tag, as it may be said."""
        return [claimed(p) for p in self.tags.all_p()]

    def weighed(self) -> list[float]:
        """Return P(here) of every tag, to count a line of them."""
        return self.tags.all_p()

    @property
    def spells(self) -> Spells:
        """Return the sums the hazards are fitted from."""
        return self._company.spells

    @property
    def door(self) -> tuple[float, float, dict[str, float]]:
        """Return what was learned of the door: hits of passages, strays by shelf."""
        return self._doorway.hits, self._doorway.passages, self._doorway.strays

    def resume(self, bins: int, hazards: Hazards, spells: Spells, door: tuple[float, float, dict[str, float]]) -> None:
        """Take what was learned of the room before a restart."""
        self.bins, self.hazards, self._company.spells = bins, hazards, spells
        self._doorway.hits, self._doorway.passages = door[0], door[1]
        self._doorway.strays |= {shelf: count for shelf, count in door[2].items() if shelf in self._doorway.strays}

    def marks(self, tag: int) -> tuple[int, int, int]:
        """Return the bins in which a tag was last heard, first heard, and heard at the door."""
        return self._last_heard[tag], self._first_heard[tag], self._door_heard[tag]

    def put_marks(self, tag: int, marks: tuple[int, int, int]) -> None:
        """Take the marks of a tag from before a restart."""
        self._last_heard[tag], self._first_heard[tag], self._door_heard[tag] = marks

    def since(self, tag: int) -> int:
        """Return the bin since which a tag is heard, 0 when it never was."""
        return max(0, self._first_heard[tag])

    def silent_since(self, tag: int) -> int:
        """Return the bin since which a tag is silent, 0 when it was never heard."""
        return self._last_heard[tag] + 1

    def _raised(self, missing: bool, tag: int) -> Raised:
        since = self.silent_since(tag) if missing else self.since(tag)
        return Raised(missing, tag, self.tags.living(tag) if missing else self.tags.p(tag), since)

    def _note(self, heard: Bin) -> None:
        number, last = heard.number, self._last_heard
        for row in heard.room:
            tag = row[0]
            if row[1]:
                if last[tag] < number - STRAY_AFTER_BINS:
                    self._first_heard[tag] = number
                last[tag] = number
        for tag, _ in heard.door:
            self.tags.passed(tag)
            if self._door_heard[tag] < number - STRAY_AFTER_BINS:
                self._strays.append((tag, number))
            self._door_heard[tag] = number
        self._learn_door(number)

    def _note_facts(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            if fact.to is not Place.HERE and not fact.kind.seen:
                self._passages.append((fact.tag, self.number))
                if fact.at >= self.number - 1 and self._last_heard[fact.tag] >= self.number - 1:
                    self._scans.append((fact.tag, self.number))

    def _learn_spells(self, now: int) -> None:
        """Count spells that ended with the tag clear, and fit the hazards of this ward anew twice a day."""
        company = self._company
        while self._scans and self._scans[0][1] < now:
            tag, at = self._scans.popleft()
            if self.listened and all(self.listened):
                company.spells.take(heard_after=self._last_heard[tag] > at)
        while company.ended and company.ended[0][1] <= now - CLEAR_AFTER_BINS:
            tag, _, since, part = company.ended.popleft()
            if self.tags.clear(tag) > SURE:
                company.spells.end(since, part)
        if now % FIT_BINS == FIT_BINS - 1:
            hidden, visits = 0.0, 0.0
            for tag, since, part in company.open_spells():
                chance = self.tags.hidden(tag)
                hidden += chance
                visits += chance * part * (company.spells.visits - since)
            fitted = company.spells.fit(self._first, self.hazards, hidden, visits)
            self.hazards = replace(fitted, door_hit=self._doorway.hit())

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
            self.tags.door_strays({shelf: doorway.stray_rate(shelf, self.bins) for shelf in doorway.strays})
