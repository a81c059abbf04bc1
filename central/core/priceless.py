"""A reason without its amounts of money, for people who may see what was proposed and not at what price. Pure.

What remains is data to read: without prices an engine cannot be asked again. The rule that must not be broken: a price
does not stand in a reason for who may not see prices, however deep it lies.
"""

from collections.abc import Mapping
from typing import Any

MONEY = frozenset({"price", "price_cap", "winning_price", "budget", "worth"})
"""The names that amounts have in a reason: of a unit, its bounds, of a run, and of a served request."""


def without_prices(reason: Mapping[str, Any]) -> dict[str, Any]:
    """Return a reason's data without any amount of money in it."""
    return {name: _priceless(value) for name, value in reason.items() if name not in MONEY}


def _priceless(value: object) -> object:
    if isinstance(value, Mapping):
        return without_prices(value)
    return [_priceless(one) for one in value] if isinstance(value, (list, tuple)) else value
