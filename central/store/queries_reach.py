"""How far a lot has come: what of it lies where, on whom it was used, and which lots expire in which storeroom.

No rule lives here. The rule that must not be broken: a place beside a storeroom is that storeroom's, so a scope holds
for what was used and scrapped there too.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, and_, func, select

from central.core.rights import Scope
from central.store.paging import Key, Keyset, Page, PageAsked
from central.store.queries_trace import patient_of
from central.store.queries_work import within
from central.store.tables.ledger import BALANCE, EVENT, LEDGER, POSTING_LINE
from central.store.tables.master import ITEM, LOT
from protocols.values.ids import HospitalId, PlaceId
from protocols.values.instant import Instant

LINES_MAX = 5000
"""Lines of one lot that are read: a recall of a large hospital has some hundreds."""


@dataclass(frozen=True, slots=True)
class Lying:
    """What the book has of a lot at one place, in base units; `unit` is empty for loose pieces."""

    place: str
    unit: str
    qty: int

    @property
    def room(self) -> PlaceId:
        """Return the storeroom it is, or is beside."""
        return PlaceId(self.place.rpartition("@")[2])

    @property
    def role(self) -> str:
        """Return what the place is beside a storeroom, such as `patient`; empty for the storeroom itself."""
        return self.place.partition("@")[0] if "@" in self.place else ""


@dataclass(frozen=True, slots=True)
class Used:
    """One use of the lot, or its reversal (`qty` below zero); `patient` is a keyed hash."""

    room: PlaceId
    unit: str
    qty: int
    patient: str
    at: Instant
    event: str


@dataclass(frozen=True, slots=True)
class Expiring:
    """What the book has of a lot in a storeroom, and the day it expires."""

    expiry: date
    place: str
    item: str
    lot: str
    name_zh: str
    name_en: str
    spec: str
    qty: int


def lying(connection: Connection, hospital: HospitalId, item: str, lot: str, scope: Scope) -> list[Lying]:
    """Return where everything of a lot is by the book, every place beside a storeroom in the scope too."""
    row = BALANCE.c
    rows = connection.execute(
        select(row.place, row.unit, func.sum(row.qty).label("qty"))
        .where(row.hospital == hospital, row.item == item, row.lot == lot, row.qty != 0)
        .group_by(row.place, row.unit)
        .order_by(row.place, row.unit)
        .limit(LINES_MAX)
    )
    found = [Lying(one.place, one.unit, int(one.qty)) for one in rows if one.qty]
    return [one for one in found if one.room in scope]


def used(connection: Connection, hospital: HospitalId, item: str, lot: str, scope: Scope) -> list[Used]:
    """Return every use of a lot on a patient and every reversal, the newest first."""
    line = POSTING_LINE.c
    event = and_(EVENT.c.hospital == line.hospital, EVENT.c.event_id == line.event_id)
    entry = and_(
        LEDGER.c.hospital == EVENT.c.hospital,
        LEDGER.c.incarnation == EVENT.c.incarnation,
        LEDGER.c.seq == EVENT.c.seq,
    )
    at_patient = line.target.startswith("patient@", autoescape=True)
    from_patient = line.source.startswith("patient@", autoescape=True)
    rows = connection.execute(
        select(line.event_id, line.at, line.unit, line.qty, line.source, line.target, LEDGER.c.body)
        .join(EVENT, event)
        .join(LEDGER, entry)
        .where(line.hospital == hospital, line.item == item, line.lot == lot, at_patient | from_patient)
        .order_by(line.at.desc(), line.event_id.desc(), line.line_no)
        .limit(LINES_MAX)
    )
    found = []
    for row in rows:
        given = row.target.startswith("patient@")
        room = PlaceId((row.target if given else row.source).rpartition("@")[2])
        if room in scope:
            qty = row.qty if given else -row.qty
            found.append(Used(room, row.unit, qty, patient_of(row.body), Instant(row.at), row.event_id.hex()))
    return found


def returned(connection: Connection, hospital: HospitalId, item: str, lot: str, scope: Scope) -> list[Lying]:
    """Return what of a lot went back to its supplier, by storeroom and unit; a supplier's balance says less."""
    line = POSTING_LINE.c
    rows = connection.execute(
        select(line.target, line.unit, func.sum(line.qty).label("qty"))
        .where(
            line.hospital == hospital,
            line.item == item,
            line.lot == lot,
            line.target.startswith("supplier@", autoescape=True),
        )
        .group_by(line.target, line.unit)
        .order_by(line.target, line.unit)
        .limit(LINES_MAX)
    )
    found = [Lying(one.target, one.unit, int(one.qty)) for one in rows]
    return [one for one in found if one.room in scope]


def lot_day(connection: Connection, hospital: HospitalId, item: str, lot: str) -> date | None:
    """Return the day a lot expires, None where it is not known."""
    row = LOT.c
    day: date | None = connection.scalar(
        select(row.expiry).where(row.hospital == hospital, row.item == item, row.lot == lot)
    )
    return day


_EXPIRING = Keyset("expiring", (Key(LOT.c.expiry), Key(BALANCE.c.place), Key(LOT.c.item), Key(LOT.c.lot)))


def expiring(
    connection: Connection, hospital: HospitalId, until: date, scope: Scope, asked: PageAsked
) -> Page[Expiring]:
    """Return a page of the lots that lie in storerooms of a scope and expire by a day, the first to expire first."""
    row, of_lot = BALANCE.c, and_(LOT.c.hospital == BALANCE.c.hospital, LOT.c.item == BALANCE.c.item)
    query = (
        select(
            LOT.c.expiry, row.place, LOT.c.item, LOT.c.lot, ITEM.c.name_zh, ITEM.c.name_en, ITEM.c.spec,
            func.sum(row.qty).label("qty"),
        )
        .join(LOT, and_(of_lot, LOT.c.lot == row.lot))
        .join(ITEM, and_(ITEM.c.hospital == LOT.c.hospital, ITEM.c.item == LOT.c.item))
        .where(
            row.hospital == hospital, within(row.place, scope), ~row.place.contains("@"), row.qty != 0,
            LOT.c.expiry <= until,
        )
        .group_by(LOT.c.expiry, row.place, LOT.c.item, LOT.c.lot, ITEM.c.name_zh, ITEM.c.name_en, ITEM.c.spec)
        .having(func.sum(row.qty) > 0)
    )  # fmt: skip
    rows, cursor = _EXPIRING.rows(connection, query, asked)
    shown = [
        Expiring(one.expiry, one.place, one.item, one.lot, one.name_zh, one.name_en, one.spec, int(one.qty))
        for one in rows
    ]
    return Page(tuple(shown), cursor)
