"""Master data that changed meanwhile: acts by what an item was before, goods that came at another price. Pure.

An entry says which version of the hospital's data its device knew; an older device says none, and nothing is held
against it. The rules that must not be broken: an entry keeps what it saw, its quantity and its price; what differs in
money is the price variance of its invoice (采购价差), never a change of what stock cost.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from central.core.conflicts import DAY_S, Flag, Sort
from protocols.values.instant import Instant, plus
from protocols.values.money import Money

COUNTED_BY = ("pack", "gtin")
"""Fields of an item by which an edge knows what was scanned and how many it is."""


@dataclass(frozen=True, slots=True)
class ItemChange:
    """One change of an item that took effect: its number, when, the fields that differ before and after.

    `told_in` is the first version of the hospital's data that tells of it, None while none does.
    """

    item: str
    number: int
    at: Instant
    before: Mapping[str, str]
    after: Mapping[str, str]
    told_in: int | None

    @property
    def counts(self) -> tuple[str, ...]:
        """Return the fields that differ by which things are counted."""
        return tuple(name for name in COUNTED_BY if name in self.after)


@dataclass(frozen=True, slots=True)
class Seen:
    """An act with an item in a storeroom, and the version of the hospital's data its device knew."""

    event: str
    place: str
    item: str
    at: Instant
    version: int


@dataclass(frozen=True, slots=True)
class Bought:
    """Goods that came for an order: at whose price, and what is agreed with the supplier on the day they came."""

    event: str
    place: str
    item: str
    lot: str
    order: str
    qty: int
    ordered: Money
    agreed: Money


def by_old_data(change: ItemChange, acts: Iterable[Seen]) -> list[Flag]:
    """Return a flag for each storeroom that recorded the item after it changed, by what it was before."""
    by_place: dict[str, list[Seen]] = {}
    for act in sorted(acts, key=lambda one: (one.at, one.event)):
        if act.item == change.item and act.at >= change.at and _is_older(act.version, change.told_in):
            by_place.setdefault(act.place, []).append(act)
    return [_flag(change, place, of_place) for place, of_place in sorted(by_place.items())] if change.counts else []


def _is_older(version: int, told_in: int | None) -> bool:
    return version >= 0 and (told_in is None or version < told_in)


def _flag(change: ItemChange, place: str, acts: Sequence[Seen]) -> Flag:
    said: list[tuple[str, str | int]] = [("change", change.number), ("acts", len(acts)), ("saw", acts[-1].version)]
    for name in change.counts:
        said += [(f"{name}_before", change.before.get(name, "")), (f"{name}_after", change.after[name])]
    due = plus(acts[-1].at, DAY_S)
    return Flag(Sort.MASTER_CHANGED, place, acts[0].event, change.item, due_at=due, detail=tuple(said))


def at_another_price(bought: Iterable[Bought]) -> list[Flag]:
    """Return a flag for each arrival whose order has another price than what is agreed on the day of arrival.

    Pieces with names of one lot come line by line; they are one arrival.
    """
    came = Counter[Bought]()
    for each in bought:
        came[replace(each, qty=0)] += each.qty if each.ordered != each.agreed else 0
    return [
        Flag(
            Sort.PRICE_CHANGED, one.place, one.event, one.item, one.lot,
            detail=(
                ("order", one.order), ("ordered", one.ordered), ("agreed", one.agreed), ("qty", qty),
                ("variance", (one.ordered - one.agreed) * qty),
            ),
        )
        for one, qty in came.items()
        if qty
    ]  # fmt: skip
