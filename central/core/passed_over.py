"""Why a proposal is not from a nearer or better ranked source: a sentence for each that gave way. Pure.

It decides nothing and knows no numbers of its own. A storeroom that has too little is told of where stock is shown, not
here. The rule that must not be broken: a price is never said, for a reason is also read by who may not see prices.

Sources: B1 (S0) suppliers in time; A7 (S0) the winning price; REORDER.md, main or backup supplier.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

PERCENT = 100
One = Mapping[str, Any]
"""One source that gave way, as a reason tells it."""


def passed_zh(reason: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Return the sentences in Chinese, nothing where nobody gave way."""
    return "".join(f"未选 {names.get(one['source'], one['source'])}：{why}。" for one, why in _told(reason, _zh))


def passed_en(reason: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Return the sentences in English, nothing where nobody gave way."""
    told = _told(reason, _en)
    return "".join(f" Not from {names.get(one['source'], one['source'])}: {why}." for one, why in told)


def _told(reason: Mapping[str, Any], say: Callable[[One], str]) -> Iterator[tuple[One, str]]:
    """Give each source that gave way with why, in words."""
    for one in reason.get("rejected", ()):
        why = say(one)
        if why:
            yield one, why


def _zh(one: One) -> str:
    if "on_time" in one:
        return f"上季准时率 {_percent(one['on_time'])}%，要求 {_percent(one['wanted'])}%"
    if "arrives_in_days" in one:
        return f"约 {one['arrives_in_days']} 天到货，现有存量只够 {one['stock_lasts_days']} 天"
    if "winning_price" in one:
        return "价格高于中选价"
    if "used_before_expiry" in one:
        return f"{one['wanted']} 中只有 {one['used_before_expiry']} 能在到期前用完"
    return ""


def _en(one: One) -> str:
    if "on_time" in one:
        return f"in time with {_percent(one['on_time'])} % of last quarter's lines, {_percent(one['wanted'])} % wanted"
    if "arrives_in_days" in one:
        return f"its goods take {one['arrives_in_days']} days and the stock lasts {one['stock_lasts_days']}"
    if "winning_price" in one:
        return "its price is over the winning price"
    if "used_before_expiry" in one:
        return f"of {one['wanted']} only {one['used_before_expiry']} would be used before they expire"
    return ""


def _percent(share: float) -> str:
    return f"{share * PERCENT:.2f}".rstrip("0").rstrip(".")
