"""What was imported, read back: storerooms, items, suppliers' terms, use before the ledger, rules in force.

Reading only, no rule. The rule that must not be broken: every query names the hospital.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, select, true

from central.core.policy import PolicyRow
from central.store.prepared import Among, Prepared, as_day
from central.store.tables.master import CALENDAR_DAY, ITEM, ITEM_SUPPLIER, LOT, PLACE, SUPPLIER, USE_DAY
from central.store.tables.work import POLICY_RULE
from protocols.values.ids import HospitalId
from protocols.values.money import Money

NAMED_MAX = 2_000
"""Items one question names at most; who names more is given all."""

PolicyValues = tuple[str, str, str, date, date | None, str, int]
"""A rule's row as it is kept: what `PolicyRow` is made of."""

RULES_KEPT = 32
"""Sets of rules remembered as they were read."""

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


_SAID_OF_PLACE = (PLACE.c.place, PLACE.c.level, PLACE.c.name_zh, PLACE.c.name_en, PLACE.c.parent, PLACE.c.device)
_PLACES = Prepared(
    select(*_SAID_OF_PLACE)
    .where(PLACE.c.hospital == bindparam("hospital"))
    .order_by(PLACE.c.level.desc(), PLACE.c.place)
)


def places(connection: Connection, hospital: HospitalId) -> list[Place]:
    """Return every storeroom, wards first, by name."""
    return [Place(*row) for row in _PLACES.rows(connection, hospital=hospital)]


_IS_PLACE = Prepared(
    select(PLACE.c.place).where(PLACE.c.hospital == bindparam("hospital"), PLACE.c.place == bindparam("place"))
)


def is_place(connection: Connection, hospital: HospitalId, place: str) -> bool:
    """Tell whether a storeroom was imported."""
    return bool(_IS_PLACE.rows(connection, hospital=hospital, place=place))


_SAID_OF_ITEM = (
    *(ITEM.c.item, ITEM.c.name_zh, ITEM.c.name_en, ITEM.c.spec, ITEM.c.unit_zh, ITEM.c.unit_en, ITEM.c.pack),
    ITEM.c.criticality,
)
_EVERY_ITEM = select(*_SAID_OF_ITEM).where(ITEM.c.hospital == bindparam("hospital"))
_ITEMS = Prepared(_EVERY_ITEM)
_ITEMS_NAMED = Among(lambda names: _EVERY_ITEM.where(ITEM.c.item.in_(names)))


def items(connection: Connection, hospital: HospitalId, named: Iterable[str] | None = None) -> dict[str, Item]:
    """Return the catalogue, or those of it that are named, which a page does: a catalogue has tens of thousands."""
    wanted = None if named is None else sorted(set(named))
    if wanted is None or len(wanted) > NAMED_MAX:
        rows = _ITEMS.rows(connection, hospital=hospital)
    else:
        rows = _ITEMS_NAMED.rows(connection, wanted, hospital=hospital)
    return {row[0]: Item(*row) for row in rows}


def terms(connection: Connection, hospital: HospitalId, item: str = "") -> dict[str, list[Terms]]:
    """Return the suppliers' terms of each item, best rank first; of one item alone where it is named."""
    rows = connection.execute(
        select(ITEM_SUPPLIER, SUPPLIER.c.name_zh, SUPPLIER.c.name_en)
        .join(
            SUPPLIER,
            (SUPPLIER.c.hospital == ITEM_SUPPLIER.c.hospital) & (SUPPLIER.c.supplier == ITEM_SUPPLIER.c.supplier),
        )
        .where(ITEM_SUPPLIER.c.hospital == hospital, ITEM_SUPPLIER.c.item == item if item else true())
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


def expiries_among(
    connection: Connection, hospital: HospitalId, lines: Collection[tuple[str, str]]
) -> dict[tuple[str, str], date]:
    """Return the expiry day of some lots, by item and lot, where it is known: an item may have a hundred thousand."""
    wanted, lot = sorted(set(lines)), LOT.c
    of_items = lot.item.in_(sorted({item for item, _ in wanted}))  # by which the index is entered; pairs do not
    named = of_items & lot.lot.in_(sorted({one for _, one in wanted}))
    rows = connection.execute(
        select(lot.item, lot.lot, lot.expiry).where(lot.hospital == hospital, lot.expiry.is_not(None), named)
    )
    asked = set(wanted)
    return {(row.item, row.lot): row.expiry for row in rows if (row.item, row.lot) in asked}


def having_lots(connection: Connection, hospital: HospitalId, of: Iterable[str]) -> set[str]:
    """Return those of some items of which a lot is known: they are kept by lot."""
    where = (LOT.c.hospital == hospital, LOT.c.lot != "", LOT.c.item.in_(sorted(set(of))))
    return set(connection.scalars(select(LOT.c.item).where(*where).distinct()))


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


def policy_rows(connection: Connection, hospital: HospitalId, *codes: str) -> list[PolicyRow]:
    """Return every row of the policy table, or of the codes named, past and coming ones too."""
    return [PolicyRow(*values) for values in policy_values(connection, hospital, *codes)]


_RULE = POLICY_RULE.c
_RULES = select(
    *(_RULE.code, _RULE.scope, _RULE.value, _RULE.effective_from, _RULE.effective_to, _RULE.source_doc, _RULE.seq)
).where(_RULE.hospital == bindparam("hospital"))
_EVERY_RULE = Prepared(_RULES)
_RULES_NAMED = Among(lambda codes: _RULES.where(_RULE.code.in_(codes)))


def policy_values(connection: Connection, hospital: HospitalId, *codes: str) -> tuple[PolicyValues, ...]:
    """Return the same rows as they are kept, unread."""
    if codes:
        return _read(tuple(_RULES_NAMED.rows(connection, codes, hospital=hospital)))
    return _read(tuple(_EVERY_RULE.rows(connection, hospital=hospital)))


@lru_cache(RULES_KEPT)
def _read(rows: tuple[tuple[Any, ...], ...]) -> tuple[PolicyValues, ...]:
    """Return rows as the database tells them with their days read; the same rows are read once."""
    return tuple(_values(*row) for row in rows)


def _values(
    code: str, scope: str, value: str, first: str | date, end: str | date | None, source: str, seq: int
) -> PolicyValues:
    begins = as_day(first)
    assert begins is not None
    return code, scope, value, begins, as_day(end), source, seq


def own_days(connection: Connection, hospital: HospitalId) -> dict[date, bool]:
    """Return the days the hospital said itself, each with whether people work on it."""
    rows = connection.execute(select(CALENDAR_DAY).where(CALENDAR_DAY.c.hospital == hospital))
    return {row.day: bool(row.working) for row in rows}
