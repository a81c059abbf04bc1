"""On which shelf each piece stands, all tags at once in numpy: for replay and measuring. `shelves` is the live form.

What is weighed and why is said there. The rule that must not be broken: both forms come to the same numbers, to what
Stirling's series leaves out.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_agent.core.presence.shelves import (
    AGAIN,
    HERE_LEAST,
    HOLD,
    LEARNED_READS,
    LIVE_LEAST,
    LOW,
    MEANS_EVERY,
    MEMORY_READS,
    MOVED_A_VISIT,
    MOVED_IDLE,
    OTHER,
    OWN,
    READS_LEAST,
    SURE,
    TEMPER,
    Misplaced,
)
from edge_agent.core.presence.ward import Bin, Fact, Ward

Column = NDArray[np.float64]


class ShelfColumns:
    """All tags of a storeroom whose shelf is known."""

    def __init__(self, ward: Ward) -> None:
        self._names = sorted({tag.shelf for tag in ward.tags if tag.shelf and tag.counted})
        place = {name: number for number, name in enumerate(self._names)}
        self._home = np.array([place.get(tag.shelf, -1) for tag in ward.tags])
        self._antenna = {name: number for number, name in enumerate(ward.room)}
        size, shelves = len(ward.tags), max(1, len(self._names))
        self._own = np.zeros((size, len(ward.room)))
        self._means = np.zeros((shelves, len(ward.room)))
        self._p = np.zeros((size, shelves))
        self._reset(np.flatnonzero(self._home >= 0))
        self._held = np.zeros(size, np.int64)
        self._armed = np.ones(size, bool)
        self._since = np.zeros(size, np.int64)
        self._visit, self._told = False, 0
        self._fixed = list(set((ward.ref or {}).values()))
        self._useful = len(self._names) > 1 and len(ward.room) > 1

    def take(
        self, heard: Bin, facts: Sequence[Fact], p_here: Sequence[float], listened: Sequence[int]
    ) -> list[Misplaced]:
        """Take a bin and P(here) of every tag after it; return pieces that are on another shelf.

        `listened` says of each antenna of the room, by place, whether it listened (1) or not (0).
        """
        self._visit = self._visit or heard.visit is None or heard.visit > 0
        if facts:
            self._reset(np.array([fact.tag for fact in facts if self._home[fact.tag] >= 0], np.intp))
        live = np.flatnonzero(np.asarray(listened))
        if not heard.ant or not self._useful or len(live) < LIVE_LEAST:
            return []
        reads = np.zeros_like(self._own)
        for tag, name, count, _ in heard.ant:
            place = self._antenna.get(name)
            if place is not None:
                reads[tag, place] += count
        here = np.asarray(p_here) > HERE_LEAST
        able = np.flatnonzero((reads.sum(axis=1) >= READS_LEAST) & here & (self._home >= 0))
        known = able[self._own[able].sum(axis=1) >= LEARNED_READS]
        if self._told >= MEANS_EVERY and len(known):
            self._weigh(known, reads[known], live)
        if len(live) == len(self._antenna):
            self._learn(able, reads[able])
        self._visit = False
        return self._judge(known, heard.number)

    def _reset(self, tags: NDArray[np.intp]) -> None:
        self._p[tags] = 0.0
        self._p[tags, self._home[tags]] = 1.0

    def _weigh(self, tags: NDArray[np.intp], reads: Column, live: NDArray[np.intp]) -> None:
        moved = MOVED_A_VISIT if self._visit else MOVED_IDLE
        p = self._p[tags] * (1 - moved) + moved / len(self._names)
        own, means, reads = self._own[tags][:, live] + 0.5, self._means[:, live], reads[:, live]
        score = np.stack([_spread(reads, OTHER * mean / max(1e-9, mean.sum()) + 0.02) for mean in means], axis=1)
        rows = np.arange(len(tags))
        score[rows, self._home[tags]] = _spread(reads, OWN * own / own.sum(axis=1, keepdims=True))
        p = p * np.exp(TEMPER * (score - score.max(axis=1, keepdims=True)))
        self._p[tags] = p / p.sum(axis=1, keepdims=True)

    def _learn(self, tags: NDArray[np.intp], reads: Column) -> None:
        at_home = self._p[tags, self._home[tags]] > SURE
        tags, reads = tags[at_home], reads[at_home]
        self._own[tags] += reads
        self._own[tags] *= np.where(self._own[tags].sum(axis=1, keepdims=True) > MEMORY_READS, 0.5, 1.0)
        self._told += 1
        if self._told % MEANS_EVERY == 0:
            shares = self._own / np.maximum(1.0, self._own.sum(axis=1, keepdims=True))
            for shelf in range(len(self._names)):
                of = shares[(self._home == shelf) & (self._own.sum(axis=1) > 0)]
                if len(of):
                    self._means[shelf] = of.mean(axis=0)

    def _judge(self, tags: NDArray[np.intp], number: int) -> list[Misplaced]:
        at_home = self._p[tags, self._home[tags]]
        low = at_home < LOW
        self._since[tags[low & (self._held[tags] == 0)]] = number
        self._held[tags] = np.where(low, self._held[tags] + 1, 0)
        self._armed[tags[at_home > AGAIN]] = True
        found = tags[(self._held[tags] >= HOLD) & self._armed[tags] & ~np.isin(tags, self._fixed)]
        self._armed[found] = False
        return [
            Misplaced(
                int(tag),
                self._names[int(self._p[tag].argmax())],
                float(self._p[tag, self._home[tag]]),
                int(self._since[tag]),
            )
            for tag in found
        ]


def _spread(reads: Column, weights: Column) -> Column:
    """Return the logarithm of the Dirichlet-multinomial chance of reads, without what no shelf changes."""
    whole = weights.sum(axis=-1)
    apart = (_log_gamma(reads + weights) - _log_gamma(weights)).sum(axis=-1)
    found: Column = apart + _log_gamma(whole) - _log_gamma(whole + reads.sum(axis=-1))
    return found


def _log_gamma(x: Column) -> Column:
    """Return log of the gamma function of x > 0: Stirling's series after a shift by eight (error below 1e-7)."""
    product = np.ones_like(x)
    for step in range(8):
        product = product * (x + step)
    y = x + 8.0
    series: Column = (y - 0.5) * np.log(y) - y + 0.5 * np.log(2 * np.pi) + 1 / (12 * y) - 1 / (360 * y**3)
    return series - np.log(product)
