"""What was imported, read back: storerooms, items, suppliers' terms, use before the ledger, rules in force.

Reading only, no rule. The rule that must not be broken: every query names the hospital.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from central.core.policy import PolicyRow
from central.store.tables.master import CALENDAR_DAY, ITEM, ITEM_SUPPLIER, LOT, PLACE, SUPPLIER, USE_DAY
from central.store.tables.work import POLICY_RULE
from protocols.values.ids import HospitalId
from protocols.values.money import Money

NAMED_MAX = 2_000
"""Items one question names at most; who names more is given all."""

PolicyValues = tuple[str, str, str, date, date | None, str]
"""A rule's row as it is kept: what `PolicyRow` is made of."""

LEVEL_STORE, LEVEL_WARD = 1, 2
"""The hospital's own store, and a ward's."""


@dataclass(frozen=True, slots=True)
class Place:
    """A storeroom; `level` 1 is the hospital's own, 2 a ward's."""

    place: str
    level: int
    name_zh: str
    name_en: str
    parent: str
    device: str


@dataclass(frozen=True, slots=True)
class Item:
    """What a page or a proposal says of an item."""

    item: str
    name_zh: str
    name_en: str
    spec: str
    unit_zh: str
    unit_en: str
    pack: int
    criticality: str


@dataclass(frozen=True, slots=True)
class Terms:
    """A supplier's terms for an item, best rank first; price a base unit."""

    item: str
    supplier: str
    name_zh: str
    name_en: str
    rank: int
    price: Money
    pack: int
    moq: int
    lead_days: int


def places(connection: Connection, hospital: HospitalId) -> list[Place]:
    """Return every storeroom, wards first, by name."""
    rows = connection.execute(
        select(PLACE).where(PLACE.c.hospital == hospital).order_by(PLACE.c.level.desc(), PLACE.c.place)
    )
    return [Place(row.place, row.level, row.name_zh, row.name_en, row.parent, row.device) for row in rows]


def items(connection: Connection, hospital: HospitalId, named: Iterable[str] | None = None) -> dict[str, Item]:
    """Return the catalogue, or those of it that are named, which a page does: a catalogue has tens of thousands."""
    chosen = select(ITEM).where(ITEM.c.hospital == hospital)
    wanted = None if named is None else sorted(set(named))
    if wanted is not None and len(wanted) <= NAMED_MAX:
        chosen = chosen.where(ITEM.c.item.in_(wanted))
    rows = connection.execute(chosen)
    return {
        row.item: Item(
            row.item, row.name_zh, row.name_en, row.spec, row.unit_zh, row.unit_en, row.pack, row.criticality
        )
        for row in rows
    }


def terms(connection: Connection, hospital: HospitalId) -> dict[str, list[Terms]]:
    """Return the suppliers' terms of each item, best rank first."""
    rows = connection.execute(
        select(ITEM_SUPPLIER, SUPPLIER.c.name_zh, SUPPLIER.c.name_en)
        .join(
            SUPPLIER,
            (SUPPLIER.c.hospital == ITEM_SUPPLIER.c.hospital) & (SUPPLIER.c.supplier == ITEM_SUPPLIER.c.supplier),
        )
        .where(ITEM_SUPPLIER.c.hospital == hospital)
        .order_by(ITEM_SUPPLIER.c.item, ITEM_SUPPLIER.c.rank, ITEM_SUPPLIER.c.supplier)
    )
    found: defaultdict[str, list[Terms]] = defaultdict(list)
    for row in rows:
        found[row.item].append(
            Terms(
                row.item,
                row.supplier,
                row.name_zh,
                row.name_en,
                row.rank,
                row.price,
                row.pack,
                row.moq,
                row.lead_days,
            )
        )
    return found


def suppliers(connection: Connection, hospital: HospitalId) -> dict[str, tuple[str, str]]:
    """Return the Chinese and English name of every supplier."""
    rows = connection.execute(select(SUPPLIER).where(SUPPLIER.c.hospital == hospital))
    return {row.supplier: (row.name_zh, row.name_en) for row in rows}


def expiries(
    connection: Connection, hospital: HospitalId, of: Iterable[str] | None = None
) -> dict[tuple[str, str], date]:
    """Return the expiry day of each lot where it is known, or of those of the items named."""
    chosen = select(LOT.c.item, LOT.c.lot, LOT.c.expiry).where(LOT.c.hospital == hospital, LOT.c.expiry.is_not(None))
    wanted = None if of is None else sorted(set(of))
    if wanted is not None and len(wanted) <= NAMED_MAX:
        chosen = chosen.where(LOT.c.item.in_(wanted))
    rows = connection.execute(chosen)
    return {(row.item, row.lot): row.expiry for row in rows}


def uses(
    connection: Connection, hospital: HospitalId, place: str, first: date, last: date
) -> dict[str, dict[date, int]]:
    """Return the imported daily use of a place from a day to a day, both included, by item."""
    rows = connection.execute(
        select(USE_DAY.c.item, USE_DAY.c.day, USE_DAY.c.qty).where(
            USE_DAY.c.hospital == hospital, USE_DAY.c.place == place, USE_DAY.c.day.between(first, last)
        )
    )
    found: defaultdict[str, dict[date, int]] = defaultdict(dict)
    for row in rows:
        found[row.item][row.day] = row.qty
    return found


def policy_rows(connection: Connection, hospital: HospitalId, code: str = "") -> list[PolicyRow]:
    """Return every row of the policy table, or of one code, past and coming ones too."""
    return [PolicyRow(*values) for values in policy_values(connection, hospital, code)]


def policy_values(connection: Connection, hospital: HospitalId, code: str = "") -> tuple[PolicyValues, ...]:
    """Return the same rows as they are kept, unread."""
    rule = POLICY_RULE.c
    which = [rule.hospital == hospital, *([rule.code == code] if code else [])]
    columns = (rule.code, rule.scope, rule.value, rule.effective_from, rule.effective_to, rule.source_doc)
    return tuple((*row,) for row in connection.execute(select(*columns).where(*which)))


def own_days(connection: Connection, hospital: HospitalId) -> dict[date, bool]:
    """Return the days the hospital said itself, each with whether people work on it."""
    rows = connection.execute(select(CALENDAR_DAY).where(CALENDAR_DAY.c.hospital == hospital))
    return {row.day: bool(row.working) for row in rows}
