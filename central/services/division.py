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

from central.core.reorder import Decision, Facts, Source
from central.core.reorder.allocate import Asked, ration
from central.core.reorder.line import line_of
from central.core.reorder.shortage import avoided
from central.core.reorder.transfers import Need, Offer, match
from central.services.foresight import Foresight
from protocols.values.money import UNITS_A_YUAN

Key = tuple[str, str]
Decide = Callable[[Facts], Decision]

EXPIRING_WORTH = 2.0
"""A unit that would expire where it lies saves its price twice: it is neither bought nor thrown away."""

LEVEL_WARD = 2


def divide(facts: Mapping[Key, Facts], decide: Decide, sight: Foresight, today: date) -> dict[Key, Decision]:
    """Return the decisions, each line's ladder saying what it may take of the hospital's own stock."""
    now = dict(facts)
    decisions = {key: decide(one) for key, one in now.items()}
    changed = _with_transfers(now, decisions, sight, today) if sight.scene.rules.whole("reorder.transfers") else {}
    now |= changed
    decisions |= {key: decide(one) for key, one in changed.items()}
    rationed = _with_rations(now, decisions)
    return decisions | {key: decide(one) for key, one in rationed.items()}


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
    return max(0, decision.plan.order_up_to - facts.position.total + facts.position.late)


def _offer(facts: Facts, decision: Decision, sight: Foresight, today: date) -> Offer:
    """Return what a line that is not due has above its level."""
    if decision.plan is None or facts.position.reserved:
        return Offer(facts.place, 0, 0.0)
    surplus = max(0, facts.position.physical - decision.plan.order_up_to)
    expiry = sight.expiries.get((facts.place, facts.item))
    soon = today + timedelta(days=sight.scene.rules.whole("reorder.near_expiry_days"))
    worth = float(sight.price_of(facts.item)) * (EXPIRING_WORTH if expiry is not None and expiry <= soon else 1.0)
    return Offer(facts.place, surplus, worth)


def _giver(place: str, qty: int, sight: Foresight) -> Source:
    days = sight.scene.rules.whole("reorder.internal_lead_days")
    return Source(place, internal=True, lead_days=days, pack=1, moq=0, available=qty, rationed=True)


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
        line, at = line_of(facts[key], plan.source), facts[key].position
        gains = avoided(line.wait, at.total - at.late, source.pack, plan.qty // source.pack)
        asked.append(Asked(key, tuple(line.past.weight * gain for gain in gains)))
    given = ration(source.available // source.pack, asked).given
    changed = {}
    for key in plans:
        part = given[key] * source.pack
        ladder = tuple(
            replace(one, available=part, rationed=True) if one.name == source.name else one for one in facts[key].ladder
        )
        changed[key] = replace(facts[key], ladder=ladder)
    return changed
