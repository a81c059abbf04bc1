"""Who gets what the hospital already has, before anything is bought: surplus of wards first, then the central store.

A run of an engine decides every line as if it were alone; then wards with surplus give to those that are due, near
expiry first, and a store that cannot serve all its wards is divided pack by pack where a pack avoids most shortage.
What a line may take is written into its ladder, and the line is decided again. The rule that must not be broken: the
sum of what is promised never exceeds what is there.
"""

from collections import defaultdict
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace

from central.core.reorder import Facts, Outline, Plan, Source, can_order_level
from central.core.reorder.allocate import Asked, ration, within_budget
from central.core.reorder.expiry import expired
from central.core.reorder.line import expiring_of, line_of
from central.core.reorder.shortage import avoided
from central.core.reorder.transfers import Move, Need, Offer, match
from central.services.admitted import VITAL
from central.services.foresight import Foresight
from central.store.queries_master import LEVEL_WARD
from protocols.values.money import UNITS_A_YUAN, Money, times

Key = tuple[str, str]

EXPIRING_WORTH, DEAD_WORTH = 2.0, 1.5
"""A unit that would expire where it lies saves its price twice: it is neither bought nor thrown away. One that nobody
asks for where it lies may go the same way, if later."""

LEAST_GAIN = 1e-9
"""Units of shortage that a part of an order avoids at least: it will be used, if later."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run's lines: `made` gives their facts, `changed` those that it has changed since, `outlines` what is due."""

    made: Callable[[Key], Facts]
    decide: Callable[[Sequence[Facts]], list[Outline]]
    outlines: dict[Key, Outline]
    changed: dict[Key, Facts] = field(default_factory=dict)

    def facts(self, key: Key) -> Facts:
        """Return the facts of a line as they stand."""
        return self.changed.get(key) or self.made(key)

    def change(self, changed: Mapping[Key, Facts]) -> None:
        """Take on facts that are others now, and decide those lines again."""
        self.changed.update(changed)
        self.outlines.update(zip(changed, self.decide(list(changed.values())), strict=True))


def divide(run: Run, sight: Foresight) -> None:
    """Change a run's lines so that each line's ladder says what it may take of the hospital's own stock."""
    if sight.scene.rules.whole("reorder.transfers"):
        run.change(_with_transfers(run, sight))
    run.change(_with_rations(run))
    run.change(_joining(run))
    run.change(_within_budget(run, sight))


def _with_transfers(run: Run, sight: Foresight) -> dict[Key, Facts]:
    """Return the facts of lines that may be filled by what another ward has too much of, or has and never uses."""
    short: defaultdict[str, list[Key]] = defaultdict(list)
    for key, outline in run.outlines.items():
        if outline.due and sight.scene.storerooms[key[0]].place.level == LEVEL_WARD:
            short[key[1]].append(key)
    spare = _spare(run, sight, short)
    changed: dict[Key, Facts] = {}
    walk = float(sight.scene.rules.number("reorder.walk_yuan")) * UNITS_A_YUAN
    for item in sorted(short.keys() & spare.keys()):
        needs = [Need(key[0], _wanted(run.facts(key), run.outlines[key])) for key in short[item]]
        for move in match(spare[item], needs, walk).moves:
            at = changed.get((move.taker, item)) or run.facts((move.taker, item))
            changed[move.taker, item] = replace(at, ladder=(_giver(move, item, sight), *at.ladder))
    return changed


def _spare(run: Run, sight: Foresight, short: Container[str]) -> dict[str, list[Offer]]:
    """Return what wards can give of the items that others are short of: above their level, expiring, or dead."""
    spare: defaultdict[str, list[Offer]] = defaultdict(list)
    for room in sight.scene.storerooms.values():
        for item, physical in sorted(room.physical.items()) if room.place.level == LEVEL_WARD else ():
            key = (room.place.place, item)
            if physical <= 0 or item not in short or key in sight.scene.bins or sight.scene.position(*key).reserved:
                continue
            offer = _offer(key, physical, run.outlines.get(key), sight)
            if offer.qty:
                spare[item].append(offer)
    return spare


def _wanted(facts: Facts, outline: Outline) -> int:
    """Return what a due line lacks to its level, in base units."""
    if outline.plan is None:
        return 0
    return max(0, outline.plan.order_up_to - outline.counted) if facts.bins is None else facts.bins


def _offer(key: Key, physical: int, outline: Outline | None, sight: Foresight) -> Offer:
    """Return what a place can give of an item: nothing of a line that is due.

    A line on request keeps what it has until that is dead or would expire, and what is vital is never dead: it may lie
    there for the day it is needed.
    """
    price, sound = float(sight.price_of(key[1])), max(0, physical - expired(sight.lots.get(key, ())))
    expiring = min(sound, sight.expiring(*key))
    worth = EXPIRING_WORTH if expiring else 1.0
    if outline is None:
        dead = sight.is_dead(*key) and sight.scene.catalogue[key[1]].criticality != VITAL
        return Offer(key[0], sound if dead else expiring, price * max(worth, DEAD_WORTH))
    if outline.due or outline.plan is None:
        return Offer(key[0], 0, 0.0)
    level = outline.plan.order_up_to
    return Offer(key[0], max(expiring, sound - level if level > 0 else 0), price * worth)


def _giver(move: Move, item: str, sight: Foresight) -> Source:
    days = sight.scene.rules.whole("reorder.internal_lead_days")
    return Source(
        *(move.giver, True, days, 1, 0), available=move.qty, rationed=True, lots=sight.lots.get((move.giver, item), ())
    )


def _joining(run: Run) -> dict[Key, Facts]:
    """Return the facts of lines near their point whose supplier gets an order for their storeroom anyway."""
    opened = {
        (key[0], one.plan.source.name)
        for key, one in run.outlines.items()
        if one.due and one.plan is not None and not one.plan.source.internal
    }
    near = [
        key
        for key, one in run.outlines.items()
        if not one.due
        and one.plan is not None
        and (key[0], one.plan.source.name) in opened
        and one.counted <= can_order_level(one.plan)
    ]
    return {key: replace(run.facts(key), joins=True) for key in near}


def _within_budget(run: Run, sight: Foresight) -> dict[Key, Facts]:
    """Return the facts of bought lines that a budget cuts, with what it leaves them; without a budget, of none."""
    budget = sight.scene.rules.values.get(("reorder.budget_yuan", ""))
    if budget is None:
        return {}
    asked: dict[Key, Asked] = {}
    plans: dict[Key, Plan] = {}
    for key, outline in run.outlines.items():
        plan = outline.plan
        if plan is not None and outline.due and not plan.source.internal and plan.source.price > 0:
            source, plans[key] = plan.source, plan
            gains = _gains(run.facts(key), source, source.pack, plan.qty // source.pack)
            asked[key] = Asked(key, gains, times(source.price, source.pack))
    whole = Money(int(budget * UNITS_A_YUAN))
    left = _left(whole, asked, plans)
    cut = (key for key, plan in plans.items() if left[key] < plan.qty)
    return {key: replace(run.facts(key), granted=left[key], budget=whole) for key in cut}


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
    counted = at.total - at.late - expiring_of(facts, line.moments.mean, line.leads)
    return tuple(line.past.weight * max(gain, LEAST_GAIN) for gain in avoided(line.wait, counted, size, parts))


def _with_rations(run: Run) -> dict[Key, Facts]:
    """Return the facts of lines that together ask more of an own storeroom than it has."""
    askers: defaultdict[Key, dict[Key, Plan]] = defaultdict(dict)
    for key, one in run.outlines.items():
        if one.due and one.plan is not None and one.plan.source.internal and not one.plan.source.rationed:
            askers[one.plan.source.name, key[1]][key] = one.plan
    changed: dict[Key, Facts] = {}
    for plans in askers.values():
        changed |= _ration(plans, run)
    return changed


def _ration(plans: Mapping[Key, Plan], run: Run) -> dict[Key, Facts]:
    source = next(iter(plans.values())).source
    if source.available is None or sum(plan.qty for plan in plans.values()) <= source.available:
        return {}
    asked = []
    for key, plan in plans.items():
        asked.append(Asked(key, _gains(run.facts(key), plan.source, source.pack, plan.qty // source.pack)))
    given = ration(source.available // source.pack, asked).given
    changed = {}
    for key in plans:
        part, facts = given[key] * source.pack, run.facts(key)
        ladder = tuple(
            replace(one, available=part, rationed=True) if one.name == source.name else one for one in facts.ladder
        )
        changed[key] = replace(facts, ladder=ladder)
    return changed
