"""Who gets what the hospital already has, before anything is bought: surplus of wards first, then the central store.

A run of an engine decides every line as if it were alone; then wards with surplus give to those that are due, near
expiry first, and a store that cannot serve all its wards is divided pack by pack where a pack avoids most shortage.
What a line may take is written into its ladder, and the line is decided again. The rule that must not be broken: the
sum of what is promised never exceeds what is there.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta

from central.core.reorder import Decision, Facts, Plan, Source
from central.core.reorder.allocate import Asked, ration, within_budget
from central.core.reorder.line import line_of
from central.core.reorder.shortage import avoided
from central.core.reorder.transfers import Need, Offer, match
from central.services.foresight import Foresight
from central.store.queries_master import LEVEL_WARD
from protocols.values.money import UNITS_A_YUAN, Money, times

Key = tuple[str, str]
Decide = Callable[[Facts], Decision]

EXPIRING_WORTH = 2.0
"""A unit that would expire where it lies saves its price twice: it is neither bought nor thrown away."""


LEAST_GAIN = 1e-9
"""Units of shortage that a part of an order avoids at least: it will be used, if later."""


def divide(facts: Mapping[Key, Facts], decide: Decide, sight: Foresight, today: date) -> dict[Key, Decision]:
    """Return the decisions, each line's ladder saying what it may take of the hospital's own stock."""
    now = dict(facts)
    decisions = {key: decide(one) for key, one in now.items()}
    changed = _with_transfers(now, decisions, sight, today) if sight.scene.rules.whole("reorder.transfers") else {}
    now |= changed
    decisions |= {key: decide(one) for key, one in changed.items()}
    rationed = _with_rations(now, decisions)
    now |= rationed
    decisions |= {key: decide(one) for key, one in rationed.items()}
    joined = _joining(now, decisions)
    now |= joined
    decisions |= {key: decide(one) for key, one in joined.items()}
    cut = _within_budget(now, decisions, sight)
    return decisions | {key: decide(one) for key, one in cut.items()}


def _due(decision: Decision) -> bool:
    return decision.due and decision.plan is not None


def _with_transfers(
    facts: Mapping[Key, Facts], decisions: Mapping[Key, Decision], sight: Foresight, today: date
) -> dict[Key, Facts]:
    """Return the facts of lines that another ward's surplus may fill."""
    by_item: defaultdict[str, list[Key]] = defaultdict(list)
    for key in facts:
        if sight.scene.storerooms[key[0]].place.level == LEVEL_WARD:
            by_item[key[1]].append(key)
    changed: dict[Key, Facts] = {}
    for item, keys in by_item.items():
        needs = [Need(key[0], _wanted(facts[key], decisions[key])) for key in keys if _due(decisions[key])]
        offers = [_offer(facts[key], decisions[key], sight, today) for key in keys if not _due(decisions[key])]
        offers = [one for one in offers if one.qty]
        if not needs or not offers:
            continue
        walk = float(sight.scene.rules.number("reorder.walk_yuan")) * UNITS_A_YUAN
        for move in match(offers, needs, walk).moves:
            at = facts[move.taker, item]
            ladder = changed.get((move.taker, item), at).ladder
            changed[move.taker, item] = replace(at, ladder=(_giver(move.giver, move.qty, sight), *ladder))
    return changed


def _wanted(facts: Facts, decision: Decision) -> int:
    """Return what a due line lacks to its level, in base units."""
    if decision.plan is None:
        return 0
    if facts.bins is not None:
        return facts.bins
    return max(0, decision.plan.order_up_to - facts.position.total + facts.position.late)


def _offer(facts: Facts, decision: Decision, sight: Foresight, today: date) -> Offer:
    """Return what a line that is not due has above its level."""
    if decision.plan is None or facts.position.reserved or facts.bins is not None:
        return Offer(facts.place, 0, 0.0)
    surplus = max(0, facts.position.physical - decision.plan.order_up_to)
    expiry = sight.expiries.get((facts.place, facts.item))
    soon = today + timedelta(days=sight.scene.rules.whole("reorder.near_expiry_days"))
    worth = float(sight.price_of(facts.item)) * (EXPIRING_WORTH if expiry is not None and expiry <= soon else 1.0)
    return Offer(facts.place, surplus, worth)


def _giver(place: str, qty: int, sight: Foresight) -> Source:
    days = sight.scene.rules.whole("reorder.internal_lead_days")
    return Source(place, internal=True, lead_days=days, pack=1, moq=0, available=qty, rationed=True)


def _joining(facts: Mapping[Key, Facts], decisions: Mapping[Key, Decision]) -> dict[Key, Facts]:
    """Return the facts of lines that are not due and whose supplier gets an order for their storeroom anyway."""
    opened = {
        (key[0], decision.plan.source.name)
        for key, decision in decisions.items()
        if decision.due and decision.plan is not None and not decision.plan.source.internal
    }
    return {
        key: replace(facts[key], joins=True)
        for key, decision in decisions.items()
        if not decision.due and decision.plan is not None and (key[0], decision.plan.source.name) in opened
    }


def _within_budget(facts: Mapping[Key, Facts], decisions: Mapping[Key, Decision], sight: Foresight) -> dict[Key, Facts]:
    """Return the facts of bought lines that a budget cuts, with what it leaves them; without a budget, of none."""
    budget = sight.scene.rules.values.get(("reorder.budget_yuan", ""))
    if budget is None:
        return {}
    asked: dict[Key, Asked] = {}
    plans: dict[Key, Plan] = {}
    for key, decision in decisions.items():
        plan = decision.plan
        if plan is not None and decision.due and not plan.source.internal and plan.source.price > 0:
            source, plans[key] = plan.source, plan
            gains = _gains(facts[key], source, source.pack, plan.qty // source.pack)
            asked[key] = Asked(key, gains, times(source.price, source.pack))
    left = _left(Money(int(budget * UNITS_A_YUAN)), asked, plans)
    return {key: replace(facts[key], granted=left[key]) for key, plan in plans.items() if left[key] < plan.qty}


def _left(budget: Money, asked: dict[Key, Asked], plans: Mapping[Key, Plan]) -> dict[Key, int]:
    """Return the units a budget leaves each line; one left with less than its source's minimum gives way to others."""
    asking = dict(asked)
    while True:
        given = within_budget(budget, list(asking.values())).given
        units = {key: given[key] * plans[key].source.pack for key in asking}
        small = [key for key, count in units.items() if count < plans[key].source.moq]
        if not small:
            return {key: units.get(key, 0) for key in plans}
        small.sort(key=lambda key: (asked[key].gains[0] / asked[key].price, key))
        for key in small[: (len(small) + 1) // 2]:
            del asking[key]


def _gains(facts: Facts, source: Source, size: int, parts: int) -> tuple[float, ...]:
    """Return what each part avoids, by its weight; even one that avoids nothing yet is bought while there is money."""
    line, at = line_of(facts, source), facts.position
    return tuple(
        line.past.weight * max(gain, LEAST_GAIN) for gain in avoided(line.wait, at.total - at.late, size, parts)
    )


def _with_rations(facts: Mapping[Key, Facts], decisions: Mapping[Key, Decision]) -> dict[Key, Facts]:
    """Return the facts of lines that together ask more of an own storeroom than it has."""
    askers: defaultdict[Key, list[Key]] = defaultdict(list)
    for key, decision in decisions.items():
        plan = decision.plan
        if _due(decision) and plan is not None and plan.source.internal and not plan.source.rationed:
            askers[plan.source.name, key[1]].append(key)
    changed: dict[Key, Facts] = {}
    for keys in askers.values():
        changed |= _ration(keys, facts, decisions)
    return changed


def _ration(keys: list[Key], facts: Mapping[Key, Facts], decisions: Mapping[Key, Decision]) -> dict[Key, Facts]:
    plans = {key: plan for key in keys if (plan := decisions[key].plan) is not None}
    source = plans[keys[0]].source
    if source.available is None or sum(plan.qty for plan in plans.values()) <= source.available:
        return {}
    asked = []
    for key, plan in plans.items():
        asked.append(Asked(key, _gains(facts[key], plan.source, source.pack, plan.qty // source.pack)))
    given = ration(source.available // source.pack, asked).given
    changed = {}
    for key in plans:
        part = given[key] * source.pack
        ladder = tuple(
            replace(one, available=part, rationed=True) if one.name == source.name else one for one in facts[key].ladder
        )
        changed[key] = replace(facts[key], ladder=ladder)
    return changed
