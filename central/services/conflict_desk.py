"""Conflicts as people see and close them.

The rule that must not be broken: closing one changes no book; a wrong fact is undone by a reversal of its own.
"""

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from central.core.conflicts import Sort
from central.core.conflicts.pieces import room_of
from central.core.rights import Caller, Right, Scope
from central.errors import NotNow, NotThere
from central.services.documents import Documents, check_text
from central.store import queries_conflicts as kept
from central.store.paging import Page, PageAsked
from central.store.queries_master import Item, Place, items, places
from central.store.queries_trace import Moved, moved
from protocols.values.ids import HospitalId, PlaceId

REMARK_MAX = 500
SHOWN_MAX = 60
"""Movements a conflict shows: the last of a line, all of a piece."""
PRICES = frozenset({"ordered", "agreed", "variance"})
"""What a conflict's detail says of prices."""
WHOLE_ITEM = frozenset({Sort.MASTER_CHANGED, Sort.UNKNOWN_ITEM})
"""Sorts that are about every lot of an item."""


@dataclass(frozen=True, slots=True)
class Case:
    """One conflict with what the ledger has of it: the facts of both sides, oldest first, and what central posted.

    `says` is what the entry that shows it says, where it moved nothing: a label that nobody could read.
    """

    one: kept.Standing
    facts: tuple[Moved, ...]
    answers: tuple[Moved, ...]
    says: str
    name: Item | None
    rooms: dict[str, Place]
    may_close: bool

    def side(self, place: str) -> tuple[Moved, ...]:
        """Return the facts of one storeroom."""
        return tuple(line for line in self.facts if place in {room_of(line.source), room_of(line.target)})


@dataclass(frozen=True, slots=True)
class Conflicts:
    """The conflicts of one hospital, as people see and close them."""

    documents: Documents

    def page(self, caller: Caller, asked: PageAsked, status: str = kept.OPEN) -> Page[kept.Standing]:
        """Return a page of what concerns the caller's storerooms, the newest first. Raises `BadInput`, `NotAllowed`."""
        caller.need(Right.SEE_STOCK)
        scope, hospital = caller.scope(Right.SEE_STOCK), self.documents.hospital
        with self.documents.store.read() as connection:
            found = kept.conflicts_page(connection, hospital, asked, status=status, scope=scope)
        return Page(tuple(_shown(caller, one) for one in found.items), found.cursor)

    def case(self, caller: Caller, id: str) -> Case:
        """Return one conflict with both its sides. Raises `NotThere`, `NotAllowed`."""
        caller.need(Right.SEE_STOCK)
        scope, hospital = caller.scope(Right.SEE_STOCK), self.documents.hospital
        with self.documents.store.read() as connection:
            one = self._one(connection, scope, id)
            lines = _sides(connection, hospital, one)
            rooms = {room.place: room for room in places(connection, hospital)}
            name = items(connection, hospital, [one.item]).get(one.item) if one.item else None
        may = caller.may(Right.SETTLE, PlaceId(one.place)) and not caller.read_only and one.status == kept.OPEN
        facts = tuple(line for line in lines if line.kind != kept.OURS)
        answers = tuple(line for line in lines if line.kind == kept.OURS)
        return Case(_shown(caller, one), facts, answers, str(one.detail.get("text", "")), name, rooms, may)

    def _one(self, connection: Connection, scope: Scope, id: str) -> kept.Standing:
        found = kept.standing(connection, self.documents.hospital, status="", id=id)
        if not found or (PlaceId(found[0].place) not in scope and PlaceId(found[0].other) not in scope):
            raise NotThere(f"conflict: expected one of your storerooms, got {id!r:.40}")
        return found[0]

    def close(self, caller: Caller, id: str, remark: str) -> None:
        """Note that a person has looked and what was found. Raises `NotThere`, `NotAllowed`, `NotNow`, `BadInput`.

        What the book says is not changed by it: a wrong fact is undone by a reversal of its own.
        """
        caller.need(Right.SETTLE)
        check_text("remark", remark, REMARK_MAX)
        hospital, now = self.documents.hospital, self.documents.clock.now()
        with self.documents.store.write() as connection:
            found = self._one(connection, caller.scope(Right.SEE_STOCK), id)
            caller.need(Right.SETTLE, PlaceId(found.place))
            if not kept.close(connection, hospital, [id], now, by=caller.person, remark=remark.strip()):
                raise NotNow("conflict: expected an open one, it is closed; look again")
            detail = {"sort": found.sort, "unit": found.unit, "remark": remark.strip()}
            self.documents.note(connection, caller, "close-conflict", id, detail)


def _sides(connection: Connection, hospital: HospitalId, one: kept.Standing) -> list[Moved]:
    """Return the movements in its storerooms of the piece or line that a conflict is about, oldest first."""
    if not one.item:
        return []
    rooms = {one.place, one.other}
    lot = None if one.sort in WHOLE_ITEM else one.lot
    found = moved(connection, hospital, unit=one.unit, item=one.item, lot=lot)
    here = [line for line in found if {room_of(line.source), room_of(line.target)} & rooms]
    return sorted(here[:SHOWN_MAX], key=lambda line: (line.at, line.event))


def _shown(caller: Caller, one: kept.Standing) -> kept.Standing:
    """Return a conflict as somebody may read it: prices are for who may see prices."""
    if caller.may(Right.SEE_PRICES) or not PRICES & one.detail.keys():
        return one
    return replace(one, detail={name: said for name, said in one.detail.items() if name not in PRICES})
