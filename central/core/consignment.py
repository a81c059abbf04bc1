"""Goods that stay their supplier's until they are used: what of them was used in a month, and what is laid in again.

A settlement 消耗结算单 says, item by item, what the ledger says was used of a supplier's goods, beside what the other
system charged; its amount is what the month's value lines owe that supplier, by construction. The rules that must not
be broken: a settlement is of a closed month, and one month of one supplier has one; what is used is laid in again one
for one, never more than the level agreed.

Sources: D9 (S3) consignment, ownership flips once, at use; H2 (S0) totals = ledger; E2 (S0) use beside charge.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from central.core.valuation import CONSIGNED, Part
from central.errors import NotNow
from protocols.values.ids import HOSPITAL_OWNED
from protocols.values.money import Money


class NoteState(StrEnum):
    """Where a settlement stands with its supplier."""

    MADE = "made"
    DISPUTED = "disputed"
    AGREED = "agreed"


class NoteStep(StrEnum):
    """What may happen to it."""

    AGREE = "agree"
    DISPUTE = "dispute"


NOTE_STEPS: Mapping[tuple[NoteState, NoteStep], NoteState] = MappingProxyType(
    {
        (NoteState.MADE, NoteStep.AGREE): NoteState.AGREED,
        (NoteState.MADE, NoteStep.DISPUTE): NoteState.DISPUTED,
        (NoteState.DISPUTED, NoteStep.AGREE): NoteState.AGREED,
    }
)
"""What is admitted. An agreed one is invoiced; what it got wrong is put right by the next month's."""


def note_after(state: NoteState, event: NoteStep) -> NoteState:
    """Return a settlement's state after an event. Raises `NotNow` naming both when the table does not admit it."""
    after = NOTE_STEPS.get((state, event))
    if after is None:
        raise NotNow(f"settlement: cannot {event} one that is {state}")
    return after


@dataclass(frozen=True, slots=True)
class NoteLine:
    """One item of a settlement; `charged` is None where the other system told nothing of the month."""

    item: str
    used: int
    charged: int | None
    price: Money

    @property
    def amount(self) -> Money:
        """What is owed for it; below 0 where more was given back than used."""
        return Money(self.used * self.price)

    @property
    def difference(self) -> int | None:
        """Used less charged: above 0 used and not charged, below 0 charged and not used."""
        return None if self.charged is None else self.used - self.charged


def used_of(parts: Iterable[Part]) -> dict[str, dict[tuple[str, Money], int]]:
    """Return what was used of each supplier's goods, less what was given back, by item and price."""
    found: defaultdict[str, defaultdict[tuple[str, Money], int]] = defaultdict(lambda: defaultdict(int))
    for part in parts:
        if part.owner != HOSPITAL_OWNED or part.origin[0] != CONSIGNED:
            continue
        sign = part.source.startswith("owner@") - part.target.startswith("owner@")
        found[part.origin[1]][part.item, part.price] += sign * part.qty
    return {supplier: {key: qty for key, qty in of.items() if qty} for supplier, of in sorted(found.items())}


def lots_used(parts: Iterable[Part], supplier: str) -> dict[str, set[str]]:
    """Return the lots of a supplier's goods that were used, by item: whose charges stand beside the use."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for part in parts:
        if part.owner == HOSPITAL_OWNED and part.origin == (CONSIGNED, supplier):
            found[part.item].add(part.lot)
    return dict(found)


def note_lines(used: Mapping[tuple[str, Money], int], charged: Mapping[str, int] | None) -> list[NoteLine]:
    """Return the lines of a settlement; charges of an item go to its prices in turn, the rest to the last."""
    left = dict(charged or {})
    lines: list[NoteLine] = []
    for number, ((item, price), qty) in enumerate(listed := sorted(used.items())):
        last = number + 1 == len(listed) or listed[number + 1][0][0] != item
        told = left.get(item, 0) if last else min(qty, left.get(item, 0))
        left[item] = left.get(item, 0) - told
        lines.append(NoteLine(item, qty, None if charged is None else told, price))
    return lines


def to_lay_in(level: int, held: int, on_order: int) -> int:
    """Return the base units to lay in again: what of the level is neither in the hospital nor on its way."""
    return max(0, level - max(0, held) - on_order)
