"""The engine's sums for one line, one term at a time: what the tables of many lines must equal.

X (see `waits`) is counted in steps: one base unit where quantities are small, more where a step is still a small part
of X's deviation. G(s) = E[(X - s)+] is the loss function (Silver, Pyke, Thomas). The rule that must not be broken: a
change here is a change in `tables`, and a test holds them together.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from math import ceil, exp, floor, log, log1p, sqrt

from central.core.reorder.waits import Wait
from central.errors import BadInput

STEPS_PER_DEVIATION = 32
"""How fine the steps are: levels are right to a thirtieth of a deviation, and a table has a few hundred cells."""

LEVELS_MAX = 20_000
"""Longest table; longer ones are counted in larger steps."""

POISSON_EXCESS = 1e-7
"""Least variance above the mean, as a share of it: the negative binomial there is a Poisson."""

TAIL_DEVIATIONS, TAIL_SCALES = 5.0, 11.0
"""Where a table ends: so many deviations and so many scales (variance / mean) above the mean; some 1e-6 lies beyond."""

TABLES_KEPT = 16
"""Tables at hand: one line asks the same one for its point, its promise and the rules beside it."""

TIE = 1 + 1e-9
"""Sums of floats that should be equal are."""


@dataclass(frozen=True, slots=True)
class Losses:
    """P(X > k) and G(k) for k = 0 … last, in steps of `step` base units."""

    step: int
    exceed: tuple[float, ...]
    loss: tuple[float, ...]

    def missed(self, point: int, lot: int) -> float:
        """Return what a cycle misses that begins at a reorder point and orders a lot: G(s) - G(s + Q)."""
        return max(0.0, self._loss(point) - self._loss(point + lot))

    def gain(self, point: int, lot: int) -> float:
        """Return what one more step of reorder point serves in a cycle: P(s < X <= s + Q)."""
        return self._exceed(point) - self._exceed(point + lot)

    @property
    def last(self) -> int:
        """The last level of the table."""
        return len(self.loss) - 1

    def _loss(self, at: int) -> float:
        return self.loss[at] if at <= self.last else 0.0

    def _exceed(self, at: int) -> float:
        return self.exceed[at] if at <= self.last else 0.0


@lru_cache(maxsize=TABLES_KEPT)
def losses_of(wait: Wait) -> Losses:
    """Return the table of one line."""
    step = step_of(wait)
    last = top_of(wait, step)
    total = [0.0] * (last + 1)
    for mean, variance, weight in wait.parts:
        for at, p in enumerate(masses(mean / step, variance / (step * step), last)):
            total[at] += weight * p
    exceed = tuple(min(1.0, max(0.0, 1.0 - below)) for below in accumulate(total))
    mean = sum(weight * part for part, _, weight in wait.parts) / step
    loss = accumulate(exceed[:-1], lambda left, p: left - p, initial=mean)
    return Losses(step, exceed, tuple(max(0.0, one) for one in loss))


def step_of(wait: Wait) -> int:
    """Return the base units of a step."""
    mean = sum(weight * part for part, _, weight in wait.parts)
    square = sum(weight * (variance + part * part) for part, variance, weight in wait.parts)
    variance = max(mean, square - mean * mean)
    fine = max(1, floor(min(sqrt(variance) / STEPS_PER_DEVIATION, variance / mean)))
    return max(fine, ceil(_top(wait) / LEVELS_MAX))


def top_of(wait: Wait, step: int) -> int:
    """Return the last level of a table in steps."""
    return ceil(_top(wait) / step) + 1


def _top(wait: Wait) -> float:
    return max(
        mean + TAIL_DEVIATIONS * sqrt(variance) + TAIL_SCALES * variance / mean for mean, variance, _ in wait.parts
    )


def masses(mean: float, variance: float, last: int) -> list[float]:
    """Return P(X = 0 … last): negative binomial, by the ratio of neighbours."""
    excess = max(variance - mean, POISSON_EXCESS * mean)
    size = mean * mean / excess
    start = -size * log1p(excess / mean)
    failure = excess / (mean + excess)
    ratios = (log((at - 1 + size) / at * failure) for at in range(1, last + 1))
    return [exp(one) for one in accumulate(ratios, initial=start)]


def lot_steps(lot: int, step: int) -> int:
    """Return a lot in steps. Raises `BadInput` for a lot below one unit."""
    if lot < 1:
        raise BadInput(f"order lot: expected at least 1, got {lot}")
    return max(1, round(lot / step))


def fill_point(wait: Wait, lot: int, fill: float) -> int:
    """Return the smallest reorder point s >= 0 that fills the share asked for (item mode).

    With lost sales a cycle serves Q + E U and misses G(s) - G(s + Q), so
    G(s) - G(s + Q) <= (1 - fill) / fill x (Q + E U). Raises `BadInput` for a share outside 0..1.
    """
    if not 0 < fill < 1:
        raise BadInput(f"fill target: expected a share between 0 and 1, got {fill}")
    table = losses_of(wait)
    size = lot_steps(lot, table.step)
    bearable = (1 - fill) / fill * (lot + wait.undershoot) / table.step * TIE
    point = next((at for at in range(table.last) if table.missed(at, size) <= bearable), table.last)
    return point * table.step


def worth_point(wait: Wait, lot: int, threshold: float) -> int:
    """Return the reorder point at the last crossing of P(s < X <= s + Q) <= threshold (system mode)."""
    table = losses_of(wait)
    size = lot_steps(lot, table.step)
    worth = [at for at in range(table.last + 1) if table.gain(at, size) > threshold * TIE]
    return (worth[-1] + 1) * table.step if worth else 0


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a reorder point and a lot promise: share of demand served, mean stock on the shelf (base units)."""

    fill: float
    stock: float


def outlook_of(wait: Wait, point: int, lot: int) -> Outlook:
    """Return what a reorder point and a lot promise.

    The shelf at the end of a wait holds (y - X)+, y even over s + 1 … s + Q.
    """
    table = losses_of(wait)
    size, at = lot_steps(lot, table.step), round(point / table.step)
    served = (lot + wait.undershoot) / table.step
    sums = list(accumulate((*table.loss, *[0.0] * max(0, at + size - table.last)), initial=0.0))
    left = (sums[at + size + 1] - sums[at + 1]) / size
    mean = sum(weight * part for part, _, weight in wait.parts) / table.step
    stock = max(0.0, at + (size + 1) / 2 - mean + left)
    return Outlook(served / (served + table.missed(at, size)), stock * table.step)


def demand_quantile(mean: float, variance: float, share: float) -> int:
    """Return the smallest quantity that demand does not exceed with a probability of `share`."""
    table = losses_of(Wait(((max(mean, 1e-9), max(variance, mean, 1e-9), 1.0),), 0.0))
    return next((at for at, p in enumerate(table.exceed) if 1 - p >= share), table.last) * table.step
