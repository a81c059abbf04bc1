"""The lines of a storeroom as people look for them: by name, code or lot, page by page.

It decides nothing; the lines are those of the comparison of book and shelf. The rule that must not be broken: a
storeroom is shown to who may see it.
"""

from dataclasses import dataclass
from datetime import date

from central.core.rights import Caller, Right
from central.services.desk import Desk
from central.services.wards import lines_of
from central.store.queries_master import Place, expiries, items, places
from protocols.values.ids import PlaceId

PAGE_LINES = 100


@dataclass(frozen=True, slots=True)
class StockLine:
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

    def fits(self, question: str) -> bool:
        """Tell whether a text stands in its name, code, specification or lot, whatever the case."""
        words = (self.item, self.name_zh, self.name_en, self.spec, self.lot)
        return any(question in word.casefold() for word in words)


def storerooms(desk: Desk, caller: Caller) -> list[Place]:
    """Return the storerooms somebody may look into."""
    scope = caller.scope(Right.SEE_STOCK)
    with desk.store.read() as connection:
        return [room for room in places(connection, desk.hospital) if room.place in scope]


def stock(desk: Desk, caller: Caller, place: str, question: str = "", *, differing: bool = False) -> list[StockLine]:
    """Return the lines of a storeroom that fit, by name. Raises `NotAllowed`, `NotThere`."""
    caller.need(Right.SEE_STOCK, PlaceId(place))
    found = lines_of(desk, place)
    with desk.store.read() as connection:
        catalogue, days = items(connection, desk.hospital), expiries(connection, desk.hospital)
    asked = question.strip().casefold()
    lines = []
    for line in found:
        item = catalogue.get(line.item)
        one = StockLine(
            item=line.item,
            name_zh="" if item is None else item.name_zh,
            name_en="" if item is None else item.name_en,
            spec="" if item is None else item.spec,
            lot=line.lot,
            expiry=days.get((line.item, line.lot)),
            book=line.book,
            physical=line.physical,
            difference=line.difference,
        )
        if one.fits(asked) and (line.difference or not differing):
            lines.append(one)
    return sorted(lines, key=lambda one: (not one.difference, one.name_zh or one.item, one.item, one.lot))
