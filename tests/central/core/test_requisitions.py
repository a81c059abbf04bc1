"""A requisition as rules: who may do what when, what is granted, and the clocks of an emergency."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.core.requisitions import (
    REQUISITION_STEPS,
    Emergency,
    Hours,
    RequisitionState,
    RequisitionStep,
    Timer,
    Wanted,
    Wish,
    check_person,
    granted,
    is_late,
    requisition_after,
    rounded_up,
    timers,
)
from central.errors import BadInput, NotAllowed, NotNow
from protocols.values.instant import Instant, from_iso, plus

ASKED = from_iso("2026-03-02T16:00:00+08:00")
HOURS = Hours(answer=2, supply=72, papers=72)
HOUR_S = 3600.0
ENDS = {RequisitionState.ORDERED, RequisitionState.REFUSED, RequisitionState.WITHDRAWN}


def later(hours: float) -> Instant:
    return plus(ASKED, hours * HOUR_S)


@given(st.lists(st.sampled_from(RequisitionStep), max_size=8), st.booleans())
def test_whatever_is_done_it_ends_once_and_only_an_emergency_is_ordered_first(
    events: list[RequisitionStep], emergency: bool
) -> None:
    state, ended = RequisitionState.ASKED, False
    for event in events:
        try:
            state = requisition_after(state, event, emergency=emergency)
        except NotNow:
            continue
        assert not ended
        ended = state in ENDS
        assert emergency or state is not RequisitionState.PLACED


def test_every_state_is_reached_and_every_end_is_meant() -> None:
    reached = {RequisitionState.ASKED, *REQUISITION_STEPS.values()}
    assert reached == set(RequisitionState)
    assert {state for state in RequisitionState if state not in {before for before, _ in REQUISITION_STEPS}} == ENDS


@pytest.mark.parametrize("event", [RequisitionStep.APPROVE, RequisitionStep.PLACE, RequisitionStep.REFUSE])
def test_a9_nobody_decides_about_what_they_asked_for(event: RequisitionStep) -> None:
    with pytest.raises(NotAllowed, match="did not ask"):
        check_person(event, "10", "10", "")
    check_person(event, "11", "10", "")


def test_only_who_asked_takes_it_back_and_who_ordered_does_not_complete_it() -> None:
    with pytest.raises(NotAllowed, match="who asked"):
        check_person(RequisitionStep.WITHDRAW, "11", "10", "")
    with pytest.raises(NotAllowed, match="did not order"):
        check_person(RequisitionStep.COMPLETE, "11", "10", "11")


def test_a_requisition_names_each_item_once_and_says_why() -> None:
    line = Wish("A", 1)
    with pytest.raises(BadInput, match="each item once"):
        Wanted("ward-01", (line, line), "why")
    with pytest.raises(BadInput, match="reason"):
        Wanted("ward-01", (line,), " ")
    with pytest.raises(BadInput, match="quantity of A"):
        Wish("A", 0)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=10), st.data())
def test_never_more_is_granted_than_was_asked_for(counts: list[int], data: st.DataObject) -> None:
    lines = [Wish(f"I{number}", qty) for number, qty in enumerate(counts)]
    changed = data.draw(st.dictionaries(st.integers(1, len(lines)), st.integers(0, 1000)))
    try:
        found = granted(lines, changed)
    except BadInput:
        over = any(qty > counts[number - 1] for number, qty in changed.items())
        none = all(changed.get(number, qty) == 0 for number, qty in enumerate(counts, 1))
        assert over or none
        return
    assert all(0 < one.qty <= counts[number - 1] for number, one in found)


@given(st.integers(1, 10_000), st.integers(0, 500), st.integers(0, 500))
def test_what_is_ordered_covers_what_was_asked_for_in_whole_packs(qty: int, pack: int, moq: int) -> None:
    found = rounded_up(qty, pack, moq)
    assert found >= max(qty, moq)
    assert found % max(pack, 1) == 0
    assert found - max(qty, moq) < max(pack, 1)


def test_g2_an_emergency_is_answered_within_2_hours_and_supplied_within_72() -> None:
    fresh = Emergency(ASKED, later(1), None, None, None, outside=True)
    assert not is_late(timers(fresh, later(2), HOURS))
    late = timers(fresh, later(2.01), HOURS)
    assert [name for name, one in late.items() if not one.in_time] == [Timer.ANSWER]
    answered = Emergency(ASKED, later(1), later(1.5), None, None, outside=True)
    assert not is_late(timers(answered, later(72), HOURS))
    assert is_late(timers(answered, later(72.5), HOURS))
    done = Emergency(ASKED, later(1), later(1.5), later(80), later(20), outside=True)
    assert not is_late(timers(done, later(500), HOURS))
    assert not timers(done, later(500), HOURS)[Timer.SUPPLY].in_time


def test_g2_paperwork_is_owed_from_the_ordering_on_and_only_of_what_was_ordered_first() -> None:
    placed = Emergency(ASKED, later(1), later(1), later(2), None, outside=True)
    assert not is_late(timers(placed, later(73), HOURS))
    assert is_late(timers(placed, later(73.5), HOURS))
    assert Timer.PAPERS not in timers(Emergency(ASKED, None, None, None, None, outside=False), later(1), HOURS)


def test_goods_that_came_answer_and_the_hospitals_own_store_is_not_asked() -> None:
    brought = timers(Emergency(ASKED, None, None, later(1), None, outside=True), later(99), HOURS)
    assert brought[Timer.ANSWER].taken_h == 1
    assert set(timers(Emergency(ASKED, None, None, None, None, outside=False), later(1), HOURS)) == {Timer.SUPPLY}
