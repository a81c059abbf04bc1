"""The wait: demand X over the time in which an order made now cannot help, undershoot of the reorder point included.

Order of events in a day: receipt, demand, review, order. So an order with a lead time of L days leaves L - 1 whole
days without help (none for L below 1), and when it is placed the stock stands U below the reorder point: E U = (E z^2
/ E z - 1) / 2, Var U = E z^3 / (3 E z) - (E z^2 / (2 E z))^2 - 1/12 (z the request; renewal theory).

X is a mixture over the lead time's points: given a point, negative binomial with that point's mean and variance,
Poisson where the variance is not above the mean (Syntetos and Boylan). One distribution with the same two moments
would spread a rare long lead over every order. The rule that must not be broken: `wait_of` is the reference,
`waits_of_many` equals it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from central.core.reorder.leads import LEAD_DAYS_MAX, POINTS_MAX, Leads, points_at
from central.core.reorder.moments import Floats, Moments, MomentsOfMany, Whole

MEAN_MIN = 1e-9
"""Least mean of X: an item of single pieces that comes over night has none."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Parts `(mean, variance, weight)` of X, and the expected undershoot in it; base units."""

    parts: tuple[tuple[float, float, float], ...]
    undershoot: float


@dataclass(frozen=True, slots=True)
class Waits:
    """The same for n lines: means, variances and weights are arrays of parts x n; unused parts weigh 0."""

    means: Floats
    variances: Floats
    weights: Floats
    undershoot: Floats


def cycle_of(moments: Moments, lot: int) -> int:
    """Return how often a lot is ordered, in days."""
    return int(min(LEAD_DAYS_MAX, max(1.0, lot / moments.mean))) if moments.mean > 0 else LEAD_DAYS_MAX


def wait_of(moments: Moments, leads: Leads, lot: int) -> Wait:
    """Return the wait of one line that orders lots of `lot` units."""
    undershoot, spread = 0.0, 0.0
    if moments.size > 0:
        undershoot = max(0.0, (moments.size2 / moments.size - 1.0) / 2.0)
        half = moments.size2 / (2.0 * moments.size)
        spread = max(0.0, moments.size3 / (3.0 * moments.size) - half * half - 1.0 / 12.0)
    parts = []
    for lead_days, weight in points_at(leads, cycle_of(moments, lot)):
        days = max(0.0, lead_days - 1.0)
        mean = max(MEAN_MIN, moments.mean * days + undershoot)
        parts.append((mean, max(mean, moments.variance * days + spread), weight))
    return Wait(tuple(parts), undershoot)


def waits_of_many(moments: MomentsOfMany, lead_days: Floats, weights: Floats) -> Waits:
    """Return the waits of many lines; `lead_days` and `weights` are points x n, as `points_of` makes them."""
    some = moments.size > 0

    def over(what: Floats, factor: float) -> Floats:
        return np.divide(what, factor * moments.size, out=np.zeros_like(what), where=some)

    undershoot = np.where(some, np.maximum(0.0, (over(moments.size2, 1.0) - 1.0) / 2.0), 0.0)
    half = over(moments.size2, 2.0)
    spread = np.where(some, np.maximum(0.0, over(moments.size3, 3.0) - half * half - 1.0 / 12.0), 0.0)
    days = np.maximum(0.0, lead_days - 1.0)
    means = np.maximum(MEAN_MIN, moments.mean * days + undershoot)
    variances = np.maximum(means, moments.variance * days + spread)
    return Waits(means, variances, weights, undershoot)


def points_of(moments: MomentsOfMany, lots: Whole, several: Sequence[Leads], which: Whole) -> tuple[Floats, Floats]:
    """Return the lead times of n lines as two arrays of points x n: days and weights.

    Line i has the lead times `several[which[i]]`.
    """
    cycles = np.full(len(lots), LEAD_DAYS_MAX, np.int64)
    some = moments.mean > 0
    cycles[some] = np.clip(lots[some] / moments.mean[some], 1, LEAD_DAYS_MAX).astype(np.int64)
    late = np.array([leads.late_days for leads in several], np.int64)
    pairs = which * (LEAD_DAYS_MAX + 1) + np.minimum(cycles, late[which])
    kinds, of_line = np.unique(pairs, return_inverse=True)
    days, weights = np.ones((POINTS_MAX, len(kinds))), np.zeros((POINTS_MAX, len(kinds)))
    for kind, pair in enumerate(kinds):
        owner, cycle = divmod(int(pair), LEAD_DAYS_MAX + 1)
        for point, (lead_days, weight) in enumerate(points_at(several[owner], cycle)):
            days[point, kind], weights[point, kind] = lead_days, weight
    return days[:, of_line], weights[:, of_line]
