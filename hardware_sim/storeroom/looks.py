"""Looks: a few times a day somebody walks to one line, sees which of its pieces stand there, and says so.

Which line is chosen by what anybody can know at that time: pieces the book has here that were not heard for an hour,
and pieces heard that it has gone; a line that was just looked at can wait. The rule that must not be broken: the
choice uses no truth; only what is seen does.
"""

from collections.abc import Iterable

import numpy as np

from hardware_sim.storeroom.happenings import BINS_A_DAY, Fact
from hardware_sim.storeroom.radio import Heard
from hardware_sim.storeroom.rates import WorldRates
from hardware_sim.storeroom.stock import Stock, Where
from hardware_sim.storeroom.timeline import STRAY_PLACE, Scene

LOOK_H = (8.0, 20.0)
SILENT_BINS = 60
WAITS_BINS = BINS_A_DAY
"""How long a line that was looked at can wait, unless there is no other."""

CALM, RESTED = 0.05, 0.1
"""Risk of a line of which nothing is odd; factor for one that was just looked at."""


class Looks:
    """The looks of one storeroom, drawn scene after scene."""

    def __init__(
        self, rates: WorldRates, stock: Stock, facts: Iterable[Fact], times: list[int], rng: np.random.Generator
    ) -> None:
        self._rates, self._rng, self._times = rates, rng, times
        pieces = stock.pieces
        names = sorted({piece.item for piece in pieces})
        number = {name: place for place, name in enumerate(names)}
        self._item = np.array([number[piece.item] for piece in pieces])
        self._book = np.array([piece.first for piece in pieces])
        self._facts = sorted(facts)
        self._heard = np.zeros(len(pieces), np.int64)
        self._looked = np.full(len(names), -WAITS_BINS)

    def after(self, scene: Scene, heard: Heard) -> list[Fact]:
        """Return what the looks of a scene found."""
        rows = heard.room
        found: list[Fact] = []
        since = 0
        while self._times and self._times[0] < scene.first + scene.bins:
            at = self._times.pop(0)
            until = int(rows.bins.searchsorted(at - scene.first))
            self._hear(rows.tags[since:until], rows.bins[since:until] + scene.first)
            since = until
            self._read_book(at)
            found += self._look(at, scene.place[:, at - scene.first] < STRAY_PLACE)
        self._hear(rows.tags[since:], rows.bins[since:] + scene.first)
        return found

    def _hear(self, tags: np.ndarray, bins: np.ndarray) -> None:
        known = tags < len(self._heard)
        np.maximum.at(self._heard, tags[known], bins[known])

    def _read_book(self, before: int) -> None:
        while self._facts and self._facts[0].known < before:
            fact = self._facts.pop(0)
            self._book[fact.tag] = fact.to

    def _look(self, at: int, truly: np.ndarray) -> list[Fact]:
        item = self._riskiest(at)
        self._looked[item] = at
        facts = []
        for tag in np.flatnonzero(self._item == item).tolist():
            errs = self._rng.random() < self._rates.look_errs
            if not (truly[tag] or self._book[tag] == Where.HERE):
                continue
            to = Where.HERE if bool(truly[tag]) != errs else Where.OUT
            self._book[tag] = to
            facts.append(Fact(at, at, tag, "look", to))
        return facts

    def _riskiest(self, at: int) -> int:
        silent = at - self._heard > SILENT_BINS
        odd = ((self._book == Where.HERE) & silent) | ((self._book == Where.OUT) & ~silent)
        risk = np.bincount(self._item, odd) + CALM * self._rng.random(len(self._looked))
        risk *= np.where(at - self._looked < WAITS_BINS, RESTED, 1.0)
        risk[np.bincount(self._item, self._book == Where.HERE) == 0] = -1.0
        return int(risk.argmax())


def look_times(a_day: int, days: int, rng: np.random.Generator) -> list[int]:
    """Return the bins of the looks: spread over the day, each somewhere in its part of it."""
    low, high = LOOK_H
    part = (high - low) / max(1, a_day)
    hours = [24 * day + low + part * (turn + float(rng.random())) for day in range(days) for turn in range(a_day)]
    return [int(hour * 60) for hour in hours]
