"""Why a proposal, in one sentence, Chinese or English: written from the reason's data alone, so that both say the same.

It decides nothing and knows no numbers of its own. The rule that must not be broken: "up to" is said only of a quantity
that ends at the level; one that packs or a minimum raised says so, beside what would have been enough.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from central.core.passed_over import passed_en, passed_zh
from central.core.refusals import ALTERATIONS, Alteration

PERCENT = 100
REQUESTED = "requisition"
"""What stands in a policy's place where a person asked for it."""
LEFT_OUT = (("late", "overdue"), ("expiring", "that expire unused"))
"""What a position does not count on, and how that is said."""

RIVALS = {
    "engine-item": ("引擎", "the engine"),
    "3x": ("三日法加到货期", "three days on top of the lead time"),
    "3x-literal": ("三日法原文", "three days to the letter"),
    "min-max": ("本院上下限", "the hospital's own levels"),
}
"""What the policies that stand beside a proposal are called."""

BY_DAYS = frozenset({"3x", "3x-literal"})
"""Policies whose rule is a number of days of use."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a sentence calls the item's base unit, the source, and other sources by their code, in one language."""

    unit: str
    source: str
    others: Mapping[str, str] = field(default_factory=dict)


def _plain(value: float) -> str:
    """Return a number without a tail of zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def in_chinese(reason: Mapping[str, Any], words: Words) -> str:
    """Return the reason's sentence in Chinese; behind it who gave way, and who ordered another quantity and why."""
    return _reason_zh(reason, words) + passed_zh(reason, words.others) + _changed_zh(reason)


def in_english(reason: Mapping[str, Any], words: Words) -> str:
    """Return the reason's sentence in English; behind it who gave way, and who ordered another quantity and why."""
    return _reason_en(reason, words) + passed_en(reason, words.others) + _changed_en(reason)


def _changed_zh(reason: Mapping[str, Any]) -> str:
    changed = reason.get("changed")
    if not changed or "why" not in changed:
        return ""
    why, said = ALTERATIONS[Alteration(changed["why"])][0], changed["text"]
    return f"建议 {changed['from']}，{changed['by']} 改订 {changed['to']}：{why}{'（' + said + '）' if said else ''}。"


def _changed_en(reason: Mapping[str, Any]) -> str:
    changed = reason.get("changed")
    if not changed or "why" not in changed:
        return ""
    why, said = ALTERATIONS[Alteration(changed["why"])][1], changed["text"]
    return (
        f" Proposed {changed['from']}, ordered {changed['to']} by {changed['by']}: {why}{f' ({said})' if said else ''}."
    )


def _reason_zh(reason: Mapping[str, Any], words: Words) -> str:
    if reason["policy"] == "import":
        return "导入时尚未到货的订单。"
    if reason["policy"] == REQUESTED:
        urgent = "（应急）" if reason["emergency"] else ""
        given = reason.get("granted", reason["asked"])
        raised = f"，按整包装或起订量订 {reason['qty']} {words.unit}" if reason["qty"] > given else ""
        cut = f"，批准 {given} {words.unit}" if given < reason["asked"] else ""
        asked = f"{reason['by']} 申领 {reason['asked']} {words.unit}{cut}{urgent}：{reason['why']}"
        return f"{asked}。由 {words.source} 供应{raised}。"
    if "bins" in reason.get("values", {}):
        asked = f"空箱待补 {reason['values']['bins']} {words.unit}"
        order = f"建议向 {words.source} 订 {reason['qty']} {words.unit}，{reason['lead_days']} 天到货"
        return f"{asked}，{order}{_holds_zh(reason)}。"
    if reason["bound_by"] == "ceiling" or reason["policy"] not in BY_DAYS:
        return _engine_zh(reason, words)
    demand, position = reason["demand"], reason["position"]
    on_order = f"（含在途 {position['on_order']}）" if position["on_order"] else ""
    rule, fill = _rule_zh(reason), _plain(reason["fill_predicted"] * PERCENT)
    return (
        f"近 {demand['days']} 天日均用量 {_plain(demand['adu'])} {words.unit}；"
        f"可用存量 {position['total']} {words.unit}{on_order}，低于触发点 {_plain(reason['trigger'])}（{rule}），"
        f"建议向 {words.source} 订 {reason['qty']} {words.unit}{_bound_zh(reason)}，"
        f"{reason['lead_days']} 天到货，预计需求满足率 {fill}%{_beside_zh(reason)}。"
    )


def _reason_en(reason: Mapping[str, Any], words: Words) -> str:
    if reason["policy"] == "import":
        return "An order that was still open when it was imported."
    if reason["policy"] == REQUESTED:
        urgent = " in an emergency" if reason["emergency"] else ""
        given = reason.get("granted", reason["asked"])
        raised = f", {reason['qty']} by whole packs or its minimum" if reason["qty"] > given else ""
        cut = f", was granted {given}" if given < reason["asked"] else ""
        asked = f"{reason['by']} asked for {reason['asked']} {words.unit}{cut}{urgent}: {reason['why']}"
        return f"{asked}. From {words.source}{raised}."
    if "bins" in reason.get("values", {}):
        asked = f"Empty bins ask for {reason['values']['bins']} {words.unit}"
        order = f"order {reason['qty']} from {words.source}, in {_days_en(reason['lead_days'])}"
        return f"{asked}; {order}{_holds_en(reason)}."
    if reason["bound_by"] == "ceiling" or reason["policy"] not in BY_DAYS:
        return _engine_en(reason, words)
    demand, position = reason["demand"], reason["position"]
    on_order = f" (with {position['on_order']} on order)" if position["on_order"] else ""
    rule, fill = _rule_en(reason), _plain(reason["fill_predicted"] * PERCENT)
    return (
        f"Mean daily use over {demand['days']} days is {_plain(demand['adu'])} {words.unit}; "
        f"the position of {position['total']}{on_order} is below the trigger of {_plain(reason['trigger'])} ({rule}), "
        f"so order {reason['qty']} from {words.source}{_bound_en(reason)}, in {_days_en(reason['lead_days'])}; "
        f"predicted fill rate {fill} %{_beside_en(reason)}."
    )


def _holds_zh(reason: Mapping[str, Any]) -> str:
    holds = reason["values"].get("bin_holds")
    return "" if holds is None else f"；按用量与到货期，一箱宜装 {holds}"


def _holds_en(reason: Mapping[str, Any]) -> str:
    """Return how much a bin should hold, where the item's use is known."""
    holds = reason["values"].get("bin_holds")
    return "" if holds is None else f"; by use and lead time a bin should hold {holds}"


def _engine_zh(reason: Mapping[str, Any], words: Words) -> str:
    """Return the sentence of a rule that is no number of days: the engine's, a person's, or on request."""
    position, unit = reason["position"], words.unit
    on_order = f"（含在途 {position['on_order'] - position.get('late', 0)}）" if position["on_order"] else ""
    late = f"，另有逾期在途 {position['late']} 不计" if position.get("late") else ""
    late += f"，另有 {position['expiring']} 将在用完前到期不计" if position.get("expiring") else ""
    return (
        f"{_use_zh(reason, unit)}可用存量 {position['total']} {unit}{on_order}{late}，{_level_zh(reason)}，"
        f"建议向 {words.source} 订 {reason['qty']} {unit}{_bound_zh(reason)}，预计需求满足率 "
        f"{_plain(reason['fill_predicted'] * PERCENT)}%{_beside_zh(reason)}。"
    )


def _engine_en(reason: Mapping[str, Any], words: Words) -> str:
    position = reason["position"]
    on_order = f" (with {position['on_order'] - position.get('late', 0)} on order)" if position["on_order"] else ""
    left_out = [f"{position[why]} {said}" for why, said in LEFT_OUT if position.get(why)]
    late = f", not counting {' and '.join(left_out)}," if left_out else ""
    return (
        f"{_use_en(reason, words.unit)}the position of {position['total']}{on_order}{late} is {_level_en(reason)}, "
        f"so order {reason['qty']} from {words.source}{_bound_en(reason)}; "
        f"predicted fill rate {_plain(reason['fill_predicted'] * PERCENT)} %{_beside_en(reason)}."
    )


def _beside_zh(reason: Mapping[str, Any]) -> str:
    """Return what the other policies would say; nothing where the reason does not tell."""
    told = [
        f"{RIVALS.get(one['policy'], (one['policy'],))[0]}{_orders_zh(one)}（补到 {one['order_up_to']}，"
        f"满足率 {_plain(one['fill_predicted'] * PERCENT)}%）"
        for one in reason.get("beside", ())
    ]
    return f"；同样的用量与到货期下：{'，'.join(told)}" if told else ""


def _beside_en(reason: Mapping[str, Any]) -> str:
    told = [
        f"{RIVALS.get(one['policy'], (one['policy'],))[-1]} would {_orders_en(one)} (up to {one['order_up_to']}, "
        f"serving {_plain(one['fill_predicted'] * PERCENT)} %)"
        for one in reason.get("beside", ())
    ]
    return f"; on the same use and lead times {', '.join(told)}" if told else ""


def _orders_zh(one: Mapping[str, Any]) -> str:
    if not one["due"]:
        return "此时不订"
    return f"订 {one['qty']}" if "qty" in one else "也会订货"


def _orders_en(one: Mapping[str, Any]) -> str:
    if not one["due"]:
        return "not order now"
    return f"order {one['qty']}" if "qty" in one else "order too"


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
        case "expiry":
            return f"（来源批号临近效期，更多用不完；补到 {reason['order_up_to']} 需 {_gap(reason)}）"
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
        case "expiry":
            return f" (more of its lots would expire; {_gap(reason)} would reach the level of {reason['order_up_to']})"
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
