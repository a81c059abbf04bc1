import json
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.core.demand import Demand
from central.core.reorder import POLICIES, Facts, Position, Source, decide
from central.errors import BadInput

DAY = date(2025, 12, 2)
SUPPLIER = Source("SUP-1", internal=False, lead_days=5, pack=10, moq=20)


def quarter(total: int) -> Demand:
    return Demand(DAY, DAY + timedelta(days=89), total, (1,) * total)


def facts(total: int = 90, physical: int = 7, *, ladder: tuple[Source, ...] = (SUPPLIER,), on_order: int = 0) -> Facts:
    return Facts("ward-01", "A", quarter(total), Position(physical, on_order), ladder, Fraction(3), Fraction(7))


def test_the_fair_policy_puts_safety_stock_on_top_of_the_lead_time() -> None:
    decision = decide("3x", facts())
    assert decision.due
    assert decision.plan is not None
    assert (decision.plan.trigger, decision.plan.order_up_to, decision.plan.qty) == (Fraction(8), 15, 20)
    assert decision.reason["bound_by"] == "moq"


def test_d4_the_literal_policy_triggers_at_three_days_of_use_whatever_the_lead() -> None:
    assert not decide("3x-literal", facts(physical=3)).due
    assert decide("3x-literal", facts(physical=2)).due


def test_at_the_trigger_is_not_below_it() -> None:
    assert not decide("3x", facts(physical=8)).due


def test_what_is_on_order_counts_and_what_is_promised_away_does_not() -> None:
    assert not decide("3x", facts(on_order=1)).due
    promised = replace(facts(physical=9), position=Position(physical=9, reserved=2))
    assert decide("3x", promised).due


def test_an_item_nobody_uses_is_never_ordered() -> None:
    assert not decide("3x", facts(total=0, physical=0)).due


def test_a_line_that_is_half_used_a_day_is_ordered_in_whole_packs_up_to_the_cover() -> None:
    small = replace(SUPPLIER, pack=6, moq=0)
    decision = decide("3x", facts(total=45, physical=1, ladder=(small,)))
    assert decision.plan is not None
    # ADU 1/2: trigger 4, up to ceil(4 + 3.5) = 8, need 7, two packs of six
    assert (decision.plan.trigger, decision.plan.order_up_to, decision.plan.qty) == (Fraction(4), 8, 12)
    assert decision.reason["bound_by"] == "pack"


def test_the_hospital_store_is_asked_first_and_the_supplier_when_it_cannot_give_all() -> None:
    store = Source("main-store", internal=True, lead_days=1, pack=1, moq=0, available=50)
    near = decide("3x", facts(physical=2, ladder=(store, SUPPLIER)))
    assert near.reason["source"] == {"name": "main-store", "internal": True}
    empty = decide("3x", facts(physical=2, ladder=(replace(store, available=3), SUPPLIER)))
    assert empty.reason["source"] == {"name": "SUP-1", "internal": False}
    assert empty.reason["rejected"] == [{"source": "main-store", "available": 3, "wanted": 9}]


def test_with_nobody_to_give_it_there_is_a_reason_and_no_plan() -> None:
    decision = decide("3x", facts(ladder=()))
    assert decision.plan is None
    assert not decision.due


def test_an_unknown_policy_is_named_beside_those_there_are() -> None:
    with pytest.raises(BadInput, match="3x, 3x-literal"):
        decide("4x", facts())


def test_a_source_without_a_pack_cannot_exist() -> None:
    with pytest.raises(BadInput, match="packs from 1"):
        replace(SUPPLIER, pack=0)


@pytest.mark.parametrize("policy", POLICIES)
@given(total=st.integers(0, 900), physical=st.integers(-5, 200), pack=st.integers(1, 48), moq=st.integers(0, 60))
def test_every_policy_orders_whole_packs_up_to_its_level_and_says_why(
    policy: str, total: int, physical: int, pack: int, moq: int
) -> None:
    demand = Demand(DAY, DAY + timedelta(days=89), total, (total,) if total else ())
    case = replace(facts(physical=physical, ladder=(replace(SUPPLIER, pack=pack, moq=moq),)), demand=demand)
    decision = decide(policy, case)
    assert decision.plan is not None
    qty = decision.plan.qty
    assert qty % pack == 0
    assert qty >= moq
    assert physical + qty >= decision.plan.order_up_to
    assert qty - pack < max(decision.plan.order_up_to - physical, moq, 1)
    assert 0 <= decision.plan.fill <= 1
    assert json.dumps(decision.reason, sort_keys=True) == json.dumps(decide(policy, case).reason, sort_keys=True)
