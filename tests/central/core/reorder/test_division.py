"""Dividing what there is: against brute force and HiGHS, over random small cases."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from central.core.reorder.allocate import Asked, ration, within_budget
from central.core.reorder.leads import leads_of
from central.core.reorder.moments import moments_of, sums_of
from central.core.reorder.shortage import avoided
from central.core.reorder.transfers import Need, Offer, match
from central.core.reorder.two_bin import TwoBin, bin_size, two_bin_need
from central.core.reorder.waits import Wait, wait_of
from central.errors import BadInput
from protocols.values.money import Money

ENOUGH = 0.98

falling = st.lists(st.floats(0, 100), min_size=1, max_size=4).map(lambda gains: tuple(sorted(gains, reverse=True)))


@given(st.lists(falling, min_size=1, max_size=4), st.integers(0, 12))
@settings(deadline=None)
def test_a_short_store_is_divided_as_brute_force_divides_it(several: list[tuple[float, ...]], available: int) -> None:
    asked = [Asked((str(at),), gains) for at, gains in enumerate(several)]
    best = max(
        sum(sum(gains[:count]) for gains, count in zip(several, counts, strict=True))
        for counts in product(*(range(len(gains) + 1) for gains in several))
        if sum(counts) <= available
    )
    division = ration(available, asked)
    assert division.avoided == pytest.approx(best)
    assert sum(division.given.values()) <= available
    assert all(division.given[one.name] + division.cut.get(one.name, 0) == len(one.gains) for one in asked)


def test_a_budget_cut_is_near_the_optimum_and_shows_what_it_cut() -> None:
    chance = np.random.default_rng(4)
    for _ in range(40):
        gains = [tuple(sorted(chance.exponential(10, 6), reverse=True)) for _ in range(12)]
        prices = [Money(int(price)) for price in chance.integers(1, 40, 12)]
        asked = [Asked((str(at),), one, price) for at, (one, price) in enumerate(zip(gains, prices, strict=True))]
        budget = Money(int(sum(price * 6 for price in prices) * 0.5))
        division = within_budget(budget, asked)
        cost = np.repeat(prices, 6)
        solved = milp(
            -np.concatenate(gains),
            constraints=LinearConstraint(cost[None, :], ub=budget),
            integrality=np.ones(72),
            bounds=Bounds(0, 1),
        )
        assert division.avoided >= ENOUGH * -solved.fun
        assert sum(prices[int(name[0])] * count for name, count in division.given.items()) + division.left == budget
        assert division.cut


def optimum(offers: list[Offer], needs: list[Need], walk_cost: float) -> float:
    """Return the saving that HiGHS finds: quantities, then whether each walk is made."""
    pairs = [(one, other) for one in range(len(offers)) for other in range(len(needs))]
    n = len(pairs)
    worth = np.array([offers[one].worth for one, _ in pairs])
    most = np.array([min(offers[one].qty, needs[other].qty) for one, other in pairs], float)
    given_ = np.array([[float(pair[0] == one) for pair in pairs] + [0.0] * n for one in range(len(offers))])
    taken = np.array([[float(pair[1] == other) for pair in pairs] + [0.0] * n for other in range(len(needs))])
    walked = np.hstack([np.eye(n), -np.diag(most)])
    solved = milp(
        np.concatenate([-worth, np.full(n, walk_cost)]),
        constraints=[
            LinearConstraint(given_, ub=[one.qty for one in offers]),
            LinearConstraint(taken, ub=[one.qty for one in needs]),
            LinearConstraint(walked, ub=0),
        ],
        integrality=np.ones(2 * n),
        bounds=Bounds(0, np.concatenate([most, np.ones(n)])),
    )
    return float(-solved.fun)


def test_transfers_come_within_two_in_a_hundred_of_the_optimum_in_every_case() -> None:
    chance = np.random.default_rng(8)
    worst = 1.0
    for case in range(120):
        givers, takers = chance.integers(1, 6, 2)
        offers = [
            Offer(f"g{at}", int(chance.integers(0, 30)), float(chance.choice([1.0, 1.5, 2.0]))) for at in range(givers)
        ]
        needs = [Need(f"t{at}", int(chance.integers(0, 30))) for at in range(takers)]
        cost = float(chance.choice([0.0, 2.0, 6.0]))
        found, best = match(offers, needs, cost), optimum(offers, needs, cost)
        for one in offers:
            assert sum(move.qty for move in found.moves if move.giver == one.place) <= one.qty
        for other in needs:
            assert sum(move.qty for move in found.moves if move.taker == other.place) <= other.qty
        if best > 1e-6:
            worst = min(worst, found.saving / best)
            assert found.saving >= ENOUGH * best - 1e-6, (case, found, best)
    assert worst >= ENOUGH


def drawn(givers: int, takers: int) -> tuple[list[Offer], list[Need]]:
    chance = np.random.default_rng(givers * 100 + takers)
    offers = [
        Offer(f"g{at}", int(chance.integers(1, 30)), float(chance.choice([1.0, 1.5, 2.0]))) for at in range(givers)
    ]
    return offers, [Need(f"t{at}", int(chance.integers(1, 30))) for at in range(takers)]


@pytest.mark.parametrize(("givers", "takers"), [(8, 8), (10, 6)])
def test_with_more_storerooms_the_beam_is_narrower_and_still_near_the_optimum(givers: int, takers: int) -> None:
    offers, needs = drawn(givers, takers)
    assert match(offers, needs, 4.0).saving >= ENOUGH * optimum(offers, needs, 4.0)


def test_with_hundreds_of_storerooms_nobody_gives_or_gets_too_much_and_no_walk_is_a_loss() -> None:
    offers, needs = drawn(300, 80)
    found = match(offers, needs, 4.0)
    worth = {one.place: one.worth for one in offers}
    for one in offers:
        assert sum(move.qty for move in found.moves if move.giver == one.place) <= one.qty
    for other in needs:
        assert sum(move.qty for move in found.moves if move.taker == other.place) <= other.qty
    gains = [worth[move.giver] * move.qty - 4.0 for move in found.moves]
    assert min(gains) > 0
    assert found.saving == pytest.approx(sum(gains))


def test_what_would_expire_goes_first_and_no_walk_costs_more_than_it_saves() -> None:
    found = match([Offer("fresh", 10, 1.0), Offer("expiring", 4, 2.0)], [Need("ward", 6)], 1.0)
    assert {(move.giver, move.qty) for move in found.moves} == {("expiring", 4), ("fresh", 2)}
    assert match([Offer("fresh", 3, 1.0)], [Need("ward", 3)], 4.0).moves == ()
    assert match([Offer("ward", 3, 1.0)], [Need("ward", 3)], 0.0).moves == ()


@given(
    st.lists(st.integers(1, 30), max_size=20), st.lists(st.integers(0, 20), min_size=1, max_size=6),
    st.integers(-20, 60), st.integers(1, 12),
)  # fmt: skip
@settings(deadline=None, max_examples=50)
def test_a_further_pack_never_avoids_more_than_the_one_before(
    sizes: list[int], received: list[int], position: int, pack: int
) -> None:
    wait = wait_of(moments_of(sums_of(sizes, 90), sums_of((), 0)), leads_of(received), pack)
    gains = avoided(wait, position, pack, 8)
    assert len(gains) == 8
    assert Asked(("line",), gains).gains == gains


def test_what_cannot_be_divided_is_refused() -> None:
    with pytest.raises(BadInput, match="gains that fall"):
        Asked(("line",), (1.0, 2.0))
    with pytest.raises(BadInput, match="each line once"):
        ration(3, [Asked(("line",), (1.0,)), Asked(("line",), (1.0,))])


def test_an_empty_bin_is_ordered_once() -> None:
    assert two_bin_need(TwoBin(50, empty=1, on_order=0)) == 50
    assert two_bin_need(TwoBin(50, empty=1, on_order=50)) == 0
    assert two_bin_need(TwoBin(50, empty=2, on_order=50)) == 50
    assert bin_size(Wait(((4.0, 4.0, 1.0),), 0.0), 5) == 10
