"""Policy `3x` in the simulator's own words, to judge the sample's health, to plan a story and to check central.

Trigger = safety stock of three days' mean use plus the use of the lead time (the fair reading of the rule; use of the
last 90 days, days without use count). It is written apart from central's code on purpose: two readings of one rule
that agree are evidence, one reading that agrees with itself is none. Fractions are exact.
"""

from fractions import Fraction

SAFETY_DAYS = 3
USE_DAYS = 90


def mean_daily_use(use90: int) -> Fraction:
    """Return the mean daily use from the pieces used in 90 days."""
    return Fraction(use90, USE_DAYS)


def trigger(use90: int, lead_days: int) -> Fraction:
    """Return the position below which a line is ordered."""
    return mean_daily_use(use90) * (SAFETY_DAYS + lead_days)
