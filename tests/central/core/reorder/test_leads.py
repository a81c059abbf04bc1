"""Lead times: what receipts and open orders say, when an order is late, and what orders that overtake each other do."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.core.reorder.leads import Leads, fixed_leads, leads_of, points_at
from central.errors import BadInput


def test_receipts_alone_are_their_own_shares_up_to_where_an_order_is_late() -> None:
    leads = leads_of([1, 1, 1, 3])
    assert leads.shares == pytest.approx((0, 0.75, 0, 0.25))
    assert leads.late_days == 3
    assert leads.mean == pytest.approx(1.5)


def test_one_order_in_forty_that_took_months_is_late_and_protects_against_nothing() -> None:
    leads = leads_of([1] * 30 + [2] * 9 + [90])
    assert leads.late_days == 2
    assert leads.mean == pytest.approx((30 + 2 * 10) / 40)


def test_an_open_order_is_a_lower_bound() -> None:
    # of four orders two came on day 1; one came on day 5; one waits for 3 days and is out of the count after that
    leads = leads_of([1, 1, 5], waiting=[3])
    assert leads.shares == pytest.approx((0, 0.5, 0, 0, 0, 0.5))
    assert leads_of([1, 1], waiting=[9]).late_days == 10


def test_where_orders_never_overlap_the_points_are_the_lead_times() -> None:
    assert points_at(leads_of([1, 1, 1, 3]), 30) == ((1.0, 0.75), (3.0, 0.25))


def test_orders_that_overtake_each_other_spread_less_and_take_as_long_on_average() -> None:
    leads = leads_of([1, 1, 1, 21])
    alone, often = points_at(leads, 30), points_at(leads, 5)
    mean = [sum(days * weight for days, weight in points) for points in (alone, often)]
    square = [sum(days * days * weight for days, weight in points) for points in (alone, often)]
    assert mean[1] == pytest.approx(mean[0], rel=0.15)  # days are whole; the k-th arrival after the k-th order
    assert square[1] < square[0] / 2


@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=20),
    st.lists(st.integers(0, 60), max_size=5),
    st.integers(1, 50),
)
def test_points_are_a_distribution_whatever_was_seen(received: list[int], waiting: list[int], cycle: int) -> None:
    points = points_at(leads_of(received, waiting), cycle)
    assert sum(weight for _, weight in points) == pytest.approx(1)
    assert all(weight > 0 for _, weight in points)
    assert all(one[0] < other[0] for one, other in pairwise(points))


def test_the_order_of_receipts_does_not_matter() -> None:
    assert leads_of([5, 1, 2], [4, 3]) == leads_of([1, 2, 5], [3, 4])


def test_no_receipt_or_days_beyond_belief_are_refused() -> None:
    with pytest.raises(BadInput, match="at least one receipt"):
        leads_of([])
    with pytest.raises(BadInput, match="from 0 to 730"):
        leads_of([-1])
    with pytest.raises(BadInput, match="sum to 1"):
        Leads((0.5,))
    assert fixed_leads(0).mean == 0
