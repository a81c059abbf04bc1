"""P(X = k) of many waits at once, k by k over all lines: each step is one short run over memory that is at hand.

Tables are levels x lines. The rule that must not be broken: it equals `reference.masses` line by line.
"""

import numpy as np

from central.core.reorder.moments import Floats, Whole
from central.core.reorder.reference import POISSON_EXCESS
from central.core.reorder.waits import Waits

START_MIN = -600.0
"""Least logarithm of P(X = 0) from which neighbours are multiplied; a float ends at -745."""

LINES_BY_LEVEL_MIN = 48
"""Lines of a block from which going level by level pays; below, lines are done one after the other."""


def masses_of(waits: Waits, lines: Whole, unit: Floats, width: int) -> Floats:
    """Return P(X = 0 … width - 1), in steps of `unit` base units, of some lines: width x lines."""
    total = np.zeros((width, len(lines)))
    for part in range(len(waits.means)):
        weight = waits.weights[part, lines]
        if not weight.any():
            continue
        mean, variance = waits.means[part, lines] / unit, waits.variances[part, lines] / (unit * unit)
        excess = np.maximum(variance - mean, POISSON_EXCESS * mean)
        size, failure = mean * mean / excess, excess / (mean + excess)
        start = -size * np.log1p(excess / mean)
        plain = start >= START_MIN if len(lines) >= LINES_BY_LEVEL_MIN else np.zeros(len(lines), bool)
        _add_by_level(total, np.where(plain, weight * np.exp(start), 0.0), size, failure)
        for line in np.flatnonzero(~plain & (weight > 0)):
            total[:, line] += weight[line] * _in_logarithms(start[line], size[line], failure[line], width)
    return total


def _add_by_level(total: Floats, first: Floats, size: Floats, failure: Floats) -> None:
    """Add the masses of lines whose first is `first`, each by the ratio to the one before; 0 adds nothing."""
    if not first.any():
        return
    mass, factor, ratio = first.copy(), (size - 1) * failure, np.empty_like(first)
    total[0] += mass
    for level in range(1, len(total)):
        np.multiply(factor, 1 / level, out=ratio)
        ratio += failure
        mass *= ratio
        total[level] += mass


def _in_logarithms(start: float, size: float, failure: float, width: int) -> Floats:
    """Return the masses of one line where the first is too small to write."""
    level = np.arange(1, width, dtype=np.float64)
    logs = np.empty(width)
    logs[0] = start
    np.log(failure + (size - 1) * failure / level, out=logs[1:])
    return np.exp(np.cumsum(logs, out=logs), out=logs)
