"""The lines of a storeroom as people look for them: by name, code or lot, page by page.

It decides nothing; the lines are those of the comparison of book and shelf. The rules that must not be broken: a
storeroom is shown to who may see it; a page reads its own lines, and of the rest only what differs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import msgspec
from sqlalchemy import Connection

from central.core.reconcile import lines_by
from central.core.rights import Caller, Right
from central.errors import NotThere
from central.services.desk import Desk
from central.services.policy import rules_at
from central.services.reconcile import BOUNDS, bounds_of
from central.store.paging import Page, PageAsked, read_cursor, write_cursor
from central.store.queries_book import units_against
from central.store.queries_lines import LineKey, Sought, book_page, held_among
from central.store.queries_master import Item, Place, expiries_among, is_place, items, places
from protocols.values.ids import PlaceId

PAGE_LINES = 100
LINES_AT_ONCE = 1_000
"""Lines read together where all are wanted."""
FOUND_MAX = 10_000
"""Lines that a search finds at one look; of more they are counted first, which is a second look."""
DIFFERING_MAX = 10_000
"""Lines of one storeroom that differ: each has a tagged unit, of which a storeroom has at most some thousands."""


class StockLine(msgspec.Struct, frozen=True):
    """One item and lot in one storeroom, in base units."""

    item: str
    name_zh: str
    name_en: str
    spec: str
    lot: str
    expiry: date | None
    book: int
    physical: int
    difference: int


def storerooms(desk: Desk, caller: Caller) -> list[Place]:
    """Return the storerooms somebody may look into."""
    scope = caller.scope(Right.SEE_STOCK)
    with desk.store.read() as connection:
        return [room for room in places(connection, desk.hospital) if room.place in scope]


@dataclass(frozen=True, slots=True)
class StockPage:
    """One page of a storeroom's lines, those that differ first, and how many there are in all."""

    lines: list[StockLine]
    count: int


def stock_page(
    desk: Desk, caller: Caller, place: str, question: str = "", *, differing: bool = False, page: int = 1
) -> StockPage:
    """Return a page of the lines of a storeroom that fit. Raises `NotAllowed`, `NotThere`."""
    caller.need(Right.SEE_STOCK, PlaceId(place))
    begin, end = (page - 1) * PAGE_LINES, page * PAGE_LINES
    with desk.store.read() as connection:
        shelf = shelf_of(connection, desk, place, question)
        off = shelf.off()
        if differing:
            return StockPage(shelf.lines(off[begin:end]), len(off))
        if shelf.sought.text:
            named = shelf.sought.keys(connection, limit=FOUND_MAX + 1)
            if len(named) <= FOUND_MAX:
                apart = set(off)
                every = off + [key for key in named if key not in apart]
                return StockPage(shelf.lines(every[begin:end]), len(every))
        first = shelf.lines(off[begin:end])
        inside = shelf.sought.count(connection) - len(shelf.booked(off))
        room = PAGE_LINES - len(first)
        keys = shelf.sought.keys(connection, limit=room, skip=max(0, begin - len(off)), without=off) if room else []
        return StockPage(first + shelf.lines(keys), len(off) + inside)


def stock(
    desk: Desk, caller: Caller, place: str, question: str = "", *, differing: bool = False
) -> Iterator[StockLine]:
    """Give every line of a storeroom that fits, by item and lot, as they are read. Raises `NotAllowed`, `NotThere`."""
    caller.need(Right.SEE_STOCK, PlaceId(place))
    return _every_line(desk, place, question, differing=differing)


def _every_line(desk: Desk, place: str, question: str, *, differing: bool) -> Iterator[StockLine]:
    with desk.store.read() as connection:
        shelf = shelf_of(connection, desk, place, question)
        if differing:
            yield from shelf.lines(shelf.off())
            return
        after: LineKey | None = None
        while True:
            keys, more = shelf.keys(after, LINES_AT_ONCE)
            yield from shelf.lines(keys)
            if not more:
                return
            after = keys[-1]


def lines_page(desk: Desk, caller: Caller, place: str, asked: PageAsked) -> Page[StockLine]:
    """Return a page of a storeroom's lines by item and lot. Raises `NotAllowed`, `NotThere`; `BadInput`, the cursor."""
    caller.need(Right.SEE_STOCK, PlaceId(place))
    after: LineKey | None = None
    if asked.cursor:
        item, lot = read_cursor("lines", asked.cursor, (str, str))
        after = str(item), str(lot)
    with desk.store.read() as connection:
        shelf = shelf_of(connection, desk, place)
        lines, ends = shelf.page(after, asked.limit)
        return Page(tuple(lines), "" if ends is None else write_cursor("lines", ends))


@dataclass(frozen=True, slots=True)
class Shelf:
    """One storeroom's book, and by how much the shelf differs from it, line by line; `units` speak against the book."""

    connection: Connection
    sought: Sought
    differs: Mapping[LineKey, int]

    def off(self) -> list[LineKey]:
        """Return the lines that differ and fit, in order."""
        if not self.sought.text:
            return sorted(self.differs)[:DIFFERING_MAX]
        named = items(self.connection, self.sought.hospital, (item for item, _ in self.differs))
        return [key for key in sorted(self.differs) if self._fits(key, named.get(key[0]))][:DIFFERING_MAX]

    def booked(self, keys: Sequence[LineKey]) -> list[LineKey]:
        """Return those of some lines that the book has."""
        there = self.sought.among(self.connection, keys)
        return [key for key in keys if key in there]

    def keys(self, after: LineKey | None, limit: int) -> tuple[list[LineKey], bool]:
        """Return the next lines in the order of item and lot, at most `limit`, and whether there are more."""
        found = self.sought.keys(self.connection, limit=limit + 1, after=after)
        merged = sorted({*found, *self._between(after, found[-1] if len(found) > limit else None)})
        return merged[:limit], len(merged) > limit

    def page(self, after: LineKey | None, limit: int) -> tuple[list[StockLine], LineKey | None]:
        """Return the next lines whole where all are sought, and the key behind which there are more, else None."""
        hospital, place = self.sought.hospital, self.sought.place
        book = book_page(self.connection, hospital, place, after, limit)
        last = next(reversed(book.lines)) if book.more else None
        beside = [key for key in self._between(after, last) if key not in book.lines]
        apart = {(line.item, line.lot): line for line in self.lines(beside)}
        named = items(self.connection, hospital, {item for item, _ in book.lines})
        merged = sorted({*book.lines, *beside}) if beside else list(book.lines)
        lines = []
        for key in merged[:limit]:
            difference = self.differs.get(key, 0)
            if key not in book.lines:
                lines += [apart[key]] if key in apart else []
                continue
            expiry, held = book.lines[key]
            if held or difference:
                lines.append(_line(key, named.get(key[0]), expiry, held, difference))
        return lines, merged[limit - 1] if book.more or len(merged) > limit else None

    def _between(self, after: LineKey | None, last: LineKey | None) -> list[LineKey]:
        """Return the lines that differ and stand behind a key and not behind another."""
        return [key for key in self.off() if (after is None or key > after) and (last is None or key <= last)]

    def lines(self, keys: Sequence[LineKey]) -> list[StockLine]:
        """Return some lines whole; a line with nothing in the book and nothing on the shelf is none."""
        if not keys:
            return []
        hospital, place = self.sought.hospital, self.sought.place
        held = held_among(self.connection, hospital, place, keys)
        names = items(self.connection, hospital, (item for item, _ in keys))
        days = expiries_among(self.connection, hospital, keys)
        return [
            _line(key, names.get(key[0]), days.get(key), held[key], self.differs.get(key, 0))
            for key in keys
            if held[key] or self.differs.get(key, 0)
        ]

    def _fits(self, key: LineKey, item: Item | None) -> bool:
        words = (*key, *(() if item is None else (item.name_zh, item.name_en, item.spec)))
        return any(self.sought.text in word.lower() for word in words)


def shelf_of(connection: Connection, desk: Desk, place: str, question: str = "") -> Shelf:
    """Return the shelf of a storeroom now, and what is sought on it. Raises `NotThere` for a place nobody imported."""
    if not is_place(connection, desk.hospital, place):
        raise NotThere(f"place: expected a storeroom that was imported, got {place!r:.40}")
    bounds = bounds_of(rules_at(connection, desk.hospital, desk.now(), *BOUNDS))
    against = units_against(connection, desk.hospital, place, bounds)
    differs = {(one.item, one.lot): one.difference for one in lines_by(place, {}, against, bounds.here)}
    return Shelf(connection, Sought(desk.hospital, place, question.strip().lower()), differs)


def _line(key: LineKey, item: Item | None, expiry: date | None, book: int, difference: int) -> StockLine:
    code, lot = key
    if item is None:
        return StockLine(code, "", "", "", lot, expiry, book, book + difference, difference)
    return StockLine(code, item.name_zh, item.name_en, item.spec, lot, expiry, book, book + difference, difference)
