import random
from datetime import date, timedelta
from itertools import product
from math import comb, exp, factorial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.core.demand import Demand
from central.core.fill import Spread, fill_rate, losses, low_quantile, mass, spread_of
from central.errors import BadInput

DAY = date(2026, 1, 1)


def quarter(*sizes: int) -> Demand:
    return Demand(DAY, DAY + timedelta(days=89), sum(sizes), sizes)


def test_without_more_variance_than_mean_demand_is_poisson() -> None:
    assert mass(2.5, 2.5, 3) == pytest.approx(exp(-2.5) * 2.5**3 / factorial(3))


def test_with_more_variance_demand_is_negative_binomial() -> None:
    # mean 2, variance 3: size 4, success 2/3
    assert mass(2.0, 3.0, 5) == pytest.approx(comb(8, 5) * (2 / 3) ** 4 * (1 / 3) ** 5)


@given(st.floats(0.05, 60), st.floats(1, 8), st.integers(0, 120))
def test_the_loss_is_what_summing_the_excess_gives(mean: float, ratio: float, level: int) -> None:
    longest = int(mean * ratio * 40) + 400
    direct = sum((count - level) * mass(mean, mean * ratio, count) for count in range(level + 1, longest))
    assert losses(mean, mean * ratio, level)[level] == pytest.approx(direct, abs=1e-6)


def test_a_mean_of_nothing_loses_nothing() -> None:
    assert losses(0.0, 0.0, 3) == [0.0, 0.0, 0.0, 0.0]


def test_undershoot_of_single_requests_is_none_and_of_pairs_is_a_half() -> None:
    assert spread_of(quarter(*[1] * 30), 1).undershoot == 0
    assert spread_of(quarter(*[2] * 30), 1).undershoot == 0.5


def test_a_lead_of_one_day_misses_no_whole_day() -> None:
    assert spread_of(quarter(*[1] * 90), 1).mean == 0
    assert spread_of(quarter(*[1] * 90), 5).mean == pytest.approx(4)


def test_the_predicted_fill_is_what_playing_the_days_gives() -> None:
    """Daily review, lost sales, single requests: 40,000 days of a seeded hospital against the formula."""
    chance, mean, lead, point, lot = random.Random(20260302), 1.2, 5, 6, 14
    sizes: list[int] = []
    stock, due, asked, served = point + lot, -1, 0, 0
    for day in range(40_000):
        if day == due:
            stock, due = stock + lot, -1
        want = next(k for k, c in enumerate(poisson_steps(mean)) if c >= chance.random())
        sizes.append(want)
        asked, served, stock = asked + want, served + min(want, stock), stock - min(want, stock)
        if due < day and stock <= point:
            due = day + lead
    demand = Demand(DAY, DAY + timedelta(days=len(sizes) - 1), sum(sizes), tuple(s for s in sizes if s))
    predicted = fill_rate(spread_of(demand, lead), point, lot)
    assert predicted == pytest.approx(served / asked, abs=0.01)


def poisson_steps(mean: float) -> list[float]:
    steps, total = [], 0.0
    for count in range(40):
        total += mass(mean, mean, count)
        steps.append(total)
    return [*steps[:-1], 1.0]


@given(st.floats(0.1, 30), st.floats(1, 5), st.integers(0, 40), st.integers(1, 40))
def test_a_higher_reorder_point_or_lot_never_predicts_less(mean: float, ratio: float, point: int, lot: int) -> None:
    spread = Spread(mean, mean * ratio, 0.0)
    assert 0 < fill_rate(spread, point, lot) <= 1
    assert fill_rate(spread, point + 1, lot) >= fill_rate(spread, point, lot) - 1e-9
    assert fill_rate(spread, point, lot + 1) >= fill_rate(spread, point, lot) - 1e-9


def test_a_lot_of_nothing_and_a_shelf_without_end_are_refused() -> None:
    with pytest.raises(BadInput, match="order lot"):
        fill_rate(Spread(1.0, 1.0, 0.0), 1, 0)
    with pytest.raises(BadInput, match="stock level"):
        losses(1.0, 1.0, 10**9)


@given(st.lists(st.sampled_from([0.01, 0.2, 0.5, 0.97, 0.99]), max_size=8), st.sampled_from([0.05, 0.3, 0.5, 0.9]))
def test_the_quantile_of_a_count_is_that_of_every_outcome(beliefs: list[float], quantile: float) -> None:
    chances = [0.0] * (len(beliefs) + 1)
    for outcome in product((0, 1), repeat=len(beliefs)):
        chance = 1.0
        for here, p in zip(outcome, beliefs, strict=True):
            chance *= p if here else 1 - p
        chances[sum(outcome)] += chance
    total, expected = 0.0, None
    for count, chance in enumerate(chances):
        total += chance
        if expected is None and total >= quantile - 1e-12:
            expected = count
    assert abs(low_quantile(beliefs, 7, quantile) - 7 - (expected or 0)) <= (1 if abs(total - quantile) < 1e-9 else 0)


def test_nearly_sure_pieces_count_and_nearly_gone_ones_do_not() -> None:
    assert low_quantile([0.99] * 10 + [0.01] * 5, 3, 0.3) == 13
