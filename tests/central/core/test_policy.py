from datetime import date
from fractions import Fraction

import pytest

from central.core.policy import PolicyRow, rules_on
from central.errors import BadInput, NotThere

MARCH = date(2026, 3, 2)


def row(
    code: str = "a", scope: str = "", value: str = "3", start: date = date(2026, 1, 1), end: date | None = None
) -> PolicyRow:
    return PolicyRow(code, scope, value, start, end, "S0")


def test_the_later_start_wins_and_an_ended_row_is_out_of_force() -> None:
    rows = [row(value="3"), row(value="4", start=date(2026, 2, 1)), row(value="5", start=date(2026, 2, 2), end=MARCH)]
    assert rules_on(MARCH, rows).number("a") == 4


def test_a_scope_without_its_own_row_follows_the_general_one() -> None:
    rules = rules_on(MARCH, [row(value="7"), row(scope="level-1", value="14")])
    assert (rules.number("a", "level-1"), rules.number("a", "level-2")) == (Fraction(14), Fraction(7))


def test_the_same_rows_give_the_same_version_in_any_order_and_another_value_gives_another() -> None:
    rows = [row(), row(code="b")]
    assert rules_on(MARCH, rows).version == rules_on(MARCH, rows[::-1]).version
    assert rules_on(MARCH, rows).version != rules_on(MARCH, [row(value="3.0001"), row(code="b")]).version


def test_a_value_is_read_exactly() -> None:
    rules = rules_on(MARCH, [row(value="0.05"), row(code="b", value="90")])
    assert rules.number("a") == Fraction(1, 20)
    assert rules.whole("b") == 90
    with pytest.raises(BadInput, match="whole number"):
        rules.whole("a")


def test_a_rule_nobody_wrote_is_named() -> None:
    with pytest.raises(NotThere, match=r"reorder\.safety_days"):
        rules_on(MARCH, []).number("reorder.safety_days")


def test_a_row_that_ends_before_it_starts_or_is_no_number_cannot_exist() -> None:
    with pytest.raises(BadInput, match="end after"):
        row(end=date(2025, 1, 1))
    with pytest.raises(BadInput, match="number"):
        row(value="three")
