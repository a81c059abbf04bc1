"""Find what somebody means by a few letters: an item, an order, a piece, a lot, or the label they scanned.

It decides nothing; each part is asked with the caller's own scope. The rule that must not be broken: what a caller may
not see is not found, and an answer does not tell that it is there.
"""

from collections import defaultdict
from dataclasses import dataclass
from unicodedata import normalize

from central.core.certainty import Certainty
from central.core.counts import LastCount
from central.core.reconcile import Line
from central.core.rights import Caller, Right
from central.errors import BadInput, NotThere
from central.services.counts import sides_of_item
from central.services.desk import Desk
from central.services.trace import QUESTION_MAX, Sort, named, trace
from central.store import queries_find as kept
from central.store.queries_master import Item, Place, items, places

LOTS_MAX = 200
"""Lots of one item that are shown; a storeroom's page of stock has all of them, page by page."""
LETTERS_MIN = 2
"""Letters that a name is looked for with; one letter is half the catalogue."""


@dataclass(frozen=True, slots=True)
class Found:
    """What fits a question: items, orders with their storeroom, and whether it names a piece or a lot of the book.

    `asked` is the question as it was understood: full-width signs as plain ones where only so something fits.
    """

    items: tuple[kept.ItemFound, ...]
    orders: tuple[tuple[str, str], ...]
    traced: Sort | None
    whole: bool
    asked: str = ""

    @property
    def count(self) -> int:
        """Return how many things were found."""
        return len(self.items) + len(self.orders) + (self.traced is not None)


@dataclass(frozen=True, slots=True)
class LotHere:
    """One lot of an item in one storeroom: its shelves by the book, and book beside shelf with what is sure of it.

    `count` is the last count by a person.
    """

    place: Place
    lot: str
    expiry: str
    shelves: tuple[kept.Shelf, ...]
    line: Line
    sure: Certainty
    count: LastCount | None


def find(desk: Desk, caller: Caller, question: str) -> Found:
    """Return what fits a question. Raises `NotAllowed` for who may see neither stock nor orders."""
    if not caller.may(Right.SEE_STOCK):
        caller.need(Right.SEE_ORDERS)
    asked = question.strip()[:QUESTION_MAX]
    plain = normalize("NFKC", asked).strip()[:QUESTION_MAX]
    found = _found(desk, caller, asked)
    return found if found.count or plain == asked else _found(desk, caller, plain)


def _found(desk: Desk, caller: Caller, asked: str) -> Found:
    if len(asked) < LETTERS_MIN:
        return Found((), (), None, whole=True, asked=asked)
    with desk.store.read() as connection:
        label = named(connection, desk.hospital, asked)
        of_label = label.item if label is not None and label.sort is Sort.ITEM else asked
        found = kept.items_like(connection, desk.hospital, of_label)
        orders = kept.orders_like(connection, desk.hospital, asked, caller.scope(Right.SEE_ORDERS))
    whole = max(len(found), len(orders)) < kept.FOUND_MAX
    return Found(tuple(found), tuple(orders), _traced(desk, caller, asked), whole, asked)


def _traced(desk: Desk, caller: Caller, asked: str) -> Sort | None:
    """Return what a question names in the book, None for nothing; an item is found by its name already."""
    if not caller.may(Right.SEE_STOCK):
        return None
    try:
        sort = trace(desk.store, desk.hospital, caller, asked, desk.now()).sort
    except (NotThere, BadInput):
        return None
    return None if sort is Sort.ITEM else sort


def item_here(desk: Desk, caller: Caller, item: str) -> tuple[Item, list[LotHere], bool]:
    """Return an item, its lots in each storeroom the caller may see, and whether these are all.

    Of more than `LOTS_MAX` lots those that expire first are given. Raises `NotAllowed`, `NotThere`.
    """
    caller.need(Right.SEE_STOCK)
    scope = caller.scope(Right.SEE_STOCK)
    with desk.store.read() as connection:
        known = items(connection, desk.hospital, [item]).get(item)
        if known is None:
            raise NotThere(f"item: expected one of the catalogue, got {item!r:.40}")
        rooms = {room.place: room for room in places(connection, desk.hospital) if room.place in scope}
        first = kept.lots_first(connection, desk.hospital, item, rooms, LOTS_MAX + 1)
        lots = first[:LOTS_MAX] if len(first) > LOTS_MAX else None
        shelves: defaultdict[tuple[str, str], list[kept.Shelf]] = defaultdict(list)
        for one in kept.shelves(connection, desk.hospital, item, rooms, lots):
            shelves[one.place, one.lot].append(one)
        days = kept.lot_days(connection, desk.hospital, item, lots)
        sides = sides_of_item(connection, desk, sorted({place for place, _ in shelves}), item, lots)
    found = [
        LotHere(rooms[place], line.lot, days.get(line.lot, ""), tuple(shelves[place, line.lot]), line, sure, count)
        for place, line, sure, count in sides
    ]
    return known, sorted(found, key=lambda one: (one.expiry or "9999", one.lot, one.place.place)), lots is None
