"""The numbers of all tags at once, in numpy: the filter's form for replay, fitting and measuring. `floats` is its twin.

The text of a step is the same (`step`, `judge`). Only this file of the model knows numpy, and the agent never imports
it. The rule that must not be broken: a column that was kept is never changed in place, for the past is filtered again.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, fields, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_agent.core.presence.antennas import Listening
from edge_agent.core.presence.calibration import calibrated, claimed
from edge_agent.core.presence.company import Nudge
from edge_agent.core.presence.course import LATE_BINS, Course, Model
from edge_agent.core.presence.hazards import Hazards, Radio
from edge_agent.core.presence.judge import HOLD_BINS, HOLD_NEXT_BINS, YOUNG_BINS, Watch, judge, rebook
from edge_agent.core.presence.opening import OPENING
from edge_agent.core.presence.step import Air, Habits, Heard, Heed, Mind, Told, believe, learn, move, nudge, weigh
from edge_agent.core.presence.tables import LEVELS, ROUNDS, WIDTH, beta_binomial
from edge_agent.core.presence.ward import Bin, Fact, Place, Ward

Column = NDArray[np.float64]
S = TypeVar("S", Mind[Column], Heed[Column], Heard[Column], Told[Column])


class ColumnOps:
    """All tags at once."""

    def __init__(self) -> None:
        self._tables: dict[float, Column] = {}

    def exp(self, x: Column) -> Column:
        """Return e to the power of x."""
        return np.exp(x)

    def log(self, x: Column) -> Column:
        """Return the natural logarithm of x."""
        return np.log(x)

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

    def along(self, x: Column, points: Sequence[float], values: Sequence[float]) -> Column:
        """Return the value at x of a line through rising points; beyond its ends the nearest."""
        found: Column = np.interp(x, points, values)
        return found


@dataclass(frozen=True, slots=True)
class _Past:
    number: int
    mind: Mind[Column]
    heard: Heard[Column]
    air: Air


class Columns:
    """All tags of a storeroom."""

    def __init__(self, ward: Ward, model: Model) -> None:
        self._ward, self._radio, self._ops, self._table = ward, model.radio, ColumnOps(), model.table
        radio = model.radio
        size = self._size = len(ward.tags)
        here = np.array([1.0 if tag.book is Place.HERE else 0.0 for tag in ward.tags])
        self.mind, self.habits = _opening(ward), _no_habits(ward, radio)
        self._heard = Heard(*(np.zeros(size) for _ in fields(Heard)))
        self._number = -1
        zero, one = np.zeros(size), np.ones(size)
        self._watch = Watch(
            here, zero, zero, zero, zero, zero, one, one, np.full(size, -YOUNG_BINS), _first_holds(ward)
        )
        self._by_antenna = np.zeros((size, len(ward.room)))
        self._place = {name: place for place, name in enumerate(ward.room)}
        self._past: deque[_Past] = deque(maxlen=LATE_BINS + 1)

    def p(self, tag: int) -> float:
        """Return P(here) of one tag, as it may be said."""
        return claimed(float(self._calibrated()[tag]))

    def living(self, tag: int) -> float:
        """Return the probability that it is here with a tag that lives, as it may be said."""
        return claimed(float(self._living()[tag]))

    def dead(self, tag: int) -> float:
        """Return the probability that it is here with a dead tag."""
        return float(self.mind.d[tag])

    def booked(self, tag: int) -> tuple[bool, float]:
        """Return whether the book has it here, and the bins since it last said so."""
        return bool(self._watch.book_here[tag]), float(self._watch.since_fact[tag])

    def clear(self, tag: int) -> float:
        """Return the probability that it is here and clear."""
        return float(self.mind.h[tag])

    def hidden(self, tag: int) -> float:
        """Return the probability that it is here behind a total shield."""
        return float(self.mind.z[tag])

    def all_p(self) -> list[float]:
        """Return P(here) of every tag, not cut to what may be said."""
        found: list[float] = self._calibrated().tolist()
        return found

    def _calibrated(self) -> Column:
        return calibrated(self.mind.here(), self.mind.n + self.mind.g, self._book(), self._table, self._ops)

    def _living(self) -> Column:
        mind = self.mind
        living, away = mind.h + mind.b + mind.z, mind.n + mind.g + mind.d
        return calibrated(living, away, self._book(), self._table, self._ops)

    def _book(self) -> tuple[Column, Column]:
        return self.habits.book_here, self.habits.book_next

    def weigh(self, heard: Bin, listening: Listening, hazards: Hazards) -> None:
        """Weigh and learn what a bin brought."""
        self._number, self._heard = heard.number, self._column(heard, listening)
        weigh(self.mind, self.habits, self._heard, (hazards, self._radio), self._ops)
        learn(self.mind, self.habits, self._heard, self._radio, self._ops)
        for tag, name, reads, _ in heard.ant or ():
            place = self._place.get(name)
            if place is not None:
                self._by_antenna[tag, place] += reads

    def believe(self, facts: Sequence[Fact], hazards: Hazards) -> None:
        """Take facts that claim this bin."""
        if facts:
            believe(self.mind, self._told(facts), hazards)

    def move(self, air: Air, hazards: Hazards) -> None:
        """Keep the bin, and let it pass."""
        self._past.append(_Past(self._number, copy(self.mind), self._heard, air))
        move(self.mind, self.habits, self._heard, air=air, hazards=hazards, ops=self._ops)

    def filter_again(self, facts: Sequence[Fact], hazards: Hazards) -> None:
        """Go back to the bin each late fact claims, and filter its tag anew from there."""
        tags = np.array(sorted({fact.tag for fact in facts}))
        habits, first = _picked_habits(self.habits, tags), min(fact.at for fact in facts)
        mind: Mind[Column] | None = None
        for past in self._past:
            if past.number < first:
                continue
            column = _picked(past.heard, tags)
            if mind is None:
                mind = _picked(past.mind, tags)
            else:
                weigh(mind, habits, column, (hazards, self._radio), self._ops)
            told = [fact for fact in facts if fact.at == past.number]
            if told:
                believe(mind, _picked(self._told(told), tags), hazards)
            move(mind, habits, column, air=past.air, hazards=hazards, ops=self._ops)
        if mind is not None:
            _put(self.mind, mind, tags)

    def rebook(self, facts: Sequence[Fact]) -> None:
        """Take what the book says now."""
        told, here = np.zeros(self._size), np.zeros(self._size)
        for fact in facts:
            told[fact.tag], here[fact.tag] = 1.0, 1.0 if fact.to is Place.HERE else 0.0
        beside = np.zeros(self._size)
        for fact in facts:
            beside[fact.tag] = 1.0 if fact.to is Place.NEXT else 0.0
        rebook(self._watch, told, here, beside)
        self.habits.book_here = self.habits.book_here * (1.0 - told) + here
        self.habits.book_next = self.habits.book_next * (1.0 - told) + beside

    def judge(self) -> list[tuple[bool, int]]:
        """Return the alarms of this bin."""
        missing, unexpected = judge(self._watch, self._calibrated(), self._living(), self._ops)
        return [(True, int(tag)) for tag in np.flatnonzero(missing)] + [
            (False, int(tag)) for tag in np.flatnonzero(unexpected)
        ]

    def passed(self, tag: int) -> None:
        """Take that the door heard a tag: its next alarm waits no longer than any."""
        self._watch.hold[tag] = min(self._watch.hold[tag], HOLD_BINS)

    def nudge(self, nudges: Sequence[Nudge]) -> None:
        """Multiply beliefs of some tags."""
        if nudges:
            tags = np.array([each.tag for each in nudges])
            mind = _picked(self.mind, tags)
            _, gone, hidden, beside = (np.array(column) for column in zip(*nudges, strict=True))
            nudge(mind, gone, hidden, beside)
            _put(self.mind, mind, tags)

    def ghosts(self, rate: float) -> None:
        """Take how often, a round, a tag is read that is not there."""
        self._radio = replace(self._radio, ghost_rate=rate, ghosts=self._radio.ghosts_learned)

    def door_strays(self, rates: Mapping[str, float]) -> None:
        """Take how often a tag of each shelf is heard at the door though it stays."""
        self.habits.door_strays = np.array([rates[tag.shelf] for tag in self._ward.tags])

    # --- what was heard ---

    def _column(self, heard: Bin, listening: Listening) -> Heard[Column]:
        size = self._size
        column = Heard(*(np.zeros(size) for _ in fields(Heard)))
        share = self._share(listening)
        column.share[:] = share
        column.rounds[:] = np.where(column.share > 0.1, min(listening.rounds, ROUNDS), 0)
        column.next_rounds[:] = min(listening.next_rounds, ROUNDS)
        _fill((column.reads, column.dbm, column.has_dbm), heard.room, listening.rounds)
        _fill((column.next_reads, column.next_dbm, column.has_next_dbm), heard.next, listening.next_rounds)
        np.maximum(column.rounds, column.reads, out=column.rounds)
        np.maximum(column.next_rounds, column.next_reads, out=column.next_rounds)
        for tag, _ in heard.door:
            column.door[tag] = 1.0
        return column

    def _share(self, listening: Listening) -> Column | float:
        """Return the part of each tag's reads that the antennas which listen bring; untold, one lost costs all."""
        if listening.whole:
            return 1.0
        told = self._by_antenna.sum(axis=1)
        if not told.any():
            return 0.0
        spread = self._by_antenna.sum(axis=0) / told.sum()
        share: Column = ((self._by_antenna + spread) @ np.array(listening.room, dtype=np.float64)) / (told + 1.0)
        return share

    def _told(self, facts: Sequence[Fact]) -> Told[Column]:
        told = Told(*(np.zeros(self._size) for _ in fields(Told)))
        for fact in facts:
            for each in fields(Told):
                getattr(told, each.name)[fact.tag] = 1.0 if each.name == fact.word else 0.0
        return told


def _fill(columns: tuple[Column, Column, Column], rows: Sequence[tuple[float, ...]], rounds: int) -> None:
    """Put reads, scaled to the tables, and levels where they were told."""
    if not rows:
        return
    told = np.array(rows, dtype=np.float64)
    tags, reads, dbm = told[:, 0].astype(np.intp), told[:, 1], told[:, 2]
    if rounds > ROUNDS:
        reads = np.maximum(np.minimum(1.0, reads), np.floor(reads * ROUNDS / rounds + 0.5))
    has = np.isfinite(dbm) & (reads > 0)
    columns[0][tags] = np.minimum(reads, ROUNDS)
    columns[1][tags] = np.where(has, dbm, 0.0)
    columns[2][tags] = has


def _first_holds(ward: Ward) -> Column:
    """Return how long each tag's first alarm waits."""
    return np.array([HOLD_NEXT_BINS if tag.book is Place.NEXT else HOLD_BINS for tag in ward.tags])


def _opening(ward: Ward) -> Mind[Column]:
    columns = np.array([OPENING[tag.book] for tag in ward.tags]).reshape(len(ward.tags), 6).T
    h, b, z, n, g, d = (column.copy() for column in columns)
    zero = np.zeros(len(ward.tags))
    return Mind(h, b, z, n, g, d, going=zero, coming=zero.copy(), nextward=zero.copy(), door_bins=zero.copy())


def _no_habits(ward: Ward, radio: Radio) -> Habits[Column]:
    size = len(ward.tags)

    def heed(dbm: float) -> Heed[Column]:
        return Heed(np.zeros(size), np.zeros(size), np.full(size, dbm), np.zeros(size))

    return Habits(
        heed(radio.level_dbm),
        heed(radio.stray_dbm),
        heed(radio.level_dbm),
        heed(radio.stray_dbm),
        np.zeros(size),
        book_here=np.array([1.0 if tag.book is Place.HERE else 0.0 for tag in ward.tags]),
        book_next=np.array([1.0 if tag.book is Place.NEXT else 0.0 for tag in ward.tags]),
    )


def _picked(whole: S, tags: NDArray[np.intp]) -> S:
    return type(whole)(*(getattr(whole, each.name)[tags] for each in fields(whole)))


def _picked_habits(whole: Habits[Column], tags: NDArray[np.intp]) -> Habits[Column]:
    here, stray, next_, near = (_picked(heed, tags) for heed in (whole.here, whole.stray, whole.next, whole.near))
    return Habits(here, stray, next_, near, whole.door_strays[tags], whole.book_here[tags], whole.book_next[tags])


def _put(whole: Mind[Column], part: Mind[Column], tags: NDArray[np.intp]) -> None:
    for each in fields(whole):
        column = getattr(whole, each.name).copy()
        column[tags] = getattr(part, each.name)
        setattr(whole, each.name, column)


def column_course(ward: Ward, model: Model | None = None) -> Course:
    """Return the filter of a storeroom over columns."""
    told = model or Model()
    return Course(ward, Columns(ward, told), told)
