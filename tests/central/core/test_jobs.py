import pytest

from central.core.jobs import Job, due, period_at
from central.errors import BadInput
from protocols.values.instant import MICROS, Instant

JOB = Job("replenish", 1800)


def at(seconds: int) -> Instant:
    return Instant(seconds * MICROS)


def test_a_job_runs_once_in_a_period_however_often_it_is_asked() -> None:
    first = due(JOB, at(3600), None)
    assert first == 2
    assert due(JOB, at(5399), first) is None
    assert due(JOB, at(5400), first) == 3


def test_periods_slept_through_are_not_made_up() -> None:
    assert due(JOB, at(1800 * 50), 2) == 50
    assert period_at(JOB, at(1800 * 50)) == 50


def test_a_clock_that_went_back_runs_nothing_again() -> None:
    assert due(JOB, at(1800 * 3), 9) is None


def test_a_job_without_a_period_cannot_exist() -> None:
    with pytest.raises(BadInput, match="period"):
        Job("replenish", 0)
