"""Suppliers read back: certificates, profiles, cases with their states, scores, work to do, and inspected deliveries.

No rule lives here. The rule that must not be broken: every query names the hospital.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, select

from central.core.suppliers import CaseKind, CaseState, Dimension, Grade, Tally
from central.store.queries_purchasing import states
from central.store.tables.purchasing import DOCUMENT_STEP, RECEIPT_LINE
from central.store.tables.suppliers import (
    CERTIFICATE,
    DELIVERY_RELATION,
    PURCHASE_TASK,
    SUPPLIER_CASE,
    SUPPLIER_PROFILE,
    SUPPLIER_SCORE,
)
from central.store.tables.work import PURCHASE_ORDER
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, day_start

CASES_MAX = 500
"""Cases a list gives at most, the newest."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate of a supplier or an item."""

    kind: str
    number: str
    supplier: str
    item: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Profile:
    """What a supplier is."""

    role: str
    region: str
    emergency: bool
    contact: str


@dataclass(frozen=True, slots=True)
class Case:
    """One matter with a supplier and where it stands; `ended_at` is when it left its first state."""

    case_no: str
    kind: CaseKind
    supplier: str
    item: str
    said: str
    opened_at: Instant
    opened_by: str
    state: CaseState
    ended_at: Instant | None


@dataclass(frozen=True, slots=True)
class Score:
    """One quarter's score as it was made."""

    supplier: str
    quarter: str
    tallies: dict[Dimension, Tally]
    score: int
    grade: Grade
    effective_from: date
    policy_version: str
    documents: str


@dataclass(frozen=True, slots=True)
class Task:
    """Work that a grade or a check brings."""

    task: str
    kind: str
    supplier: str
    item: str
    reason: str
    made_at: Instant
    done_at: Instant | None


@dataclass(frozen=True, slots=True)
class Relation:
    """Who delivers a maker's item, from a day to a day."""

    maker: str
    distributor: str
    item: str
    region: str
    first: date
    last: date | None


def certificates(
    connection: Connection, hospital: HospitalId, *, item: str = "", of_suppliers: bool = False
) -> list[Certificate]:
    """Return every certificate, the one that ends first first; none of another item, or those of suppliers alone."""
    chosen = select(CERTIFICATE).where(CERTIFICATE.c.hospital == hospital)
    if of_suppliers:
        chosen = chosen.where(CERTIFICATE.c.supplier != "")
    if item:
        chosen = chosen.where(CERTIFICATE.c.item.in_(("", item)))
    return [
        Certificate(row.kind, row.number, row.supplier, row.item, row.first, row.last)
        for row in connection.execute(chosen.order_by(CERTIFICATE.c.last, CERTIFICATE.c.kind, CERTIFICATE.c.number))
    ]


def profiles(connection: Connection, hospital: HospitalId) -> dict[str, Profile]:
    """Return what each supplier is, where that is known."""
    rows = connection.execute(select(SUPPLIER_PROFILE).where(SUPPLIER_PROFILE.c.hospital == hospital))
    return {row.supplier: Profile(row.role, row.region, row.emergency, row.contact) for row in rows}


def relations(connection: Connection, hospital: HospitalId) -> list[Relation]:
    """Return every delivery relation."""
    rows = connection.execute(select(DELIVERY_RELATION).where(DELIVERY_RELATION.c.hospital == hospital))
    return [Relation(row.maker, row.distributor, row.item, row.region, row.first, row.last) for row in rows]


def cases(connection: Connection, hospital: HospitalId, *, supplier: str = "", case_no: str = "") -> list[Case]:
    """Return cases, the newest first, of one supplier or the one named."""
    chosen = select(SUPPLIER_CASE).where(SUPPLIER_CASE.c.hospital == hospital)
    if supplier:
        chosen = chosen.where(SUPPLIER_CASE.c.supplier == supplier)
    if case_no:
        chosen = chosen.where(SUPPLIER_CASE.c.case_no == case_no)
    rows = connection.execute(chosen.order_by(SUPPLIER_CASE.c.opened_at.desc()).limit(CASES_MAX)).all()
    ended = _first_steps(connection, hospital, [row.case_no for row in rows])
    standing = {kind: states(connection, hospital, kind) for kind in {row.kind for row in rows}}
    return [
        Case(
            row.case_no, CaseKind(row.kind), row.supplier, row.item, row.said, Instant(row.opened_at), row.opened_by,
            CaseState(standing[row.kind].get(row.case_no, CaseState.OPEN)), ended.get(row.case_no),
        )
        for row in rows
    ]  # fmt: skip


def _first_steps(connection: Connection, hospital: HospitalId, documents: list[str]) -> dict[str, Instant]:
    step = DOCUMENT_STEP.c
    rows = connection.execute(
        select(step.document, step.at).where(step.hospital == hospital, step.document.in_(documents), step.seq == 0)
    )
    return {row.document: Instant(row.at) for row in rows}


def blocked_suppliers(connection: Connection, hospital: HospitalId) -> frozenset[str]:
    """Return the suppliers one of whose incidents blocks them."""
    standing = states(connection, hospital, CaseKind.INCIDENT)
    blocking = [case_no for case_no, state in standing.items() if state == CaseState.BLOCKED]
    chosen = select(SUPPLIER_CASE.c.supplier).where(
        SUPPLIER_CASE.c.hospital == hospital, SUPPLIER_CASE.c.case_no.in_(blocking)
    )
    return frozenset(connection.scalars(chosen))


def scores(connection: Connection, hospital: HospitalId, *, supplier: str = "") -> list[Score]:
    """Return the quarterly scores, the newest first."""
    chosen = select(SUPPLIER_SCORE).where(SUPPLIER_SCORE.c.hospital == hospital)
    if supplier:
        chosen = chosen.where(SUPPLIER_SCORE.c.supplier == supplier)
    ordered = chosen.order_by(SUPPLIER_SCORE.c.quarter.desc(), SUPPLIER_SCORE.c.supplier)
    return [
        Score(
            row.supplier,
            row.quarter,
            {
                Dimension.ON_TIME: Tally(row.on_time_done, row.on_time_all),
                Dimension.QUALITY: Tally(row.quality_done, row.quality_all),
                Dimension.EMERGENCY: Tally(row.emergency_done, row.emergency_all),
                Dimension.SERVICE: Tally(row.service_done, row.service_all),
            },
            row.score,
            Grade(row.grade),
            row.effective_from,
            row.policy_version,
            row.documents,
        )
        for row in connection.execute(ordered)
    ]


def grades_on(connection: Connection, hospital: HospitalId, day: date) -> dict[str, Score]:
    """Return the score in force of each supplier on a day."""
    found: dict[str, Score] = {}
    for one in scores(connection, hospital):
        if one.effective_from <= day:
            found.setdefault(one.supplier, one)
    return found


def tasks(connection: Connection, hospital: HospitalId, *, supplier: str = "") -> list[Task]:
    """Return the work that is not done, the newest first."""
    task = PURCHASE_TASK.c
    chosen = select(PURCHASE_TASK).where(task.hospital == hospital, task.done_at.is_(None))
    if supplier:
        chosen = chosen.where(task.supplier == supplier)
    rows = connection.execute(chosen.order_by(task.made_at.desc(), task.kind, task.item).limit(CASES_MAX))
    return [
        Task(row.task, row.kind, row.supplier, row.item, row.reason, Instant(row.made_at), row.done_at) for row in rows
    ]


@dataclass(frozen=True, slots=True)
class InspectedLine:
    """One inspected line of a receipt: of which supplier, and base units refused."""

    name: str
    supplier: str
    item: str
    refused: int


def inspected(connection: Connection, hospital: HospitalId, first: date, last: date) -> list[InspectedLine]:
    """Return what was inspected from a day to a day."""
    line, order = RECEIPT_LINE.c, PURCHASE_ORDER.c
    rows = connection.execute(
        select(line.receipt, line.line_no, line.item, line.refused, order.supplier)
        .join(PURCHASE_ORDER, (order.hospital == line.hospital) & (order.order_no == line.order_no))
        .where(
            line.hospital == hospital, line.at >= day_start(first), line.at < day_start(last + timedelta(days=1))
        )
    )  # fmt: skip
    return [InspectedLine(f"{row.receipt}/{row.line_no}", row.supplier, row.item, row.refused) for row in rows]
