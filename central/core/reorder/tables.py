"""The engine's sums for many lines at once: numpy tables of levels x lines, in blocks of bounded size.

It equals `reference` line by line. The rule that must not be broken: memory is bounded by BLOCK_CELLS however many
lines there are.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from central.core.reorder.masses import masses_of
from central.core.reorder.moments import Floats, Whole
from central.core.reorder.reference import (
    LEVELS_MAX,
    STEPS_PER_DEVIATION,
    TAIL_DEVIATIONS,
    TAIL_SCALES,
    TIE,
)
from central.core.reorder.waits import Waits

BLOCK_CELLS = 262_144
"""Cells of one table: 2 MB, so that those of a block stay in a processor's cache."""


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
        at = np.arange(len(self.exceed))[:, None]
        ahead = at + self.lot
        later = np.take_along_axis(self.exceed, np.minimum(ahead, len(self.exceed) - 1), 0)
        gain = np.where(at > self.last, 0.0, self.exceed - np.where(ahead > self.last, 0.0, later))
        highest = np.maximum.accumulate(gain[::-1], axis=0)
        points = np.empty(thresholds.shape, np.int64)
        for row, threshold in enumerate(thresholds):
            points[row] = _count_above(highest, threshold * TIE)
        return points * self.step

    def missed(self, point: Whole) -> Floats:
        """Return G(s) - G(s + Q) in steps, for reorder points in steps."""
        return np.maximum(0.0, self._at(self.loss, point) - self._at(self.loss, point + self.lot))

    def outlook(self, points: Whole) -> tuple[Floats, Floats]:
        """Return share served and mean stock (base units) for reorder points of rows x lines, in base units."""
        inside = np.where(np.arange(len(self.loss))[:, None] > self.last, 0.0, self.loss)
        sums = np.concatenate([np.zeros((1, len(self.lines))), np.cumsum(inside, axis=0)])
        fill, stock = np.empty(points.shape), np.empty(points.shape)
        for row, each in enumerate(points):
            at = np.rint(each / self.step).astype(np.int64)
            left = (_cell(sums, at + self.lot + 1) - _cell(sums, at + 1)) / self.lot
            fill[row] = self.served / (self.served + self.missed(at))
            stock[row] = np.maximum(0.0, at + (self.lot + 1) / 2 - self.mean + left) * self.step
        return fill, stock

    def _at(self, table: Floats, point: Whole) -> Floats:
        return np.where(point > self.last, 0.0, _cell(table, np.minimum(point, self.last)))


def _cell(table: Floats, level: Whole) -> Floats:
    """Return one cell of each line, that of the last level where the one asked for lies beyond."""
    count = table.shape[1]
    return np.asarray(table.ravel()[np.minimum(level, len(table) - 1) * count + np.arange(count)])


def _count_above(rising: Floats, threshold: Floats) -> Whole:
    """Return how many values of each line's rising column lie above a threshold, by bisection."""
    width = len(rising)
    low, high = np.full(rising.shape[1], -1, np.int64), np.full(rising.shape[1], width, np.int64)
    while (open_ := high - low > 1).any():
        middle = np.clip((low + high) // 2, 0, width - 1)
        above = _cell(rising, middle) > threshold
        high = np.where(open_ & above, middle, high)
        low = np.where(open_ & ~above, middle, low)
    return np.asarray(width - high)


def demand_quantiles(mean: Floats, variance: Floats, share: float) -> Whole:
    """Return the smallest quantities that demands do not exceed with a probability of `share`."""
    means = np.maximum(mean, 1e-9)[None, :]
    waits = Waits(means, np.maximum(variance[None, :], means), np.ones_like(means), np.zeros(len(mean)))
    found = np.zeros(len(mean), np.int64)
    for block in blocks_of(waits, np.ones(len(mean), np.int64)):
        at = np.minimum((1 - block.exceed < share).sum(axis=0), block.last)
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
    mean = (waits.weights[:, lines] * waits.means[:, lines]).sum(axis=0) / unit
    exceed, loss = _summed(masses_of(waits, lines, unit, width), mean)
    lot = np.maximum(1, np.rint(lots[lines] / unit)).astype(np.int64)
    served = (lots[lines] + waits.undershoot[lines]) / unit
    return Block(lines, step[lines], last[lines], lot, served, mean, exceed, loss)


def _summed(masses: Floats, mean: Floats) -> tuple[Floats, Floats]:
    """Return P(X > k) in place of the masses, and G(k)."""
    loss, reached = np.empty_like(masses), np.zeros_like(mean)
    loss[0] = mean
    for level, row in enumerate(masses):
        reached += row
        np.subtract(1.0, reached, out=row)
        np.maximum(row, 0.0, out=row)
        if level + 1 < len(loss):
            np.subtract(loss[level], row, out=loss[level + 1])
    np.maximum(loss, 0.0, out=loss)
    return masses, loss
