"""What the season brings in the bench: stock saved where there is one, nothing changed where there is none."""

from datetime import date, timedelta
from math import cos, pi
from random import Random

import numpy as np

from central.services.reorder_bench.files import History, Receipt, Use
from central.services.reorder_bench.season import beside_season, factors_over
from central.services.reorder_bench.world import World, sites_and_wards

FIRST, DAYS = 17_000, 5 * 365
EPOCH = date(1970, 1, 1)
FILLS = (0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999)
LEAD_DAYS = 30


def sites(swing: float, *, days: int = DAYS) -> World:
    """Return four items at one site, asked for more in January and less in July; orders take a month."""
    chance = Random(9)
    uses = [
        Use(FIRST + day, item, "1", ward, float(chance.choice([1, 2, 2, 5])))
        for day in range(days)
        for item in "ABCD"
        for ward in ("W1", "W2")
        if chance.random() < 0.4 * (1 + swing * cos(2 * pi * (_day_of_year(day) - 15) / 365))
    ]
    receipts = [
        Receipt(item, "S", FIRST + number, FIRST + number + LEAD_DAYS + number % 5)
        for item in "ABCD"
        for number in range(20)
    ]
    return sites_and_wards(History(uses, receipts, None))[0]


def _day_of_year(day: int) -> int:
    return (EPOCH + timedelta(days=FIRST + day)).timetuple().tm_yday


def test_a10_a_season_that_is_there_saves_stock_at_the_same_service() -> None:
    found = beside_season(sites(0.6), 7.0, FILLS, 0.9)
    assert found["stock_ratio_with_season"] < 0.7
    assert found["weeks_with_a_factor"] > 0.9


def test_a_history_too_short_for_a_season_is_played_as_without() -> None:
    short = sites(0.6, days=500)
    assert (factors_over(short, 7.0) == 1).all()
    assert beside_season(short, 7.0, FILLS, 0.95)["stock_ratio_with_season"] == 1.0


def test_a_factor_knows_nothing_of_the_days_to_come() -> None:
    world = sites(0.6)
    changed = world.daily.copy()
    changed[:, world.half :] = 0
    later = World(
        world.keys, changed, world.counts, world.requests, world.packs, world.leads, world.known, world.own, world.first
    )
    weeks = world.half // 7 + 1
    before, after = factors_over(world, 7.0), factors_over(later, 7.0)
    assert np.array_equal(before[:, :weeks], after[:, :weeks])
    assert (before[:, :weeks] != 1).any()
