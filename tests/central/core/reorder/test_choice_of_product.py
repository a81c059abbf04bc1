"""Volume-based procurement and grouping: the selected first, prices, a pace, and orders that others join."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

from central.core.reorder.grouping import Wish, grouped
from central.core.reorder.vbp import Product, Volume, in_order, pace_of
from protocols.values.money import Money, yuan

WISH = Wish("ward-01", "A", "S1", due=True, vital=False, position=3, point=5, lot=20, qty=20, price=yuan("2.00"))


def test_a7_one_unit_of_money_over_the_winning_price_is_blocked() -> None:
    at, over = Product("A", yuan("12.50"), yuan("12.50")), Product("B", yuan("12.5001"), yuan("12.50"))
    shown, blocked = in_order([over, Product("C", yuan("9")), at])
    assert [one.item for one in shown] == ["A", "C"], "the selected product first, though another is cheaper"
    assert blocked == [over]


def test_the_forecast_counts_what_is_in_stock_once_and_is_no_reason_to_overfill() -> None:
    volume = Volume(1_200, date(2026, 1, 1), date(2026, 12, 31), received=500, used=450)
    pace = pace_of(volume, date(2026, 6, 30), daily_use=Fraction(3), stock=50)
    assert pace.elapsed == Fraction(181, 365)
    assert pace.forecast == Fraction(500 + 3 * 184 - 50, 1_200)
    assert pace.behind
    assert pace.stock_days == Fraction(50, 3)
    idle = pace_of(volume, date(2027, 6, 30), daily_use=Fraction(0), stock=50)
    assert idle.stock_days is None
    assert (idle.elapsed, idle.forecast) == (Fraction(1), Fraction(500, 1_200))


def test_a_line_nearly_due_joins_its_suppliers_order_and_opens_none() -> None:
    near = replace(WISH, item="B", due=False, position=10)
    far = replace(near, item="C", position=11)
    (group,) = grouped([far, near, WISH])
    assert [one.item for one in group.lines] == ["A", "B"]
    assert grouped([near, far]) == []


def test_an_order_below_the_suppliers_least_value_waits_but_for_vital_lines() -> None:
    (small,) = grouped([WISH, replace(WISH, item="V", vital=True)], least_value=Money(yuan("100")))
    assert [one.item for one in small.lines] == ["V"]
    assert [one.item for one in small.held_back] == ["A"]
    (whole,) = grouped([WISH, replace(WISH, item="V", vital=True)], least_value=Money(yuan("80")))
    assert [one.item for one in whole.lines] == ["A", "V"]
