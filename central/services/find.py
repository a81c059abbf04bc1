"""Find what somebody means by a few letters: an item, an order, a piece, a lot, or the label they scanned.

It decides nothing; each part is asked with the caller's own scope. The rule that must not be broken: what a caller may
not see is not found, and an answer does not tell that it is there.
"""

from dataclasses import dataclass

from central.core.rights import Caller, Right
from central.errors import BadInput, NotThere
from central.services.counts import Sided, side_by_side
from central.services.desk import Desk
from central.services.trace import QUESTION_MAX, Sort, trace
from central.store import queries_find as kept
from central.store.queries_master import Item, Place, items, places

LETTERS_MIN = 2
"""Letters that a name is looked for with; one letter is half the catalogue."""


@dataclass(frozen=True, slots=True)
class Found:
    """What fits a question: items, orders with their storeroom, and whether it names a piece or a lot of the book."""

    items: tuple[kept.ItemFound, ...]
    orders: tuple[tuple[str, str], ...]
    traced: Sort | None
    whole: bool

    @property
    def count(self) -> int:
        """Return how many things were found."""
        return len(self.items) + len(self.orders) + (self.traced is not None)


@dataclass(frozen=True, slots=True)
class LotHere:
    """One lot of an item in one storeroom: its shelves by the book, and book beside shelf with what is sure of it."""

    place: Place
    lot: str
    expiry: str
    shelves: tuple[kept.Shelf, ...]
    side: Sided


def find(desk: Desk, caller: Caller, question: str) -> Found:
    """Return what fits a question. Raises `NotAllowed` for who may see neither stock nor orders."""
    if not caller.may(Right.SEE_STOCK):
        caller.need(Right.SEE_ORDERS)
    asked = question.strip()[:QUESTION_MAX]
    if len(asked) < LETTERS_MIN:
        return Found((), (), None, whole=True)
    with desk.store.read() as connection:
        found = kept.items_like(connection, desk.hospital, asked)
        orders = kept.orders_like(connection, desk.hospital, asked, caller.scope(Right.SEE_ORDERS))
    whole = max(len(found), len(orders)) < kept.FOUND_MAX
    return Found(tuple(found), tuple(orders), _traced(desk, caller, asked), whole)


def _traced(desk: Desk, caller: Caller, asked: str) -> Sort | None:
    """Return what a question names in the book, None for nothing; an item is found by its name already."""
    if not caller.may(Right.SEE_STOCK):
        return None
    try:
        sort = trace(desk.store, desk.hospital, caller, asked).sort
    except (NotThere, BadInput):
        return None
    return None if sort is Sort.ITEM else sort


def item_here(desk: Desk, caller: Caller, item: str) -> tuple[Item, list[LotHere]]:
    """Return an item and each of its lots in each storeroom the caller may see. Raises `NotAllowed`, `NotThere`."""
    caller.need(Right.SEE_STOCK)
    scope = caller.scope(Right.SEE_STOCK)
    with desk.store.read() as connection:
        known = items(connection, desk.hospital, [item]).get(item)
        if known is None:
            raise NotThere(f"item: expected one of the catalogue, got {item!r:.40}")
        rooms = {room.place: room for room in places(connection, desk.hospital) if room.place in scope}
        shelves = kept.shelves(connection, desk.hospital, item, rooms)
        days = kept.lot_days(connection, desk.hospital, item)
    found = []
    for place in sorted({shelf.place for shelf in shelves}):
        for side in side_by_side(desk, caller, place):
            if side.line.item == item:
                lot = side.line.lot
                here = tuple(one for one in shelves if (one.place, one.lot) == (place, lot))
                found.append(LotHere(rooms[place], lot, days.get(lot, ""), here, side))
    return known, sorted(found, key=lambda one: (one.expiry or "9999", one.lot, one.place.place))
