"""Why a proposal, in one sentence, Chinese or English: written from the reason's data alone, so that both say the same.

It decides nothing and knows no numbers of its own. The rule that must not be broken: "up to" is said only of a quantity
that ends at the level; one that packs or a minimum raised says so, beside what would have been enough.
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
        f"建议向 {words.source} 订 {reason['qty']} {words.unit}{_bound_zh(reason)}，"
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
        f"so order {reason['qty']} from {words.source}{_bound_en(reason)}, in {_days_en(reason['lead_days'])}; "
        f"predicted fill rate {fill} %."
    )


def _gap(reason: Mapping[str, Any]) -> int:
    """Return what would reach the level exactly, before packs and the minimum."""
    return int(reason["order_up_to"] - reason["position"]["total"])


def _bound_zh(reason: Mapping[str, Any]) -> str:
    packs = f"按整包装 {reason['pack']} 取整"
    match reason["bound_by"]:
        case "pack":
            why = packs
        case "moq":
            why = f"起订量 {reason['moq']}" + (f"，{packs}" if reason["qty"] > reason["moq"] else "")
        case _:
            return f"，补到 {reason['order_up_to']}"
    return f"（{why}；补到 {reason['order_up_to']} 只需 {_gap(reason)}）"


def _bound_en(reason: Mapping[str, Any]) -> str:
    packs = f"whole packs of {reason['pack']}"
    match reason["bound_by"]:
        case "pack":
            why = packs
        case "moq":
            why = f"its minimum is {reason['moq']}" + (f", in {packs}" if reason["qty"] > reason["moq"] else "")
        case _:
            return f", up to {reason['order_up_to']}"
    return f" ({why}; {_gap(reason)} would reach the level of {reason['order_up_to']})"


def _days_en(days: int) -> str:
    return f"{days} day" if days == 1 else f"{days} days"


def _rule_zh(reason: Mapping[str, Any]) -> str:
    safety = f"{_plain(reason['safety_days'])} 天安全库存"
    return safety if reason["policy"] == "3x-literal" else f"{safety} + {reason['lead_days']} 天到货期用量"


def _rule_en(reason: Mapping[str, Any]) -> str:
    safety = f"{_plain(reason['safety_days'])} days of safety stock"
    return safety if reason["policy"] == "3x-literal" else f"{safety} + {_days_en(reason['lead_days'])} of lead time"
