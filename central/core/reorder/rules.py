"""The policies that are rules of thumb: three days of use, literally and fairly, minimum and maximum, on request.

The rule that must not be broken: quantities are exact fractions until the one rounding up, and the fill rate each
predicts is reckoned the same way, so that they can stand beside the engine.
"""

from collections.abc import Mapping
from fractions import Fraction
from math import ceil
from types import MappingProxyType

from central.core.fill import LEVELS_MAX, fill_rate, spread_of
from central.core.reorder.facts import Facts, Levels, Source
from protocols.values.quantity import whole_packs

FILL_DIGITS = 4
NOTHING: Mapping[str, object] = MappingProxyType({})


def three_days(facts: Facts, source: Source) -> Levels:
    """Safety stock of so many days' use on top of the demand of the lead time (`3x`)."""
    return _told(facts, source, *by_days_fairly(facts, source))


def three_days_literally(facts: Facts, source: Source) -> Levels:
    """Safety stock alone, whatever the lead time (`3x-literal`)."""
    return _told(facts, source, *by_days(facts, source))


def min_max(facts: Facts, source: Source) -> Levels:
    """Order below a person's minimum up to the maximum (`min-max`); where nobody set them, `3x` stands in."""
    set_by = {"minimum": facts.limits.minimum, "maximum": facts.limits.maximum}
    return _told(facts, source, *by_own_levels(facts, source), set_by)


def by_days_fairly(facts: Facts, source: Source) -> tuple[Fraction, int]:
    """Return trigger and level of `3x`."""
    return _by_days(facts, facts.safety_days + source.lead_days)


def by_days(facts: Facts, source: Source) -> tuple[Fraction, int]:
    """Return trigger and level of `3x-literal`."""
    del source
    return _by_days(facts, facts.safety_days)


def by_own_levels(facts: Facts, source: Source) -> tuple[Fraction, int]:
    """Return trigger and level of `min-max`."""
    stand_in, level = by_days_fairly(facts, source)
    minimum, maximum = facts.limits.minimum, facts.limits.maximum
    trigger = stand_in if minimum is None else Fraction(minimum)
    return trigger, max(ceil(trigger), level if maximum is None else maximum)


def _by_days(facts: Facts, days: Fraction) -> tuple[Fraction, int]:
    trigger = facts.demand.daily_mean * days
    return trigger, ceil(trigger + facts.demand.daily_mean * facts.cover_days)


def _told(
    facts: Facts, source: Source, trigger: Fraction, upto: int, because: Mapping[str, object] = NOTHING
) -> Levels:
    return Levels(trigger, upto, predicted(facts, source, trigger, upto), facts.position.total, because)


def on_request(facts: Facts, source: Source) -> Levels:
    """Order only what was asked for and is not there (`on-request`, requirement row A13)."""
    del source
    return Levels(Fraction(0), 0, 0.0, facts.position.total, NOTHING)


def predicted(facts: Facts, source: Source, trigger: Fraction, upto: int) -> float:
    """Return the fill rate in the long run: a lot brings the position from the reorder point to the upper level."""
    point = ceil(trigger) - 1
    lot = whole_packs(max(upto - point, source.moq, 1), source.pack)
    if not facts.demand.total or max(0, point) + lot > LEVELS_MAX:
        return 1.0
    return round(fill_rate(spread_of(facts.demand, source.lead_days), point, lot), FILL_DIGITS)
