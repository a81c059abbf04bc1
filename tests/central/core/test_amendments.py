"""Versions of an order as rules."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.core.amendments import VERSIONS_MAX, Change, Version, VersionLine, amended
from central.core.purchasing import LINE_VALUE_MAX, OrderState, OrderStep, order_after
from central.errors import BadInput, NotNow
from protocols.values.instant import from_iso
from protocols.values.money import Money

AT = from_iso("2026-03-02T16:00:00+08:00")
FIRST = Version(1, (VersionLine(1, "A", 10, Money(500)), VersionLine(2, "B", 4, Money(90))), None, AT, "10", "")
CHANGES = st.builds(
    Change, st.integers(1, 2), st.none() | st.integers(1, 20), st.none() | st.integers(0, 600).map(Money)
)


@given(st.lists(st.lists(CHANGES, max_size=3), max_size=8))
def test_versions_count_up_by_one_and_each_differs_from_the_one_before(several: list[list[Change]]) -> None:
    kept = [FIRST]
    for changes in several:
        try:
            kept.append(amended(kept[-1], changes, None, at=AT, by="11", reason="why"))
        except BadInput as error:
            same = "got the same" in str(error)
            if not same:
                raise
    assert [one.version for one in kept] == list(range(1, len(kept) + 1))
    assert all(one.lines != after.lines for one, after in pairwise(kept))
    assert all([line.item for line in one.lines] == ["A", "B"] for one in kept)


def test_a_day_alone_makes_a_version_and_nothing_makes_none() -> None:
    day = date(2026, 3, 9)
    second = amended(FIRST, (), day, at=AT, by="11", reason="theatre is closed")
    assert (second.version, second.lines, second.wanted) == (2, FIRST.lines, day)
    for changes in ((), (Change(1, 10, Money(500)),)):
        with pytest.raises(BadInput, match="got the same"):
            amended(FIRST, changes, None, at=AT, by="11", reason="why")
    with pytest.raises(BadInput, match="line 3"):
        amended(FIRST, (Change(3, 1),), None, at=AT, by="11", reason="why")
    last = Version(VERSIONS_MAX, FIRST.lines, None, AT, "10", "")
    with pytest.raises(BadInput, match="at most 50 versions"):
        amended(last, (Change(1, 11),), None, at=AT, by="11", reason="why")


@given(st.lists(st.sampled_from(OrderStep), max_size=10))
def test_an_amended_order_is_sent_again_before_it_is_confirmed(events: list[OrderStep]) -> None:
    state, sent_since = OrderState.APPROVED, False
    for event in events:
        try:
            state = order_after(state, event)
        except NotNow:
            continue
        sent_since = {OrderStep.SEND: True, OrderStep.AMEND: False}.get(event, sent_since)
        assert sent_since or state in {OrderState.APPROVED, OrderState.CANCELLED}


def test_a_line_is_never_worth_more_than_sums_can_hold() -> None:
    dearest = amended(FIRST, (Change(1, 1_000, Money(10**10)),), None, at=AT, by="11", reason="why")
    assert dearest.lines[0].qty * dearest.lines[0].price == LINE_VALUE_MAX
    for change in (Change(1, 1_001, Money(10**10)), Change(1, 10**9, Money(10**10))):
        with pytest.raises(BadInput, match="value: expected"):
            amended(FIRST, (change,), None, at=AT, by="11", reason="why")
