"""What the other policies would say of a line beside the answer of the one that is set, and what each would serve.

All are judged on the engine's own wait: requests and lead times as seen, and each policy's own reorder point and lot.
So their fill rates can be compared; a policy's own reckoning, with a lead time of the supplier's word, is not used
here. `min-max` are the hospital's own levels, and is told only where a person set one. The rule that must not be
broken: it is made from the facts alone, so that a reason replayed says the same.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import ceil
from types import MappingProxyType

from central.core.reorder.facts import Facts, Source
from central.core.reorder.line import engine_item, line_of
from central.core.reorder.reference import outlook_of
from central.core.reorder.rules import by_days, by_days_fairly, by_own_levels
from central.core.reorder.waits import wait_of
from protocols.values.quantity import whole_packs

Rule = Callable[[Facts, Source], tuple[Fraction, int]]
RIVALS: Mapping[str, Rule] = MappingProxyType({"3x": by_days_fairly, "3x-literal": by_days, "min-max": by_own_levels})
"""From a line and its source to the position below which is ordered, and up to what."""

FILL_DIGITS = 4
ENGINE = "engine"
"""What the names of the engine's policies begin with."""


def beside(facts: Facts, source: Source, policy: str) -> list[dict[str, object]]:
    """Return each other policy's trigger, level, what it would order now, and the share of demand it would serve."""
    own = facts.limits.minimum is not None or facts.limits.maximum is not None
    told = [
        _answer(name, facts, source, rule)
        for name, rule in RIVALS.items()
        if name != policy and (own or name != "min-max")
    ]
    return told if policy.startswith(ENGINE) else [*_engine(facts, source), *told]


def _engine(facts: Facts, source: Source) -> list[dict[str, object]]:
    """Return what the engine would say, from the days this policy looks at; nothing of a line it would not stock."""
    levels = engine_item(facts, source)
    if not levels.because["stocked"]:
        return []
    due = levels.counted < levels.trigger
    answer = _said(f"{ENGINE}-item", source, levels.counted, levels.trigger, levels.order_up_to, due=due)
    return [{**answer, "fill_predicted": levels.fill}]


def _answer(name: str, facts: Facts, source: Source, rule: Rule) -> dict[str, object]:
    trigger, upto = rule(facts, source)
    counted = facts.position.total
    answer = _said(name, source, counted, trigger, upto, due=counted < trigger)
    return {**answer, "fill_predicted": _promised(facts, source, trigger, upto)}


def _said(name: str, source: Source, counted: int, trigger: Fraction, upto: int, *, due: bool) -> dict[str, object]:
    qty = whole_packs(max(upto - counted, source.moq, 1), source.pack) if due else 0
    return {
        "policy": name,
        "trigger": round(float(trigger), 3),
        "order_up_to": upto,
        "due": due,
        "qty": int(qty),
    }


def _promised(facts: Facts, source: Source, trigger: Fraction, upto: int) -> float:
    """Return the share of demand that levels would serve; a rule that never orders serves none."""
    line = line_of(facts, source)
    if trigger <= 0 or line.moments.mean <= 0:
        return 0.0
    point = ceil(trigger) - 1
    lot = whole_packs(max(upto - point, source.moq, 1), source.pack)
    return round(outlook_of(wait_of(line.moments, line.leads, lot), point, lot).fill, FILL_DIGITS)
