"""How far a lot has come: who still holds it, on whom it was used, what was returned, scrapped or is on its way.

Reading only; recalling is `recalls`. The rule that must not be broken: within a caller's storerooms nothing of the lot
is left out, so every unit of the book stands in exactly one of the parts.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from central.core.rights import Caller, Right, Scope
from central.errors import NotThere
from central.services.desk import Desk
from central.store import queries_reach as kept
from central.store.paging import Page, PageAsked
from central.store.queries_master import Item, Place, items, places
from central.store.queries_permits import Recalled, recalled
from central.store.queries_trace import Bound, bound
from protocols.values.ids import PlaceId
from protocols.values.instant import business_day

DAYS = (0, 30, 90, 180, 365)
"""How far ahead the page of expiries may look; 0 shows what has expired."""
DAYS_SHOWN = 90

HELD, ON_THE_WAY, USED, RETURNED, GONE = "held", "on-the-way", "used", "returned", "gone"
_PART_OF = {
    "": HELD, "transit": ON_THE_WAY, "issued": ON_THE_WAY, "kit": ON_THE_WAY, "patient": USED,
    "scrap": GONE, "recycler": GONE, "unknown": ON_THE_WAY, "suspense": ON_THE_WAY,
}  # fmt: skip
"""Which part of the answer a place beside a storeroom belongs to; a supplier's is read by its returns."""


@dataclass(frozen=True, slots=True)
class Reach:
    """One lot: its parts by name, the uses on patients, the named units, and the recall if there is one."""

    item: Item
    lot: str
    expiry: date | None
    recall: Recalled | None
    parts: dict[str, tuple[kept.Lying, ...]]
    uses: tuple[kept.Used, ...]
    units: dict[str, Bound]
    rooms: dict[str, Place]

    def total(self, part: str) -> int:
        """Return how many base units are in a part."""
        return sum(one.qty for one in self.parts.get(part, ()))


def reach_of(desk: Desk, caller: Caller, item: str, lot: str) -> Reach:
    """Return how far a lot has come. Raises `NotAllowed`, `NotThere` for an item or lot nobody has heard of."""
    caller.need(Right.SEE_STOCK)
    scope, hospital = caller.scope(Right.SEE_STOCK), desk.hospital
    with desk.store.read() as connection:
        known = items(connection, hospital, [item]).get(item)
        recall = next((one for one in recalled(connection, hospital) if (one.item, one.lot) == (item, lot)), None)
        found = kept.lying(connection, hospital, item, lot, scope)
        if known is None or (recall is None and not found):
            raise NotThere(f"lot: expected one of your storerooms or one recalled, got {item!r:.40} {lot!r:.40}")
        uses = tuple(kept.used(connection, hospital, item, lot, scope))
        back = kept.returned(connection, hospital, item, lot, scope)
        units = {one.epc: one for one in bound(connection, hospital, lot=lot) if one.item == item}
        rooms = {room.place: room for room in places(connection, hospital)}
        day = kept.lot_day(connection, hospital, item, lot)
    if uses:
        desk.looks.saw(caller, "see-patients", f"{item} {lot}")
    parts: dict[str, list[kept.Lying]] = {RETURNED: list(back)}
    for one in found:
        if one.role in _PART_OF:
            parts.setdefault(_PART_OF[one.role], []).append(one)
    return Reach(known, lot, day, recall, {name: tuple(some) for name, some in parts.items()}, uses, units, rooms)


def expiring_in(desk: Desk, caller: Caller, days: int, place: str, asked: PageAsked) -> Page[kept.Expiring]:
    """Return a page of the lots that expire within some days, of one storeroom or of all the caller may see."""
    caller.need(Right.SEE_STOCK, PlaceId(place) if place else None)
    scope = Scope(everywhere=False, places=frozenset({PlaceId(place)})) if place else caller.scope(Right.SEE_STOCK)
    with desk.store.read() as connection:
        until = business_day(desk.now()) + timedelta(days=days)
        return kept.expiring(connection, desk.hospital, until, scope, asked)
