"""What a policy believes is on the shelf when part of the use is not recorded.

    book      the record alone, right when the second half begins and never counted after: what nobody recorded is there
    readers   tags on the shelf: a few units are in doubt, and the 30 % quantile of the sum is counted on

What readers see leave counts as use, so that demand is known; the book's demand lacks what was not recorded. The rule
that must not be broken: nobody counts, and neither is told the truth.
"""

from dataclasses import dataclass

import numpy as np

from central.core.reorder.moments import Floats

LOSSES = (0.02, 0.05, 0.10)
"""Shares of the units used that nobody records."""

IN_DOUBT, BELIEF = 0.02, 0.9
"""Share of the units on a shelf that readers have not heard lately, and the belief that each is there."""

LOW_DEVIATIONS = 0.5244
"""The 30 % quantile of a normal sum lies so many deviations below its mean."""

SEED_OF_RECORD = 13


@dataclass(frozen=True, slots=True)
class Record:
    """What part of the use is not recorded, and whether readers watch."""

    loss: float = 0.0
    readers: bool = False


PERFECT = Record()


class Records:
    """The records of many lanes while they are played."""

    def __init__(self, several: list[Record], series: int) -> None:
        self._loss = np.repeat([one.loss for one in several], series)
        self._readers = np.repeat([one.readers for one in several], series)
        self._wrong = bool((self._loss > 0).any() or self._readers.any())
        self._phantoms = np.zeros(len(self._loss))
        self._chance = np.random.default_rng(SEED_OF_RECORD)

    def use(self, served: Floats) -> None:
        """Record a day's use, or not."""
        if self._wrong:
            self._phantoms += self._chance.binomial(served.astype(np.int64), self._loss)

    def put_right(self) -> None:
        """Count once: the record is right."""
        self._phantoms[:] = 0.0

    def seen(self, on_hand: Floats) -> Floats:
        """Return what policies believe is there."""
        if not self._wrong:
            return on_hand
        deviation = np.sqrt(on_hand * IN_DOUBT * BELIEF * (1 - BELIEF))
        heard = on_hand + (self._chance.standard_normal(len(on_hand)) - LOW_DEVIATIONS) * deviation
        return np.where(self._readers, np.floor(np.maximum(heard, 0.0)), on_hand + self._phantoms)


def recorded(daily: Floats, loss: float) -> Floats:
    """Return the part of the daily use that is recorded."""
    chance = np.random.default_rng(SEED_OF_RECORD)
    return np.asarray(chance.binomial(daily.astype(np.int64), 1 - loss), np.float64)
