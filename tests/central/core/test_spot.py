"""E5: a spot count says how many lines it rests on and where the truth may lie."""

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.core.spot import TAIL, sample_interval


@pytest.mark.parametrize(
    ("right", "counted", "low", "high"),
    [
        (20, 20, 0.8316, 1.0),
        (0, 10, 0.0, 0.3085),
        (98, 100, 0.9296, 0.9976),
        (198, 200, 0.9643, 0.9988),
    ],
)
def test_the_interval_is_that_of_the_tables(right: int, counted: int, low: float, high: float) -> None:
    """Figures of Clopper and Pearson's exact interval, as any table of it has them."""
    assert sample_interval(right, counted) == pytest.approx((low, high), abs=1e-4)


def test_nothing_counted_says_nothing() -> None:
    assert sample_interval(0, 0) == (0.0, 1.0)


@given(counted=st.integers(1, 60), share=st.floats(0.02, 0.98))
def test_it_holds_the_truth_at_least_95_times_of_100(counted: int, share: float) -> None:
    held = 0.0
    for right in range(counted + 1):
        low, high = sample_interval(right, counted)
        chance = comb(counted, right) * share**right * (1 - share) ** (counted - right)
        held += chance if low <= share <= high else 0.0
    assert held >= 1 - 2 * TAIL - 1e-9


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_share_itself_lies_within(sample: tuple[int, int]) -> None:
    right, counted = sample
    low, high = sample_interval(right, counted)
    assert 0.0 <= low <= right / counted <= high <= 1.0
