"""Returns and claims as rules: the state table, who meets whom, how much may go back, what a payment takes off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.core.returns import (
    GONE,
    RETURN_STEPS,
    Back,
    Claimed,
    ReturnKind,
    ReturnState,
    ReturnStep,
    Why,
    check_left,
    check_people,
    goods_value,
    return_after,
    set_off,
)
from central.errors import BadInput, NotAllowed, NotNow
from protocols.values.money import Money

ENDS = {ReturnState.CREDITED, ReturnState.CLOSED, ReturnState.REFUSED, ReturnState.WITHDRAWN}


@given(st.sampled_from(ReturnKind), st.lists(st.sampled_from(ReturnStep), max_size=8))
def test_goods_leave_once_and_before_they_are_credited(kind: ReturnKind, events: list[ReturnStep]) -> None:
    state, done = ReturnState.ASKED, list[ReturnStep]()
    for event in events:
        try:
            state = return_after(kind, state, event)
        except NotNow:
            continue
        done.append(event)
    assert done.count(ReturnStep.SHIP) == (kind is ReturnKind.RETURN and state in GONE)
    assert ReturnStep.APPROVE in done or state not in GONE
    assert (state in ENDS) == (not [1 for one, before, _ in RETURN_STEPS if (one, before) == (kind, state)])


def test_every_state_is_reached() -> None:
    assert {ReturnState.ASKED, *RETURN_STEPS.values()} == set(ReturnState)


def test_three_people_meet() -> None:
    with pytest.raises(NotAllowed, match="did not ask"):
        check_people(ReturnStep.APPROVE, "1", "1", "")
    with pytest.raises(NotAllowed, match="did not approve"):
        check_people(ReturnStep.SHIP, "2", "1", "2")
    with pytest.raises(NotAllowed, match="who asked"):
        check_people(ReturnStep.WITHDRAW, "2", "1", "")
    check_people(ReturnStep.SHIP, "1", "1", "2")


def test_a_claim_names_money_and_never_more_goes_back_than_was_accepted() -> None:
    line = Back("GR-1", 1, 2)
    with pytest.raises(BadInput, match="above 0 for a claim"):
        Claimed(ReturnKind.CLAIM, Why.SHORT, (line,), Money(0), "short")
    with pytest.raises(BadInput, match="different lines"):
        Claimed(ReturnKind.RETURN, Why.DAMAGED, (line, line), Money(0), "wet")
    check_left("GR-1/1", 2, accepted=5, before=3)
    with pytest.raises(NotNow, match="at most 2 of GR-1/1, got 3"):
        check_left("GR-1/1", 3, accepted=5, before=3)


@given(st.lists(st.integers(0, 1000), max_size=10), st.integers(0, 2000))
def test_a_payment_and_what_is_taken_off_it_are_the_invoice(amounts: list[int], amount: int) -> None:
    credits = [(str(at), Money(one)) for at, one in enumerate(amounts)]
    used, paid = set_off(credits, Money(amount))
    assert paid >= 0
    assert sum(amounts[int(one)] for one in used) + paid == amount


def test_goods_come_to_their_prices() -> None:
    assert goods_value([(2, Money(500)), (3, Money(100))]) == 1300
