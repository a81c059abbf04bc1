"""The checker's own `3x`: examples by hand, and agreement with central's over any facts."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.core.demand import Demand
from central.core.reorder import POLICIES, Facts, Position, Source, plan_of
from hardware_sim.evidence.reorder import COVER_DAYS, use90, wanted
from hardware_sim.evidence.tables import TermsRow

TODAY = date(2026, 3, 2)


def terms(lead_days: int = 5, pack: int = 5, moq: int = 5) -> TermsRow:
    return TermsRow("HC1", "S01", 1, 2_680_000, pack, moq, lead_days)


@pytest.mark.parametrize(
    ("used", "position", "qty", "due"),
    [
        (90, 8, 10, False),  # trigger 8, up to 15: 7 are missing, packs of 5; at the trigger is not below it
        (90, 7, 10, True),
        (90, 14, 5, False),  # one is missing, the least order is 5
        (39, 3, 5, True),  # trigger 3.467, up to 7
        (0, 0, 5, False),
    ],
)
def test_a_line_is_due_below_its_trigger_and_ordered_in_whole_packs(
    used: int, position: int, qty: int, due: bool
) -> None:
    said = wanted(used, position, terms(), level=2)
    assert (said.qty, said.due) == (qty, due)
    assert said.trigger == Fraction(used * 8, 90)


def test_use_counts_ninety_whole_days_and_a_day_netted_below_nothing_is_none() -> None:
    days = {TODAY: 50, TODAY - timedelta(1): 3, TODAY - timedelta(90): 2, TODAY - timedelta(91): 70}
    assert use90(TODAY, days, {}) == 5
    assert use90(TODAY, days, {TODAY - timedelta(1): -4, TODAY - timedelta(7): 6}) == 8


@given(
    used=st.integers(0, 5_000),
    position=st.integers(-50, 2_000),
    lead_days=st.integers(0, 60),
    pack=st.integers(1, 100),
    moq=st.integers(0, 300),
    level=st.sampled_from([1, 2]),
)
def test_two_readings_of_the_policy_agree(
    used: int, position: int, lead_days: int, pack: int, moq: int, level: int
) -> None:
    demand = Demand(TODAY - timedelta(90), TODAY - timedelta(1), used, (used,) if used else ())
    source = Source("S01", internal=False, lead_days=lead_days, pack=pack, moq=moq)
    facts = Facts("ward-01", "HC1", demand, Position(position), (source,), Fraction(3), Fraction(COVER_DAYS[level]))
    plan = plan_of(facts, source, POLICIES["3x"])
    said = wanted(used, position, terms(lead_days, pack, moq), level)
    assert (said.trigger, said.order_up_to, said.qty) == (plan.trigger, plan.order_up_to, plan.qty)
