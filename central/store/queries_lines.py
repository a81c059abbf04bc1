"""The lines of one storeroom's book, a page at a time: which items and lots it holds, by index, never all of them.

A line is one item and lot. Reading only, no rule. The rule that must not be broken: a page costs what a page holds,
however long the list is.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, bindparam, func, or_, select, tuple_

from central.store.prepared import Prepared, as_day
from central.store.tables.ledger import BALANCE, IS_HELD
from central.store.tables.master import ITEM, LOT
from protocols.values.ids import HospitalId

LineKey = tuple[str, str]
"""Item and lot."""


@dataclass(frozen=True, slots=True)
class Sought:
    """Which lines of a storeroom's book are wanted: those in whose item or lot a text stands, whatever the case."""

    hospital: HospitalId
    place: str
    text: str = ""

    def keys(
        self,
        connection: Connection,
        *,
        limit: int,
        after: LineKey | None = None,
        skip: int = 0,
        without: Collection[LineKey] = (),
    ) -> list[LineKey]:
        """Return items and lots in their order, those after a key, less `skip` and those named."""
        chosen = self._keys().order_by(BALANCE.c.item, BALANCE.c.lot).limit(limit).offset(skip)
        if after is not None:
            chosen = chosen.where(tuple_(BALANCE.c.item, BALANCE.c.lot) > after)
        if without:
            chosen = chosen.where(tuple_(BALANCE.c.item, BALANCE.c.lot).not_in(sorted(without)))
        return [(row.item, row.lot) for row in connection.execute(chosen)]

    def among(self, connection: Connection, keys: Collection[LineKey]) -> set[LineKey]:
        """Return those of some lines that the book has and that are wanted."""
        chosen = self._keys().where(tuple_(BALANCE.c.item, BALANCE.c.lot).in_(sorted(keys)))
        return {(row.item, row.lot) for row in connection.execute(chosen)} if keys else set()

    def count(self, connection: Connection) -> int:
        """Return how many lines there are."""
        found: int = connection.execute(select(func.count()).select_from(self._keys().subquery())).scalar_one()
        return found

    def _keys(self) -> Select[Any]:
        chosen = select(BALANCE.c.item, BALANCE.c.lot).distinct()
        chosen = chosen.where(BALANCE.c.hospital == self.hospital, BALANCE.c.place == self.place, IS_HELD)
        if not self.text:
            return chosen
        named = or_(*(_says(ITEM.c[name], self.text) for name in ("item", "name_zh", "name_en", "spec")))
        items = select(ITEM.c.item).where(ITEM.c.hospital == self.hospital, named)
        return chosen.where(
            or_(BALANCE.c.item.in_(items), _says(BALANCE.c.item, self.text), _says(BALANCE.c.lot, self.text))
        )


def _says(column: Any, text: str) -> Any:  # noqa: ANN401 # columns and conditions of Core
    return func.lower(column).contains(text.lower(), autoescape=True)


BookLine = tuple[date | None, int]
"""One line of a storeroom's book: its expiry, and the base units held, which may be none or less."""


class BookPage(msgspec.Struct, frozen=True):
    """Some lines of a storeroom's book, whole and in the order of item and lot, and whether there are more."""

    lines: dict[LineKey, BookLine]
    more: bool


_HELD_HERE = (BALANCE.c.hospital == bindparam("hospital"), BALANCE.c.place == bindparam("place"), IS_HELD)
_EXPIRES = (LOT.c.hospital == bindparam("hospital")) & (LOT.c.item == BALANCE.c.item) & (LOT.c.lot == BALANCE.c.lot)
_ROWS = (
    select(BALANCE.c.item, BALANCE.c.lot, BALANCE.c.unit, BALANCE.c.qty)
    .add_columns(select(LOT.c.expiry).where(_EXPIRES).scalar_subquery())
    .where(*_HELD_HERE)
    .order_by(BALANCE.c.item, BALANCE.c.lot)
    .limit(bindparam("limit"))
)
_FIRST = Prepared(_ROWS)
_AFTER = Prepared(_ROWS.where(tuple_(BALANCE.c.item, BALANCE.c.lot) > tuple_(bindparam("item"), bindparam("lot"))))
MORE_ROWS = 4
"""How many times as many rows are read where those read did not make a page: a line of tagged units has many."""


def book_page(connection: Connection, hospital: HospitalId, place: str, after: LineKey | None, limit: int) -> BookPage:
    """Return the first lines of a storeroom's book behind a key."""
    lines: dict[LineKey, BookLine] = {}
    asked: dict[str, Any] = {"hospital": hospital, "place": place, "limit": limit + 1}
    while True:
        if after is None:
            rows = _FIRST.rows(connection, **asked)
        else:
            rows = _AFTER.rows(connection, item=after[0], lot=after[1], **asked)
        is_end = len(rows) < asked["limit"]
        held = _held(rows)
        days = {(item, lot): day for item, lot, _, _, day in rows}
        if not is_end:
            held.popitem()  # its other rows were perhaps not read
        for key, qty in held.items():
            if len(lines) == limit:
                return BookPage(lines, more=True)
            day = days[key]
            lines[key] = (day and as_day(day), qty)
            after = key
        if is_end or len(lines) == limit:
            return BookPage(lines, more=not is_end)
        asked["limit"] *= MORE_ROWS


def _held(rows: Iterable[Sequence[Any]]) -> dict[LineKey, int]:
    """Return what lines hold, of item, lot, unit and quantity; the database's own sum ends at 64 bits.

    They come in the order of their first rows.
    """
    held: dict[LineKey, int] = {}
    units: dict[tuple[LineKey, str], int] = {}
    for item, lot, unit, qty, *_ in rows:
        key = (item, lot)
        held[key] = held.get(key, 0) + (0 if unit else qty)
        if unit:
            units[key, unit] = units.get((key, unit), 0) + qty
    for (key, _), qty in units.items():
        held[key] += qty > 0
    return held


def held_among(connection: Connection, hospital: HospitalId, place: str, keys: Sequence[LineKey]) -> dict[LineKey, int]:
    """Return what the book holds of some lines: loose pieces, and one for each tagged unit."""
    of_items = BALANCE.c.item.in_(sorted({item for item, _ in keys}))  # by which the index is entered; pairs do not
    lines = of_items & tuple_(BALANCE.c.item, BALANCE.c.lot).in_(keys)
    rows = connection.execute(
        select(BALANCE.c.item, BALANCE.c.lot, BALANCE.c.unit, BALANCE.c.qty).where(
            BALANCE.c.hospital == hospital, BALANCE.c.place == place, IS_HELD, lines
        )
    )
    held = _held((*row,) for row in rows)
    return {key: held.get(key, 0) for key in keys}


@dataclass(frozen=True, slots=True)
class Lying:
    """What the book has of a line at one position: loose pieces, or one tagged unit."""

    item: str
    lot: str
    position: str
    unit: str
    qty: int


def lying_among(connection: Connection, hospital: HospitalId, place: str, keys: Sequence[LineKey]) -> list[Lying]:
    """Return what the book has of some lines of a storeroom, position by position."""
    of_items = BALANCE.c.item.in_(sorted({item for item, _ in keys}))  # by which the index is entered; pairs do not
    lines = of_items & tuple_(BALANCE.c.item, BALANCE.c.lot).in_(keys)
    row = BALANCE.c
    rows = connection.execute(
        select(row.item, row.lot, row.position, row.unit, row.qty).where(
            row.hospital == hospital, row.place == place, IS_HELD, lines
        )
    )
    return [Lying(*one) for one in rows]
