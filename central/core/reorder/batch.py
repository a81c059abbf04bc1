"""Many lines decided together, without their reasons: what of a hospital is due, before anybody explains it.

Levels come from the tables of `engine`, the walk down the ladder is `policies.rung_at` as for one line. A reason is
made by `decide` for what is proposed, and for nothing else. The rule that must not be broken: an outline says what
`decide` says of the same facts, line by line.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from central.core.reorder.engine import NOT_STOCKED, Lines, item_points, lines_at, lots_of, system_points
from central.core.reorder.facts import Facts, Levels, Past, Plan, Source
from central.core.reorder.leads import Leads, fixed_leads
from central.core.reorder.line import expiring_of, past_of, standing_of
from central.core.reorder.moments import Floats, Sums, Whole, moments_of_many
from central.core.reorder.policies import ENGINES, SYSTEM, Rung, policy_of, rule_for, rung_at
from central.core.reorder.scope import Standing
from central.core.reorder.season import coming_days, factors_of_many, in_season_of_many, spans
from central.core.reorder.waits import points_of, waits_of_many

Pair = tuple[Facts, Source]
UNTOLD = 0.0
"""The fill rate of levels that nobody is shown."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A line's plan (None when nothing can supply it; its fill rate is not told), whether due, and the position."""

    plan: Plan | None
    due: bool
    counted: int


NOTHING = Outline(None, False, 0)


def outlines(policy: str, several: Sequence[Facts]) -> list[Outline]:
    """Return what a policy says of many lines. Raises `BadInput` for an unknown policy."""
    policy_of(policy)
    found = [NOTHING] * len(several)
    rung, left = 0, list(range(len(several)))
    while left := [line for line in left if rung < len(several[line].ladder)]:
        levels = _levels(policy, [(several[line], several[line].ladder[rung]) for line in left])
        rejected = []
        for line, said in zip(left, levels, strict=True):
            answer = rung_at(policy, several[line], several[line].ladder[rung], said)
            if isinstance(answer, Rung):
                found[line] = Outline(answer.plan, answer.due, answer.levels.counted)
            else:
                rejected.append(line)
        rung, left = rung + 1, rejected
    return found


def _levels(policy: str, pairs: Sequence[Pair]) -> list[Levels]:
    """Return the levels of lines with a source each: an engine's from tables, other rules' one by one."""
    rules = [rule_for(policy, facts) for facts, _ in pairs]
    found: list[Levels | None] = [
        None if policy in ENGINES and rule is policy_of(policy) and not facts.limits.forced else rule(facts, source)
        for rule, (facts, source) in zip(rules, pairs, strict=True)
    ]
    rows = [line for line, levels in enumerate(found) if levels is None]
    engines = iter(_engine_levels(policy, [pairs[line] for line in rows]) if rows else [])
    return [next(engines) if levels is None else levels for levels in found]


def _engine_levels(policy: str, pairs: Sequence[Pair]) -> list[Levels]:
    lines = lines_of(pairs)
    points = _points(policy, lines, [past_of(facts) for facts, _ in pairs])
    usual = np.array([standing_of(facts) is Standing.USUAL for facts, _ in pairs])
    points[(lines.moments.mean <= 0) | ~usual] = NOT_STOCKED
    found = []
    each = zip(pairs, points.tolist(), lines.lots.tolist(), lines.moments.mean.tolist(), strict=True)
    for (facts, source), point, lot, mean in each:
        leads = source.leads or fixed_leads(source.lead_days)
        expiring = expiring_of(facts, mean, leads)
        counted = facts.position.total - facts.position.late - expiring
        stocked = point != NOT_STOCKED
        trigger, upto = (Fraction(point + 1), point + lot) if stocked else (Fraction(0), 0)
        found.append(Levels(trigger, upto, UNTOLD, counted, {}, expiring))
    return found


def _points(policy: str, lines: Lines, pasts: Sequence[Past]) -> Whole:
    """Return the reorder points, line by line; lines of one target or one worth are reckoned together."""
    targets = [(past.worth if policy == SYSTEM else None, past.fill) for past in pasts]
    points = np.empty(len(pasts), np.int64)
    for target in dict.fromkeys(targets):
        rows = np.array([line for line, one in enumerate(targets) if one == target])
        worth, fill = target
        some = lines_at(lines, rows)
        points[rows] = item_points(some, (fill,))[0] if worth is None else system_points(some, (worth,))[0][0]
    return points


def lines_of(pairs: Sequence[Pair]) -> Lines:
    """Return lines with a source each as the engine's tables take them."""
    pasts, sources = [past_of(facts) for facts, _ in pairs], [source for _, source in pairs]
    covers = np.array([float(facts.cover_days) for facts, _ in pairs])
    leads, which = _numbered([source.leads or fixed_leads(source.lead_days) for source in sources])
    factors = _factors(pairs, pasts, lambda line: leads[which[line]])
    moments = in_season_of_many(
        moments_of_many(_columns([past.own for past in pasts]), _columns([past.kin for past in pasts])), factors
    )
    packs, moqs = np.array([one.pack for one in sources]), np.array([one.moq for one in sources])
    lots = lots_of(moments, packs, moqs, covers)
    return Lines(
        moments,
        waits_of_many(moments, *points_of(moments, lots, leads, which)),
        lots,
        np.array([float(past.price) for past in pasts]),
        np.array([past.weight for past in pasts]),
        moments.rate,
        np.array([float(past.shelf_days) for past in pasts]) / factors,
    )


def _columns(sums: Sequence[Sums]) -> Floats:
    rows = [(one.days, one.requests, one.total, one.squares, one.cubes) for one in sums]
    return np.array(rows, np.float64).T


def _numbered(several: Sequence[Leads]) -> tuple[list[Leads], Whole]:
    """Return each lead time once, and which of them each line has; the same object is the same lead time."""
    numbers: dict[int, int] = {}
    which = np.array([numbers.setdefault(id(one), len(numbers)) for one in several], np.int64)
    firsts: dict[int, Leads] = {}
    for one in several:
        firsts.setdefault(id(one), one)
    return list(firsts.values()), which


def _factors(pairs: Sequence[Pair], pasts: Sequence[Past], leads: Callable[[int], Leads]) -> Floats:
    """Return what the season does to the moments of each line; 1 where there is none."""
    factors, some = np.ones(len(pairs)), [line for line, past in enumerate(pasts) if past.season is not None]
    if some:
        days = [
            spans(facts.demand.last, past.own.days, coming_days(leads(line), facts.cover_days))
            for line, (facts, _), past in ((line, pairs[line], pasts[line]) for line in some)
        ]
        index = np.array([pasts[line].season for line in some], np.float64)
        past_days, coming = (np.array([one[side] for one in days], np.float64) for side in (0, 1))
        factors[some] = factors_of_many(index, past_days, coming)
    return factors
