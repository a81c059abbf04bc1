"""Expiry lot by lot: what is counted on, and how much of a source's lots would be used in time."""

import json
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from central.core.demand import Demand
from central.core.explain import Words, in_chinese, in_english
from central.core.reorder import Facts, Past, Position, Source, decide
from central.core.reorder.expiry import expired, unusable, usable
from central.core.reorder.inputs import facts_from
from central.core.reorder.leads import leads_of
from central.core.reorder.moments import sums_of

DAY = date(2025, 12, 2)
SUPPLIER = Source("SUP", internal=False, lead_days=4, pack=1, moq=0, leads=leads_of([4] * 9))
STORE = Source("main-store", internal=True, lead_days=1, pack=1, moq=0, available=100)
SIZES = (2,) * 90
LOTS = st.lists(st.tuples(st.integers(-9, 60), st.integers(1, 40)), max_size=6).map(lambda lots: tuple(sorted(lots)))


def facts(physical: int, *ladder: Source, lots: tuple[tuple[int, int], ...] = ()) -> Facts:
    known = Past(sums_of(SIZES, 180), sums_of((), 0))
    demand = Demand(DAY, DAY + timedelta(days=89), 90, (2,) * 45)
    return Facts("w", "A", demand, Position(physical), ladder, Fraction(3), Fraction(7), known, lots=lots)


def test_what_expires_before_it_is_reached_is_not_usable_and_later_lots_are() -> None:
    assert unusable(((-3, 5), (4, 10), (6, 2), (90, 50)), 2.0, 6) == 5 + 2, "8 are used in 4 days, 12 in 6"
    assert unusable(((4, 10),), 2.0, 3) == 0, "it expires after the order came"
    assert expired(((-3, 5), (0, 1), (4, 10))) == 6


def test_a_source_gives_of_each_lot_what_is_used_in_time_and_all_that_keeps() -> None:
    assert usable(((-1, 9), (5, 20), (30, 20)), 60, 0, lambda days: days) == 5 + 20 + 11
    assert usable(((5, 20),), 20, 8, lambda days: days) == 0, "what is counted on is used first"


@given(LOTS, st.floats(0, 9), st.integers(0, 60), st.integers(0, 60))
def test_never_more_is_unusable_than_there_is_nor_less_with_a_longer_look(
    lots: tuple[tuple[int, int], ...], mean: float, near: int, more: int
) -> None:
    lost = unusable(lots, mean, near)
    assert 0 <= lost <= sum(qty for _, qty in lots)
    assert lost <= unusable(lots, mean, near + more)
    assert unusable(lots, 0.0, 60) == sum(qty for _, qty in lots)


@given(LOTS, st.integers(0, 200), st.integers(-5, 50), st.integers(0, 9))
def test_no_more_is_usable_than_is_available_or_than_is_asked_for(
    lots: tuple[tuple[int, int], ...], available: int, counted: int, daily: int
) -> None:
    held = sum(qty for _, qty in lots)
    found = usable(lots, available, counted, lambda days: daily * days)
    assert 0 <= found <= available
    assert found <= max(0, available - held) + max(0, daily * 60 - max(0, counted))


def test_a_shelf_that_expires_first_is_ordered_for_and_the_sentence_says_so() -> None:
    fresh, near = facts(30, SUPPLIER), facts(30, SUPPLIER, lots=((2, 28),))
    assert not decide("engine-item", fresh).due
    decision = decide("engine-item", near)
    assert decision.due
    assert decision.reason["position"] == {
        "physical": 30, "on_order": 0, "reserved": 0, "total": 4, "expiring": 26,
    }  # fmt: skip
    assert "not counting 26 that expire unused" in in_english(decision.reason, Words("kit", "Main"))
    assert "另有 26 将在用完前到期不计" in in_chinese(decision.reason, Words("包", "甲"))
    stored = json.dumps(decision.reason, sort_keys=True)
    again = facts_from(json.loads(stored)["inputs"])
    assert (again, json.dumps(decide("engine-item", again).reason, sort_keys=True)) == (near, stored)


def test_an_order_is_capped_lot_by_lot_where_its_source_has_lots_near_expiry() -> None:
    whole = decide("engine-item", facts(0, STORE)).plan
    part = decide("engine-item", facts(0, replace(STORE, lots=((3, 100),))))
    assert whole is not None
    assert part.plan is not None
    assert part.plan.qty < whole.qty, "of what goes in three days only three days' use"
    assert part.reason["bound_by"] == "expiry"
    assert "would expire" in in_english(part.reason, Words("kit", "Store"))
    one_near = decide("engine-item", facts(0, replace(STORE, lots=((3, 2),)))).plan
    assert one_near is not None
    assert one_near.qty == whole.qty, "two pieces near expiry do not stop the ninety-eight others"


def test_a_store_whose_lots_are_all_over_gives_way_to_the_supplier() -> None:
    decision = decide("engine-item", facts(0, replace(STORE, lots=((0, 100),)), SUPPLIER))
    assert decision.reason["source"] == {"name": "SUP", "internal": False}
    rejected = decision.reason["rejected"]
    assert isinstance(rejected, list)
    assert rejected[0]["used_before_expiry"] == 0
