"""E1: every duty is due once, in the hospital's own day, and is done, late or missed."""

from datetime import date

import pytest

from edge_agent.core.duties import Duty, Plan, dues, judge, minutes_of
from edge_agent.core.stock import scrap_from
from protocols.values.instant import from_iso, plus, to_iso

PLAN = Plan()


def at(text: str) -> str:
    return f"2026-03-{text}:00+08:00"


def test_e1_each_day_has_one_daily_check_and_two_shift_ends() -> None:
    first, last = from_iso(at("02T06:00")), from_iso(at("04T07:00"))
    assert [to_iso(due.at) for due in dues(PLAN, Duty.DAILY_CHECK, first, last)] == [
        at("02T07:00"),
        at("03T07:00"),
        at("04T07:00"),
    ]
    assert len(dues(PLAN, Duty.SHIFT_END, first, last)) == 4
    assert dues(PLAN, Duty.DAILY_CHECK, last, last) == []


def test_e1_the_monthly_count_is_due_in_the_last_days_of_a_month() -> None:
    (due,) = dues(PLAN, Duty.MONTHLY_COUNT, from_iso(at("01T00:00")), from_iso(at("31T12:00")))
    assert [to_iso(one) for one in due[1:]] == [
        at("29T00:00"),
        "2026-04-01T00:00:00+08:00",
        "2026-04-04T00:00:00+08:00",
    ]


def test_e1_the_weekly_reconcile_is_due_on_its_day_and_in_time_until_the_week_ends() -> None:
    dues_of_march = dues(PLAN, Duty.WEEKLY_RECONCILE, from_iso(at("01T00:00")), from_iso(at("31T12:00")))
    assert [to_iso(due.at)[8:10] for due in dues_of_march] == ["06", "13", "20", "27"]
    assert [to_iso(one) for one in dues_of_march[0][1:]] == [at("06T00:00"), at("09T00:00"), at("13T00:00")]


@pytest.mark.parametrize(
    ("done", "now", "state"),
    [
        ("02T07:30", "02T07:30", "done"),
        ("02T11:00", "02T11:00", "late"),
        (None, "02T23:59", ""),
        (None, "03T00:00", "missed"),
        ("03T00:10", "03T00:10", "missed"),
        ("02T06:00", "02T12:00", ""),
    ],
)
def test_e1_ok_late_and_missed(done: str | None, now: str, state: str) -> None:
    (due,) = dues(PLAN, Duty.DAILY_CHECK, from_iso(at("02T00:00")), from_iso(at("02T12:00")))
    assert judge(due, None if done is None else from_iso(at(done)), from_iso(at(now))) == state


def test_an_agent_that_was_off_for_years_looks_back_a_year_at_most() -> None:
    start = from_iso(at("02T00:00"))
    assert len(dues(PLAN, Duty.DAILY_CHECK, start, plus(start, 5 * 365 * 86_400))) <= 400


@pytest.mark.parametrize(
    ("text", "minutes"), [("08:00", 480), ("23:59", 1439), ("24:00", None), ("8", None), ("", None)]
)
def test_a_time_of_day(text: str, minutes: int | None) -> None:
    assert minutes_of(text) == minutes


@pytest.mark.parametrize(
    ("expiry", "day"),
    [
        ("2026-06-30", "2026-03-30"),
        ("2026-05-31", "2026-02-28"),
        ("2026-02-15", "2025-11-15"),
        ("2028-05-31", "2028-02-29"),
    ],
)
def test_f1_three_months_are_calendar_months(expiry: str, day: str) -> None:
    assert scrap_from(date.fromisoformat(expiry), 3).isoformat() == day
