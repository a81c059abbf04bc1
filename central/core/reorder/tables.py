"""The engine's sums for many lines at once: numpy tables, one row a line, in blocks of bounded size.

It equals `reference` line by line. The rule that must not be broken: memory is bounded by BLOCK_CELLS however many
lines there are.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from central.core.reorder.moments import Floats, Whole
from central.core.reorder.reference import (
    LEVELS_MAX,
    POISSON_EXCESS,
    STEPS_PER_DEVIATION,
    TAIL_DEVIATIONS,
    TAIL_SCALES,
    TIE,
)
from central.core.reorder.waits import Waits

BLOCK_CELLS = 131_072
"""Cells of one table: 1 MB, which a processor's cache holds."""

START_MIN = -600.0
"""Least logarithm of P(X = 0) from which neighbours are multiplied; a float ends at -745."""


@dataclass(frozen=True, slots=True)
class Block:
    """Tables of some lines: P(X > k) and G(k), k in steps; what lies beyond `last` of a line is 0."""

    lines: Whole
    step: Whole
    last: Whole
    lot: Whole
    served: Floats
    mean: Floats
    exceed: Floats
    loss: Floats

    def fill_points(self, fill: Floats | float) -> Whole:
        """Return the smallest reorder points that fill the share asked for, in base units."""
        bearable = (1 - fill) / fill * self.served * TIE
        low, high = np.full(len(self.lines), -1, np.int64), self.last.copy()
        while (open_ := high - low > 1).any():
            middle = (low + high) // 2
            enough = self.missed(np.maximum(middle, 0)) <= bearable
            high = np.where(open_ & enough, middle, high)
            low = np.where(open_ & ~enough, middle, low)
        return high * self.step

    def worth_points(self, thresholds: Floats) -> Whole:
        """Return the reorder points at the last crossing, for `thresholds` of any number of rows x lines."""
        at = np.arange(self.exceed.shape[1])
        beyond = at > self.last[:, None]
        ahead = np.minimum(at + self.lot[:, None], self.exceed.shape[1] - 1)
        later = np.where(at + self.lot[:, None] > self.last[:, None], 0.0, np.take_along_axis(self.exceed, ahead, 1))
        gain = np.where(beyond, 0.0, self.exceed - later)
        highest = np.maximum.accumulate(gain[:, ::-1], axis=1)
        points = np.empty(thresholds.shape, np.int64)
        for row, threshold in enumerate(thresholds):
            points[row] = _count_above(highest, threshold * TIE)
        return points * self.step

    def missed(self, point: Whole) -> Floats:
        """Return G(s) - G(s + Q) in steps, for reorder points in steps."""
        return np.maximum(0.0, self._at(self.loss, point) - self._at(self.loss, point + self.lot))

    def outlook(self, points: Whole) -> tuple[Floats, Floats]:
        """Return share served and mean stock (base units) for reorder points of rows x lines, in base units."""
        sums = np.concatenate([np.zeros((len(self.lines), 1)), np.cumsum(self._inside(self.loss), axis=1)], axis=1)
        fill, stock = np.empty(points.shape), np.empty(points.shape)
        for row, each in enumerate(points):
            at = np.rint(each / self.step).astype(np.int64)
            left = (self._sum_to(sums, at + self.lot + 1) - self._sum_to(sums, at + 1)) / self.lot
            fill[row] = self.served / (self.served + self.missed(at))
            stock[row] = np.maximum(0.0, at + (self.lot + 1) / 2 - self.mean + left) * self.step
        return fill, stock

    def _inside(self, table: Floats) -> Floats:
        return np.where(np.arange(table.shape[1]) > self.last[:, None], 0.0, table)

    def _at(self, table: Floats, point: Whole) -> Floats:
        found = np.take_along_axis(table, np.minimum(point, self.last)[:, None], axis=1)[:, 0]
        return np.where(point > self.last, 0.0, found)

    @staticmethod
    def _sum_to(sums: Floats, count: Whole) -> Floats:
        found = np.take_along_axis(sums, np.minimum(count, sums.shape[1] - 1)[:, None], axis=1)
        return np.asarray(found[:, 0])


def _count_above(rising: Floats, threshold: Floats) -> Whole:
    """Return how many values of each rising row lie above a threshold, by bisection."""
    width = rising.shape[1]
    low, high = np.full(len(rising), -1, np.int64), np.full(len(rising), width, np.int64)
    while (open_ := high - low > 1).any():
        middle = np.clip((low + high) // 2, 0, width - 1)
        above = np.take_along_axis(rising, middle[:, None], axis=1)[:, 0] > threshold
        high = np.where(open_ & above, middle, high)
        low = np.where(open_ & ~above, middle, low)
    return np.asarray(width - high)


def demand_quantiles(mean: Floats, variance: Floats, share: float) -> Whole:
    """Return the smallest quantities that demands do not exceed with a probability of `share`."""
    means = np.maximum(mean, 1e-9)[None, :]
    waits = Waits(means, np.maximum(variance[None, :], means), np.ones_like(means), np.zeros(len(mean)))
    found = np.zeros(len(mean), np.int64)
    for block in blocks_of(waits, np.ones(len(mean), np.int64)):
        at = np.minimum((1 - block.exceed < share).sum(axis=1), block.last)
        found[block.lines] = at * block.step
    return found


def blocks_of(waits: Waits, lots: Whole) -> Iterator[Block]:
    """Give the tables of many lines, short ones first; `lots` in base units, 1 or more."""
    step, last = steps_of(waits)
    order = np.argsort(last, kind="stable")
    start = 0
    while start < len(order):
        end = _block_end(last[order], start)
        yield _block(waits, lots, step, last, order[start:end])
        start = end


def _block_end(rising: Whole, start: int) -> int:
    """Return where a block ends that holds at least one line and at most BLOCK_CELLS cells."""
    low, high = start + 1, len(rising)
    while low < high:
        middle = (low + high + 1) // 2
        fits = (middle - start) * (int(rising[middle - 1]) + 1) <= BLOCK_CELLS
        low, high = (middle, high) if fits else (low, middle - 1)
    return low


def steps_of(waits: Waits) -> tuple[Whole, Whole]:
    """Return base units of a step and the last level in steps, for each line."""
    mean = (waits.weights * waits.means).sum(axis=0)
    square = (waits.weights * (waits.variances + waits.means * waits.means)).sum(axis=0)
    variance = np.maximum(mean, square - mean * mean)
    used = waits.weights > 0
    ends = waits.means + TAIL_DEVIATIONS * np.sqrt(waits.variances) + TAIL_SCALES * waits.variances / waits.means
    top = np.where(used, ends, 0.0).max(axis=0)
    fine = np.maximum(1.0, np.floor(np.minimum(np.sqrt(variance) / STEPS_PER_DEVIATION, variance / mean)))
    step = np.maximum(fine, np.ceil(top / LEVELS_MAX))
    return step.astype(np.int64), np.ceil(top / step).astype(np.int64) + 1


def _block(waits: Waits, lots: Whole, step: Whole, last: Whole, lines: Whole) -> Block:
    unit, width = step[lines].astype(np.float64), int(last[lines].max()) + 1
    total = np.zeros((len(lines), width))
    for part in range(len(waits.means)):
        weight = waits.weights[part, lines]
        some = np.flatnonzero(weight > 0)
        if len(some):
            means, variances = waits.means[part, lines[some]], waits.variances[part, lines[some]]
            masses = masses_of(means / unit[some], variances / (unit[some] * unit[some]), width)
            masses *= weight[some, None]
            total[some] += masses
    np.cumsum(total, axis=1, out=total)
    np.subtract(1.0, total, out=total)
    exceed = np.clip(total, 0.0, 1.0, out=total)
    mean = (waits.weights[:, lines] * waits.means[:, lines]).sum(axis=0) / unit
    loss = np.empty_like(exceed)
    loss[:, 0] = mean
    np.cumsum(exceed[:, :-1], axis=1, out=loss[:, 1:])
    np.subtract(mean[:, None], loss[:, 1:], out=loss[:, 1:])
    np.maximum(loss, 0.0, out=loss)
    lot = np.maximum(1, np.rint(lots[lines] / unit)).astype(np.int64)
    served = (lots[lines] + waits.undershoot[lines]) / unit
    return Block(lines, step[lines], last[lines], lot, served, mean, exceed, loss)


def masses_of(mean: Floats, variance: Floats, width: int) -> Floats:
    """Return P(X = 0 … width - 1) for many X, one a row; in logarithms where the first would be too small to write."""
    excess = np.maximum(variance - mean, POISSON_EXCESS * mean)
    size, failure = mean * mean / excess, excess / (mean + excess)
    start = -size * np.log1p(excess / mean)
    found = np.empty((len(mean), width))
    np.multiply(((size - 1) * failure)[:, None], 1 / np.arange(1, width, dtype=np.float64), out=found[:, 1:])
    found[:, 1:] += failure[:, None]
    deep = np.flatnonzero(start < START_MIN)
    if len(deep):
        rows = found[deep]
        rows[:, 0] = start[deep]
        np.log(rows[:, 1:], out=rows[:, 1:])
        found[deep] = np.exp(np.cumsum(rows, axis=1, out=rows), out=rows)
    plain = np.flatnonzero(start >= START_MIN)
    if len(plain):
        found[plain, 0] = np.exp(start[plain])
        found[plain] = np.cumprod(found[plain], axis=1)
    return found
