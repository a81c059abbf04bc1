"""Main or backup supplier: whom to pass over, and why.

The main supplier is passed over for the next one when it was in time with less than 98 % of its lines (requirement row
B1), or when the shelf would be empty before nine in ten of its orders have come and the next one is quicker. The rule
that must not be broken: the last source of a ladder is never passed over, and an own storeroom never is.
"""

from fractions import Fraction
from itertools import accumulate

from central.core.reorder.facts import Facts, Source

ON_TIME_MIN = Fraction(98, 100)
PROMISE_QUANTILE = 0.9


def passed_over(facts: Facts, source: Source) -> dict[str, object] | None:
    """Return why a source gives way to a later one of the ladder; None when it does not."""
    later = [one for one in facts.ladder[facts.ladder.index(source) + 1 :] if not one.internal and _can(facts, one)]
    if source.internal or not later:
        return None
    if source.on_time is not None and source.on_time < ON_TIME_MIN and any(_better(one, source) for one in later):
        return {"on_time": round(float(source.on_time), 4), "wanted": float(ON_TIME_MIN)}
    days_left = _days_left(facts)
    promise, quickest = promised_days(source), min(promised_days(one) for one in later)
    if days_left is not None and quickest < promise and days_left < promise:
        return {"arrives_in_days": promise, "stock_lasts_days": round(float(days_left), 1)}
    return None


def blocked(source: Source) -> dict[str, object] | None:
    """Return why a source may not be ordered from at all: its price is over the winning price (requirement row A7)."""
    if source.price_cap is None or source.price <= source.price_cap:
        return None
    return {"price": int(source.price), "winning_price": int(source.price_cap)}


def promised_days(source: Source) -> int:
    """Return the days by which nine in ten orders have come; the source's word where none was seen."""
    if source.leads is None:
        return source.lead_days
    reached = accumulate(source.leads.shares)
    return next((days for days, share in enumerate(reached) if share >= PROMISE_QUANTILE - 1e-9), source.lead_days)


def _better(one: Source, other: Source) -> bool:
    return one.on_time is None or other.on_time is None or one.on_time > other.on_time


def _can(facts: Facts, source: Source) -> bool:
    return source.available is None or source.available >= max(1, source.moq, -facts.position.total)


def _days_left(facts: Facts) -> Fraction | None:
    """Return how long the shelf lasts at its mean use; None for an item nobody uses."""
    on_hand = max(0, facts.position.physical - facts.position.reserved)
    return on_hand / facts.demand.daily_mean if facts.demand.total else None
