"""Volume-based procurement: the selected first, prices, and a pace."""

from datetime import date
from fractions import Fraction

from central.core.reorder.vbp import Product, Volume, in_order, pace_of
from protocols.values.money import yuan


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
