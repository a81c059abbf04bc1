"""What a few letters may mean: items by name, sound, code and GTIN; orders by number; where the book has an item.

No rule lives here. The rule that must not be broken: every query names the hospital and has a limit.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, or_, select

from central.core.rights import Scope
from central.core.sounds import sounds_of
from central.store.merge import merge
from central.store.queries_work import within
from central.store.tables.ledger import BALANCE
from central.store.tables.master import ITEM, LOT
from central.store.tables.sounds import ITEM_SOUND
from central.store.tables.work import PURCHASE_ORDER
from protocols.values.ids import HospitalId

FOUND_MAX = 50
"""Items and orders one question shows: who gets more asks again with one letter more."""
SHELVES_MAX = 2000
"""Shelves of one item that are shown, of every storeroom."""
GTIN_LENGTH = 14


@dataclass(frozen=True, slots=True)
class ItemFound:
    """One item that fits."""

    item: str
    name_zh: str
    name_en: str
    spec: str
    gtin: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """What the book has of one lot on one shelf, in base units; an empty position is none in particular."""

    place: str
    lot: str
    position: str
    qty: int


def keep_sounds(connection: Connection, hospital: HospitalId, names: Mapping[str, str]) -> None:
    """Store how items sound, by code and Chinese name."""
    heard = {item: sounds_of(name) for item, name in names.items()}
    merge(
        connection,
        ITEM_SOUND,
        [
            {"hospital": hospital, "item": item, "initials": one.initials, "spelled": one.spelled}
            for item, one in heard.items()
        ],
    )


def items_like(connection: Connection, hospital: HospitalId, asked: str) -> list[ItemFound]:
    """Return the items in whose code, names, specification or sound a text stands, or whose GTIN it is."""
    row, sound, text = ITEM.c, ITEM_SOUND.c, asked.lower()
    fits = [func.lower(column).contains(text, autoescape=True) for column in (row.item, row.name_en, row.spec)]
    fits.append(row.name_zh.contains(asked, autoescape=True))
    letters = text.replace(" ", "")
    if letters.isascii() and letters.isalnum():
        fits += [sound.initials.contains(letters, autoescape=True), sound.spelled.contains(letters, autoescape=True)]
    if asked.isdecimal() and len(asked) <= GTIN_LENGTH:
        fits.append(row.gtin == asked.zfill(GTIN_LENGTH))
    beside = and_(sound.hospital == row.hospital, sound.item == row.item)
    chosen = select(ITEM).outerjoin(ITEM_SOUND, beside).where(row.hospital == hospital, or_(*fits))
    rows = connection.execute(chosen.order_by(row.name_zh, row.item).limit(FOUND_MAX))
    return [ItemFound(one.item, one.name_zh, one.name_en, one.spec, one.gtin) for one in rows]


def orders_like(connection: Connection, hospital: HospitalId, asked: str, scope: Scope) -> list[tuple[str, str]]:
    """Return number and storeroom of the orders in a scope whose number has a text in it, the newest first."""
    row = PURCHASE_ORDER.c
    chosen = select(row.order_no, row.place).where(
        row.hospital == hospital, within(row.place, scope), row.order_no.contains(asked.upper(), autoescape=True)
    )
    rows = connection.execute(chosen.order_by(row.created_at.desc(), row.order_no).limit(FOUND_MAX))
    return [(one.order_no, one.place) for one in rows]


def lots_first(connection: Connection, hospital: HospitalId, item: str, rooms: Iterable[str], limit: int) -> list[str]:
    """Return the lots that the book has of an item in some storerooms, those that expire first before the others."""
    row, of_lot = BALANCE.c, (LOT.c.hospital == hospital) & (LOT.c.item == item) & (LOT.c.lot == BALANCE.c.lot)
    chosen = (
        select(row.lot, LOT.c.expiry)
        .outerjoin(LOT, of_lot)
        .where(row.hospital == hospital, row.item == item, row.place.in_(sorted(rooms)), row.qty != 0)
        .distinct()
        .order_by(LOT.c.expiry.nulls_last(), row.lot)
        .limit(limit)
    )
    return [one.lot for one in connection.execute(chosen)]


def shelves(
    connection: Connection, hospital: HospitalId, item: str, rooms: Iterable[str], lots: Collection[str] | None = None
) -> list[Shelf]:
    """Return what the book has of an item in some storerooms, by storeroom, lot and shelf; with `lots`, of those."""
    row = BALANCE.c
    of_lots = [] if lots is None else [row.lot.in_(sorted(lots))]
    rows = connection.execute(
        select(row.place, row.lot, row.position, row.unit, row.qty)
        .where(row.hospital == hospital, row.item == item, row.place.in_(sorted(rooms)), row.qty != 0, *of_lots)
        .order_by(row.place, row.lot, row.position, row.unit)
        .limit(SHELVES_MAX)
    ).all()
    here: Counter[tuple[str, str, str]] = Counter()
    for one in rows:
        here[one.place, one.lot, one.unit] += one.qty
    there: Counter[tuple[str, str, str]] = Counter()
    for one in rows:
        if not one.unit or (one.qty > 0 and here[one.place, one.lot, one.unit] > 0):
            there[one.place, one.lot, one.position] += one.qty  # a piece taken without naming its shelf has left it
    return [Shelf(*key, qty) for key, qty in there.items() if qty]


def lot_days(
    connection: Connection, hospital: HospitalId, item: str, lots: Collection[str] | None = None
) -> dict[str, str]:
    """Return the expiry days of an item's lots, where known; with `lots`, of those."""
    of_lots = [] if lots is None else [LOT.c.lot.in_(sorted(lots))]
    rows = connection.execute(
        select(LOT.c.lot, LOT.c.expiry).where(
            LOT.c.hospital == hospital, LOT.c.item == item, LOT.c.expiry.is_not(None), *of_lots
        )
    )
    return {one.lot: one.expiry.isoformat() for one in rows}
