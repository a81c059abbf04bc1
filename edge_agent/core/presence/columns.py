"""The filter over all tags of a storeroom at once, in numpy: for replay, fitting and measuring. `live` is its twin.

The text of a step is the same (`step`, `judge`); only this file and what stands on it know numpy, and the agent never
imports them. The rule that must not be broken: after bin i nothing depends on a bin or a fact later than i.
"""

from collections import deque
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_agent.core.presence.antennas import Antennas, Doorway, Listening
from edge_agent.core.presence.hazards import SURE, Hazards, Radio
from edge_agent.core.presence.judge import Watch, judge, rebook
from edge_agent.core.presence.opening import OPENING
from edge_agent.core.presence.step import Air, Habits, Heard, Mind, Told, believe, learn, move, weigh
from edge_agent.core.presence.tables import LEVELS, WIDTH, beta_binomial, scaled
from edge_agent.core.presence.ward import Bin, Fact, Place, Ward

Column = NDArray[np.float64]
S = TypeVar("S", Mind[Column], Habits[Column], Heard[Column], Told[Column])

LATE_BINS = 15
"""How far back a late fact is filtered again."""
STRAY_AFTER_BINS = 10
"""A tag surely on its shelf so long after the door heard it has not passed the door."""
PASSED_AFTER_BINS = 15


class ColumnOps:
    """All tags at once."""

    def __init__(self) -> None:
        self._tables: dict[float, Column] = {}

    def exp(self, x: Column) -> Column:
        """Return e to the power of x."""
        return np.exp(x)

    def above(self, x: Column, limit: Column | float) -> Column:
        """Return 1 where x is above the limit, else 0."""
        return (x > limit).astype(np.float64)

    def level(self, rate: Column) -> Column:
        """Return the level of a read rate on the grid of the tables."""
        found: Column = np.floor(np.sqrt(np.clip(rate, 0.0, 1.0)) * (LEVELS - 1) + 0.5)
        return found

    def look(self, concentration: float, level: Column, rounds: Column, reads: Column) -> Column:
        """Return the logarithm of the chance of `reads` in `rounds`, from a table."""
        table = self._tables.get(concentration)
        if table is None:
            table = self._tables[concentration] = np.array(beta_binomial(concentration))
        found: Column = table[((rounds * LEVELS + level) * WIDTH + reads).astype(np.intp)]
        return found


@dataclass(frozen=True, slots=True)
class Raised:
    """An alarm of one bin: whether missing (else unexpected), the tag, P(here), the bin it goes back to."""

    missing: bool
    tag: int
    p: float
    since: int


@dataclass(frozen=True, slots=True)
class _Past:
    number: int
    mind: Mind[Column]
    heard: Heard[Column]
    air: Air


class Columns:
    """A whole storeroom. Give it every bin in order, with the facts that became known in it."""

    def __init__(self, ward: Ward, hazards: Hazards | None = None, radio: Radio | None = None) -> None:
        self.ward = ward
        self.hazards, self.radio = hazards or Hazards(), radio or Radio()
        self._ops = ColumnOps()
        self._antennas = Antennas(ward, self.hazards)
        self._doorway = Doorway(ward, self.hazards)
        size = len(ward.tags)
        here = np.array([1.0 if tag.book is Place.HERE else 0.0 for tag in ward.tags])
        self.mind = _opening(ward)
        self.habits = _no_habits(size, self.radio)
        self.watch = Watch(here, np.zeros(size), np.zeros(size), np.ones(size), np.ones(size), np.full(size, 1e6))
        self._by_antenna = np.zeros((size, len(ward.room)))
        self._last_heard = np.full(size, -1)
        self._first_heard = np.full(size, -1)
        self._past: deque[_Past] = deque(maxlen=LATE_BINS + 1)
        self._strays: deque[tuple[int, int]] = deque()
        self._passages: deque[tuple[int, int]] = deque()
        self._door_heard = np.full(size, -1_000_000)
        self._shelf = [tag.shelf for tag in ward.tags]
        self._room_place = {name: place for place, name in enumerate(ward.room)}
        self.number = -1

    def p(self) -> Column:
        """Return P(here) of every tag."""
        return self.mind.here()

    def take(self, heard: Bin, facts: Sequence[Fact] = ()) -> list[Raised]:
        """Take a bin and what became known in it; return what is alarming now."""
        self.number = heard.number
        listening = self._antennas.listen(heard)
        column = self._column(heard, listening)
        model = (self.hazards, self.radio)
        weigh(self.mind, self.habits, column, model, self._ops)
        learn(self.mind, self.habits, column, self.radio, self._ops)
        self._note(heard)
        on_time = [fact for fact in facts if not self._is_late(fact)]
        if on_time:
            believe(self.mind, self._told(on_time), self.hazards)
        self._past.append(_Past(heard.number, copy(self.mind), column, listening.air))
        self._move(self.mind, self.habits, column, listening.air)
        late = [fact for fact in facts if self._is_late(fact)]
        if late:
            self._filter_again(late)
        self._rebook(facts)
        return self._judge()

    # --- what was heard ---

    def _column(self, heard: Bin, listening: Listening) -> Heard[Column]:
        size = len(self.ward.tags)
        rounds = min(listening.rounds, WIDTH - 1)
        column = Heard(*(np.zeros(size) for _ in fields(Heard)))
        share = self._share(listening)
        column.share[:] = share
        column.rounds[:] = np.where(share > 0.1, rounds, 0)
        column.next_rounds[:] = min(listening.next_rounds, WIDTH - 1)
        for tag, reads, dbm, _ in heard.room:
            told, _ = scaled(reads, max(listening.rounds, reads))
            column.reads[tag] = told
            if dbm is not None and reads:
                column.dbm[tag], column.has_dbm[tag] = dbm, 1.0
        column.rounds[:] = np.maximum(column.rounds, column.reads)
        for tag, reads, _ in heard.next:
            column.next_reads[tag] = scaled(reads, max(listening.next_rounds, reads))[0]
        column.next_rounds[:] = np.maximum(column.next_rounds, column.next_reads)
        for tag, _ in heard.door:
            column.door[tag] = 1.0
        return column

    def _share(self, listening: Listening) -> Column | float:
        """Return the part of each tag's reads that the antennas which listen bring; untold, one lost costs all."""
        if listening.whole:
            return 1.0
        alive = np.array(listening.room, dtype=np.float64)
        told = self._by_antenna.sum(axis=1)
        if not told.any():
            return 0.0
        spread = self._by_antenna.sum(axis=0) / told.sum()
        share: Column = ((self._by_antenna + spread) @ alive) / (told + 1.0)
        return share

    def _note(self, heard: Bin) -> None:
        for tag, name, reads, _ in heard.ant or ():
            place = self._room_place.get(name)
            if place is not None:
                self._by_antenna[tag, place] += reads
        for tag, reads, _, _ in heard.room:
            if reads:
                if self._last_heard[tag] < heard.number - STRAY_AFTER_BINS:
                    self._first_heard[tag] = heard.number
                self._last_heard[tag] = heard.number
        for tag, _ in heard.door:
            if self._door_heard[tag] < heard.number - STRAY_AFTER_BINS:
                self._strays.append((tag, heard.number))
            self._door_heard[tag] = heard.number
        self._learn_door(heard.number)

    def _learn_door(self, now: int) -> None:
        strays, learned = self._doorway.strays, False
        while self._strays and self._strays[0][1] <= now - STRAY_AFTER_BINS:
            tag, at = self._strays.popleft()
            if self.mind.h[tag] > SURE and self._last_heard[tag] >= at + 2:
                strays[self._shelf[tag]] += 1.0
                learned = True
        while self._passages and self._passages[0][1] <= now - PASSED_AFTER_BINS:
            tag, at = self._passages.popleft()
            if self.mind.here()[tag] < 1.0 - SURE:
                self._doorway.passages += 1.0
                self._doorway.hits += 1.0 if self._door_heard[tag] >= at - PASSED_AFTER_BINS else 0.0
        if learned or now % 720 == 0:
            rates = {shelf: self._doorway.stray_rate(shelf, now + 1) for shelf in strays}
            self.habits.door_strays = np.array([rates[shelf] for shelf in self._shelf])

    # --- what passes and what the book learns ---

    def _move(self, mind: Mind[Column], habits: Habits[Column], column: Heard[Column], air: Air) -> None:
        move(mind, habits, column, air=air, hazards=self.hazards, ops=self._ops)

    def _is_late(self, fact: Fact) -> bool:
        return (
            fact.at < self.number
            and fact.at >= self.number - LATE_BINS
            and any(past.number == fact.at for past in self._past)
        )

    def _told(self, facts: Sequence[Fact]) -> Told[Column]:
        told = Told(*(np.zeros(len(self.ward.tags)) for _ in fields(Told)))
        for fact in facts:
            _tell(told, fact)
            if fact.to is not Place.HERE and not fact.kind.seen:
                self._passages.append((fact.tag, self.number))
        return told

    def _filter_again(self, facts: Sequence[Fact]) -> None:
        """Go back to the bin each late fact claims, and filter its tag anew from there."""
        told = {at: [fact for fact in facts if fact.at == at] for at in sorted({fact.at for fact in facts})}
        tags = np.array(sorted({fact.tag for fact in facts}))
        first = min(told)
        habits, mind = _picked(self.habits, tags), None
        for past in self._past:
            if past.number < first:
                continue
            column = _picked(past.heard, tags)
            if mind is None:
                mind = _picked(past.mind, tags)
            else:
                weigh(mind, habits, column, (self.hazards, self.radio), self._ops)
            if past.number in told:
                believe(mind, _picked(self._told(told[past.number]), tags), self.hazards)
            self._move(mind, habits, column, past.air)
        if mind is not None:
            _put(self.mind, mind, tags)

    def _rebook(self, facts: Sequence[Fact]) -> None:
        if not facts:
            return
        told, here = np.zeros(len(self.ward.tags)), np.zeros(len(self.ward.tags))
        for fact in facts:
            told[fact.tag], here[fact.tag] = 1.0, 1.0 if fact.to is Place.HERE else 0.0
        rebook(self.watch, told, here)

    def _judge(self) -> list[Raised]:
        p = self.p()
        missing, unexpected = judge(self.watch, p, self._ops)
        found = [
            Raised(True, int(tag), float(p[tag]), int(self._last_heard[tag]) + 1) for tag in np.nonzero(missing)[0]
        ]
        return found + [
            Raised(False, int(tag), float(p[tag]), max(0, int(self._first_heard[tag])))
            for tag in np.nonzero(unexpected)[0]
        ]


def _tell(told: Told[Column], fact: Fact) -> None:
    if fact.kind.seen:
        column = {Place.HERE: told.seen_here, Place.NEXT: told.seen_next, Place.OUT: told.seen_out}[fact.to]
    else:
        column = {Place.HERE: told.here, Place.NEXT: told.next, Place.OUT: told.out}[fact.to]
    for each in fields(Told):
        getattr(told, each.name)[fact.tag] = 0.0
    column[fact.tag] = 1.0


def _opening(ward: Ward) -> Mind[Column]:
    columns = np.array([OPENING[tag.book] for tag in ward.tags]).T.reshape(6, len(ward.tags))
    zero = np.zeros(len(ward.tags))
    h, b, z, n, g, d = (column.copy() for column in columns)
    return Mind(h, b, z, n, g, d, going=zero, coming=zero.copy(), nextward=zero.copy(), door_bins=zero.copy())


def _no_habits(size: int, radio: Radio) -> Habits[Column]:
    habits = Habits(*(np.zeros(size) for _ in fields(Habits)))
    habits.dbm = np.full(size, radio.level_dbm)
    return habits


def _picked(whole: S, tags: NDArray[np.intp]) -> S:
    return type(whole)(*(getattr(whole, each.name)[tags] for each in fields(whole)))


def _put(whole: Mind[Column], part: Mind[Column], tags: NDArray[np.intp]) -> None:
    for each in fields(whole):
        column = getattr(whole, each.name).copy()
        column[tags] = getattr(part, each.name)
        setattr(whole, each.name, column)
