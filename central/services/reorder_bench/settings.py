"""Every policy of the bench as levels over weeks: the texts' rules, their honest rivals, and the engine.

    3x-literal    on hand + on order below 3 x ADU90, up to 27 days above
    3x            the same on top of lead-time demand
    double-order  3x, and what is on order does not count
    k-adu         k x ADU90, the engine's lots
    normal        lead-time demand + z deviations, the engine's lots
    own           the hospital's own level and quantity
    engine-item, engine-system

The rule that must not be broken: a level of a week knows only the days before that week.
"""

from dataclasses import dataclass, replace

import numpy as np

from central.core.reorder.engine import NOT_STOCKED, Lines, item_points, lots_of, system_points, worth_scale
from central.core.reorder.moments import WINDOW_DAYS, Floats, Whole, moments_of_many
from central.core.reorder.season import in_season_of_many
from central.core.reorder.waits import points_of, waits_of_many
from central.services.reorder_bench.play import NEVER_LATE, REFRESH_DAYS, SHELF_LIFE_DAYS, Levels, weeks_of
from central.services.reorder_bench.world import World

ADU_DAYS = 90
SAFETY_DAYS = 3
LOT_DAYS = 27
WORTHS_TRIED = (0.1, 30_000.0, 72)
"""The texts' figures: three days of safety stock, a month's turnover less those three; and the worths tried each week,
as multiples of the median line's."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A world with what policies know of it each week; `lines` are its series x weeks, one after the other."""

    world: World
    lines: Lines
    adu: Floats
    late: Whole
    cover_days: float

    def square(self, row: Floats | Whole) -> Floats:
        """Return lines as series x weeks."""
        return row.reshape(len(self.world.keys), -1).astype(np.float64)


def prepare(world: World, cover_days: float, factors: Floats | None = None) -> Prepared:
    """Reckon moments, lots and waits of every series and week; `factors` of the season are series x weeks."""
    weeks = weeks_of(world)
    seen = np.minimum(np.arange(weeks) * REFRESH_DAYS, WINDOW_DAYS).astype(np.float64)
    daily = world.daily
    powers = [(daily > 0).astype(np.float64), daily, daily**2, daily**3]
    sums = np.stack([np.broadcast_to(seen, (len(daily), weeks)), *(_rolling(one, WINDOW_DAYS) for one in powers)])
    moments = moments_of_many(sums.reshape(5, -1), _kin_of(world, sums).reshape(5, -1))
    each = np.repeat(np.arange(len(world.keys)), weeks)
    season = np.ones(len(each)) if factors is None else factors.ravel()
    moments = in_season_of_many(moments, season)
    lots = lots_of(moments, world.packs[each], np.ones(len(each), np.int64), cover_days)
    rates = (_rolling(world.counts.astype(np.float64), WINDOW_DAYS) / np.maximum(seen, 1.0)).ravel()
    ones = np.ones(len(each))
    lines = Lines(
        moments,
        waits_of_many(moments, *points_of(moments, lots, world.known, each)),
        lots,
        ones,
        ones,
        rates * season,
        SHELF_LIFE_DAYS / season,
    )
    late = np.array([leads.late_days for leads in world.known], np.int64)
    return Prepared(world, lines, _rolling(daily, ADU_DAYS) / ADU_DAYS, late, cover_days)


def _rolling(daily: Floats, window: int) -> Floats:
    """Return sums over the `window` days before each week, series x weeks."""
    running = np.concatenate([np.zeros((len(daily), 1)), np.cumsum(daily, axis=1, dtype=np.float64)], axis=1)
    ends = np.arange((daily.shape[1] - 1) // REFRESH_DAYS + 1) * REFRESH_DAYS
    return np.asarray(running[:, ends] - running[:, np.maximum(0, ends - window)])


def _kin_of(world: World, sums: Floats) -> Floats:
    """Return the sums of each item's other series."""
    kin = np.empty_like(sums)
    items = np.array([key[0] for key in world.keys])
    for item in set(items):
        same = items == item
        kin[:, same] = sums[:, same].sum(axis=1, keepdims=True) - sums[:, same]
    return kin


def by_text(ready: Prepared, *, name: str) -> Levels:
    """Return `3x`, `3x-literal` or `double-order`: due below the trigger, so at the last whole unit below it."""
    lead = np.array([leads.mean for leads in ready.world.known])[:, None]
    trigger = ready.adu * (SAFETY_DAYS + (0.0 if name == "3x-literal" else lead))
    point = np.ceil(trigger) - 1
    never = np.full(len(ready.late), NEVER_LATE, np.int64)
    return Levels(name, point, np.ceil(trigger + LOT_DAYS * ready.adu), never, name != "double-order")


def k_adu(ready: Prepared, k: float) -> Levels:
    """Return the tuned rival: k x ADU with the engine's lots, late orders written off as the engine does."""
    point = np.floor(k * ready.adu)
    return Levels(f"k-adu {k:g}", point, point + ready.square(ready.lines.lots), ready.late)


def normal(ready: Prepared, z: float) -> Levels:
    """Return normal safety stock on lead-time demand, with the engine's lots."""
    points = ready.world.known
    mean = np.array([leads.mean for leads in points])[:, None]
    square = np.array([leads.square for leads in points])[:, None]
    daily, variance = ready.square(ready.lines.moments.mean), ready.square(ready.lines.moments.variance)
    spread = variance * mean + daily * daily * (square - mean * mean)
    point = np.floor(daily * mean + z * np.sqrt(np.maximum(spread, 0.0)))
    return Levels(f"normal {z:g}", point, point + ready.square(ready.lines.lots), ready.late)


def own_levels(ready: Prepared) -> tuple[Levels, Whole] | None:
    """Return the hospital's own levels and the series that have them; None where none has."""
    having = np.array([line for line, own in enumerate(ready.world.own) if own is not None], np.int64)
    if not len(having):
        return None
    point, upto = np.full(ready.adu.shape, float(NOT_STOCKED)), np.zeros(ready.adu.shape)
    for line in having:
        own = ready.world.own[line]
        if own is not None:
            point[line], upto[line] = own.point, own.point + own.lot
    return Levels("own", point, upto, np.full(len(ready.late), NEVER_LATE, np.int64)), having


def by_fill(ready: Prepared, fills: tuple[float, ...]) -> list[Levels]:
    """Return the engine's item mode for some fill targets."""
    return [
        _engine(ready, f"engine-item {fill:g}", row)
        for fill, row in zip(fills, item_points(ready.lines, fills), strict=True)
    ]


def by_worth(ready: Prepared, worths: tuple[float, ...], prices: Floats | None = None) -> list[Levels]:
    """Return the engine's system mode for some worths of a request; `prices` by series, else all equal."""
    lines = ready.lines
    if prices is not None:
        lines = replace(lines, prices=np.repeat(prices, weeks_of(ready.world)))
    points, _ = system_points(lines, worths)
    return [_engine(ready, f"engine-system {worth:g}", row) for worth, row in zip(worths, points, strict=True)]


def by_target(ready: Prepared, shares: tuple[float, ...], asked: Floats) -> list[Levels]:
    """Return system mode as the product runs it: each week with the worth that then promises a share of what is asked.

    `asked` counts units or requests a day for each line.
    """
    scale = worth_scale(ready.lines)
    tried = tuple(float(one) * scale for one in np.geomspace(*WORTHS_TRIED))
    points, fills = system_points(ready.lines, tried)
    weeks = weeks_of(ready.world)
    wanted = asked.reshape(-1, weeks).sum(axis=0)
    served = (fills * asked).reshape(len(tried), -1, weeks).sum(axis=1)
    promised = np.divide(served, wanted, out=np.zeros_like(served), where=wanted > 0)
    found = []
    for share in shares:
        row = np.abs(promised - share).argmin(axis=0)
        chosen = np.take_along_axis(points.reshape(len(tried), -1, weeks), row[None, None, :], axis=0)[0]
        found.append(_engine(ready, f"engine-system for {share:g}", chosen.ravel()))
    return found


def _engine(ready: Prepared, name: str, points: Whole) -> Levels:
    upto = np.where(points == NOT_STOCKED, 0, points + ready.lines.lots)
    return Levels(name, ready.square(points), ready.square(upto), ready.late)
