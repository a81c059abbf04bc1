"""The season: found where it is, not where it is not, no further than its bounds, and replayed from stored inputs."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from math import cos, pi
from random import Random
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from central.core.demand import demand_until
from central.core.explain import Words, in_chinese, in_english
from central.core.reorder import Facts, Past, Position, Source, decide
from central.core.reorder.engine import Lines, item_points, lots_of
from central.core.reorder.inputs import facts_from
from central.core.reorder.leads import leads_of
from central.core.reorder.moments import moments_of_many, sums_of
from central.core.reorder.season import (
    FACTOR_MAX,
    FACTOR_MIN,
    Index,
    days_by_month,
    factor_of,
    factors_of_many,
    in_season_of_many,
    index_of,
    spans,
)
from central.core.reorder.waits import points_of, waits_of_many
from central.errors import BadInput
from protocols.values.money import Money

SINCE, AUTUMN = date(2022, 10, 15), date(2025, 11, 1)
RECEIVED = [7, 9, 12, 14, 21]
SOURCE = Source("MAIN", internal=False, lead_days=9, pack=5, moq=0, price=Money(20_000), leads=leads_of(RECEIVED))
WINTER: Index = (1.5, 1.5, 1.2, 1.0, 0.8, 0.6, 0.6, 0.6, 0.8, 1.0, 1.2, 1.2)


def use(swing: float, *, growth: float = 0.0, until: date = AUTUMN, seed: int = 4) -> dict[date, int]:
    """Return use by day since SINCE, about twenty a day: by `swing` more in January and less in July."""
    chance = Random(seed)
    found = {}
    for number in range((until - SINCE).days):
        day = SINCE + timedelta(days=number)
        mean = 20 * (1 + swing * cos(2 * pi * (day.timetuple().tm_yday - 15) / 365)) * (1 + growth * number / 365)
        found[day] = sum(chance.random() < mean / 60 for _ in range(60))
    return found


def facts(used: Mapping[date, int], today: date = AUTUMN, season: Index | None = None) -> Facts:
    demand = demand_until(today, 180, used)
    past = Past(sums_of(demand.sizes, 180), sums_of((), 0), season=season)
    return Facts("ward-01", "A", demand, Position(40), (SOURCE,), Fraction(3), Fraction(7), past)


def values(case: Facts) -> dict[str, Any]:
    return cast(dict[str, Any], decide("engine-item", case).reason["values"])


def test_a10_a_seasons_suggestion_rises_before_the_winter_says_so_and_is_replayed_from_its_reason() -> None:
    used = use(0.4)
    index = index_of(used, SINCE, AUTUMN)
    assert index is not None
    assert (index[0] > 1.25, index[6] < 0.75) == (True, True)
    flat, seasonal = facts(used), facts(used, season=index)
    decision = decide("engine-item", seasonal)
    said = values(seasonal)
    assert said["season_factor"] == pytest.approx(1.5, abs=0.15), "November against May to October"
    assert said["daily_mean"] == values(flat)["daily_mean"], "the past is told as it was"
    assert said["reorder_point"] > 1.3 * values(flat)["reorder_point"]
    stored = json.dumps(decision.reason, sort_keys=True)
    again = facts_from(json.loads(stored)["inputs"])
    assert again == seasonal
    assert json.dumps(decide("engine-item", again).reason, sort_keys=True) == stored
    times = f"{said['season_factor']:.2f}".rstrip("0")
    assert f"for the season, {times} times that is expected" in in_english(decision.reason, Words("kit", "Main"))
    assert f"按季节，今后用量约为此前的 {times} 倍" in in_chinese(decision.reason, Words("包", "甲"))


def test_a10_before_the_summer_less_is_suggested() -> None:
    spring = date(2025, 5, 1)
    used = use(0.4, until=spring)
    index = index_of(used, SINCE, spring)
    assert values(facts(used, spring, index))["season_factor"] < 0.85


def test_a10_with_less_than_two_whole_years_there_is_no_season_and_not_a_byte_differs() -> None:
    used = use(0.4)
    begun = date(2023, 11, 1)
    assert index_of(used, begun, AUTUMN) is not None
    assert index_of(used, begun + timedelta(days=1), AUTUMN) is None, "the first month is not whole"
    late = {day: qty for day, qty in used.items() if day > begun}
    assert index_of(late, SINCE, AUTUMN) is None, "the item's own years count"
    assert index_of({}, SINCE, AUTUMN) is None
    reason = decide("engine-item", facts(used)).reason
    assert "season" not in json.dumps(reason)
    assert "season" not in in_english(reason, Words("kit", "Main"))


def test_growth_is_no_season() -> None:
    index = index_of(use(0.0, growth=0.4), SINCE, AUTUMN)
    assert index is None or max(abs(one - 1) for one in index) < 0.03


def test_chance_is_seldom_taken_for_a_season_and_then_for_a_small_one() -> None:
    found = [index for seed in range(40) if (index := index_of(use(0.0, seed=seed), SINCE, AUTUMN)) is not None]
    assert len(found) <= 10
    assert all(abs(one - 1) < 0.05 for index in found for one in index)


def test_a_line_that_borrows_its_past_has_none_of_a_time_of_year() -> None:
    short = replace(facts(use(0.4)), past=Past(sums_of((5,) * 20, 27), sums_of((5,) * 90, 180), season=WINTER))
    assert values(short)["season_factor"] == 1.0


def test_a_shelf_life_lets_a_line_use_up_a_years_use_whatever_the_season() -> None:
    case = facts(use(0.0), season=WINTER)
    assert case.past is not None
    short = [
        replace(case, past=replace(case.past, season=season, shelf_days=14)) for season in (None, (1.0,) * 12, WINTER)
    ]
    plain, flat, winter = (values(one) for one in short)
    assert plain == {key: value for key, value in flat.items() if key != "season_factor"}
    assert winter["capped_by_shelf_life"]
    assert winter["reorder_point"] + winter["lot"] <= plain["reorder_point"] + plain["lot"] + SOURCE.pack


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(1, 800))
def test_days_by_month_are_the_calendars(first: date, days: int) -> None:
    each = [(first + timedelta(days=day)).month for day in range(days)]
    assert days_by_month(first, days) == tuple(each.count(month) for month in range(1, 13))


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.floats(0.1, 12), min_size=12, max_size=12),
            st.dates(date(2020, 1, 1), date(2030, 1, 1)),
            st.integers(0, 200),
            st.integers(1, 60),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_many_factors_are_those_of_each_within_their_bounds(lines: list[tuple[list[float], date, int, int]]) -> None:
    days = [spans(last, past, coming) for _, last, past, coming in lines]
    index = [tuple(one[0]) for one in lines]
    each = [factor_of(one, *two) for one, two in zip(index, days, strict=True)]
    past, coming = (np.array([one[side] for one in days], np.float64) for side in (0, 1))
    assert factors_of_many(np.array(index), past, coming).tolist() == each
    assert all(FACTOR_MIN <= one <= FACTOR_MAX for one in each)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.integers(1, 40), min_size=6, max_size=50),
    st.dates(date(2024, 1, 1), date(2026, 1, 1)),
    st.sampled_from([20, 365]),
)
def test_one_line_in_season_is_told_what_many_lines_are_told(sizes: list[int], today: date, shelf_days: int) -> None:
    past = Past(sums_of(sizes, 180), sums_of((), 0), fill=0.97, shelf_days=shelf_days, season=WINTER)
    case = replace(facts({}, today), past=past)
    own = np.array([[180.0, len(sizes), sum(sizes), sum(s**2 for s in sizes), sum(s**3 for s in sizes)]]).T
    factor = np.array([factor_of(WINTER, *spans(today - timedelta(days=1), 180, 20))])  # 12.6 days of lead, 7 of cover
    moments = in_season_of_many(moments_of_many(own, np.zeros_like(own)), factor)
    lots = lots_of(moments, np.array([5]), np.array([0]), 7.0)
    waits = waits_of_many(moments, *points_of(moments, lots, [leads_of(RECEIVED)], np.array([0])))
    one = np.ones(1)
    lines = Lines(moments, waits, lots, one, one, moments.rate, one * shelf_days / factor)
    assert values(case)["reorder_point"] == item_points(lines, (0.97,))[0, 0]


@pytest.mark.parametrize("index", [(1.0,) * 11, (0.0,) * 12, (float("nan"),) * 12])
def test_an_index_that_is_none_is_refused(index: Index) -> None:
    with pytest.raises(BadInput, match="season: expected 12 numbers"):
        facts({}, season=index)
