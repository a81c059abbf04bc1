"""Freight terms as agreements say them, and what sending orders together saves (A6)."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.core.freight import Freight, freight_of, saved
from protocols.values.money import Money, yuan


@pytest.mark.parametrize(
    ("terms", "fee", "free_from"),
    [
        ("每次 30 元，满 2000 元免运费", 30, 2000),
        ("30元/次", 30, None),
        ("运费 15.5 元/单，满500免", 15.5, 500),
        ("30 yuan a delivery, free from 2000", 30, 2000),
        ("包邮", 0, None),
        ("freight included", 0, None),
    ],
)
def test_a6_freight_terms_are_read_as_agreements_say_them(terms: str, fee: float, free_from: int | None) -> None:
    threshold = None if free_from is None else yuan(free_from)
    assert freight_of(terms) == Freight(yuan(str(fee)), threshold)


@pytest.mark.parametrize("terms", ["", "按量协商", "见附件", "monthly by weight"])
def test_terms_that_cannot_be_read_are_never_guessed(terms: str) -> None:
    assert freight_of(terms) is None


def test_a6_three_orders_together_cost_one_fee_or_none() -> None:
    terms = Freight(yuan(30), yuan(2000))
    assert saved([(terms, [yuan(500)] * 3)]).cut == Fraction(2, 3)
    assert saved([(terms, [yuan(1000)] * 2)]).cut == 1
    assert saved([(terms, [yuan(2500)])]).cut is None


@given(st.lists(st.lists(st.integers(0, 10**9), min_size=1, max_size=6), max_size=6), st.integers(0, 10**6))
def test_sending_together_never_costs_more(values: list[list[int]], fee: int) -> None:
    terms = Freight(Money(fee), Money(10**8))
    found = saved((terms, [Money(one) for one in several]) for several in values)
    assert 0 <= found.together <= found.alone
