"""Agreements as rules: shares reported, pace against targets, the key list at its border, the cut by volume."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.core.agreements import (
    Bargain,
    Bought,
    Dated,
    Goals,
    Purchase,
    Report,
    Trouble,
    achieved,
    bought_of,
    check_report,
    half_year,
    half_year_start,
    key_list,
    price_on,
    quarter_days,
    quarter_of,
    troubles,
    year_before,
)
from central.core.reorder.vbp import Pace
from central.errors import BadInput
from protocols.values.money import Money, yuan

LEAST = Fraction(80, 100)
GOALS = Goals(LEAST, Fraction(1), Fraction(11, 10), Fraction(8, 10), Fraction(90))
NOTHING = Bought(0, 0, Money(0), Money(0))


def test_c1_79_9_percent_needs_a_reason_with_evidence_and_80_0_does_not() -> None:
    check_report(Report(800, 1000, "", ""), LEAST)
    with pytest.raises(BadInput, match="expected at least 80% of last year's 1000, got 799"):
        check_report(Report(799, 1000, "", ""), LEAST)
    with pytest.raises(BadInput):
        check_report(Report(799, 1000, "department closed", " "), LEAST)
    check_report(Report(799, 1000, "department closed", "minutes 12/2025"), LEAST)
    check_report(Report(0, 0, "", ""), LEAST)


def test_c2_used_last_year_and_not_reported_is_found_and_so_is_too_little() -> None:
    assert troubles(None, 10, None, NOTHING, GOALS) == [Trouble.NOT_REPORTED]
    assert troubles(None, 0, None, NOTHING, GOALS) == []
    assert troubles(Report(799, 1000, "r", "e"), 1000, None, NOTHING, GOALS) == [Trouble.REPORTED_LITTLE]


def pace(forecast: str, stock_days: int | None = 10) -> Pace:
    days = None if stock_days is None else Fraction(stock_days)
    return Pace(Fraction(1, 2), Fraction(1, 2), Fraction(forecast), days)


@pytest.mark.parametrize(("forecast", "wrong"), [("0.999", [Trouble.BEHIND]), ("1", []), ("1.2", [])])
def test_c3_a_forecast_below_the_legal_target_is_alerted_and_the_own_goal_is_none(
    forecast: str, wrong: list[Trouble]
) -> None:
    assert troubles(Report(1, 1, "", ""), 1, pace(forecast), NOTHING, GOALS) == wrong


def test_c3_a_goal_is_no_licence_to_overstock() -> None:
    assert troubles(Report(1, 1, "", ""), 1, pace("1.1", 91), NOTHING, GOALS) == [Trouble.OVERSTOCKED]
    assert troubles(Report(1, 1, "", ""), 1, pace("1.1", None), NOTHING, GOALS) == []


def buy(item: str, qty: int, amount: str, day: date = date(2026, 1, 5)) -> Purchase:
    return Purchase(item, "S1", day, qty, yuan(amount))


def test_c4_the_share_of_selected_products_equals_the_hand_sum() -> None:
    bought = bought_of([buy("A", 30, "300"), buy("B", 10, "200"), buy("X", 99, "999")], {"A": True, "B": False})
    assert (bought.share_of_qty, bought.share_of_amount) == (Fraction(30, 40), Fraction(300, 500))
    assert troubles(Report(1, 1, "", ""), 1, None, bought, GOALS) == [Trouble.UNSELECTED]


def test_a5_the_key_list_begins_at_500_000_yuan_and_leaves_out_what_is_procured_by_volume() -> None:
    bought = [buy("AT", 10, "500000.00"), buy("UNDER", 10, "499999.99"), buy("VBP", 1, "900000"), buy("AT", 1, "0.10")]
    (listed,) = key_list(bought, ["VBP"], yuan("500000"))
    assert (listed.item, listed.qty, listed.spent) == ("AT", 11, yuan("500000.10"))


def test_a5_the_price_before_is_that_of_the_last_purchase() -> None:
    bought = [buy("A", 10, "600000", date(2025, 3, 1)), buy("A", 10, "550000", date(2025, 11, 1))]
    assert key_list(bought, [], yuan("500000"))[0].before == yuan("55000")


def test_a5_the_cut_achieved_is_weighted_by_volume() -> None:
    lines = [
        Bargain("A", 900, Money(0), yuan("10"), yuan("9.50")),
        Bargain("B", 100, Money(0), yuan("10"), yuan("8")),
        Bargain("C", 500, Money(0), yuan("10")),
    ]
    assert achieved(lines) == Fraction(650, 10_000)
    assert (lines[0].cut, lines[2].cut) == (Fraction(5, 100), None)
    assert achieved(lines[2:]) is None


@given(st.lists(st.tuples(st.integers(1, 1000), st.integers(1, 10**6), st.integers(0, 10**6)), min_size=1, max_size=20))
def test_the_cut_achieved_lies_between_the_smallest_and_the_largest(rows: list[tuple[int, int, int]]) -> None:
    lines = [Bargain(str(n), qty, Money(0), Money(b), Money(min(a, b))) for n, (qty, b, a) in enumerate(rows)]
    cuts = [one.cut for one in lines if one.cut is not None]
    whole = achieved(lines)
    assert whole is not None
    assert min(cuts) <= whole <= max(cuts)


@pytest.mark.parametrize(
    ("day", "round_", "first"),
    [
        (date(2026, 1, 1), "2026H1", date(2026, 1, 1)),
        (date(2026, 6, 30), "2026H1", date(2026, 1, 1)),
        (date(2026, 7, 1), "2026H2", date(2026, 7, 1)),
    ],
)
def test_a5_the_list_is_made_on_1_january_and_1_july(day: date, round_: str, first: date) -> None:
    assert (half_year(day), half_year_start(day)) == (round_, first)


def test_the_year_before_a_leap_day_is_a_year() -> None:
    assert year_before(date(2026, 1, 1)) == (date(2025, 1, 1), date(2025, 12, 31))
    assert year_before(date(2028, 2, 29)) == (date(2027, 3, 1), date(2028, 2, 28))


def test_c9_a_price_holds_on_its_last_day_and_of_two_the_later_begun_holds() -> None:
    prices = [
        Dated(yuan("3"), date(2026, 1, 1), date(2026, 6, 30)),
        Dated(yuan("2"), date(2026, 6, 30), None),
    ]
    assert price_on(prices, date(2026, 6, 29)) == yuan("3")
    assert price_on(prices, date(2026, 6, 30)) == yuan("2")
    assert price_on(prices[:1], date(2026, 7, 1)) is None
    assert price_on(prices, date(2025, 12, 31)) is None


def test_quarters_are_read_and_named() -> None:
    assert quarter_of(date(2026, 3, 31)) == "2026Q1"
    assert quarter_days("2026Q4") == (date(2026, 10, 1), date(2026, 12, 31))
    for text in ("2026", "2026Q5", "26Q1", "2026Q"):
        with pytest.raises(BadInput, match="expected one such as 2026Q1"):
            quarter_days(text)
