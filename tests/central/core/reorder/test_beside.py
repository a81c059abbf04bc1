"""What other policies would say stands beside the engine's answer, judged on the same demand and lead times."""

import json
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from central.core.demand import Demand
from central.core.explain import Words, in_chinese, in_english
from central.core.reorder import Facts, Limits, Past, Position, Source, decide
from central.core.reorder.inputs import facts_from
from central.core.reorder.leads import leads_of
from central.core.reorder.line import line_of
from central.core.reorder.moments import sums_of
from central.core.reorder.reference import outlook_of
from central.core.reorder.waits import wait_of

DAY = date(2025, 12, 2)
SIZES = (2, 4, 4, 1, 6, 3) * 10
SLOW = Source("SUP", internal=False, lead_days=4, pack=1, moq=0, leads=leads_of([4, 5, 6, 12, 20]))


def facts(sizes: tuple[int, ...] = SIZES, limits: Limits | None = None) -> Facts:
    demand = Demand(DAY, DAY + timedelta(days=89), sum(sizes[:40]), sizes[:40])
    known = Past(sums_of(sizes, 180), sums_of((), 0))
    return Facts(
        "w", "A", demand, Position(2), (SLOW,), Fraction(3), Fraction(7), known, Limits() if limits is None else limits
    )


def told(case: Facts, policy: str = "engine-item") -> dict[str, dict[str, Any]]:
    said = cast(list[dict[str, Any]], decide(policy, case).reason["beside"])
    return {str(one["policy"]): one for one in said}


def test_the_rules_of_thumb_stand_beside_the_engine_and_serve_less_where_leads_are_long() -> None:
    said, mine = told(facts()), decide("engine-item", facts()).reason
    assert list(said) == ["3x", "3x-literal"], "nobody set levels here"
    assert said["3x-literal"]["fill_predicted"] < said["3x"]["fill_predicted"] < cast(float, mine["fill_predicted"])
    assert (said["3x"]["due"], said["3x"]["order_up_to"]) == (True, decide("3x", facts()).reason["order_up_to"])


def test_the_hospitals_own_levels_stand_there_where_a_person_set_them() -> None:
    said = told(facts(limits=Limits(minimum=1, maximum=60)))
    assert (said["min-max"]["order_up_to"], said["min-max"]["due"]) == (60, False)


def test_what_is_promised_is_what_the_engine_would_promise_for_those_levels() -> None:
    line, said = line_of(facts(), SLOW), told(facts())["3x-literal"]
    point, lot = 4, said["order_up_to"] - 4
    assert said["trigger"] == pytest.approx(131 * 3 / 90, abs=1e-3)
    whole = outlook_of(wait_of(line.moments, line.leads, lot), point, lot).fill
    assert said["fill_predicted"] == round(whole, 4)


def test_one_sentence_says_it_in_both_languages() -> None:
    reason = decide("engine-item", facts(limits=Limits(minimum=1, maximum=60))).reason
    english, chinese = in_english(reason, Words("kit", "Main")), in_chinese(reason, Words("包", "甲"))
    assert "; on the same use and lead times three days on top of the lead time would order " in english
    assert "the hospital's own levels would not order now (up to 60, serving " in english
    assert "；同样的用量与到货期下：三日法加到货期订 " in chinese
    assert "本院上下限此时不订（补到 60，满足率 " in chinese


def test_beside_what_a_rule_of_thumb_proposes_stand_the_engine_and_the_other_rules() -> None:
    said = told(facts(), "3x")
    assert list(said) == ["engine-item", "3x-literal"]
    mine = decide("engine-item", facts())
    assert mine.plan is not None
    assert (said["engine-item"]["qty"], said["engine-item"]["due"]) == (mine.plan.qty, mine.due)
    english = in_english(decide("3x", facts()).reason, Words("kit", "Main"))
    assert f"the engine would order {mine.plan.qty} (up to {mine.plan.order_up_to}, serving " in english
    rich = replace(facts(), position=Position(500))
    assert "beside" not in decide("3x", rich).reason, "what is not proposed is not compared"


def test_a_line_on_request_has_nobody_beside_it() -> None:
    assert "beside" not in decide("engine-item", facts(SIZES[:2])).reason


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 40), min_size=6, max_size=50), st.none() | st.integers(0, 90))
def test_it_is_replayed_with_the_reason(sizes: list[int], minimum: int | None) -> None:
    case = replace(facts(tuple(sizes)), limits=Limits(minimum=minimum))
    stored = json.dumps(decide("engine-item", case).reason, sort_keys=True)
    again = facts_from(json.loads(stored)["inputs"])
    assert json.dumps(decide("engine-item", again).reason, sort_keys=True) == stored
