"""The fill rate a reorder point predicts: the share of demand served from the shelf, by the loss function of demand.

X is the demand that comes before an order placed now can help, undershoot of the reorder point included: negative
binomial with mean m and variance v, Poisson when v is not above m (Syntetos and Boylan). With lost sales, one cycle
sells what was ordered and undershot, Q + E U, and misses G(s) - G(s + Q), where G(s) = E[(X - s)+] (Silver, Pyke,
Thomas):

    fill = (Q + E U) / (Q + E U + G(s) - G(s + Q))

Floats live only here: they are probabilities, and no quantity is made from them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import exp, lgamma, log, log1p

from central.core.demand import Demand
from central.errors import BadInput

LEVELS_MAX = 200_000
"""Longest sum over stock levels: far above any shelf, and about 0.2 s."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and variance of X, in base units, and the expected undershoot in it."""

    mean: float
    variance: float
    undershoot: float

    def __post_init__(self) -> None:
        if self.mean < 0 or self.variance < 0 or self.undershoot < 0:
            raise BadInput(f"demand spread: expected nothing below 0, got {self}")


def spread_of(demand: Demand, lead_days: int, lead_variance: float = 0.0) -> Spread:
    """Return the demand over the time an order cannot help, with the undershoot of the reorder point.

    Order of events in a day: receipt, demand, review, order. So an order with a lead time of L days misses L - 1
    whole days; what the stock has fallen below the reorder point when it is noticed is the undershoot U of the
    request size z.
    """
    if not demand.total:
        return Spread(0.0, 0.0, 0.0)
    first, second, third = (demand.size_moment(power) for power in (1, 2, 3))
    undershoot = max(0.0, (second / first - 1) / 2)
    undershoot_variance = max(0.0, third / (3 * first) - (second / (2 * first)) ** 2 - 1 / 12)
    days, mu = max(0, lead_days - 1), float(demand.daily_mean)
    mean = mu * days + undershoot
    variance = demand.daily_variance * days + undershoot_variance + mu * mu * lead_variance
    return Spread(mean, max(variance, mean), undershoot)


def mass(mean: float, variance: float, count: int) -> float:
    """Return P(X = count): negative binomial, or Poisson when the variance is not above the mean."""
    if mean == 0:
        return float(count == 0)
    if variance <= mean * (1 + 1e-9):
        return exp(count * log(mean) - mean - lgamma(count + 1))
    size = mean * mean / (variance - mean)
    failure = log1p(-mean / variance)
    return exp(lgamma(count + size) - lgamma(size) - lgamma(count + 1) + size * log(mean / variance) + count * failure)


def losses(mean: float, variance: float, upto: int) -> list[float]:
    """Return G(0) .. G(upto), the expected demand above each stock level. Raises `BadInput` above the limit."""
    if not 0 <= upto <= LEVELS_MAX:
        raise BadInput(f"stock level: expected 0..{LEVELS_MAX}, got {upto}")
    below = accumulate(mass(mean, variance, count) for count in range(upto))
    return [max(0.0, loss) for loss in accumulate((cumulated - 1 for cumulated in below), initial=mean)]


def fill_rate(spread: Spread, reorder_point: int, lot: int) -> float:
    """Return the predicted share of demand served, for orders of `lot` units placed at or below `reorder_point`.

    A reorder point below zero is met by an empty shelf: what is asked while it is below is lost too.
    """
    if lot < 1:
        raise BadInput(f"order lot: expected at least 1, got {lot}")
    level = max(0, reorder_point)
    loss = losses(spread.mean, spread.variance, level + lot)
    missed = max(0.0, loss[level] - loss[level + lot])
    served = lot + spread.undershoot
    return served / (served + missed)


def low_quantile(beliefs: Sequence[float], certain: int, quantile: float) -> int:
    """Return the quantile of a count: `certain` pieces plus one Bernoulli each belief (Poisson-binomial, exactly
    summed).

    It is the smallest count whose probability of not being exceeded reaches the quantile.
    """
    weights = [1.0]
    for p in beliefs:
        weights = [
            (weights[count] if count < len(weights) else 0.0) * (1 - p) + (weights[count - 1] * p if count else 0.0)
            for count in range(len(weights) + 1)
        ]
    for count, cumulated in enumerate(accumulate(weights)):
        if cumulated >= quantile:
            return certain + count
    return certain + len(beliefs)
