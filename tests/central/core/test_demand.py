from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.core.demand import Demand, demand_until
from central.errors import BadInput

TODAY = date(2026, 3, 2)


def test_ninety_whole_days_before_today_count_and_today_does_not() -> None:
    used = {TODAY: 100, TODAY - timedelta(days=1): 9, TODAY - timedelta(days=90): 9, TODAY - timedelta(days=91): 100}
    demand = demand_until(TODAY, 90, used)
    assert (demand.total, demand.days, demand.daily_mean) == (18, 90, Fraction(1, 5))


def test_d4_a_new_item_is_divided_by_the_whole_window() -> None:
    assert demand_until(TODAY, 90, {TODAY - timedelta(days=1): 9}).daily_mean == Fraction(1, 10)


def test_d4_days_without_stock_count_as_days_and_what_was_issued_is_a_lower_bound() -> None:
    days = [TODAY - timedelta(days=ago) for ago in range(1, 91)]
    steady = demand_until(TODAY, 90, dict.fromkeys(days, 3))
    empty_for_thirty = demand_until(TODAY, 90, dict.fromkeys(days[30:], 3) | dict.fromkeys(days[:30], 0))
    assert [steady.daily_mean, empty_for_thirty.daily_mean] == [Fraction(3), Fraction(2)]
    assert empty_for_thirty.days == 90, "no day is dropped, so the mean never claims what nobody saw"
    asked_in_vain = demand_until(TODAY, 90, dict.fromkeys(days, 3))
    assert asked_in_vain.daily_mean == 3, "where every request is recorded nothing is censored"


@given(st.dictionaries(st.integers(1, 90), st.integers(1, 40), min_size=1), st.data())
def test_d4_a_stock_out_never_raises_the_mean(asked: dict[int, int], data: st.DataObject) -> None:
    served = {ago: data.draw(st.integers(0, qty)) for ago, qty in asked.items()}
    by_day = [{TODAY - timedelta(days=ago): qty for ago, qty in one.items()} for one in (asked, served)]
    all_asked, issued = (demand_until(TODAY, 90, one) for one in by_day)
    assert issued.daily_mean <= all_asked.daily_mean


def test_a_day_netted_below_zero_by_returns_is_no_demand() -> None:
    assert demand_until(TODAY, 90, {TODAY - timedelta(days=3): -2, TODAY - timedelta(days=2): 4}).sizes == (4,)


def test_the_variance_is_the_sample_variance_of_all_days() -> None:
    assert Demand(TODAY, TODAY + timedelta(days=3), 6, (2, 4)).daily_variance == pytest.approx(11 / 3)


def test_an_unheard_of_window_is_refused() -> None:
    with pytest.raises(BadInput, match="at least 1 day"):
        demand_until(TODAY, 0, {})


@given(st.dictionaries(st.integers(1, 90), st.integers(0, 40)))
def test_the_mean_times_the_days_is_what_was_used(used: dict[int, int]) -> None:
    demand = demand_until(TODAY, 90, {TODAY - timedelta(days=ago): qty for ago, qty in used.items()})
    assert demand.daily_mean * 90 == sum(used.values())
    assert demand.daily_variance >= 0
