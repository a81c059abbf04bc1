"""What is due in a storeroom and whether it was done: daily check, weekly reconcile, monthly count, shift and day end.

Pure. Nobody does a day's end: the device says then for how much of the day its antennas listened.

Times are of the hospital's day, so that no change of a clock makes a duty twice or never. A duty is done in time, late,
or missed once its time is over; each is recorded once, also by an agent that was off for weeks. The rule that must not
be broken: a duty that nobody did is never recorded as done.

Source: requirement E1 (daily check, weekly reconcile, monthly count; late and missed recorded).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from protocols.values.instant import MICROS, Instant, business_day, day_start, plus

DAY_S = 86_400
DAY_END_GRACE_S = 600
"""Said later than so, what was heard of a day is not all of it."""
DUES_MAX = 400
"""Duties looked back at: a year of days; what is older is the past's."""


class Duty(StrEnum):
    """What can be due."""

    DAILY_CHECK = "daily_check"
    WEEKLY_RECONCILE = "weekly_reconcile"
    MONTHLY_COUNT = "monthly_count"
    SHIFT_END = "shift_end"
    DAY_END = "day_end"


class Due(NamedTuple):
    """One duty: due at an instant, in time until another, no more to be done after a third."""

    duty: Duty
    at: Instant
    in_time: Instant
    over: Instant


@dataclass(frozen=True, slots=True)
class Plan:
    """When things are due, in minutes of the hospital's day; the monthly count in the last days of a month.

    The weekly reconcile is due on a day of the week (0 is Monday) and in time for so many days.
    """

    shift_ends: tuple[int, ...] = (8 * 60, 20 * 60)
    daily_at: int = 7 * 60
    daily_grace_min: int = 120
    weekly_on: int = 4
    weekly_days: int = 3
    monthly_days: int = 3
    monthly_grace_days: int = 3


def dues(plan: Plan, duty: Duty, after: Instant, upto: Instant) -> list[Due]:
    """Return what became due of a duty after one instant and up to another, oldest first; the newest `DUES_MAX`."""
    first, last = business_day(after) - timedelta(days=31), business_day(upto)
    first = max(first, last - timedelta(days=DUES_MAX))
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    found = [due for day in days for due in _of_day(plan, duty, day) if after < due.at <= upto]
    return found[-DUES_MAX:]


def _of_day(plan: Plan, duty: Duty, day: date) -> Iterator[Due]:
    start = day_start(day)
    if duty is Duty.SHIFT_END:
        for minute in plan.shift_ends:
            at = plus(start, minute * 60)
            yield Due(duty, at, plus(at, DAY_S), plus(at, DAY_S))
    if duty is Duty.DAY_END:
        yield Due(duty, start, plus(start, DAY_END_GRACE_S), plus(start, DAY_S))
    if duty is Duty.DAILY_CHECK:
        at = plus(start, plan.daily_at * 60)
        yield Due(duty, at, plus(at, plan.daily_grace_min * 60), plus(start, DAY_S))
    if duty is Duty.WEEKLY_RECONCILE and day.weekday() == plan.weekly_on:
        yield Due(duty, start, plus(start, plan.weekly_days * DAY_S), plus(start, 7 * DAY_S))
    if duty is Duty.MONTHLY_COUNT and (day + timedelta(days=plan.monthly_days)).day == 1:
        month_ends = plus(start, plan.monthly_days * DAY_S)
        yield Due(duty, start, month_ends, plus(month_ends, plan.monthly_grace_days * DAY_S))


def judge(due: Due, done_at: Instant | None, now: Instant) -> str:
    """Return `done`, `late` or `missed`; empty while it is still open."""
    if done_at is not None and due.at <= done_at < due.over:
        return "done" if done_at < due.in_time else "late"
    return "missed" if now >= due.over else ""


def minutes_of(text: str) -> int | None:
    """Read a time of day such as `08:00` as minutes; None for everything else."""
    hours, _, minutes = text.partition(":")
    if not (hours.isdecimal() and minutes.isdecimal()) or len(text) > 5:
        return None
    total = int(hours) * 60 + int(minutes)
    return total if int(minutes) < 60 and total < DAY_S // 60 else None


EVERY = Instant(60 * MICROS)
"""Story time between two looks at what is due."""
