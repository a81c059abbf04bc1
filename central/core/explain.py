"""Why a proposal, in one sentence, Chinese or English: written from the reason's data alone, so that both say the same.

It decides nothing and knows no numbers of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PERCENT = 100


@dataclass(frozen=True, slots=True)
class Words:
    """What a sentence calls the item's base unit and the source, in one language."""

    unit: str
    source: str


def _plain(value: float) -> str:
    """Return a number without a tail of zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def in_chinese(reason: Mapping[str, Any], words: Words) -> str:
    """Return the reason's sentence in Chinese."""
    demand, position = reason["demand"], reason["position"]
    on_order = f"（含在途 {position['on_order']}）" if position["on_order"] else ""
    rule, fill = _rule_zh(reason), _plain(reason["fill_predicted"] * PERCENT)
    return (
        f"近 {demand['days']} 天日均用量 {_plain(demand['adu'])} {words.unit}；"
        f"可用存量 {position['total']} {words.unit}{on_order}，低于触发点 {_plain(reason['trigger'])}（{rule}），"
        f"建议向 {words.source} 订 {reason['qty']} {words.unit}，补到 {reason['order_up_to']}，"
        f"{reason['lead_days']} 天到货，预计需求满足率 {fill}%。"
    )


def in_english(reason: Mapping[str, Any], words: Words) -> str:
    """Return the reason's sentence in English."""
    demand, position = reason["demand"], reason["position"]
    on_order = f" (with {position['on_order']} on order)" if position["on_order"] else ""
    rule, fill = _rule_en(reason), _plain(reason["fill_predicted"] * PERCENT)
    return (
        f"Mean daily use over {demand['days']} days is {_plain(demand['adu'])} {words.unit}; "
        f"the position of {position['total']}{on_order} is below the trigger of {_plain(reason['trigger'])} ({rule}), "
        f"so order {reason['qty']} from {words.source}, up to {reason['order_up_to']}, in {reason['lead_days']} days; "
        f"predicted fill rate {fill} %."
    )


def _rule_zh(reason: Mapping[str, Any]) -> str:
    safety = f"{_plain(reason['safety_days'])} 天安全库存"
    return safety if reason["policy"] == "3x-literal" else f"{safety} + {reason['lead_days']} 天到货期用量"


def _rule_en(reason: Mapping[str, Any]) -> str:
    safety = f"{_plain(reason['safety_days'])} days of safety stock"
    return safety if reason["policy"] == "3x-literal" else f"{safety} + {reason['lead_days']} days of lead time"
