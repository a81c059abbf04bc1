"""The state tables of orders and invoices, the three-way match, working days."""

from collections.abc import Mapping
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.core.orders import Arrived, Ordered, outstanding
from central.core.purchasing import (
    INVOICE_STEPS,
    ORDER_STEPS,
    Difference,
    InvoicedLine,
    InvoiceState,
    InvoiceStep,
    Mismatch,
    OrderedLine,
    OrderState,
    OrderStep,
    due_on,
    invoice_after,
    order_after,
    overdue_days,
    share_in_time,
    stages,
    three_way_match,
)
from central.core.workdays import after, is_known, is_working_day, working_days
from central.errors import BadInput, NotNow
from protocols.values.instant import Instant
from protocols.values.money import Money


def reached(steps: Mapping[tuple[str, str], str], start: str) -> set[str]:
    seen, left = {start}, [start]
    while left:
        here = left.pop()
        for (before, _), after_ in steps.items():
            if before == here and after_ not in seen:
                seen.add(after_)
                left.append(after_)
    return seen


def test_every_state_of_an_order_is_reached_and_every_end_is_meant() -> None:
    assert reached({(str(a), str(b)): str(c) for (a, b), c in ORDER_STEPS.items()}, OrderState.APPROVED) == set(
        OrderState
    )
    ends = set(OrderState) - {before for before, _ in ORDER_STEPS}
    assert ends == {OrderState.CLOSED, OrderState.CANCELLED}


def test_every_state_of_an_invoice_is_reached_and_every_end_is_meant() -> None:
    steps = {(str(a), str(b)): str(c) for (a, b), c in INVOICE_STEPS.items()}
    assert reached(steps, InvoiceState.DISPUTED) == set(InvoiceState)
    assert set(InvoiceState) - {before for before, _ in INVOICE_STEPS} == {InvoiceState.PAID, InvoiceState.WITHDRAWN}


@pytest.mark.parametrize("state", list(OrderState))
@pytest.mark.parametrize("event", list(OrderStep))
def test_a_step_that_the_table_lacks_is_an_error_that_names_both(state: OrderState, event: OrderStep) -> None:
    if (state, event) in ORDER_STEPS:
        assert order_after(state, event) in set(OrderState)
        return
    with pytest.raises(NotNow, match=f"cannot {event} one that is {state}"):
        order_after(state, event)


def test_a_disputed_invoice_is_never_paid() -> None:
    with pytest.raises(NotNow, match="cannot pay one that is disputed; it can match, withdraw"):
        invoice_after(InvoiceState.DISPUTED, InvoiceStep.PAY)


LINE = OrderedLine("PO-1", 1, ordered=10, price=Money(26_800), accepted=6, invoiced=2)


def match(*lines: InvoicedLine) -> tuple[Difference, ...]:
    return three_way_match(lines, {("PO-1", 1): LINE})


@pytest.mark.parametrize(
    ("qty", "price", "why"),
    [
        (4, 26_800, None),
        (4, 26_801, Mismatch.OVER_PRICE),
        (5, 26_800, Mismatch.NOT_ACCEPTED),
        (1, 1, None),
    ],
)
def test_an_invoice_asks_for_what_was_accepted_at_the_orders_price(qty: int, price: int, why: Mismatch | None) -> None:
    found = match(InvoicedLine("PO-1", 1, qty, Money(price)))
    assert [one.why for one in found] == ([] if why is None else [why])


def test_a_line_nobody_ordered_and_a_line_said_twice_are_told_apart() -> None:
    again = InvoicedLine("PO-1", 1, 1, Money(1))
    found = match(again, InvoicedLine("PO-1", 2, 1, Money(1)), again)
    assert [(one.line_no, one.why) for one in found] == [(2, Mismatch.NO_SUCH_LINE), (1, Mismatch.TWICE)]


def test_a8_what_the_hospital_says_of_a_day_goes_before_the_library() -> None:
    own = {date(2190, 1, 1): False, date(2190, 1, 2): True, date(2026, 10, 9): False}
    assert date(2190, 1, 2).weekday() == 5, "a Saturday"
    assert (is_working_day(date(2190, 1, 1), own), is_working_day(date(2190, 1, 2), own)) == (False, True)
    assert working_days(date(2189, 12, 31), date(2190, 1, 4), own) == 2
    assert working_days(date(2026, 9, 30), date(2026, 10, 10), own) == 2


def test_a8_a_year_is_known_by_a_whole_calendar_of_the_hospitals_and_never_by_a_day_alone() -> None:
    off = [date(2190, 1, 1), *(date(2190, 2, day) for day in range(4, 8)), date(2190, 4, 5), date(2190, 5, 1)]
    off += [date(2190, 5, 2), date(2190, 6, 7), date(2190, 9, 13), *(date(2190, 10, day) for day in (1, 2, 3))]
    whole = dict.fromkeys(off, False)
    assert is_known(2190, whole)
    assert not is_known(2190, {date(2190, 7, 1): False})
    assert not is_known(2190, dict(list(whole.items())[1:]) | {date(2190, 2, 2): True})
    assert not is_known(2191, whole)


@given(st.integers(1, 50), st.integers(0, 50), st.integers(0, 50), st.integers(0, 100), st.integers(0, 100))
def test_what_matches_never_pays_more_than_was_accepted_at_the_agreed_price(
    qty: int, accepted: int, invoiced: int, price: int, agreed: int
) -> None:
    line = OrderedLine("PO-1", 1, 50, Money(agreed), accepted, invoiced)
    found = three_way_match([InvoicedLine("PO-1", 1, qty, Money(price))], {("PO-1", 1): line})
    assert (not found) == (qty <= accepted - invoiced and price <= agreed)


def test_an_invoice_without_lines_is_refused() -> None:
    with pytest.raises(BadInput, match="expected 1 to 500 lines"):
        match()


def test_H1_payment_is_due_on_the_thirtieth_day_and_late_on_the_next() -> None:  # noqa: N802 # the row's id
    due = due_on(date(2026, 3, 2), 30)
    assert due == date(2026, 4, 1)
    assert (overdue_days(due, due), overdue_days(due, date(2026, 4, 2))) == (0, 1)


def test_A8_working_days_across_the_national_day_count_the_days_worked_for_it() -> None:  # noqa: N802 # the row's id
    assert [is_working_day(date(2026, 10, day)) for day in (1, 7, 8, 10, 11)] == [False, False, True, True, False]
    assert is_working_day(date(2026, 9, 20)), "a Sunday worked for the holiday"
    assert working_days(date(2026, 9, 30), date(2026, 10, 10)) == 3
    assert after(date(2026, 9, 30), 3) == date(2026, 10, 10)


def test_a_year_whose_holidays_are_not_known_is_counted_by_weekends() -> None:
    assert (is_known(2026), is_known(2190)) == (True, False)
    assert working_days(date(2190, 1, 1), date(2190, 1, 8)) == 5


@given(st.dates(date(2025, 1, 1), date(2026, 11, 1)), st.integers(0, 30))
def test_so_many_working_days_later_lies_so_many_working_days_away(day: date, count: int) -> None:
    assert working_days(day, after(day, count)) == count


def test_A8_the_stages_of_an_order_name_the_slow_one() -> None:  # noqa: N802 # the row's id
    found = stages(
        requested=date(2026, 3, 2), approved=date(2026, 3, 3), sent=date(2026, 3, 9), confirmed=None, received=None
    )
    assert (found.request_to_approval, found.approval_to_sent, found.request_to_sent) == (1, 4, 5)
    assert (found.sent_to_confirmed, found.sent_to_received) == (None, None)
    assert share_in_time([1, 3, 4, 3], 3) == share_in_time([0, 9, 0, 0], 3)
    assert share_in_time([], 3) is None


def test_a_line_given_up_keeps_what_came_before_and_owes_nothing() -> None:
    given_up = Ordered(("PO-1", 1), Instant(10), 5, Instant(30))
    later = Ordered(("PO-2", 1), Instant(20), 5)
    left = outstanding([given_up, later], [Arrived(Instant(25), 2), Arrived(Instant(40), 4)])
    assert left == {("PO-1", 1): 0, ("PO-2", 1): 1}
