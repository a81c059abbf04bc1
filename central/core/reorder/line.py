"""The engine for one line: levels from moments, lead times and a target, with every value it used.

It is the scalar form of `engine`, and a test holds them together. Item mode serves the target share of this line's
demand; system mode stocks what a served request is worth. The rule that must not be broken: whatever floats say, a
level is a whole number, and the reason holds what is needed to reckon it again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

from central.core.reorder.engine import SHELF_QUANTILE
from central.core.reorder.expiry import unusable, usable
from central.core.reorder.facts import Facts, Levels, Past, Source
from central.core.reorder.leads import Leads, fixed_leads
from central.core.reorder.moments import Moments, Sums, moments_of, sums_of
from central.core.reorder.reference import demand_quantile, fill_point, outlook_of, worth_point
from central.core.reorder.rules import FILL_DIGITS
from central.core.reorder.scope import Standing, standing
from central.core.reorder.season import FACTOR_MIN, coming_days, factor_of, in_season, spans
from central.core.reorder.waits import Wait, wait_of

SHOWN_DIGITS = 4
NOBODY = Sums(0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Line:
    """One line as the engine sees it: moments, lead times, lot and wait; price, weight and worth as floats.

    `seen` are the moments of the past, `moments` those of the days to come: `factor` times as many requests.
    """

    past: Past
    seen: Moments
    factor: float
    moments: Moments
    leads: Leads
    lot: int
    wait: Wait

    @property
    def gain(self) -> float:
        """Weighted requests a day."""
        return self.past.weight * self.moments.rate

    @property
    def shelf_days(self) -> float:
        """Days of the coming use that a shelf life of the past's use is worth."""
        return self.past.shelf_days / self.factor


def engine_item(facts: Facts, source: Source) -> Levels:
    """Every line serves the same share of its demand (`engine-item`)."""
    line = line_of(facts, source)
    point = fill_point(line.wait, line.lot, line.past.fill) if line.moments.mean > 0 else 0
    return _levels(facts, line, point, {"mode": "item", "target": line.past.fill})


def engine_system(facts: Facts, source: Source) -> Levels:
    """The hospital serves its target with the least money on the shelves (`engine-system`).

    Without a worth of a served request, which only the whole hospital gives, it is item mode.
    """
    line = line_of(facts, source)
    worth, price = line.past.worth, float(line.past.price)
    if worth is None:
        return engine_item(facts, source)
    mode = {"mode": "system", "worth": worth, "price": price, "weight": line.past.weight}
    if line.gain <= 0:
        return _levels(facts, line, None, mode)
    point = worth_point(line.wait, line.lot, price * line.lot / line.gain / worth)
    outlook = outlook_of(line.wait, point, line.lot)
    over = max(0.0, point + line.lot - line.moments.mean * line.shelf_days)
    stocked = worth * line.gain * outlook.fill > price * (outlook.stock + over)
    return _levels(facts, line, point if stocked or facts.limits.forced else None, mode)


def past_of(facts: Facts) -> Past:
    """Return what is known of a line's past; without a longer one the policy window is it."""
    return facts.past or Past(sums_of(facts.demand.sizes, facts.demand.days), NOBODY)


def standing_of(facts: Facts) -> Standing:
    """Return whether a line is reordered by itself; what a person forces is."""
    past = past_of(facts)
    return Standing.USUAL if facts.limits.forced else standing(past.own, past.kin, past.lately)


def expiring_of(facts: Facts, mean: float, leads: Leads) -> int:
    """Return the units of the shelf that expire unused before an order made now is surely there."""
    if not facts.lots:
        return 0
    return min(max(0, facts.position.physical), unusable(facts.lots, mean, leads.late_days))


def usable_from(facts: Facts, source: Source, counted: int, qty: int) -> int:
    """Return how many of `qty` units a source's lots hold that would be used before they expire, nearly surely."""
    if not source.lots or source.available is None:
        return qty
    past = past_of(facts)
    mean = moments_of(past.own, past.kin).mean * (1.0 if past.season is None else FACTOR_MIN)
    if source.lots[0][0] > 0 and max(0, counted) + qty <= mean * source.lots[0][0]:
        return qty
    moments = line_of(facts, source).moments

    def asked_until(days: int) -> int:
        return demand_quantile(moments.mean * days, moments.variance * days, SHELF_QUANTILE)

    return min(qty, usable(source.lots, source.available, counted, asked_until))


def line_of(facts: Facts, source: Source) -> Line:
    """Return one line with a source."""
    past = past_of(facts)
    seen = moments_of(past.own, past.kin)
    leads = source.leads or fixed_leads(source.lead_days)
    factor = 1.0
    if past.season is not None:
        days = spans(facts.demand.last, past.own.days, coming_days(leads, facts.cover_days))
        factor = factor_of(past.season, *days)
    moments = in_season(seen, factor)
    wanted = max(source.pack, source.moq, float(facts.cover_days) * moments.mean, moments.size)
    lot = ceil(wanted / source.pack - 1e-9) * source.pack
    return Line(past, seen, factor, moments, leads, lot, wait_of(moments, leads, lot))


def _levels(facts: Facts, line: Line, point: int | None, mode: Mapping[str, Any]) -> Levels:
    """Return levels for a reorder point, capped by shelf life; None or no demand at all means on request."""
    expiring = expiring_of(facts, line.moments.mean, line.leads)
    counted = facts.position.total - facts.position.late - expiring
    because = {**mode, **_shown(line)}
    how = standing_of(facts)
    if point is None or line.moments.mean <= 0 or how is not Standing.USUAL:
        on_request = {"stocked": False, "reorder_point": None, "standing": str(how)}
        return Levels(Fraction(0), 0, 0.0, counted, {**because, **on_request}, expiring)
    mean = line.moments.mean * line.shelf_days
    capped = point
    if point + line.lot > mean:
        most = demand_quantile(mean, line.moments.variance * line.shelf_days, SHELF_QUANTILE)
        capped = min(point, max(0, most - line.lot))
    because |= {"stocked": True, "reorder_point": capped, "capped_by_shelf_life": capped < point}
    fill = round(outlook_of(line.wait, capped, line.lot).fill, FILL_DIGITS)
    return Levels(Fraction(capped + 1), capped + line.lot, fill, counted, because, expiring)


def _shown(line: Line) -> dict[str, object]:
    moments = line.seen
    season = {} if line.past.season is None else {"season_factor": _short(line.factor)}
    return {
        "daily_mean": _short(moments.mean),
        "daily_variance": _short(moments.variance),
        "request_size": _short(moments.size),
        "requests_a_day": _short(moments.rate),
        "window_days": _short(line.past.own.days),
        "undershoot": _short(line.wait.undershoot),
        "wait_mean": _short(sum(mean * weight for mean, _, weight in line.wait.parts)),
        "lead_mean": _short(line.leads.mean),
        "late_after_days": line.leads.late_days,
        "lot": line.lot,
        "shelf_days": line.past.shelf_days,
        **season,
    }


def _short(value: float) -> float:
    return round(value, SHOWN_DIGITS)
