"""Reorder policies: from facts about one item at one place to what to order, whence, and why.

A policy is one function in `POLICIES`. It knows no store and no clock; every number it uses comes with the facts, and
every number it used goes into the reason. Not here: who may approve, and how orders are grouped. The rule that must
not be broken: the same facts give the same bytes of reason.

`3x`          order when the position is below 3 x ADU90 + ADU90 x lead days (safety stock on top of lead-time demand)
`3x-literal`  order when the position is below 3 x ADU90, as the text says it (requirement row D4)

Both order up to trigger + cover x ADU90, at least the supplier's minimum, in whole packs. Quantities are exact
fractions until the one rounding up.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from types import MappingProxyType

from central.core.demand import Demand
from central.core.fill import LEVELS_MAX, fill_rate, spread_of
from central.errors import BadInput
from protocols.values.money import Money
from protocols.values.quantity import whole_packs

FILL_DIGITS = 4
MILLI = 1000


@dataclass(frozen=True, slots=True)
class Position:
    """What can be counted on: the low quantile of the shelf, what is on order, what is promised away (base units)."""

    physical: int
    on_order: int = 0
    reserved: int = 0

    @property
    def total(self) -> int:
        """Physical + on order - reserved."""
        return self.physical + self.on_order - self.reserved


FREE = Money(0)
"""What the hospital's own stores take from each other."""


@dataclass(frozen=True, slots=True)
class Source:
    """One rung of the ladder: `available` base units (None = as many as wanted), and its terms; price a base unit."""

    name: str
    internal: bool
    lead_days: int
    pack: int
    moq: int
    available: int | None = None
    price: Money = FREE

    def __post_init__(self) -> None:
        if self.lead_days < 0 or self.pack < 1 or self.moq < 0:
            raise BadInput(f"source {self.name}: expected lead days and minimum from 0 and packs from 1, got {self}")


@dataclass(frozen=True, slots=True)
class Facts:
    """All a policy may know of one item at one place; `ladder` is in order of preference."""

    place: str
    item: str
    demand: Demand
    position: Position
    ladder: tuple[Source, ...]
    safety_days: Fraction
    cover_days: Fraction


@dataclass(frozen=True, slots=True)
class Plan:
    """What one source would mean: order `qty` when the position is below `trigger`, up to `order_up_to`."""

    source: Source
    trigger: Fraction
    order_up_to: int
    qty: int
    fill: float


@dataclass(frozen=True, slots=True)
class Decision:
    """A policy's answer: the plan chosen (None when nothing can supply), whether it is due, and the reason as data."""

    plan: Plan | None
    due: bool
    reason: Mapping[str, object]


Trigger = Callable[[Facts, Source], Fraction]


def fair_trigger(facts: Facts, source: Source) -> Fraction:
    """Safety stock on top of the demand of the lead time."""
    return facts.demand.daily_mean * (facts.safety_days + source.lead_days)


def literal_trigger(facts: Facts, source: Source) -> Fraction:
    """Safety stock alone, whatever the lead time."""
    del source
    return facts.demand.daily_mean * facts.safety_days


POLICIES: Mapping[str, Trigger] = MappingProxyType({"3x": fair_trigger, "3x-literal": literal_trigger})
"""Every reorder policy by the name a configuration uses."""


def trigger_of(policy: str) -> Trigger:
    """Look a policy up. Raises `BadInput` naming those there are."""
    found = POLICIES.get(policy)
    if found is None:
        raise BadInput(f"reorder policy: expected one of {', '.join(POLICIES)}, got {policy!r:.40}")
    return found


def plan_of(facts: Facts, source: Source, trigger: Trigger) -> Plan:
    """Return what ordering from one source means, whether or not it is due."""
    level = trigger(facts, source)
    order_up_to = ceil(level + facts.demand.daily_mean * facts.cover_days)
    need = max(order_up_to - facts.position.total, source.moq, 1)
    return Plan(
        source, level, order_up_to, whole_packs(need, source.pack), _predicted(facts, source, level, order_up_to)
    )


def _predicted(facts: Facts, source: Source, level: Fraction, order_up_to: int) -> float:
    """Return the fill rate in the long run: a lot brings the position from the reorder point to the upper level."""
    point = ceil(level) - 1
    lot = whole_packs(max(order_up_to - point, source.moq, 1), source.pack)
    if not facts.demand.total or max(0, point) + lot > LEVELS_MAX:
        return 1.0
    return round(fill_rate(spread_of(facts.demand, source.lead_days), point, lot), FILL_DIGITS)


def decide(policy: str, facts: Facts) -> Decision:
    """Return what a policy says of one item at one place: the first source of the ladder that can give the whole
    quantity.

    Raises `BadInput` for an unknown policy.
    """
    trigger = trigger_of(policy)
    rejected: list[dict[str, object]] = []
    for source in facts.ladder:
        plan = plan_of(facts, source, trigger)
        if source.available is not None and source.available < plan.qty:
            rejected.append({"source": source.name, "available": source.available, "wanted": plan.qty})
            continue
        due = facts.position.total < plan.trigger
        return Decision(plan, due, reason_of(policy, facts, plan, rejected))
    return Decision(None, False, {"policy": policy, "rejected": rejected, "demand": _demand_part(facts.demand)})


def reason_of(policy: str, facts: Facts, plan: Plan, rejected: list[dict[str, object]]) -> dict[str, object]:
    """Return why, as data: inputs, values, what bound the quantity, and the sources that could not give it."""
    source = plan.source
    gap = plan.order_up_to - facts.position.total
    bound = "moq" if source.moq > gap else "pack" if plan.qty > gap else "order_up_to"
    return {
        "policy": policy,
        "place": facts.place,
        "item": facts.item,
        "demand": _demand_part(facts.demand),
        "safety_days": _decimal(facts.safety_days),
        "lead_days": source.lead_days,
        "cover_days": _decimal(facts.cover_days),
        "trigger": _decimal(plan.trigger),
        "order_up_to": plan.order_up_to,
        "position": {
            "physical": facts.position.physical,
            "on_order": facts.position.on_order,
            "reserved": facts.position.reserved,
            "total": facts.position.total,
        },
        "pack": source.pack,
        "moq": source.moq,
        "qty": plan.qty,
        "bound_by": bound,
        "source": {"name": source.name, "internal": source.internal},
        "rejected": rejected,
        "fill_predicted": plan.fill,
    }


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
