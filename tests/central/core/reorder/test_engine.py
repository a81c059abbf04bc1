"""The engine over many lines: lots, system mode's search for a worth, what is not stocked, and shelf life."""

import numpy as np
import pytest

from central.core.reorder.engine import (
    NOT_STOCKED,
    Lines,
    item_points,
    lines_at,
    lots_of,
    system_points,
    worth_for,
)
from central.core.reorder.leads import leads_of
from central.core.reorder.moments import Floats, moments_of_many
from central.core.reorder.waits import points_of, waits_of_many
from central.errors import BadInput


def lines(count: int = 40, *, shelf_days: float = 365.0, prices: Floats | None = None) -> Lines:
    chance = np.random.default_rng(1)
    requests = chance.integers(5, 120, count).astype(float)
    size = chance.integers(1, 6, count)
    own = np.array([np.full(count, 180.0), requests, requests * size, requests * size**2, requests * size**3])
    moments = moments_of_many(own, np.zeros_like(own))
    lots = lots_of(moments, np.ones(count, np.int64), np.ones(count, np.int64), 7.0)
    leads = [leads_of([1, 1, 2, 3, 9])]
    waits = waits_of_many(moments, *points_of(moments, lots, leads, np.zeros(count, np.int64)))
    cost = chance.lognormal(0, 1.5, count) if prices is None else prices
    return Lines(moments, waits, lots, cost, np.ones(count), moments.rate, np.full(count, shelf_days))


def test_a_lot_is_the_largest_of_pack_minimum_cover_and_one_request_in_whole_packs() -> None:
    own = np.array([[180.0] * 4, [90.0] * 4, [90.0, 900.0, 180.0, 90.0], [90.0] * 4, [90.0] * 4])
    moments = moments_of_many(own, np.zeros_like(own))
    packs, moqs = np.array([10, 10, 10, 4]), np.array([1, 1, 25, 1])
    assert lots_of(moments, packs, moqs, 7.0).tolist() == [10, 40, 30, 4]


def test_the_worth_found_serves_the_target_and_a_little_less_does_not() -> None:
    some = lines()
    asked = some.rates
    worth = worth_for(some, 0.97, asked)
    served = [(system_points(some, (each,))[1][0] * asked).sum() / asked.sum() for each in (worth, worth * 0.98)]
    assert served[0] >= 0.97 > served[1] - 0.001


def test_system_mode_serves_as_many_requests_as_item_mode_with_less_money() -> None:
    some = lines()
    points = item_points(some, (0.97,))[0]

    def money(levels: np.ndarray) -> float:
        return float((some.prices * (np.maximum(levels, 0) + some.lots / 2)).sum())

    found, _ = system_points(some, (worth_for(some, 0.97, some.rates),))
    assert money(found[0]) < money(points)


def test_a_line_worth_less_than_its_stock_is_on_request() -> None:
    cheap = lines(3, prices=np.array([1.0, 1.0, 1e9]))
    found, fill = system_points(cheap, (2_000.0,))
    assert found[0, 2] == NOT_STOCKED
    assert fill[0, 2] == 0
    assert (found[0, :2] >= 0).all()


def test_levels_end_where_the_shelf_life_does() -> None:
    fresh, short = lines(), lines(shelf_days=10.0)
    high = item_points(fresh, (0.999,))[0]
    low = item_points(short, (0.999,))[0]
    assert (low <= high).all()
    assert (low < high).any()


def test_some_lines_are_the_same_lines() -> None:
    some = lines()
    rows = np.array([3, 7])
    assert item_points(lines_at(some, rows), (0.95,))[0].tolist() == item_points(some, (0.95,))[0][rows].tolist()


def test_a_target_that_is_no_share_is_refused() -> None:
    with pytest.raises(BadInput, match="between 0 and 1"):
        worth_for(lines(), 1.0, lines().rates)
