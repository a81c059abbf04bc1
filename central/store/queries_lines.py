"""The lines of one storeroom's book, a page at a time: which items and lots it holds, by index, never all of them.

A line is one item and lot. Reading only, no rule. The rule that must not be broken: a page costs what a page holds,
however long the list is.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select, tuple_

from central.store.tables.ledger import BALANCE, IS_HELD
from central.store.tables.master import ITEM
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


def held_among(connection: Connection, hospital: HospitalId, place: str, keys: Sequence[LineKey]) -> dict[LineKey, int]:
    """Return what the book holds of some lines: loose pieces, and one for each tagged unit."""
    of_items = BALANCE.c.item.in_(sorted({item for item, _ in keys}))  # by which the index is entered; pairs do not
    lines = of_items & tuple_(BALANCE.c.item, BALANCE.c.lot).in_(keys)
    rows = connection.execute(
        select(BALANCE.c.item, BALANCE.c.lot, BALANCE.c.unit, BALANCE.c.qty).where(
            BALANCE.c.hospital == hospital, BALANCE.c.place == place, IS_HELD, lines
        )
    )
    sums: dict[tuple[str, str, str], int] = {}
    for row in rows:
        key = (row.item, row.lot, row.unit)
        sums[key] = sums.get(key, 0) + row.qty
    held = dict.fromkeys(keys, 0)
    for (item, lot, unit), qty in sums.items():
        if (item, lot) in held:
            held[item, lot] += (qty > 0) if unit else qty
    return held
