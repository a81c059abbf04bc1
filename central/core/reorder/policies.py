"""Reorder policies: from facts about one item at one place to what to order, whence, and why.

A policy is one function in `POLICIES`, from facts and a source to levels. It knows no store and no clock; every number
it uses comes with the facts, and every number it used goes into the reason. Not here: who may approve, and how orders
are grouped. The rule that must not be broken: the same facts give the same bytes of reason.

    3x             below 3 x ADU90 + ADU90 x lead days (safety stock on top of lead-time demand)
    3x-literal     below 3 x ADU90, as the text says it (requirement row D4)
    min-max        below a person's minimum, up to the maximum
    on-request     what was asked for and is not there (requirement row A13)
    engine-item    at or below the reorder point that serves the target share of the line's demand
    engine-system  at or below the one that serves the hospital's target with the least money on the shelves

All order up to their level, at least the source's minimum, in whole packs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from types import MappingProxyType

from central.core.demand import Demand
from central.core.reorder.beside import beside
from central.core.reorder.bins import empty_bins
from central.core.reorder.choice import blocked, passed_over
from central.core.reorder.facts import Decision, Facts, Levels, Plan, Policy, Source
from central.core.reorder.inputs import inputs_of
from central.core.reorder.line import engine_item, engine_system, usable_from
from central.core.reorder.rules import min_max, on_request, three_days, three_days_literally
from central.errors import BadInput
from protocols.values.quantity import whole_packs

MILLI = 1000
CAN_ORDER_SHARE = 0.25
"""Share of a lot above the reorder point at which a line may join an order that its supplier gets anyway (Silver's
can-order level): about two days before it would be due itself."""

POLICIES: Mapping[str, Policy] = MappingProxyType(
    {
        "3x": three_days,
        "3x-literal": three_days_literally,
        "min-max": min_max,
        "on-request": on_request,
        "engine-item": engine_item,
        "engine-system": engine_system,
    }
)
"""Every reorder policy by the name a configuration uses."""

SYSTEM = "engine-system"
ENGINES = frozenset({"engine-item", SYSTEM})
BY_RULE = frozenset({"3x", "3x-literal", "min-max"})
"""Rules of thumb: of what they propose, the others' answers are told too."""


def policy_of(name: str) -> Policy:
    """Look a policy up. Raises `BadInput` naming those there are."""
    found = POLICIES.get(name)
    if found is None:
        raise BadInput(f"reorder policy: expected one of {', '.join(POLICIES)}, got {name!r:.40}")
    return found


def plan_of(facts: Facts, source: Source, policy: Policy) -> Plan:
    """Return what ordering from one source means, whether or not it is due."""
    levels = _within_limits(facts, policy(facts, source))
    return _plan(facts, source, levels)


def _plan(facts: Facts, source: Source, levels: Levels) -> Plan:
    need = max(levels.order_up_to - levels.counted, source.moq, 1)
    qty = int(whole_packs(need, source.pack))
    ceiling = facts.limits.ceiling
    if ceiling is not None and levels.counted + qty > ceiling:
        qty = max(0, ceiling - levels.counted) // source.pack * source.pack
    return Plan(source, levels.trigger, levels.order_up_to, qty, levels.fill)


def _within_limits(facts: Facts, levels: Levels) -> Levels:
    """Return levels no lower than a person's floor and no higher than the ceiling."""
    floor, ceiling = facts.limits.floor, facts.limits.ceiling
    trigger, upto = levels.trigger, levels.order_up_to
    if floor is not None and trigger < floor:
        trigger, upto = Fraction(floor), upto + ceil(floor - trigger)
    if ceiling is not None:
        trigger, upto = min(trigger, Fraction(ceiling)), min(upto, ceiling)
    return levels if upto == levels.order_up_to else replace(levels, trigger=trigger, order_up_to=upto)


def decide(policy: str, facts: Facts) -> Decision:
    """Return what a policy says of one item at one place: the first source of the ladder that can give the whole
    quantity and is not passed over.

    A line a person put on request is on request under every policy, and one kept in bins orders the empty ones; only
    the engines pass a source over. Raises `BadInput` for an unknown policy.
    """
    rule = rule_for(policy, facts)
    rejected: list[dict[str, object]] = []
    for source in facts.ladder:
        levels = rule(facts, source)
        rung = rung_at(policy, facts, source, levels)
        if isinstance(rung, Rung):
            return Decision(rung.plan, rung.due, reason_of(policy, facts, rung, rejected))
        rejected.append(rung)
    return Decision(None, False, {"policy": policy, "rejected": rejected, "demand": _demand_part(facts.demand)})


def rule_for(policy: str, facts: Facts) -> Policy:
    """Return the function that gives a line its levels. Raises `BadInput` for an unknown policy."""
    named = policy_of(policy)
    return on_request if facts.limits.on_request else named if facts.bins is None else empty_bins


@dataclass(frozen=True, slots=True)
class Rung:
    """The source that a line takes, with the plan, the levels within a person's limits, and whether it is due.

    `wanted` is the plan's quantity before a budget cut it.
    """

    plan: Plan
    levels: Levels
    due: bool
    wanted: int


def rung_at(policy: str, facts: Facts, source: Source, said: Levels) -> Rung | dict[str, object]:
    """Return the plan with one source of the ladder, given the policy's levels for it; else why it is not taken."""
    levels = _within_limits(facts, said)
    plan = _plan(facts, source, levels)
    if (why := blocked(source)) is not None:
        return {"source": source.name, **why}
    if source.available is not None and source.available < plan.qty:
        part = source.available // source.pack * source.pack
        if not source.rationed or not _helps(facts, plan, levels, part):
            return {"source": source.name, "available": source.available, "wanted": plan.qty}
        plan = replace(plan, qty=part)
    if policy in ENGINES and (in_time := usable_from(facts, source, levels.counted, plan.qty)) < plan.qty:
        part = in_time // source.pack * source.pack
        if not _helps(facts, plan, levels, part):
            return {"source": source.name, "used_before_expiry": in_time, "wanted": plan.qty}
        plan = replace(plan, qty=part)
    if policy in ENGINES and (why := passed_over(facts, source)) is not None:
        return {"source": source.name, **why}
    before, plan = plan.qty, _granted(facts, plan)
    wanted = levels.counted < plan.trigger or (facts.joins and levels.counted <= can_order_level(plan))
    return Rung(plan, levels, wanted and plan.qty >= max(1, source.moq), before)


def _helps(facts: Facts, plan: Plan, levels: Levels, part: int) -> bool:
    """Tell whether a part is worth taking: it lifts the line off its trigger, or nobody else is left."""
    return part > 0 and (levels.counted + part >= plan.trigger or plan.source is facts.ladder[-1])


def _granted(facts: Facts, plan: Plan) -> Plan:
    """Return the plan within what a budget leaves the line."""
    if facts.granted is None or plan.source.internal or plan.qty <= facts.granted:
        return plan
    return replace(plan, qty=facts.granted // plan.source.pack * plan.source.pack)


def can_order_level(plan: Plan) -> int:
    """Return the position at which a line joins an order that its supplier gets anyway."""
    point = ceil(plan.trigger) - 1
    return point + int(CAN_ORDER_SHARE * (plan.order_up_to - point))


def reason_of(policy: str, facts: Facts, rung: Rung, rejected: list[dict[str, object]]) -> dict[str, object]:
    """Return why, as data: inputs, values, what bound the quantity, and the sources that could not give it.

    An engine's reason holds its inputs whole, so that it can be replayed, and their hash.
    """
    plan, levels = rung.plan, rung.levels
    source = plan.source
    said: dict[str, object] = {
        "policy": policy,
        "place": facts.place,
        "item": facts.item,
        "demand": _demand_part(facts.demand),
        "safety_days": _decimal(facts.safety_days),
        "lead_days": source.lead_days,
        "cover_days": _decimal(facts.cover_days),
        "trigger": _decimal(plan.trigger),
        "order_up_to": plan.order_up_to,
        "position": _position_part(facts, levels),
        "pack": source.pack,
        "moq": source.moq,
        "qty": plan.qty,
        "bound_by": _bound(facts, plan, levels),
        "source": {"name": source.name, "internal": source.internal},
        "rejected": rejected,
        "fill_predicted": plan.fill,
    }
    if facts.joins and levels.counted >= plan.trigger:
        said["joins_at"] = can_order_level(plan)
    if rung.wanted > plan.qty:
        said["cut"] = {"wanted": rung.wanted, "budget": None if facts.budget is None else int(facts.budget)}
    if levels.because:
        said["values"] = dict(levels.because)
    if levels.because.get("stocked") if policy in ENGINES else policy in BY_RULE and rung.due and not facts.bins:
        said["beside"] = beside(facts, source, policy)
    if policy in ENGINES:
        said["inputs"], said["input_hash"] = inputs_of(facts)
    return said


def _bound(facts: Facts, plan: Plan, levels: Levels) -> str:
    """Return what made the quantity what it is."""
    gap = plan.order_up_to - levels.counted
    in_time = usable_from(facts, plan.source, levels.counted, gap)
    if in_time < gap and plan.qty == in_time // plan.source.pack * plan.source.pack:
        return "expiry"
    if facts.granted is not None and not plan.source.internal and plan.qty < max(gap, plan.source.moq):
        return "budget"
    if plan.source.rationed and plan.qty < gap:
        return "ration"
    if facts.limits.ceiling is not None and plan.qty < gap + (-gap % plan.source.pack):
        return "ceiling"
    if plan.source.moq > gap:
        return "moq"
    return "pack" if plan.qty > gap else "order_up_to"


def _position_part(facts: Facts, levels: Levels) -> dict[str, int]:
    position = facts.position
    said = {
        "physical": position.physical,
        "on_order": position.on_order,
        "reserved": position.reserved,
        "total": levels.counted,
    }
    if levels.expiring:
        said["expiring"] = levels.expiring
    return said if levels.counted + levels.expiring == position.total else {**said, "late": position.late}


def _demand_part(demand: Demand) -> dict[str, object]:
    return {
        "first": demand.first.isoformat(),
        "last": demand.last.isoformat(),
        "days": demand.days,
        "total": demand.total,
        "adu": _decimal(demand.daily_mean),
    }


def _decimal(value: Fraction) -> float:
    """Return a fraction for showing: three decimals; whoever recomputes uses total and days."""
    return round(value * MILLI) / MILLI
