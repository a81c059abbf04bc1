"""Season: how the months of the year differ in what is asked of an item, and what that does to the days to come.

The index of a month is its mean day over the mean day of the year, from two to five whole years of what is known of
the item's places together. Growth over the years is taken out first. What the same months of different years disagree
by is the noise of an index; the index is drawn to 1 by NOISE_TIMES that share, and where noise is all there is, there
is no season. The factor is the mean index of the days to come (lead time and cover) over that of the days the moments
were taken from. A season changes how often is asked, not how much at once: mean, variance and rate go with the factor,
and what a shelf life of many months lets a line use up does not. Not here: holidays that move between two months.

There is no term for the weekday. Where nothing is used at weekends, nothing is delivered then either, so that a lead
time holds about the same days of use on whichever day it began; docs/reorder.md has the figures.

The rule that must not be broken: without two whole years of its own the factor is exactly 1; `factor_of` is the
reference, `factors_of_many` equals it to the last bit. Source: ratio to trend, and shrinkage after James and Stein.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache
from math import ceil
from typing import cast

import numpy as np

from central.core.reorder.leads import Leads
from central.core.reorder.moments import OWN_DAYS_MIN, Floats, Moments, MomentsOfMany
from central.errors import BadInput

Index = tuple[float, ...]
"""Twelve numbers around 1, January first."""

MONTHS = 12
YEARS_MIN, YEARS_MAX = 2, 5
"""Whole years the index is taken from: one cannot tell season from chance, and six ago is another hospital."""

READ_DAYS = (YEARS_MAX + 1) * 366
"""Days of use that hold YEARS_MAX whole years of whole months, whichever day it is."""

NOISE_TIMES = 2.0
"""Months whose spread is less than so many times their noise show no season: chance comes to it once in eight."""

INDEX_MIN, INDEX_MAX = 0.1, 12.0
FACTOR_MIN, FACTOR_MAX = 0.5, 2.0
"""Bounds of a month's index (12: a year's use in one month), and of what a season does to the moments."""

COMING_DAYS_MAX = 365
INDEX_DIGITS = 4
CALENDARS_KEPT = 4096


def index_of(used: Mapping[date, int], known_since: date, today: date) -> Index | None:
    """Return the index of an item from its use by day; None with less than two whole years, or without a season.

    Use is known from `known_since` on; an item's years begin with its own first use. Today is not over and not known.
    """
    first = min((day for day, qty in used.items() if qty > 0), default=today)
    first = max(first, known_since)
    end = _month(today)
    years = min(YEARS_MAX, (end - _month(first) - (first.day > 1)) // MONTHS)
    if years < YEARS_MIN:
        return None
    start = end - years * MONTHS
    totals = [0] * (years * MONTHS)
    for day, qty in used.items():
        at = _month(day) - start
        if 0 <= at < len(totals):
            totals[at] += max(0, qty)
    daily = [total / _length(start + at) for at, total in enumerate(totals)]
    found = _shrunk(np.array(daily).reshape(years, MONTHS))
    turn = -start % MONTHS
    return None if found is None else found[turn:] + found[:turn]


def _month(day: date) -> int:
    return day.year * MONTHS + day.month - 1


def _length(month: int) -> int:
    """Return the days of a month."""
    first, after = (date(one // MONTHS, one % MONTHS + 1, 1) for one in (month, month + 1))
    return (after - first).days


def _shrunk(daily: Floats) -> Index | None:
    """Return the index of the columns of years x months, growth taken out, drawn to 1 by its own noise."""
    years, level = len(daily), float(daily.mean())
    if level <= 0:
        return None
    number = np.arange(years) - (years - 1) / 2
    growth = float((number * daily.mean(axis=1)).sum() / (number**2).sum())
    flat = daily - growth / MONTHS * (np.arange(daily.size) - (daily.size - 1) / 2).reshape(daily.shape)
    mean = flat.mean(axis=0)
    noise = float(((flat - mean) ** 2).sum()) / (daily.size - MONTHS - 1) / years
    spread = float(((mean - level) ** 2).sum()) / (MONTHS - 1)
    if spread <= NOISE_TIMES * noise:
        return None
    index = 1.0 + (1.0 - NOISE_TIMES * noise / spread) * (mean - level) / level
    return tuple(round(min(INDEX_MAX, max(INDEX_MIN, float(one))), INDEX_DIGITS) for one in index)


def checked(index: Sequence[float]) -> Index:
    """Return an index. Raises `BadInput` for anything but twelve numbers of a month's size."""
    if len(index) != MONTHS or any(not INDEX_MIN <= one <= INDEX_MAX for one in index):
        raise BadInput(f"season: expected {MONTHS} numbers from {INDEX_MIN} to {INDEX_MAX}, got {index!r:.80}")
    return tuple(index)


@lru_cache(CALENDARS_KEPT)
def days_by_month(first: date, days: int) -> tuple[int, ...]:
    """Return how many of some days from a day on lie in each month of the year."""
    found, left = [0] * MONTHS, days
    while left > 0:
        here = min(left, _length(_month(first)) - first.day + 1)
        found[first.month - 1] += here
        first, left = first + timedelta(days=here), left - here
    return tuple(found)


def coming_days(leads: Leads, cover_days: Fraction | float) -> int:
    """Return the days an order made now is for: until it comes, and as long as it covers."""
    return min(COMING_DAYS_MAX, max(1, ceil(leads.mean) + ceil(cover_days)))


def spans(last: date, past_days: float, coming: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return past and coming days by month, around the end of a day.

    A line that borrows from the item's other places has a past of no one time of the year: it counts as the coming.
    """
    ahead = days_by_month(last + timedelta(days=1), coming)
    if past_days < OWN_DAYS_MIN:
        return ahead, ahead
    past = int(past_days)
    return days_by_month(last - timedelta(days=past - 1), past), ahead


def factor_of(index: Index, past: Sequence[int], coming: Sequence[int]) -> float:
    """Return what the season does to the moments of one line; `past` and `coming` are days by month."""
    before = after = 0.0
    for month in range(MONTHS):
        before += index[month] * past[month]
        after += index[month] * coming[month]
    return min(FACTOR_MAX, max(FACTOR_MIN, (after / sum(coming)) / (before / sum(past))))


def factors_of_many(index: Floats, past: Floats, coming: Floats) -> Floats:
    """Return the factors of many lines; all three are lines x months."""
    before, after = np.zeros(len(index)), np.zeros(len(index))
    for month in range(MONTHS):
        before += index[:, month] * past[:, month]
        after += index[:, month] * coming[:, month]
    ratio = (after / coming.sum(axis=1)) / (before / past.sum(axis=1))
    return cast(Floats, np.minimum(FACTOR_MAX, np.maximum(FACTOR_MIN, ratio)))


def in_season(moments: Moments, factor: float) -> Moments:
    """Return moments of days on which a line is asked so many times as often."""
    return Moments(
        moments.mean * factor,
        moments.variance * factor,
        moments.size,
        moments.size2,
        moments.size3,
        moments.rate * factor,
    )


def in_season_of_many(moments: MomentsOfMany, factors: Floats) -> MomentsOfMany:
    """Return the same for many lines."""
    return MomentsOfMany(
        moments.mean * factors,
        moments.variance * factors,
        moments.size,
        moments.size2,
        moments.size3,
        moments.rate * factors,
    )
