"""The rules that the filter is measured against, on the same bins and facts. Each says when a tag is here or not.

- `Windows`: tumbling windows of 5 minutes; a tag is here when it was read in the last whole one.
- `Departed`: gone after 600 s without a read, here again with a read.
- `Smurf`: the adaptive window of S. Jeffery, M. Garofalakis, M. Franklin, "Adaptive Cleaning for RFID Data Streams"
  (VLDB 2006), per tag: the window grows to ln(1/delta) / p epochs so that a tag that is there is read in it with
  probability 1 - delta, and is halved when the reads in it are fewer than binomial chance explains. An epoch is a bin.
- `BestRule`: everything the filter is told, as rules: windows that count only proven bins, a shorter one after a read
  at the door, the neighbour's reader, and the book. Its figures are tuned on training wards (`TUNED`, `grid`).

All of them raise one alarm for a difference between book and belief, and are armed again by agreement or a fact. The
rule that must not be broken: a rule sees what the filter sees, and nothing of the truth.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import log
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_agent.core.presence.antennas import Antennas
from edge_agent.core.presence.hazards import Hazards
from edge_agent.core.presence.ward import Bin, Fact, Place, Ward
from tests.bench.presence_score import Alarm

Mask = NDArray[np.bool_]
Told = Iterable[tuple[Bin, Sequence[Fact]]]


class Rule(Protocol):
    """Says of every tag whether it is here, bin by bin; a tag on which it has nothing to say agrees with the book."""

    def take(self, heard: Bin, facts: Sequence[Fact], book: Mask) -> Mask:
        """Take a bin; return which tags are here. `book` is what the book says."""


def alarms(ward: Ward, told: Told, rule: Rule) -> list[Alarm]:
    """Return the alarms of a rule over a trace."""
    book = np.array([tag.book is Place.HERE for tag in ward.tags])
    armed = np.ones(len(ward.tags), bool)
    fixed = set((ward.ref or {}).values())
    found: list[Alarm] = []
    for heard, facts in told:
        for fact in facts:
            book[fact.tag], armed[fact.tag] = fact.to is Place.HERE, True
        differs = rule.take(heard, facts, book) != book
        for tag in np.flatnonzero(differs & armed).tolist():
            if tag not in fixed:
                kind = "missing" if book[tag] else "unexpected"
                found.append(Alarm(ward.tags[tag].epc, kind, heard.number))
        armed = ~differs
    return found


def read_by(rows: Sequence[tuple[float, ...]], size: int) -> Mask:
    """Return which tags have a row with reads."""
    found = np.zeros(size, bool)
    found[[int(row[0]) for row in rows if row[1] > 0]] = True
    return found


class Windows:
    """Tumbling windows."""

    def __init__(self, ward: Ward, bins: int = 5) -> None:
        self._size, self._bins = len(ward.tags), bins
        self._in_window = np.zeros(self._size, bool)
        self._here: Mask | None = None

    def take(self, heard: Bin, facts: Sequence[Fact], book: Mask) -> Mask:
        """Take a bin."""
        self._in_window |= read_by(heard.room, self._size)
        if heard.number % self._bins == self._bins - 1:
            self._here, self._in_window = self._in_window, np.zeros(self._size, bool)
        return book if self._here is None else self._here


class Departed:
    """Gone after some bins without a read."""

    def __init__(self, ward: Ward, bins: int = 10) -> None:
        self._size, self._bins = len(ward.tags), bins
        self._last = np.zeros(self._size)

    def take(self, heard: Bin, facts: Sequence[Fact], book: Mask) -> Mask:
        """Take a bin."""
        self._last[read_by(heard.room, self._size)] = heard.number + 1
        return self._last > heard.number + 1 - self._bins


DELTA = 0.05


class Smurf:
    """Per-tag adaptive windows over epochs of one bin."""

    def __init__(self, ward: Ward, most: int = 60) -> None:
        self._size, self._most = len(ward.tags), most
        self._rates: deque[NDArray[np.float64]] = deque(maxlen=most)
        self._window = np.ones(self._size)

    def take(self, heard: Bin, facts: Sequence[Fact], book: Mask) -> Mask:
        """Take a bin."""
        rounds = max(1, *heard.rounds.values()) if heard.rounds else 1
        rate = np.zeros(self._size)
        for row in heard.room:
            rate[row[0]] = min(1.0, row[1] / rounds)
        self._rates.append(rate)
        past = np.stack(self._rates)[::-1]
        inside = np.arange(len(past))[:, None] < self._window
        seen = ((past > 0) & inside).sum(axis=0)
        held = inside.sum(axis=0)
        p = np.where(seen, (past * inside).sum(axis=0) / np.maximum(1, seen), 0.0)
        moved = np.abs(seen - held * p) > 2 * np.sqrt(np.maximum(1e-9, held * p * (1 - p)))
        fewer = moved & (seen < held * p)
        wanted = np.where(p > 0, np.ceil(log(1 / DELTA) / np.maximum(p, 1e-9)), 1)
        grown = np.where(wanted > self._window, np.minimum(self._window + 2, self._most), self._window)
        self._window = np.where(fewer, np.maximum(1, self._window / 2), grown)
        here: Mask = seen > 0
        return here


@dataclass(frozen=True, slots=True)
class Figures:
    """The best rule's figures, in proven bins: silence until gone, the same after a door read, reads until back."""

    gone: int = 960
    gone_after_door: int = 8
    back: int = 30
    beside: int = 10


class BestRule:
    """Everything the filter is told, as rules."""

    def __init__(self, ward: Ward, figures: Figures) -> None:
        self._size, self._figures = len(ward.tags), figures
        self._antennas = Antennas(ward, Hazards())
        zero = np.zeros(self._size)
        self._silent, self._heard, self._beside, self._since_fact = zero, zero, zero, zero + 1e6
        self._door = zero - 1e6
        self._here = np.array([tag.book is Place.HERE for tag in ward.tags])

    def take(self, heard: Bin, facts: Sequence[Fact], book: Mask) -> Mask:
        """Take a bin."""
        figures, listening = self._figures, self._antennas.listen(heard)
        room, beside = read_by(heard.room, self._size), read_by(heard.next, self._size)
        alive = 1.0 if listening.whole and listening.rounds else 0.0
        self._silent = np.where(room, 0.0, self._silent + alive)
        self._heard = np.where(room & ~beside, self._heard + 1, np.where(room, self._heard, 0.0))
        self._beside = np.where(beside & ~room, self._beside + 1, 0.0)
        self._door[[row[0] for row in heard.door]] = heard.number
        self._since_fact += 1
        for fact in facts:
            self._since_fact[fact.tag], self._heard[fact.tag] = 0.0, 0.0
            self._here[fact.tag] = fact.to is Place.HERE
        through = self._door >= heard.number - self._silent - 5
        limit = np.where(through, figures.gone_after_door, figures.gone)
        gone = (self._silent >= limit) | (self._beside >= figures.beside)
        back = (self._heard >= figures.back) & (self._since_fact >= figures.back)
        self._here = np.where(gone, False, np.where(back, True, self._here))
        return self._here


TUNED = Figures()
"""The best on training wards, half of them hard: `python -m tests.bench.bench_presence --tune` tries `grid`."""


def grid() -> Iterator[Figures]:
    """Return the figures that are tried."""
    for gone, back, beside in product((480, 960, 1920), (30, 90, 240), (10, 30)):
        yield Figures(gone, 8, back, beside)
