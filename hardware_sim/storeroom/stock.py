"""The tags of a storeroom and its neighbour, as columns: what each is, where it stands, and what is still to arrive.

It draws which items stand on which shelf; it moves nothing. Items are those of the sample hospital. The rule that must
not be broken: a tag's number is its place in `tags` of the trace, and never changes.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from hardware_sim.errors import WrongUse
from hardware_sim.sample.catalogue import COMPANY_PREFIX_LENGTH, Item, Lot, Sample, read_sample
from protocols.codes.epc import encode_sgtin96
from protocols.values.ids import Epc, ItemId

SHELVES = ("S1", "S2", "S3", "S4", "S5", "S6")
NEXT_SHELF = "N1"
ROOM_ANTENNAS, DOOR_ANTENNAS, NEXT_ANTENNAS = (1, 2, 3, 4), (5, 6), (7,)
"""Door: inside, outside."""

FACING = ((0, 1), (0, 1), (1, 2), (1, 2), (2, 3), (2, 3))
"""For each shelf the two antennas (as places in `ROOM_ANTENNAS`) that face it, as in `world`."""

TAGS_MAX, DAYS_MAX, TAG_DAYS_MAX = 20_000, 366, 200_000
"""Limits of one trace: a year of a ward, or a week of a very large store."""

LINE_TAGS = (4, 12)
"""Tags of one item in one storeroom, few and many."""

REFERENCE_ITEM = "REFERENCE"
SPARE_SHARE, SPARE_LEAST = 1.1, 10
"""Tags that may still arrive, per tag that is likely to be taken; and at least so many."""


Lots = Mapping[str, Sequence[Lot]]


class Where(IntEnum):
    """Where a piece is. The number is the one in the arrays of the radio."""

    OUT = 0
    HERE = 1
    NEXT = 2

    @property
    def word(self) -> str:
        """Return the word of the trace."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Piece:
    """One tag. `first` is where it is when the trace begins; `shelf` is a place in `SHELVES`, its own shelf.

    `expiry_day` is counted from the first day, as in the sample.
    """

    epc: Epc
    item: str
    lot: str
    shelf: int
    home: Where
    first: Where
    gtin: str = ""
    serial: str = ""
    expiry_day: int = 0


@dataclass(frozen=True, slots=True)
class Stock:
    """Every tag, in the order of the trace: pieces, then one reference tag for each antenna that has one."""

    pieces: tuple[Piece, ...]
    references: tuple[Piece, ...]

    @property
    def tags(self) -> tuple[Piece, ...]:
        """Return all, in the order of the trace."""
        return self.pieces + self.references


def draw_stock(rng: random.Random, *, tags: int, next_tags: int, spares: int) -> Stock:
    """Draw `tags` pieces on the shelves here, the neighbour's, and spares that may still arrive.

    Raises `WrongUse` for a number of tags that cannot be simulated.
    """
    if not 1 <= tags <= TAGS_MAX:
        raise WrongUse(f"--tags: expected 1..{TAGS_MAX}, got {tags}")
    sample = read_sample()
    lots = {item: sorted(rows, key=lambda lot: lot.lot) for item, rows in _lots_of(sample).items()}
    items = [sample.items[ItemId(item)] for item in sorted(lots)]
    here = _lines(rng, items, tags)
    there = _lines(rng, items, next_tags)
    serial = iter(range(1, 1 << 30))
    pieces = [_piece(rng, line, lots, next(serial), Where.HERE, Where.HERE) for line in here]
    pieces += [_piece(rng, line, lots, next(serial), Where.NEXT, Where.NEXT) for line in there]
    pieces += [_piece(rng, rng.choice(here), lots, next(serial), Where.HERE, Where.OUT) for _ in range(spares)]
    references = [_reference(antenna) for antenna in ROOM_ANTENNAS]
    return Stock(tuple(pieces), tuple(references))


def _lots_of(sample: Sample) -> dict[str, list[Lot]]:
    found: dict[str, list[Lot]] = {}
    for lot in sample.lots.values():
        found.setdefault(lot.item, []).append(lot)
    return found


def _lines(rng: random.Random, items: Sequence[Item], tags: int) -> list[tuple[Item, int]]:
    """Return (item, shelf) for each of so many tags: a line of an item stands together on one shelf."""
    rows: list[tuple[Item, int]] = []
    turn = 0
    order = rng.sample(items, len(items))
    while len(rows) < tags:
        line = (order[turn % len(order)], rng.randrange(len(SHELVES)))
        rows += [line] * min(rng.randint(*LINE_TAGS), tags - len(rows))
        turn += 1
    return rows


def _piece(rng: random.Random, line: tuple[Item, int], lots: Lots, serial: int, home: Where, first: Where) -> Piece:
    item, shelf = line
    epc = encode_sgtin96(item.gtin, company_prefix_length=COMPANY_PREFIX_LENGTH, serial=serial, filter=0)
    lot = rng.choice(lots[item.item])
    return Piece(epc, item.item, lot.lot, shelf, home, first, item.gtin, str(serial), lot.expiry_day)


def _reference(antenna: int) -> Piece:
    epc = Epc(f"E2{antenna:022X}")
    return Piece(epc, REFERENCE_ITEM, "", (antenna - 1) * 2 % len(SHELVES), Where.HERE, Where.HERE)
