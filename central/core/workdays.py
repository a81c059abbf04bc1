"""Working days of the hospital's country: weekends, public holidays, and the weekend days worked for them (调休).

The days come from the library chinesecalendar, which transcribes the State Council's notices; what the hospital
imported itself (calendar.csv) goes before it. A year whose notice neither tells is counted by weekends alone, and
whoever asks is told. The rule that must not be broken: a stage is measured in
working days that have passed whole, and the day it began is day 0.

Source: A8 (S0), purchase cycle of at most 3 working days; the State Council's yearly notices on public holidays.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType

import chinese_calendar

OwnDays = Mapping[date, bool]
"""Days the hospital said itself, each with whether people work on it."""
NONE_OWN: OwnDays = MappingProxyType({})

SATURDAY = 5
DAYS_MAX = 3660
"""Days counted at most; what took longer than ten years is a fault in a date."""


HOLIDAYS_A_YEAR = 13
"""Public holidays that everybody has: one at New Year, four at Spring Festival, one at Qingming, two at Labour Day,
one each at Dragon Boat and Mid-Autumn, three at National Day (State Council decree 795 of 2024, article 2)."""


def is_known(year: int, own: OwnDays = NONE_OWN) -> bool:
    """Tell whether the public holidays of a year are known: to the library, or by as many days off the hospital said.

    One day that the hospital says of a year, a day of its own, tells nothing of the others.
    """
    if sum(day.year == year and not works for day, works in own.items()) >= HOLIDAYS_A_YEAR:
        return True
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


def is_working_day(day: date, own: OwnDays = NONE_OWN) -> bool:
    """Tell whether people work on a day; in a year whose holidays are not known, whether it is no weekend day."""
    if day in own:
        return own[day]
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < SATURDAY


def working_days(first: date, last: date, own: OwnDays = NONE_OWN) -> int:
    """Return the working days after `first` up to and with `last`; 0 when it is the same day or an earlier one."""
    length = min((last - first).days, DAYS_MAX)
    return sum(is_working_day(first + timedelta(days=step), own) for step in range(1, length + 1))


def after(day: date, count: int, own: OwnDays = NONE_OWN) -> date:
    """Return the day that lies `count` working days after a day."""
    reached = day
    while count > 0:
        reached += timedelta(days=1)
        count -= is_working_day(reached, own)
    return reached
