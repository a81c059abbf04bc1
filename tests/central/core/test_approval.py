"""Who must approve: each check at its border, and the two that nothing overrules."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.core.approval import Asked, Check, Limits, Route, route
from protocols.values.money import Money

LIMITS = Limits(
    automatic=True,
    amount=Money(20_000_000),
    head_amount=Money(500_000_000),
    change=Fraction(1, 2),
    trust=Fraction(98, 100),
    observed=Fraction(80, 100),
)
USUAL = Asked(
    qty=10,
    price=Money(2_000_000),
    past=(10, 10, 10),
    last_price=Money(2_000_000),
    high_grade=False,
    line_match=Fraction(98, 100),
    observed=Fraction(80, 100),
    suspended=False,
)


def test_what_lies_within_every_limit_needs_nobody() -> None:
    assert route(USUAL, LIMITS) == route(USUAL, LIMITS)
    assert route(USUAL, LIMITS).route is Route.AUTOMATIC


@pytest.mark.parametrize(
    ("change", "check", "to"),
    [
        ({"price": Money(2_000_001)}, Check.AMOUNT, Route.BUYER),
        ({"price": Money(50_000_001), "last_price": Money(50_000_001)}, Check.HEAD_AMOUNT, Route.HEAD),
        ({"past": (4,), "price": Money(1), "last_price": Money(1)}, Check.CHANGE, Route.BUYER),
        ({"past": ()}, Check.FIRST, Route.BUYER),
        ({"high_grade": True}, Check.GRADE, Route.BUYER),
        ({"last_price": Money(1_999_999)}, Check.PRICE, Route.BUYER),
        ({"line_match": Fraction(979, 1000)}, Check.TRUST, Route.BUYER),
        ({"line_match": None}, Check.TRUST, Route.BUYER),
        ({"line_match": Fraction(1), "observed": Fraction(799, 1000)}, Check.TRUST, Route.BUYER),
        ({"line_match": Fraction(1), "observed": None}, Check.TRUST, Route.BUYER),
        ({"suspended": True}, Check.SUSPENDED, Route.HEAD),
    ],
)
def test_each_check_sends_a_proposal_to_a_person_and_says_its_name(
    change: dict[str, object], check: Check, to: Route
) -> None:
    found = route(replace(USUAL, **change), LIMITS)  # type: ignore[arg-type] # one field at a time
    assert check in found.failed
    assert found.route is to


def test_a_change_of_just_the_limit_is_admitted_and_more_is_not() -> None:
    assert route(replace(USUAL, past=(20,)), LIMITS).route is Route.AUTOMATIC
    assert route(replace(USUAL, past=(21,)), LIMITS).failed == (Check.CHANGE,)


@given(st.integers(1, 10**6), st.integers(0, 10**9), st.booleans(), st.booleans())
def test_a_suspended_ward_and_a_high_amount_always_go_to_the_head(
    qty: int, price: int, suspended: bool, automatic: bool
) -> None:
    asked = replace(USUAL, qty=qty, price=Money(price), suspended=suspended)
    found = route(asked, replace(LIMITS, automatic=automatic))
    assert (found.route is Route.HEAD) == (suspended or qty * price > LIMITS.head_amount)
    assert (found.route is Route.AUTOMATIC) == (not found.failed)
    assert automatic or found.route is not Route.AUTOMATIC
