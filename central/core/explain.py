"""Why a proposal, in one sentence, Chinese or English: written from the reason's data alone, so that both say the same.

It decides nothing and knows no numbers of its own. The rule that must not be broken: "up to" is said only of a quantity
that ends at the level; one that packs or a minimum raised says so, beside what would have been enough.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PERCENT = 100
BY_DAYS = frozenset({"3x", "3x-literal"})
"""Policies whose rule is a number of days of use."""


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
    if reason["policy"] == "import":
        return "导入时尚未到货的订单。"
    if "bins" in reason.get("values", {}):
        asked = f"空箱待补 {reason['values']['bins']} {words.unit}"
        return f"{asked}，建议向 {words.source} 订 {reason['qty']} {words.unit}，{reason['lead_days']} 天到货。"
    if reason["bound_by"] == "ceiling" or reason["policy"] not in BY_DAYS:
        return _engine_zh(reason, words)
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
    if reason["policy"] == "import":
        return "An order that was still open when it was imported."
    if "bins" in reason.get("values", {}):
        asked = f"Empty bins ask for {reason['values']['bins']} {words.unit}"
        return f"{asked}; order {reason['qty']} from {words.source}, in {_days_en(reason['lead_days'])}."
    if reason["bound_by"] == "ceiling" or reason["policy"] not in BY_DAYS:
        return _engine_en(reason, words)
    demand, position = reason["demand"], reason["position"]
    on_order = f" (with {position['on_order']} on order)" if position["on_order"] else ""
    rule, fill = _rule_en(reason), _plain(reason["fill_predicted"] * PERCENT)
    return (
        f"Mean daily use over {demand['days']} days is {_plain(demand['adu'])} {words.unit}; "
        f"the position of {position['total']}{on_order} is below the trigger of {_plain(reason['trigger'])} ({rule}), "
        f"so order {reason['qty']} from {words.source}{_bound_en(reason)}, in {_days_en(reason['lead_days'])}; "
        f"predicted fill rate {fill} %."
    )


def _engine_zh(reason: Mapping[str, Any], words: Words) -> str:
    """Return the sentence of a rule that is no number of days: the engine's, a person's, or on request."""
    position, unit = reason["position"], words.unit
    on_order = f"（含在途 {position['on_order'] - position.get('late', 0)}）" if position["on_order"] else ""
    late = f"，另有逾期在途 {position['late']} 不计" if position.get("late") else ""
    return (
        f"{_use_zh(reason, unit)}可用存量 {position['total']} {unit}{on_order}{late}，{_level_zh(reason)}，"
        f"建议向 {words.source} 订 {reason['qty']} {unit}{_bound_zh(reason)}，预计需求满足率 "
        f"{_plain(reason['fill_predicted'] * PERCENT)}%。"
    )


def _engine_en(reason: Mapping[str, Any], words: Words) -> str:
    position = reason["position"]
    on_order = f" (with {position['on_order'] - position.get('late', 0)} on order)" if position["on_order"] else ""
    late = f", not counting {position['late']} overdue," if position.get("late") else ""
    return (
        f"{_use_en(reason, words.unit)}the position of {position['total']}{on_order}{late} is {_level_en(reason)}, "
        f"so order {reason['qty']} from {words.source}{_bound_en(reason)}; "
        f"predicted fill rate {_plain(reason['fill_predicted'] * PERCENT)} %."
    )


def _use_zh(reason: Mapping[str, Any], unit: str) -> str:
    values = reason.get("values", {})
    if "daily_mean" not in values:
        return f"近 {reason['demand']['days']} 天日均用量 {_plain(reason['demand']['adu'])} {unit}；"
    factor = _plain(values.get("season_factor", 1))
    season = "" if factor == "1" else f"按季节，今后用量约为此前的 {factor} 倍；"
    return (
        f"近 {_plain(values['window_days'])} 天日均用量 {_plain(values['daily_mean'])} {unit}、"
        f"每次申领约 {_plain(values['request_size'])} {unit}，平均 {_plain(values['lead_mean'])} 天到货；{season}"
    )


def _use_en(reason: Mapping[str, Any], unit: str) -> str:
    values = reason.get("values", {})
    if "daily_mean" not in values:
        return f"Mean daily use over {reason['demand']['days']} days is {_plain(reason['demand']['adu'])} {unit}; "
    factor = _plain(values.get("season_factor", 1))
    season = "" if factor == "1" else f"for the season, {factor} times that is expected; "
    return (
        f"Mean daily use over {_plain(values['window_days'])} days is {_plain(values['daily_mean'])} {unit}, "
        f"{_plain(values['request_size'])} a request, and orders take {_plain(values['lead_mean'])} days on average; "
        f"{season}"
    )


def _level_zh(reason: Mapping[str, Any]) -> str:
    if "joins_at" in reason:
        return f"不高于随单补货点 {reason['joins_at']}，可并入该供应商本次订单"
    values = reason.get("values", {})
    if values.get("stocked"):
        aim = (
            "按全院目标使库存金额最省"
            if values["mode"] == "system"
            else f"目标满足率 {_plain(values['target'] * PERCENT)}%"
        )
        return f"不高于再订货点 {values['reorder_point']}（{aim}）"
    if reason["policy"] == "min-max":
        return f"低于下限 {_plain(reason['trigger'])}"
    if reason["policy"] in BY_DAYS:
        return f"低于触发点 {_plain(reason['trigger'])}（{_rule_zh(reason)}）"
    return "此项按需申领，已许出的多于现有"


def _level_en(reason: Mapping[str, Any]) -> str:
    if "joins_at" in reason:
        return f"at or below {reason['joins_at']}, where it joins an order its supplier gets anyway"
    values = reason.get("values", {})
    if values.get("stocked"):
        system, target = values["mode"] == "system", values.get("target", 0)
        aim = "the hospital's target with least money on shelves" if system else f"{_plain(target * PERCENT)} % served"
        return f"at or below the reorder point of {values['reorder_point']} ({aim})"
    if reason["policy"] == "min-max":
        return f"below the minimum of {_plain(reason['trigger'])}"
    if reason["policy"] in BY_DAYS:
        return f"below the trigger of {_plain(reason['trigger'])} ({_rule_en(reason)})"
    return "less than was promised of an item on request"


def _gap(reason: Mapping[str, Any]) -> int:
    """Return what would reach the level exactly, before packs and the minimum."""
    return int(reason["order_up_to"] - reason["position"]["total"])


def _bound_zh(reason: Mapping[str, Any]) -> str:
    packs = f"按整包装 {reason['pack']} 取整"
    match reason["bound_by"]:
        case "pack":
            why = packs
        case "budget":
            return f"（受预算所限；补到 {reason['order_up_to']} 需 {_gap(reason)}）"
        case "ration":
            return f"（来源不足，按需分配；补到 {reason['order_up_to']} 需 {_gap(reason)}）"
        case "ceiling":
            return f"（人为上限 {reason['order_up_to']}）"
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
        case "budget":
            return f" (as the budget allows; {_gap(reason)} would reach the level of {reason['order_up_to']})"
        case "ration":
            return f" (its part of too little; {_gap(reason)} would reach the level of {reason['order_up_to']})"
        case "ceiling":
            return f" (a person's ceiling is {reason['order_up_to']})"
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
