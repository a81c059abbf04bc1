"""How long a delivery keeps: a person's rule first, then what short receipts told, then the hospital's figure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.core.reorder.keeping import RECEIPTS_MIN, learnt_days, shelf_days


@pytest.mark.parametrize(
    ("kept", "days"), [([], None), ([90, 80], None), ([90, 80, 400], 80), ([0, -5, 3], 1), ([30, *[200] * 9], 200)]
)
def test_a_short_delivery_of_the_past_is_what_is_counted_on(kept: list[int], days: int | None) -> None:
    assert learnt_days(kept) == days


def test_a_persons_rule_stands_over_receipts_and_receipts_over_the_hospitals_figure() -> None:
    assert shelf_days(40, [90, 80, 400], 365) == 40
    assert shelf_days(None, [90, 80, 400], 365) == 80
    assert shelf_days(None, [90], 365) == 365


@given(st.lists(st.integers(-30, 2_000), min_size=RECEIPTS_MIN, max_size=200))
def test_at_most_one_delivery_in_ten_kept_for_less(kept: list[int]) -> None:
    days = learnt_days(kept)
    assert days is not None
    assert sum(one < days for one in kept if one > 0) <= len(kept) / 10
