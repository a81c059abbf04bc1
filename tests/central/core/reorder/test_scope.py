"""What is reordered by itself: asked for at least monthly, three times or more, and still asked for."""

from hypothesis import given
from hypothesis import strategies as st

from central.core.reorder.moments import sums_of
from central.core.reorder.scope import Standing, chance_lately, standing

NOBODY = sums_of((), 0)


def test_a_line_asked_for_monthly_and_three_times_is_reordered_and_a_rarer_one_is_on_request() -> None:
    assert standing(sums_of([2] * 6, 180), NOBODY, None) is Standing.USUAL
    assert standing(sums_of([2] * 5, 180), NOBODY, None) is Standing.SELDOM
    assert standing(sums_of([2] * 3, 60), NOBODY, None) is Standing.USUAL
    assert standing(sums_of([2] * 2, 40), NOBODY, None) is Standing.SELDOM, "monthly, but only twice in all"


def test_a_new_place_is_judged_by_the_days_it_borrows() -> None:
    assert standing(NOBODY, sums_of([1] * 90, 180), None) is Standing.USUAL
    assert standing(NOBODY, sums_of([1] * 9, 180), None) is Standing.SELDOM
    assert standing(NOBODY, NOBODY, None) is Standing.SELDOM


def test_what_was_asked_for_daily_and_then_for_eight_weeks_not_at_all_is_fading() -> None:
    for silent, how in ((20, Standing.USUAL), (56, Standing.FADING)):
        asked = range(180 - silent)
        lately = chance_lately(asked, 180)
        assert standing(sums_of([1] * len(asked), 180), NOBODY, lately) is how


def test_a_monthly_line_may_be_silent_for_three_months_before_it_is_given_up() -> None:
    asked = [0, 20, 40, 60, 75, 89]
    assert standing(sums_of([1] * 6, 180), NOBODY, chance_lately(asked, 180)) is Standing.USUAL


def test_a_steady_line_keeps_its_chance() -> None:
    assert 0.08 < chance_lately(range(9, 180, 10), 180) < 0.12
    assert chance_lately((), 180) == 0.0


@given(st.sets(st.integers(0, 149), min_size=1), st.integers(150, 400), st.integers(1, 100))
def test_silence_only_lowers_the_share_that_is_left(asked: set[int], days: int, more: int) -> None:
    on = sorted(asked)
    now, later = chance_lately(on, days), chance_lately(on, days + more)
    assert 0 < now <= 1
    assert later * (days + more) <= now * (days + more) + 1e-9
