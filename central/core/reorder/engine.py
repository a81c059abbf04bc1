"""The engine over many lines: from moments and lead times to lots, reorder points and order-up-to levels.

Item mode gives every line the same share of demand served. System mode gives the hospital as many served requests as
it can for the money on the shelves: a request served is worth `worth`, a unit held costs its price, and one step more
of reorder point is bought while it serves more than it costs (Sherbrooke). Not here: one line at a time (`reference`),
and who supplies. The rule that must not be broken: a line worth less than the stock it needs is not stocked but
ordered when asked for, and the levels of a line never reach beyond what its shelf life lets it use.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from central.core.reorder.moments import Floats, MomentsOfMany, Whole
from central.core.reorder.tables import blocks_of, demand_quantiles
from central.core.reorder.waits import Waits
from central.errors import BadInput

NOT_STOCKED = -1
"""The reorder point of a line on request: no position of what is really there lies at or below it."""

SHELF_QUANTILE = 0.95
"""A line may hold what this share of shelf lives would use up."""

WORTH_ROWS = 16
"""Worths tried at once between two bounds; four rounds find one to a thousandth."""

SAMPLE_LINES = 20_000
SAMPLE_ERROR = 1.15
"""So many lines find the worth first; then all of them try around it, to two in a hundred."""

WORTH_ROUNDS = 4
WORTH_RANGE = (1e-4, 1e8)
"""Bounds of a worth, as a multiple of the median line's price of one request's lot."""


@dataclass(frozen=True, slots=True)
class Lines:
    """n lines: moments, waits, lots, price of a unit, weight (criticality), requests a day, days of shelf life."""

    moments: MomentsOfMany
    waits: Waits
    lots: Whole
    prices: Floats
    weights: Floats
    rates: Floats
    shelf_days: Floats

    def __post_init__(self) -> None:
        if len(self.lots) and (self.lots.min() < 1 or self.prices.min() < 0 or self.weights.min() < 0):
            raise BadInput("reorder lines: expected lots from 1, and prices and weights from 0")


def lines_at(lines: Lines, rows: Whole) -> Lines:
    """Return some of the lines."""
    moments, waits = lines.moments, lines.waits
    some = (moments.mean, moments.variance, moments.size, moments.size2, moments.size3, moments.rate)
    return Lines(
        MomentsOfMany(*(one[rows] for one in some)),
        Waits(waits.means[:, rows], waits.variances[:, rows], waits.weights[:, rows], waits.undershoot[rows]),
        lines.lots[rows],
        lines.prices[rows],
        lines.weights[rows],
        lines.rates[rows],
        lines.shelf_days[rows],
    )


def joined(parts: Sequence[Lines]) -> Lines:
    """Return the lines of several parts, one after the other."""

    def all_of(name: str, axis: int = 0) -> Floats:
        read = attrgetter(name)
        return np.concatenate([read(part) for part in parts], axis=axis)

    moments = (all_of(f"moments.{name}") for name in ("mean", "variance", "size", "size2", "size3", "rate"))
    means, variances, weights = (all_of(f"waits.{name}", axis=1) for name in ("means", "variances", "weights"))
    lots = np.concatenate([part.lots for part in parts])
    prices, gains, rates, shelf = (all_of(name) for name in ("prices", "weights", "rates", "shelf_days"))
    waits = Waits(means, variances, weights, all_of("waits.undershoot"))
    return Lines(MomentsOfMany(*moments), waits, lots, prices, gains, rates, shelf)


def lots_of(moments: MomentsOfMany, packs: Whole, moqs: Whole, cover_days: Floats | float) -> Whole:
    """Return the lots: the largest of pack, minimum, cover and one mean request, in whole packs."""
    wanted = np.maximum(np.maximum(packs, moqs), np.maximum(cover_days * moments.mean, moments.size))
    return (np.ceil(wanted / packs - 1e-9) * packs).astype(np.int64)


def item_points(lines: Lines, fills: tuple[float, ...]) -> Whole:
    """Return the reorder points of item mode, fills x lines."""
    points = np.zeros((len(fills), len(lines.lots)), np.int64)
    for block in blocks_of(lines.waits, lines.lots):
        for row, fill in enumerate(fills):
            points[row, block.lines] = block.fill_points(fill)
    return _within_shelf_life(lines, points)


def system_points(lines: Lines, worths: tuple[float, ...]) -> tuple[Whole, Floats]:
    """Return the reorder points of system mode and the share of requests served, worths x lines."""
    points = np.zeros((len(worths), len(lines.lots)), np.int64)
    fills = np.zeros(points.shape)
    gain = lines.weights * lines.rates
    cost = lines.prices * lines.lots
    for block in blocks_of(lines.waits, lines.lots):
        here = block.lines
        scale = np.divide(cost[here], gain[here], out=np.full(len(here), np.inf), where=gain[here] > 0)
        found = block.worth_points(scale / np.array(worths)[:, None])
        fill, stock = block.outlook(found)
        held = stock + np.maximum(0.0, found + lines.lots[here] - lines.moments.mean[here] * lines.shelf_days[here])
        stocked = np.array(worths)[:, None] * gain[here] * fill > lines.prices[here] * held
        points[:, here] = np.where(stocked, found, NOT_STOCKED)
        fills[:, here] = np.where(stocked, fill, 0.0)
    return _within_shelf_life(lines, points), fills


def worth_scale(lines: Lines) -> float:
    """Return the worth that makes the median line's threshold 1: where a search begins."""
    gain = lines.weights * lines.rates
    some = (gain > 0) & (lines.prices > 0)
    return float(np.median(lines.prices[some] * lines.lots[some] / gain[some])) if some.any() else 1.0


def worth_for(lines: Lines, fill: float, asked: Floats) -> float:
    """Return the least worth of a served request by which the hospital serves a share of what is `asked`.

    `asked` counts for each line its requests a day (weighted, if some matter more), or its units a day.

    Raises `BadInput` for a share outside 0..1.
    """
    if not 0 < fill < 1:
        raise BadInput(f"fill target: expected a share between 0 and 1, got {fill}")
    scale, (low, high) = worth_scale(lines), WORTH_RANGE
    sample = np.arange(0, len(asked), max(1, len(asked) // SAMPLE_LINES))
    some, asked_there = lines_at(lines, sample), asked[sample]
    for _ in range(WORTH_ROUNDS):
        low, high, _ = _narrowed(some, fill, asked_there, (low * scale, high * scale), scale)
    if len(sample) == len(asked):
        return high * scale
    near = (low / SAMPLE_ERROR * scale, high * SAMPLE_ERROR * scale)
    _, found, sure = _narrowed(lines, fill, asked, near, scale)
    if sure:
        return found * scale
    low, high = WORTH_RANGE
    for _ in range(WORTH_ROUNDS):
        low, high, _ = _narrowed(lines, fill, asked, (low * scale, high * scale), scale)
    return high * scale


def _narrowed(
    lines: Lines, fill: float, asked: Floats, bounds: tuple[float, float], scale: float
) -> tuple[float, float, bool]:
    """Return the neighbours between which the target is met, in scales, and whether both were tried."""
    tried = np.geomspace(*bounds, WORTH_ROWS)
    _, fills = system_points(lines, tuple(float(one) for one in tried))
    enough = (fills * asked).sum(axis=1) >= fill * float(asked.sum())
    first = int(np.argmax(enough)) if enough.any() else WORTH_ROWS - 1
    return float(tried[max(0, first - 1)]) / scale, float(tried[first]) / scale, bool(enough.any() and first > 0)


def _within_shelf_life(lines: Lines, points: Whole) -> Whole:
    """Lower the points of lines whose order-up-to level would outlast its shelf life; a lot itself may always come."""
    mean = lines.moments.mean * lines.shelf_days
    doubtful = np.flatnonzero((points.max(axis=0, initial=0) + lines.lots > mean) & (mean > 0))
    variance = lines.moments.variance[doubtful] * lines.shelf_days[doubtful]
    most = demand_quantiles(mean[doubtful], variance, SHELF_QUANTILE) - lines.lots[doubtful]
    points[:, doubtful] = np.minimum(points[:, doubtful], np.maximum(0, most))
    return points
