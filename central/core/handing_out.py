"""Which lots of the hospital's own store go out for what a ward is owed, first to expire first. Pure.

It posts nothing. The rule that must not be broken: nothing expired, recalled or waiting in the pending area goes out,
and never more than the book has there.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from protocols.movements.posting import PostingLine
from protocols.values.ids import PlaceId, virtual_place


@dataclass(frozen=True, slots=True)
class Loose:
    """Loose base units of a lot on one shelf of the store, and whose they are."""

    item: str
    lot: str
    owner: str
    position: str
    qty: int


@dataclass(frozen=True, slots=True)
class Shelves:
    """What bears on what may go out: the goods there, when their lots expire, and what is held back."""

    store: PlaceId
    goods: Sequence[Loose]
    days: Mapping[tuple[str, str], date]
    held: Collection[tuple[str, str]]
    pending: str
    today: date

    def usable(self, item: str) -> list[Loose]:
        """Return the goods of an item that may go out, first to expire first; on its last day a lot still may."""
        good = [
            one
            for one in self.goods
            if one.item == item
            and one.position != self.pending
            and (item, one.lot) not in self.held
            and self.days.get((item, one.lot), date.max) >= self.today
        ]
        return sorted(good, key=lambda one: (self.days.get((item, one.lot), date.max), one.lot, one.position))


def lines_for(shelves: Shelves, item: str, qty: int, ward: PlaceId) -> list[PostingLine]:
    """Return the lines that put base units of an item on their way to a ward: `qty`, or all that may go out."""
    way, left, lines = virtual_place("transit", ward), qty, list[PostingLine]()
    for one in shelves.usable(item):
        part = min(left, one.qty)
        if part > 0:
            lines.append(PostingLine(item, part, shelves.store, way, one.lot, one.owner, source_position=one.position))
            left -= part
    return lines
