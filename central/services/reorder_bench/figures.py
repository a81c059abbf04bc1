"""What came of a bench as figures: fill and stock pooled over series, stock at equal fill, intervals by bootstrap.

Stock is counted in days of supply: value on the shelves over the daily value asked for. Between two settings of a
policy log(stock) is taken as linear in -log(1 - fill); beyond its settings nothing is said. The bootstrap draws whole
series, the same for both sides of a ratio. The rule that must not be broken: what was not reached is None, never the
last point.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from central.core.reorder.moments import Floats, Whole
from central.services.reorder_bench.play import Played

DRAWS = 400
SEED_OF_DRAWS = 5
INTERVAL = (2.5, 97.5)
DIGITS = 4
LEARNT, SCORED = 0, 1
"""The two halves."""


@dataclass(frozen=True, slots=True)
class Score:
    """Figures of some settings, draws x settings; the first draw is every series once."""

    fill: Floats
    unit_fill: Floats
    stock_days: Floats
    lines: Floats
    expired: Floats


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure and its interval; None where it was not reached."""

    value: float | None
    interval: tuple[float, float] | None


def draws_of(series: int) -> Floats:
    """Return how often each series counts in each draw, draws x series."""
    chance = np.random.default_rng(SEED_OF_DRAWS)
    drawn = chance.multinomial(series, np.full(series, 1 / series), DRAWS) if series else np.zeros((DRAWS, 0))
    return np.concatenate([np.ones((1, series)), drawn])


def score(
    played: Played, settings: Sequence[int], half: int, draws: Floats, *, prices: Floats | None = None, days: int
) -> Score:
    """Return the figures of some settings over a half of `days` days, for each draw of series."""
    rows = list(settings)
    value = np.ones(draws.shape[1]) if prices is None else prices

    def pooled(what: Floats) -> Floats:
        return np.asarray(draws @ what[rows, :, half].T)

    asked = pooled(played.asked * value[None, :, None])
    with np.errstate(invalid="ignore", divide="ignore"):  # a draw may hold only series without requests
        return Score(
            pooled(played.answered) / pooled(played.requests),
            pooled(played.served) / pooled(played.asked),
            pooled(played.stock * value[None, :, None]) / (asked / days),
            pooled(played.lines),
            pooled(played.expired) / pooled(played.asked),
        )


def only(draws: Floats, series: Whole) -> Floats:
    """Return draws in which only some series count."""
    kept = np.zeros_like(draws)
    inside = draws_of(len(series))
    kept[:, series] = inside
    return kept


def at_fill(score_: Score, what: Floats, fill: Floats) -> Floats:
    """Return a quantity (stock, lines) at a fill, draw by draw; nan where settings lie only on one side."""
    return np.array(
        [
            _between(_depth(x), _log(y), _depth(np.array([at]))[0], np.exp)
            for x, y, at in zip(score_.fill, what, fill, strict=True)
        ]
    )


def unserved_at_stock(score_: Score, stock: Floats) -> Floats:
    """Return the share of requests not served at a stock, draw by draw; nan where not reached."""
    return np.array(
        [
            _between(_log(y), _depth(x), float(np.log(at)), lambda depth: np.exp(-depth))
            for x, y, at in zip(score_.fill, score_.stock_days, stock, strict=True)
        ]
    )


def _log(what: Floats) -> Floats:
    return np.log(np.maximum(what, 1e-9))


def _depth(fill: Floats) -> Floats:
    return -np.log(np.maximum(1 - fill, 1e-9))


def _between(x: Floats, y: Floats, at: float, back: Callable[[float], float]) -> float:
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    if not (isfinite(at) and len(x) and x[0] <= at <= x[-1]):
        return float("nan")
    return float(back(float(np.interp(at, x, y))))


def figure(values: Floats) -> Figure:
    """Return the first draw's value and the interval of the others; draws that did not reach it do not count."""
    found = values[1:][np.isfinite(values[1:])]
    if not isfinite(values[0]):
        return Figure(None, None)
    value = round(float(values[0]), DIGITS)
    if len(found) < DRAWS // 2:
        return Figure(value, None)
    low, high = np.percentile(found, INTERVAL)
    return Figure(value, (round(float(low), DIGITS), round(float(high), DIGITS)))


def picked(learnt: Score, fill: float) -> int | None:
    """Return the setting with the least stock that served a share of requests in the first half; None when none did."""
    enough = np.flatnonzero(learnt.fill[0] >= fill)
    return int(enough[np.argmin(learnt.stock_days[0, enough])]) if len(enough) else None
