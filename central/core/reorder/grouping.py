"""Group what is due by supplier and day: one order with many lines, joined by lines that will soon be due.

A line that is due opens its supplier's order; others of that supplier join when their position is at or below their
can-order level, a share of the lot above the reorder point (Silver). The rule that must not be broken: nobody joins an
order that no due line opened, and a supplier's least order value holds back only what is not vital.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from central.core.reorder.facts import FREE
from central.errors import BadInput
from protocols.values.money import Money, times

CAN_ORDER_SHARE = 0.25
"""Share of a lot above the reorder point at which a line may join: about two days before it would be due itself."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A line that might be ordered: whether it is due, where it stands, and `qty` units up to its level."""

    place: str
    item: str
    supplier: str
    due: bool
    vital: bool
    position: int
    point: int
    lot: int
    qty: int
    price: Money

    def __post_init__(self) -> None:
        if self.lot < 1 or self.qty < 0:
            raise BadInput(f"order line: expected a lot from 1 and a quantity from 0, got {self}")

    @property
    def can_order_level(self) -> int:
        """The position at which the line may join."""
        return self.point + int(CAN_ORDER_SHARE * self.lot)


@dataclass(frozen=True, slots=True)
class Group:
    """One supplier's order; `held_back` are due lines that wait because the order is too small."""

    supplier: str
    lines: tuple[Wish, ...]
    held_back: tuple[Wish, ...]


def grouped(wishes: Sequence[Wish], least_value: Money = FREE) -> list[Group]:
    """Return each supplier's order, by supplier."""
    by_supplier: defaultdict[str, list[Wish]] = defaultdict(list)
    for wish in sorted(wishes, key=lambda one: (one.supplier, one.place, one.item)):
        by_supplier[wish.supplier].append(wish)
    groups = (_group(supplier, several, least_value) for supplier, several in by_supplier.items())
    return [one for one in groups if one.lines or one.held_back]


def _group(supplier: str, wishes: Sequence[Wish], least_value: Money) -> Group:
    due = [one for one in wishes if one.due and one.qty > 0]
    if not due:
        return Group(supplier, (), ())
    joining = [one for one in wishes if not one.due and one.qty > 0 and one.position <= one.can_order_level]
    lines = [*due, *joining]
    if sum(times(one.price, one.qty) for one in lines) >= least_value:
        return Group(supplier, tuple(lines), ())
    vital = tuple(one for one in due if one.vital)
    return Group(supplier, vital, tuple(one for one in due if not one.vital))
