from datetime import date
from itertools import product

import pytest

from central.core.orders import (
    STEPS,
    Arrived,
    Ordered,
    Progress,
    State,
    Step,
    order_number,
    outstanding,
    progress,
    proposal_id,
    step,
)
from central.core.reorder.receipts import filled
from central.errors import NotNow
from protocols.values.instant import Instant


def test_approving_twice_finds_the_order() -> None:
    assert step(step(State.OPEN, Step.APPROVE), Step.APPROVE) is State.ORDERED


def test_a_withdrawn_proposal_cannot_be_approved() -> None:
    with pytest.raises(NotNow, match="withdrawn"):
        step(State.WITHDRAWN, Step.APPROVE)


def test_every_state_is_reached_and_every_end_is_meant() -> None:
    assert set(STEPS.values()) == set(State)
    moving = {state for (state, _), after in STEPS.items() if after is not state}
    assert set(State) - moving == {State.ORDERED, State.WITHDRAWN, State.REJECTED}


def test_a_pair_the_table_leaves_out_is_refused_by_name() -> None:
    for state, event in product(State, Step):
        if (state, event) not in STEPS:
            with pytest.raises(NotNow, match=state):
                step(state, event)


def test_a_proposal_and_its_order_number_are_functions_of_run_place_and_item() -> None:
    one = proposal_id("replenish:7", "ward-01", "A")
    assert one == proposal_id("replenish:7", "ward-01", "A")
    assert one != proposal_id("replenish:7", "ward-02", "A")
    assert order_number(one, date(2026, 3, 2), internal=False) == f"PO-20260302-{one[:8].upper()}"


def test_arrivals_fill_the_oldest_line_that_was_ordered_before_them() -> None:
    lines = [Ordered(("PO-1", 1), Instant(10), 20), Ordered(("PO-2", 1), Instant(20), 20)]
    arrivals = [Arrived(Instant(5), 99), Arrived(Instant(30), 25)]
    owed = outstanding(lines, arrivals)
    assert owed == {("PO-1", 1): 0, ("PO-2", 1): 15}
    assert [progress(20, owed[key]) for key in owed] == [Progress.RECEIVED, Progress.PART_RECEIVED]
    assert progress(20, 20) is Progress.APPROVED


def test_a_delivery_fills_the_order_its_receipt_names_and_not_another_suppliers_older_one() -> None:
    late, prompt = Ordered(("PO-1", 1), Instant(10), 5), Ordered(("PO-2", 1), Instant(20), 5)
    came = [Arrived(Instant(25), 2), Arrived(Instant(30), 5, ("PO-2", 1))]
    assert outstanding([late, prompt], came) == {("PO-1", 1): 3, ("PO-2", 1): 0}
    assert filled([late, prompt], came) == {("PO-1", 1): None, ("PO-2", 1): Instant(30)}
