"""What the season brings on a past: item mode with the season's factors beside item mode without.

The index of an item is of all its series together, anew each month, from the days before. The rule that must not be
broken: both are played over the same requests and lead times, and a week's factor knows only the days before it.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import numpy as np

from central.core.reorder.moments import WINDOW_DAYS, Floats
from central.core.reorder.season import MONTHS, Index, coming_days, factors_of_many, index_of, spans
from central.services.reorder_bench.figures import SCORED, at_fill, draws_of, figure, score
from central.services.reorder_bench.play import REFRESH_DAYS, play, weeks_of
from central.services.reorder_bench.settings import by_fill, prepare
from central.services.reorder_bench.world import World

EPOCH = date(1970, 1, 1)
FLAT: Index = (1.0,) * MONTHS
ITEMS_KEPT = 100_000


def factors_over(world: World, cover_days: float) -> Floats:
    """Return the factor of every series and week, series x weeks."""
    first, weeks = EPOCH + timedelta(days=world.first), weeks_of(world)
    days = [first + timedelta(days=week * REFRESH_DAYS) for week in range(weeks)]
    used = _by_item(world, first)

    @lru_cache(ITEMS_KEPT)
    def index(item: str, month: date) -> Index:
        return index_of({day: qty for day, qty in used[item].items() if day < month}, first, month) or FLAT

    found = np.ones((len(world.keys), weeks))
    for line, key in enumerate(world.keys):
        ahead = coming_days(world.known[line], cover_days)
        windows = [
            spans(day - timedelta(days=1), min(WINDOW_DAYS, week * REFRESH_DAYS), ahead)
            for week, day in enumerate(days)
        ]
        past, coming = (np.array([one[side] for one in windows], np.float64) for side in (0, 1))
        found[line] = factors_of_many(np.array([index(key[0], day.replace(day=1)) for day in days]), past, coming)
    return found


def _by_item(world: World, first: date) -> dict[str, dict[date, int]]:
    """Return each item's use by day, over its series."""
    calendar = [first + timedelta(days=day) for day in range(world.days)]
    found = {}
    for item in {key[0] for key in world.keys}:
        rows = [line for line, key in enumerate(world.keys) if key[0] == item]
        total = world.daily[rows].sum(axis=0)
        found[item] = {calendar[day]: int(total[day]) for day in np.flatnonzero(total)}
    return found


def beside_season(world: World, cover_days: float, fills: Sequence[float], target: float) -> dict[str, Any]:
    """Return the stock at a share of requests served with the season's factors, as a share of that without."""
    factors = factors_over(world, cover_days)
    settings = [one for every in (None, factors) for one in by_fill(prepare(world, cover_days, every), tuple(fills))]
    played, draws = play(world, settings), draws_of(len(world.keys))
    size = len(fills)
    plain, seasonal = (
        score(played, range(start, start + size), SCORED, draws, days=world.days - world.half) for start in (0, size)
    )
    wanted = np.full(len(draws), target)
    ratio = figure(at_fill(seasonal, seasonal.stock_days, wanted) / at_fill(plain, plain.stock_days, wanted))
    later = factors[:, world.half // REFRESH_DAYS :]
    return {
        "stock_ratio_with_season": ratio.value,
        "interval": ratio.interval,
        "weeks_with_a_factor": round(float((later != 1).mean()), 4),
        "factor_deviation": round(float(later.std()), 4),
    }
