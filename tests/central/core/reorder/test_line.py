"""The engine's decisions for one line: reason, replay, overrides, late orders, main and backup supplier."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from central.core.demand import Demand
from central.core.explain import Words, in_chinese, in_english
from central.core.reorder import POLICIES, Facts, Limits, Past, Position, Source, decide
from central.core.reorder.engine import NOT_STOCKED, Lines, item_points, lots_of, system_points
from central.core.reorder.inputs import facts_from
from central.core.reorder.leads import leads_of
from central.core.reorder.moments import moments_of_many, sums_of
from central.core.reorder.waits import points_of, waits_of_many
from central.errors import BadInput
from protocols.values.money import Money

DAY = date(2025, 12, 2)
MAIN = Source("MAIN", internal=False, lead_days=5, pack=5, moq=0, price=Money(20_000), leads=leads_of([1, 2, 2, 4, 9]))
BACKUP = replace(MAIN, name="BACKUP", leads=leads_of([1, 1, 1, 1]), lead_days=1)
SIZES = (2, 4, 4, 1, 6, 3) * 10


def facts(physical: int = 5, *, ladder: tuple[Source, ...] = (MAIN,), worth: float | None = None) -> Facts:
    demand = Demand(DAY, DAY + timedelta(days=89), sum(SIZES[:40]), SIZES[:40])
    known = Past(sums_of(SIZES, 180), sums_of((), 0), price=Money(20_000), worth=worth)
    return Facts("ward-01", "A", demand, Position(physical), ladder, Fraction(3), Fraction(7), known)


def values(policy: str, case: Facts) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], decide(policy, case).reason["values"])


def test_the_reason_says_the_reorder_point_the_lot_and_how_they_came_about() -> None:
    decision = decide("engine-item", facts(physical=3))
    said = values("engine-item", facts(physical=3))
    assert decision.due
    assert decision.plan is not None
    assert decision.plan.fill >= 0.98
    assert decision.plan.order_up_to == said["reorder_point"] + said["lot"]
    assert (said["daily_mean"], said["window_days"], said["target"]) == (pytest.approx(1.1111, abs=1e-4), 180, 0.98)


def test_at_the_reorder_point_it_is_due_and_one_above_it_is_not() -> None:
    point = values("engine-item", facts())["reorder_point"]
    assert decide("engine-item", facts(physical=point)).due
    assert not decide("engine-item", facts(physical=point + 1)).due


def test_an_order_that_is_late_is_no_longer_counted_by_the_engine_and_is_by_the_rule_of_three() -> None:
    late = replace(facts(), position=Position(2, on_order=50, late=50))
    assert decide("engine-item", late).due
    assert not decide("3x", late).due
    assert "not counting 50 overdue" in in_english(decide("engine-item", late).reason, Words("kit", "Main"))


def test_a_persons_floor_and_ceiling_stand() -> None:
    floor = decide("engine-item", replace(facts(physical=39), limits=Limits(floor=40)))
    assert floor.due
    top = decide("engine-item", replace(facts(physical=3), limits=Limits(ceiling=9)))
    assert top.plan is not None
    assert (top.plan.qty, top.reason["bound_by"]) == (5, "ceiling")
    assert "人为上限 9" in in_chinese(top.reason, Words("包", "甲"))
    assert not decide("engine-item", replace(facts(physical=6), limits=Limits(ceiling=9))).due


def test_a_line_on_request_is_never_ordered_but_for_what_was_asked() -> None:
    for policy in POLICIES:
        wish = replace(facts(physical=0), limits=Limits(on_request=True))
        assert not decide(policy, wish).due
    asked = replace(facts(), position=Position(0, reserved=4), limits=Limits(on_request=True))
    decision = decide("engine-item", asked)
    assert decision.due
    assert decision.plan is not None
    assert decision.plan.qty == 5
    assert "item on request" in in_english(decision.reason, Words("kit", "Main"))


def test_a_minimum_and_a_maximum_are_a_persons_own() -> None:
    case = replace(facts(physical=9), limits=Limits(minimum=10, maximum=30))
    decision = decide("min-max", case)
    assert decision.plan is not None
    assert (decision.due, decision.plan.qty) == (True, 25)
    assert "below the minimum of 10" in in_english(decision.reason, Words("kit", "Main"))


def test_the_backup_is_asked_when_the_main_supplier_is_late_or_too_slow_for_what_is_left() -> None:
    slow = decide("engine-item", facts(physical=2, ladder=(MAIN, BACKUP)))
    assert slow.reason["source"] == {"name": "BACKUP", "internal": False}
    rejected = cast(list[dict[str, object]], slow.reason["rejected"])
    assert rejected[0]["arrives_in_days"] == 9
    said, lasts = Words("包", "乙", {"MAIN": "甲公司"}), rejected[0]["stock_lasts_days"]
    assert in_chinese(slow.reason, said).endswith(f"。未选 甲公司：约 9 天到货，现有存量只够 {lasts} 天。")
    calm = decide("engine-item", facts(physical=14, ladder=(MAIN, BACKUP)))
    assert calm.reason["source"] == {"name": "MAIN", "internal": False}
    unreliable = replace(MAIN, on_time=Fraction(979, 1000))
    late = decide("engine-item", facts(physical=14, ladder=(unreliable, BACKUP)))
    why = " Not from MAIN: in time with 97.9 % of last quarter's lines, 98 % wanted."
    assert in_english(late.reason, Words("kit", "Backup")).endswith(why)
    assert late.reason["source"] == {"name": "BACKUP", "internal": False}
    assert decide("engine-item", facts(physical=14, ladder=(replace(MAIN, on_time=Fraction(98, 100)), BACKUP))).plan
    alone = decide("engine-item", facts(physical=1, ladder=(unreliable,)))
    assert alone.reason["source"] == {"name": "MAIN", "internal": False}


def test_a_dear_line_of_little_worth_is_not_stocked_unless_a_person_forces_it() -> None:
    poor = facts(physical=0, worth=10.0)
    assert values("engine-system", poor)["stocked"] is False
    assert not decide("engine-system", poor).due
    assert decide("engine-system", replace(poor, limits=Limits(forced=True))).due


def test_sentences_say_the_engines_rule_in_both_languages() -> None:
    said = cast(dict[str, Any], decide("engine-item", facts(physical=3)).reason)
    english, chinese = in_english(said, Words("kit", "Main")), in_chinese(said, Words("包", "甲"))
    point, qty = said["values"]["reorder_point"], said["qty"]
    assert english.startswith("Mean daily use over 180 days is 1.11 kit, 3.33 a request, and orders take 3.6 days")
    assert f"the position of 3 is at or below the reorder point of {point} (98 % served), so order {qty}" in english
    assert chinese.startswith("近 180 天日均用量 1.11 包、每次申领约 3.33 包，平均 3.6 天到货；可用存量 3 包")
    assert f"不高于再订货点 {point}（目标满足率 98%），建议向 甲 订 {qty} 包" in chinese
    system = decide("engine-system", facts(physical=3, worth=5e6)).reason
    assert "按全院目标使库存金额最省" in in_chinese(system, Words("包", "甲"))
    assert "least money on shelves" in in_english(system, Words("kit", "Main"))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(1, 40), max_size=50),
    st.integers(-20, 200),
    st.lists(st.integers(0, 30), min_size=1, max_size=10),
    st.sampled_from(["engine-item", "engine-system"]),
    st.none() | st.floats(1e3, 1e9),
)
def test_a10_a_decision_is_replayed_from_its_reason_byte_for_byte(
    sizes: list[int], physical: int, received: list[int], policy: str, worth: float | None
) -> None:
    past = Past(sums_of(sizes, 180), sums_of((3, 5), 180), worth=worth, price=Money(31_400))
    case = replace(facts(physical, ladder=(replace(MAIN, leads=leads_of(received)), BACKUP)), past=past)
    stored = json.dumps(decide(policy, case).reason, sort_keys=True)
    again = facts_from(json.loads(stored)["inputs"])
    assert again == case
    assert json.dumps(decide(policy, again).reason, sort_keys=True) == stored


def test_inputs_that_are_none_are_refused() -> None:
    with pytest.raises(BadInput, match="inputs of an engine"):
        facts_from({"place": "ward-01"})


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(1, 40), min_size=6, max_size=50),
    st.lists(st.integers(0, 30), min_size=1, max_size=10),
    st.integers(1, 20),
    st.floats(1e3, 1e9),
    st.sampled_from([20, 365]),
)
def test_one_line_is_told_what_many_lines_are_told(
    sizes: list[int], received: list[int], pack: int, worth: float, shelf_days: int
) -> None:
    source = replace(MAIN, leads=leads_of(received), pack=pack)
    past = Past(sums_of(sizes, 180), sums_of((), 0), fill=0.97, worth=worth, price=Money(500), shelf_days=shelf_days)
    case = replace(facts(ladder=(source,)), past=past)
    own = np.array([[180.0, len(sizes), sum(sizes), sum(s**2 for s in sizes), sum(s**3 for s in sizes)]]).T
    moments = moments_of_many(own, np.zeros_like(own))
    lots = lots_of(moments, np.array([pack]), np.array([0]), 7.0)
    waits = waits_of_many(moments, *points_of(moments, lots, [leads_of(received)], np.array([0])))
    one = np.ones(1)
    lines = Lines(moments, waits, lots, one * 500, one, moments.rate, one * shelf_days)
    assert values("engine-item", case)["reorder_point"] == item_points(lines, (0.97,))[0, 0]
    found = int(system_points(lines, (worth,))[0][0, 0])
    assert values("engine-system", case)["reorder_point"] == (None if found == NOT_STOCKED else found)


def test_a7_a_source_over_the_winning_price_is_blocked_under_every_policy() -> None:
    over = replace(MAIN, price=Money(20_001), price_cap=Money(20_000))
    at = replace(MAIN, price_cap=Money(20_000))
    for policy in POLICIES:
        assert decide(policy, facts(physical=0, ladder=(over,))).plan is None
        assert decide(policy, facts(physical=0, ladder=(at,))).plan is not None
    reason = decide("3x", facts(physical=0, ladder=(over, BACKUP))).reason
    assert reason["rejected"] == [{"source": "MAIN", "price": 20_001, "winning_price": 20_000}]
    english = in_english(reason, Words("kit", "Backup"))
    assert english.endswith(" Not from MAIN: its price is over the winning price.")
    assert "2.00" not in english, "who may not see prices reads it too"


def test_a_rationed_source_gives_what_it_has_and_says_so() -> None:
    store = Source("main-store", internal=True, lead_days=1, pack=5, moq=0, available=7, rationed=True)
    decision = decide("engine-item", facts(physical=0, ladder=(store, MAIN)))
    assert decision.plan is not None
    assert (decision.plan.qty, decision.reason["bound_by"]) == (5, "ration")
    assert "its part of too little" in in_english(decision.reason, Words("kit", "Central store"))
    empty = replace(store, available=4)
    assert decide("engine-item", facts(physical=0, ladder=(empty, MAIN))).reason["source"] == {
        "name": "MAIN", "internal": False,
    }  # fmt: skip


def test_a_part_that_leaves_the_line_below_its_trigger_is_not_worth_a_walk() -> None:
    ward = Source("ward-02", internal=True, lead_days=1, pack=1, moq=0, available=2, rationed=True)
    decision = decide("engine-item", facts(physical=-5, ladder=(ward, MAIN)))
    assert decision.reason["source"] == {"name": "MAIN", "internal": False}
    only = decide("engine-item", facts(physical=-5, ladder=(ward,)))
    assert only.plan is not None
    assert only.plan.qty == 2


def test_a_line_nearly_due_joins_when_its_suppliers_order_is_open() -> None:
    point = values("engine-item", facts())["reorder_point"]
    near = facts(physical=point + 2)
    assert not decide("engine-item", near).due
    joined = decide("engine-item", replace(near, joins=True))
    assert joined.due
    assert "joins an order its supplier gets anyway" in in_english(joined.reason, Words("kit", "Main"))
    assert not decide("engine-item", replace(facts(physical=point + 5), joins=True)).due
    inputs = cast(dict[str, Any], json.loads(json.dumps(joined.reason)))["inputs"]
    assert facts_from(inputs) == replace(near, joins=True)


def test_a_budget_leaves_a_line_so_much_from_suppliers() -> None:
    cut = decide("engine-item", replace(facts(physical=0), granted=7))
    assert cut.plan is not None
    assert (cut.due, cut.plan.qty, cut.reason["bound_by"]) == (True, 5, "budget")
    assert "受预算所限" in in_chinese(cut.reason, Words("包", "甲"))
    assert not decide("engine-item", replace(facts(physical=0), granted=0)).due
