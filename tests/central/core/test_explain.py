"""A reason's sentence: it says what was ordered and why it is not exactly the gap to the level."""

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest

from central.core.demand import Demand
from central.core.explain import Words, in_chinese, in_english
from central.core.reorder import Facts, Position, Source, decide

YUNTING_ZH, YUNTING_EN = Words("包", "云汀"), Words("kit", "Yunting")
DAY = date(2025, 12, 2)


def reason(physical: int, *, pack: int = 1, moq: int = 0, lead_days: int = 5, on_order: int = 0) -> dict[str, Any]:
    """Return what the policy says of a line used once a day: its level is lead days + 10."""
    source = Source("SUP-1", internal=False, lead_days=lead_days, pack=pack, moq=moq)
    demand = Demand(DAY, DAY + timedelta(days=89), 90, (1,) * 90)
    facts = Facts("ward-01", "A", demand, Position(physical, on_order), (source,), Fraction(3), Fraction(7))
    return dict(decide("3x", facts).reason)


def test_the_reason_is_one_sentence_in_each_language() -> None:
    said = reason(4, lead_days=4, on_order=2)
    assert in_chinese(said, YUNTING_ZH) == (
        "近 90 天日均用量 1 包；可用存量 6 包（含在途 2），低于触发点 7（3 天安全库存 + 4 天到货期用量），"
        "建议向 云汀 订 8 包，补到 14，4 天到货，预计需求满足率 99.37%；同样的用量与到货期下："
        "引擎此时不订（补到 12，满足率 98.11%），三日法原文此时不订（补到 10，满足率 86.5%）。"
    )
    assert in_english({**said, "policy": "3x-literal"}, YUNTING_EN) == (
        "Mean daily use over 90 days is 1 kit; the position of 6 (with 2 on order) is below the trigger of 7 "
        "(3 days of safety stock), so order 8 from Yunting, up to 14, in 4 days; predicted fill rate 99.37 %; "
        "on the same use and lead times the engine would not order now (up to 12, serving 98.11 %), "
        "three days to the letter would not order now (up to 10, serving 86.5 %)."
    )


def test_a_quantity_rounded_to_whole_packs_says_what_would_have_been_enough() -> None:
    said = reason(6, pack=6)
    assert said["qty"] == 12
    assert "订 12 包（按整包装 6 取整；补到 15 只需 9），5 天到货" in in_chinese(said, YUNTING_ZH)
    english = in_english(said, YUNTING_EN)
    assert "so order 12 from Yunting (whole packs of 6; 9 would reach the level of 15), in 5 days;" in english


def test_a_quantity_raised_to_the_minimum_says_the_minimum() -> None:
    said = reason(7, moq=20)
    assert said["qty"] == 20
    assert "订 20 包（起订量 20；补到 15 只需 8）" in in_chinese(said, YUNTING_ZH)
    assert "order 20 from Yunting (its minimum is 20; 8 would reach the level of 15)" in in_english(said, YUNTING_EN)


def test_a_minimum_that_is_no_whole_pack_says_both() -> None:
    said = reason(7, moq=15, pack=10)
    assert said["qty"] == 20
    assert "订 20 包（起订量 15，按整包装 10 取整；补到 15 只需 8）" in in_chinese(said, YUNTING_ZH)
    assert "(its minimum is 15, in whole packs of 10; 8 would reach the level of 15)" in in_english(said, YUNTING_EN)


@pytest.mark.parametrize(("lead_days", "words"), [(1, "in 1 day;"), (2, "in 2 days;")])
def test_english_counts_one_day_and_many(lead_days: int, words: str) -> None:
    assert words in in_english(reason(0, lead_days=lead_days), YUNTING_EN)


def test_only_a_quantity_that_ends_at_the_level_is_said_to_reach_it() -> None:
    for said in (reason(6), reason(6, pack=6), reason(7, moq=20)):
        ends_there = said["position"]["total"] + said["qty"] == said["order_up_to"]
        assert (", up to 15" in in_english(said, YUNTING_EN)) == ends_there
        assert ("，补到 15，" in in_chinese(said, YUNTING_ZH)) == ends_there
