"""Every list that leaves as a table, by name: whoever has a new list adds its `Export` here.

It decides nothing. The rule that must not be broken: a name that left once stays, for scripts rely on it.
"""

from collections.abc import Mapping
from types import MappingProxyType

from central.errors import NotThere
from central.services.exports.conflicts import CONFLICT_EXPORTS
from central.services.exports.dealings import DEALING_EXPORTS
from central.services.exports.form import Export
from central.services.exports.house import HOUSE_EXPORTS
from central.services.exports.judged import JUDGED_EXPORTS
from central.services.exports.lots import LOT_EXPORTS
from central.services.exports.master import MASTER_EXPORTS
from central.services.exports.money import MONEY_EXPORTS
from central.services.exports.purchasing import PURCHASING_EXPORTS
from central.services.exports.stock import STOCK_EXPORTS
from central.services.exports.trade import TRADE_EXPORTS

_EVERY = (
    *STOCK_EXPORTS,
    *LOT_EXPORTS,
    *CONFLICT_EXPORTS,
    *PURCHASING_EXPORTS,
    *TRADE_EXPORTS,
    *JUDGED_EXPORTS,
    *MONEY_EXPORTS,
    *DEALING_EXPORTS,
    *HOUSE_EXPORTS,
    *MASTER_EXPORTS,
)

EXPORTS: Mapping[str, Export] = MappingProxyType({one.name: one for one in _EVERY})


def export_named(name: str) -> Export:
    """Return a list by its name. Raises `NotThere` naming those there are."""
    found = EXPORTS.get(name)
    if found is None:
        raise NotThere(f"table: expected one of {', '.join(EXPORTS)}, got {name!r:.40}")
    return found
