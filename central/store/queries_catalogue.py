"""The catalogue read back: codes, states, substitutes, evidence, baseline, reviews, classes, and months of use.

No rule lives here. The rule that must not be broken: every query names the hospital.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, and_, case, func, or_, select

from central.core.catalogue import MONTHS, Codes, ItemState, Usage
from central.core.reorder.abc import Class
from central.store.queries_book import USED_ROLES
from central.store.queries_purchasing import states
from central.store.tables.catalogue import (
    ABC_CLASS,
    CATALOGUE_BASELINE,
    CATALOGUE_ITEM,
    CATALOGUE_REVIEW,
    EVIDENCE,
    SUBSTITUTE,
)
from central.store.tables.ledger import BALANCE, POSTING_LINE
from central.store.tables.master import ITEM, PLACE, USE_DAY
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, day_start
from protocols.values.money import Money

WARD = 2
PREFIX = "item/"


@dataclass(frozen=True, slots=True)
class Line:
    """One catalogue line with its codes and where it stands; names and specification are the item's."""

    item: str
    name_zh: str
    name_en: str
    spec: str
    unit_zh: str
    unit_en: str
    class_: str
    criticality: str
    tier: str
    mode: str
    exempt: bool
    middle_unit: str
    purchase_unit: str
    codes: Codes
    state: ItemState


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of evidence, without its content."""

    seq: int
    title: str
    number: str
    file: str
    sha256: str
    person: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Listed:
    """One item of a quarter's review."""

    quarter: str
    item: str
    usage: Usage
    spent: Money
    instead: tuple[str, ...]
    decision: str
    reason: str
    person: str


def document_of(item: str) -> str:
    """Return the document under which an item's steps stand."""
    return f"{PREFIX}{item}"


def item_states(connection: Connection, hospital: HospitalId) -> dict[str, ItemState]:
    """Return the state of every item that took a step; the others are active."""
    return {
        document.removeprefix(PREFIX): ItemState(state)
        for document, state in states(connection, hospital, "item").items()
    }


def inactive_items(connection: Connection, hospital: HospitalId) -> frozenset[str]:
    """Return the items that may not be ordered."""
    return frozenset(item for item, state in item_states(connection, hospital).items() if state is not ItemState.ACTIVE)


def on_request_items(connection: Connection, hospital: HospitalId) -> frozenset[str]:
    """Return the items that are never reordered by themselves (A13)."""
    chosen = select(CATALOGUE_ITEM.c.item).where(
        CATALOGUE_ITEM.c.hospital == hospital, CATALOGUE_ITEM.c.mode == "on-request"
    )
    return frozenset(connection.scalars(chosen))


def lines(connection: Connection, hospital: HospitalId) -> list[Line]:
    """Return the whole catalogue, by item."""
    standing = item_states(connection, hospital)
    rows = connection.execute(
        select(ITEM, CATALOGUE_ITEM)
        .outerjoin(
            CATALOGUE_ITEM, (CATALOGUE_ITEM.c.hospital == ITEM.c.hospital) & (CATALOGUE_ITEM.c.item == ITEM.c.item)
        )
        .where(ITEM.c.hospital == hospital)
        .order_by(ITEM.c.item)
    ).all()
    found = []
    for row in rows:
        told = dict(zip(CATALOGUE_ITEM.c.keys(), row[len(ITEM.c) :], strict=True))
        item = dict(zip(ITEM.c.keys(), row[: len(ITEM.c)], strict=True))
        found.append(_line(item, told if told["item"] is not None else {}, standing))
    return found


def _line(item: Mapping[str, object], told: Mapping[str, object], standing: Mapping[str, ItemState]) -> Line:
    def text(name: str) -> str:
        return str(told.get(name) or "")

    def whole(name: str) -> int:
        return int(str(told.get(name) or 1))

    pack = int(str(item["pack"]))
    codes = Codes(
        text("registration"), text("udi_di"), str(item["gtin"]), text("insurance"), text("platform"), pack,
        whole("middle"), whole("purchase") if told else pack,
    )  # fmt: skip
    name = str(item["item"])
    return Line(
        name, str(item["name_zh"]), str(item["name_en"]), str(item["spec"]), str(item["unit_zh"]),
        str(item["unit_en"]), str(item["class"]), str(item["criticality"]), text("tier"), text("mode") or "usual",
        bool(told.get("exempt")), text("middle_unit"), text("purchase_unit"), codes,
        standing.get(name, ItemState.ACTIVE),
    )  # fmt: skip


def substitutes(connection: Connection, hospital: HospitalId) -> dict[str, list[str]]:
    """Return the items that may stand for each."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    rows = connection.execute(
        select(SUBSTITUTE).where(SUBSTITUTE.c.hospital == hospital).order_by(SUBSTITUTE.c.instead)
    )
    for row in rows:
        found[row.item].append(row.instead)
    return found


def evidence(connection: Connection, hospital: HospitalId, item: str) -> list[Evidence]:
    """Return what was given for an item, the first first."""
    column = EVIDENCE.c
    chosen = select(
        column.seq, column.title, column.number, column.file, column.sha256, column.person, column.at
    ).where(column.hospital == hospital, column.item == item)
    return [
        Evidence(row.seq, row.title, row.number, row.file, row.sha256, row.person, Instant(row.at))
        for row in connection.execute(chosen.order_by(column.seq))
    ]


def evidence_file(connection: Connection, hospital: HospitalId, item: str, seq: int) -> tuple[str, bytes] | None:
    """Return the name and content of a piece of evidence, None where there is no file."""
    column = EVIDENCE.c
    row = connection.execute(
        select(column.file, column.content).where(
            column.hospital == hospital, column.item == item, column.seq == seq, column.file != ""
        )
    ).first()
    return None if row is None else (row.file, bytes(row.content))


def baseline(connection: Connection, hospital: HospitalId, year: int) -> dict[str, str]:
    """Return the class of each item in a year's baseline."""
    column = CATALOGUE_BASELINE.c
    rows = connection.execute(
        select(column.item, column["class"]).where(column.hospital == hospital, column.year == year)
    )
    return {row[0]: row[1] for row in rows}


def reviews(connection: Connection, hospital: HospitalId, quarter: str) -> list[Listed]:
    """Return what a quarter's review lists, what is not decided first."""
    column = CATALOGUE_REVIEW.c
    chosen = select(CATALOGUE_REVIEW).where(column.hospital == hospital, column.quarter == quarter)
    return [
        Listed(
            row.quarter, row.item, Usage(row.months_used, row.months), Money(row.spent),
            tuple(json.loads(row.instead)), row.decision, row.reason, row.person,
        )
        for row in connection.execute(chosen.order_by(column.decision, column.item))
    ]  # fmt: skip


def review_quarters(connection: Connection, hospital: HospitalId) -> list[str]:
    """Return the quarters that were reviewed, the newest first."""
    column = CATALOGUE_REVIEW.c
    return sorted(
        connection.scalars(select(column.quarter).where(column.hospital == hospital).distinct()), reverse=True
    )


def classes_now(connection: Connection, hospital: HospitalId) -> dict[str, tuple[date, Class, Money]]:
    """Return the newest class of each item: since which month, and the value it was made of."""
    column = ABC_CLASS.c
    newest = select(func.max(column.month)).where(column.hospital == hospital).scalar_subquery()
    rows = connection.execute(select(ABC_CLASS).where(column.hospital == hospital, column.month == newest))
    return {row.item: (row.month, Class(row._mapping["class"]), Money(row.value)) for row in rows}


Months = dict[str, dict[str, set[int]]]


def months_of_use(connection: Connection, hospital: HospitalId, until: date) -> Months:
    """Return by item and ward in which of the twelve months before a month's first day it was used: 0 the oldest.

    A month counts as one with use where more left for use than came back.
    """
    wards = set(connection.scalars(select(PLACE.c.place).where(PLACE.c.hospital == hospital, PLACE.c.level == WARD)))
    found: Months = defaultdict(lambda: defaultdict(set))
    first = until
    for month in range(MONTHS - 1, -1, -1):
        last = first - timedelta(days=1)
        first = last.replace(day=1)
        for place, item in _used_in(connection, hospital, first, last):
            if place in wards:
                found[item][place].add(month)
    return found


def _used_in(connection: Connection, hospital: HospitalId, first: date, last: date) -> set[tuple[str, str]]:
    day, line = USE_DAY.c, POSTING_LINE.c
    imported = select(day.place, day.item).where(day.hospital == hospital, day.day.between(first, last), day.qty > 0)
    found = {(row.place, row.item) for row in connection.execute(imported.distinct())}
    out = or_(*(line.target.startswith(f"{role}@") for role in USED_ROLES))
    back = or_(*(line.source.startswith(f"{role}@") for role in USED_ROLES))
    went = and_(out, ~line.source.contains("@"))
    room = case((went, line.source), else_=line.target)
    moved = (
        select(room.label("place"), line.item)
        .where(
            line.hospital == hospital, line.at >= day_start(first), line.at < day_start(last + timedelta(days=1)),
            or_(went, and_(back, ~line.target.contains("@"))),
        )
        .group_by(room, line.item)
        .having(func.sum(case((went, line.qty), else_=-line.qty)) > 0)
    )  # fmt: skip
    return found | {(row.place, row.item) for row in connection.execute(moved)}


def wards_holding(connection: Connection, hospital: HospitalId) -> dict[str, set[str]]:
    """Return the wards whose book holds an item, by item."""
    rows = connection.execute(
        select(BALANCE.c.item, BALANCE.c.place)
        .join(PLACE, (PLACE.c.hospital == BALANCE.c.hospital) & (PLACE.c.place == BALANCE.c.place))
        .where(BALANCE.c.hospital == hospital, PLACE.c.level == WARD)
        .group_by(BALANCE.c.item, BALANCE.c.place)
        .having(func.sum(BALANCE.c.qty) > 0)
    )
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        found[row.item].add(row.place)
    return found
