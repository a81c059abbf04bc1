"""Delivery notes of wards, and what is to be picked for them: goods on the way, by the order they are sent for. Pure.

A note has one number, which stands on the paper that goes with the goods: the order's letters and digits, or, where no
order was named, the day and where it came from. Once a storeroom has received under a number, what is left or comes
later goes under the next one. The rule that must not be broken: a note lists only what the book has on the way.
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from protocols.movements.posting import PostingLine
from protocols.movements.tags import Binding
from protocols.values.ids import PlaceId, virtual_place
from protocols.values.instant import Instant, business_day

NOTES_MAX = 100
"""Notes one storeroom is told of, the newest; a ward gets a few a day."""
LINES_MAX = 2_000
"""Lines of one note: half of what an edge takes in at once."""
NAME_MAX, DIGITS = 21, 8
"""Characters of an order's number in a note's, which has at most 24; digits that part senders of one day."""


@dataclass(frozen=True, slots=True, order=True)
class Goods:
    """What is on its way: of an item and lot, of an owner, and the piece where it has a name."""

    item: str
    lot: str
    owner: str
    unit: str


@dataclass(frozen=True, slots=True)
class Sent:
    """One line by which goods left for a storeroom; `order` is the one it was sent for, empty where none was named."""

    at: Instant
    event: str
    source: str
    goods: Goods
    qty: int
    order: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One line of an order for a storeroom `to` that another one fills."""

    order: str
    source: PlaceId
    to: PlaceId
    item: str
    qty: int


@dataclass(frozen=True, slots=True)
class Pick:
    """What a storeroom is to send for one order."""

    number: str
    order: str
    to: PlaceId
    lines: tuple[PostingLine, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """What a storeroom may receive by one scan."""

    number: str
    order: str
    lines: tuple[PostingLine, ...]
    bindings: tuple[Binding, ...] = ()


def number_of(order: str) -> str:
    """Return what stands of an order's number on its paper: letters and digits, as a code carries them."""
    return re.sub("[^A-Z0-9]", "", order.upper())[:NAME_MAX]


def stem_of(sent: Sent) -> str:
    """Return what the numbers of a shipment begin with."""
    if sent.order:
        return number_of(sent.order)
    day = business_day(sent.at)
    return f"T{day:%y%m%d}{hashlib.sha256(sent.source.encode()).hexdigest()[:DIGITS].upper()}"


def notes_for(
    ward: PlaceId,
    sent: Iterable[Sent],
    received: Mapping[str, Counter[Goods]],
    on_the_way: Mapping[Goods, int],
    bound: Mapping[str, Binding],
) -> list[Note]:
    """Return the notes a storeroom waits for, the newest first.

    `received` is what it took in under each number, `on_the_way` what the book has for it in transit.
    """
    shipments: defaultdict[str, list[Sent]] = defaultdict(list)
    for one in sorted(sent, key=lambda one: (one.at, one.event, one.goods)):
        shipments[stem_of(one)].append(one)
    left, notes = Counter(on_the_way), list[Note]()
    for stem, lines in sorted(shipments.items(), key=lambda each: (each[1][-1].at, each[0]), reverse=True):
        number, came = _number(stem, received)
        waits = _clipped(_waiting(lines, came), left)
        if waits:
            notes.append(_note(ward, number, lines[-1].order, waits, bound))
    return notes[:NOTES_MAX]


def picks_for(wanted: Iterable[Wanted], gone: Mapping[str, Counter[str]]) -> list[Pick]:
    """Return what is still to be picked, order by order; `gone` is what was sent for each, by item."""
    of_order: defaultdict[tuple[str, PlaceId, PlaceId], Counter[str]] = defaultdict(Counter)
    for one in wanted:
        of_order[one.order, one.source, one.to][one.item] += one.qty
    picks = []
    for (order, source, to), items in sorted(of_order.items()):
        left = items - gone.get(order, Counter())
        way = virtual_place("transit", to)
        lines = tuple(PostingLine(item, qty, source, way) for item, qty in sorted(left.items()))
        picks += [Pick(number_of(order), order, to, lines[:LINES_MAX])] if lines else []
    return picks[-NOTES_MAX:]


def _number(stem: str, received: Mapping[str, Counter[Goods]]) -> tuple[str, Counter[Goods]]:
    """Return the first number nothing was received under, and what was under those before it."""
    came: Counter[Goods] = Counter()
    number, count = stem, 1
    while number in received:
        came += received[number]
        count += 1
        number = f"{stem}{count}"
    return number, came


def _waiting(lines: Iterable[Sent], came: Counter[Goods]) -> Counter[Goods]:
    waits: Counter[Goods] = Counter()
    for one in lines:
        waits[one.goods] += one.qty
    return waits - came


def _clipped(waits: Counter[Goods], left: Counter[Goods]) -> Counter[Goods]:
    """Return what of some goods the book has on the way, and take it from what is left."""
    found: Counter[Goods] = Counter()
    for goods, qty in waits.items():
        found[goods] = max(0, min(qty, left[goods]))
        left[goods] -= found[goods]
    return +found


def _note(ward: PlaceId, number: str, order: str, waits: Counter[Goods], bound: Mapping[str, Binding]) -> Note:
    way = virtual_place("transit", ward)
    goods = sorted(waits)[:LINES_MAX]
    lines = tuple(PostingLine(one.item, waits[one], way, ward, one.lot, one.owner, one.unit) for one in goods)
    return Note(number, order, lines, tuple(bound[one.unit] for one in goods if one.unit in bound))


def units_of(sent: Iterable[Sent]) -> Set[str]:
    """Return the pieces with a name among what was sent."""
    return {one.goods.unit for one in sent if one.goods.unit}
