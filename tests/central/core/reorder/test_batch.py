"""Many lines decided together are decided as each would be alone: due or not, from whom, how much."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from central.core.demand import Demand
from central.core.reorder import ENGINES, POLICIES, Facts, Limits, Past, Position, Source, decide, outlines
from central.core.reorder.leads import Leads, leads_of
from central.core.reorder.moments import sums_of
from protocols.values.money import Money

DAY = date(2025, 12, 2)
LOTS = st.lists(st.tuples(st.integers(-9, 300), st.integers(1, 40)), max_size=3).map(lambda lots: tuple(sorted(lots)))
LEADS = st.none() | st.lists(st.integers(0, 30), min_size=1, max_size=10).map(leads_of)


@st.composite
def sources(draw: st.DrawFn, name: str) -> Source:
    leads: Leads | None = draw(LEADS)
    return Source(
        name,
        internal=draw(st.booleans()),
        lead_days=draw(st.integers(0, 20)),
        pack=draw(st.integers(1, 12)),
        moq=draw(st.integers(0, 30)),
        available=draw(st.none() | st.integers(0, 60)),
        price=Money(draw(st.integers(0, 90_000))),
        leads=leads,
        on_time=draw(st.none() | st.fractions(0, 1, max_denominator=50)),
        rationed=draw(st.booleans()),
        price_cap=draw(st.none() | st.just(Money(60_000))),
        lots=draw(LOTS),
    )


LIMITS = st.sampled_from(
    [Limits(), Limits(), Limits(), Limits(floor=9), Limits(ceiling=12), Limits(on_request=True), Limits(forced=True)]
)


@st.composite
def lines(draw: st.DrawFn) -> Facts:
    sizes = tuple(draw(st.lists(st.integers(1, 40), max_size=50)))
    known = Past(
        sums_of(sizes, draw(st.integers(50, 180))),
        sums_of(draw(st.lists(st.integers(1, 9), max_size=20)), 180),
        fill=draw(st.sampled_from([0.9, 0.98])),
        worth=draw(st.none() | st.just(3e6)),
        price=Money(draw(st.integers(1, 90_000))),
        shelf_days=draw(st.sampled_from([20, 365])),
        lately=draw(st.sampled_from([None, 0.001, 0.2])),
    )
    total = draw(st.integers(0, 200))
    return Facts(
        "ward-01",
        "A",
        Demand(DAY, DAY + timedelta(days=89), total, (total,) if total else ()),
        Position(draw(st.integers(-20, 120)), draw(st.integers(0, 20)), draw(st.integers(0, 9))),
        tuple(draw(sources(name)) for name in ("ONE", "TWO", "THREE")[: draw(st.integers(0, 3))]),
        Fraction(3),
        Fraction(draw(st.integers(1, 28))),
        draw(st.sampled_from([known, known, known, None])),
        draw(LIMITS),
        joins=draw(st.booleans()),
        granted=draw(st.none() | st.integers(0, 40)),
        bins=draw(st.sampled_from([None, None, None, 20])),
        lots=draw(LOTS),
    )


@settings(deadline=None, max_examples=150)
@given(st.lists(lines(), min_size=1, max_size=8), st.sampled_from(sorted(ENGINES)))
def test_what_many_lines_are_told_is_what_each_is_told_alone(several: list[Facts], policy: str) -> None:
    for facts, outline in zip(several, outlines(policy, several), strict=True):
        decision = decide(policy, facts)
        assert (outline.plan is None) == (decision.plan is None)
        if decision.plan is None or outline.plan is None:
            continue
        assert outline.due == decision.due
        assert replace(outline.plan, fill=decision.plan.fill) == decision.plan
        said = decision.reason["position"]
        assert isinstance(said, dict)
        assert outline.counted == said["total"]


@settings(deadline=None, max_examples=20)
@given(lines())
def test_the_rules_of_thumb_are_outlined_too(facts: Facts) -> None:
    for policy in POLICIES:
        (outline,) = outlines(policy, [facts])
        assert outline.due == decide(policy, facts).due


def test_no_lines_are_no_outlines() -> None:
    assert outlines("engine-item", []) == []
