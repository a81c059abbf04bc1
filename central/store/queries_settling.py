"""What settling reads and writes: steps people took, where the book has a piece, its class and price, tasks of a ward.

No rule lives here. The rule that must not be broken: every query names the hospital, and steps are only ever added.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from central.core.causes import Why
from central.core.rights import EVERYWHERE, Scope
from central.core.settling import Held, Proposed, Step, Verdict
from central.store.merge import add_new
from central.store.paging import Key, Keyset, Page, PageAsked
from central.store.queries_charges import lying
from central.store.queries_trace import moved
from central.store.queries_work import Discrepancy, discrepancies, within
from central.store.tables.master import ITEM, ITEM_SUPPLIER
from central.store.tables.people import PERSON, PERSON_ROLE
from central.store.tables.settling import SETTLEMENT, WARD_TASK
from central.store.tables.work import DISCREPANCY
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant
from protocols.values.money import Money

TASKS_MAX = 500
OWNER_ROLES = ("ward-keeper", "head-nurse", "storekeeper")
"""Who a storeroom's discrepancies belong to: the first of these that somebody holds for it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One step that somebody took."""

    step: Step
    proposed: Proposed
    at: Instant


@dataclass(frozen=True, slots=True)
class Task:
    """One thing a storeroom is asked to do."""

    id: str
    kind: str
    place: str
    item: str
    lot: str
    unit: str
    day: date
    reason: Mapping[str, Any]
    status: str
    done_at: Instant | None


def one_discrepancy(
    connection: Connection, hospital: HospitalId, id: str, scope: Scope = EVERYWHERE
) -> Discrepancy | None:
    """Return a discrepancy in a scope by its id, None where there is none."""
    place = connection.scalar(
        select(DISCREPANCY.c.place).where(DISCREPANCY.c.hospital == hospital, DISCREPANCY.c.discrepancy == id)
    )
    if place is None or place not in scope:
        return None
    return discrepancies(connection, hospital, id=id)[0]


def open_cases(
    connection: Connection, hospital: HospitalId, rooms: Sequence[str]
) -> dict[tuple[str, str, str], tuple[str, ...]]:
    """Return the open discrepancies of each line of some storerooms, by storeroom, item and lot."""
    row = DISCREPANCY.c
    rows = connection.execute(
        select(row.place, row.item, row.lot, row.discrepancy)
        .where(row.hospital == hospital, row.status == "open", row.place.in_(rooms))
        .order_by(row.opened_at, row.discrepancy)
    )
    found: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for one in rows:
        key = (one.place, one.item, one.lot)
        found[key] = (*found.get(key, ()), one.discrepancy)
    return found


def cases_about(connection: Connection, hospital: HospitalId, unit: str) -> dict[str, str]:
    """Return the discrepancy that stands open about a piece in each storeroom."""
    row = DISCREPANCY.c
    rows = connection.execute(
        select(row.place, row.discrepancy).where(row.hospital == hospital, row.unit == unit, row.status == "open")
    )
    return {one.place: one.discrepancy for one in rows}


def steps_of(connection: Connection, hospital: HospitalId, id: str) -> list[Taken]:
    """Return the steps people took about a discrepancy, in order."""
    chosen = SETTLEMENT.select().where(SETTLEMENT.c.hospital == hospital, SETTLEMENT.c.discrepancy == id)
    return [
        Taken(
            Step(row.step),
            Proposed(Verdict(Why(row.cause), row.remark, bool(row.adjust)), row.person),
            Instant(row.at),
        )
        for row in connection.execute(chosen.order_by(SETTLEMENT.c.seq))
    ]


def proposers(connection: Connection, hospital: HospitalId, ids: Iterable[str]) -> dict[str, str]:
    """Return, of some discrepancies, those whose last step is a proposal that waits, with who made it."""
    step = SETTLEMENT.c
    chosen = select(step.discrepancy, step.step, step.person).where(
        step.hospital == hospital, step.discrepancy.in_(sorted(set(ids)))
    )
    last = {row.discrepancy: row for row in connection.execute(chosen.order_by(step.discrepancy, step.seq))}
    return {id: row.person for id, row in last.items() if row.step == Step.PROPOSE}


def awaited(hospital: HospitalId, person: str, *, own: bool = False) -> Select[Any]:
    """Return the question for the discrepancies (ids) whose closing was proposed and not decided about.

    They wait for a person where somebody else proposed it; with `own` they are those the person proposed.
    """
    step = SETTLEMENT.c
    last = (
        select(step.discrepancy, func.max(step.seq).label("seq"))
        .where(step.hospital == hospital)
        .group_by(step.discrepancy)
        .subquery()
    )
    whose = step.person == person if own else step.person != person
    return (
        select(step.discrepancy)
        .join(last, (step.discrepancy == last.c.discrepancy) & (step.seq == last.c.seq))
        .where(step.hospital == hospital, step.step == Step.PROPOSE.value, whose)
    )


def add_step(
    connection: Connection, hospital: HospitalId, id: str, step: Step, said: Proposed, at: Instant, seq: int
) -> None:
    """Add a step."""
    verdict = said.verdict
    values = {"cause": verdict.cause, "remark": verdict.remark, "adjust": verdict.adjust}
    key = {"hospital": hospital, "discrepancy": id, "seq": seq}
    connection.execute(SETTLEMENT.insert().values(**key, step=step, person=said.person, at=at, **values))


def close(connection: Connection, hospital: HospitalId, id: str, cause: str, at: Instant, event: bytes) -> bool:
    """Close an open discrepancy; tells whether it still was."""
    done = connection.execute(
        DISCREPANCY.update()
        .where(DISCREPANCY.c.hospital == hospital, DISCREPANCY.c.discrepancy == id, DISCREPANCY.c.status == "open")
        .values(status="closed", closed_at=at, cause=cause, closed_event_id=event)
    )
    return done.rowcount == 1


def where_booked(connection: Connection, hospital: HospitalId, unit: str) -> Held | None:
    """Return where the book has a piece, None where it never was."""
    history = moved(connection, hospital, unit=unit)
    there = next((one for one in lying(connection, hospital, unit=unit) if one.qty > 0), None)
    if there is None or not history:
        return None
    return Held(there.place, there.position, there.owner, history[0].event)


def classes(connection: Connection, hospital: HospitalId) -> dict[str, str]:
    """Return the class of each item."""
    rows = connection.execute(select(ITEM.c.item, ITEM.c["class"].label("of")).where(ITEM.c.hospital == hospital))
    return {row.item: row.of for row in rows}


def prices(connection: Connection, hospital: HospitalId) -> dict[str, Money]:
    """Return what a base unit of each item costs at its best supplier; an item without terms is not there."""
    terms = ITEM_SUPPLIER.c
    rows = connection.execute(
        select(terms.item, terms.price)
        .where(terms.hospital == hospital)
        .order_by(terms.rank.desc(), terms.supplier.desc())
    )
    return {row.item: Money(row.price) for row in rows}


def owners(connection: Connection, hospital: HospitalId, place: str) -> tuple[str, list[tuple[str, str]]]:
    """Return whose a storeroom's discrepancies are: a role, and (staff number, name) of who holds it there."""
    role, person = PERSON_ROLE.c, PERSON.c
    for wanted in OWNER_ROLES:
        rows = connection.execute(
            select(person.person, person.name)
            .join(PERSON_ROLE, (role.hospital == person.hospital) & (role.person == person.person))
            .where(person.hospital == hospital, person.active, role.role == wanted, role.place.in_((place, "")))
            .order_by(person.person)
        ).all()
        if rows:
            return wanted, [(row.person, row.name) for row in rows]
    return OWNER_ROLES[0], []


def tasks(
    connection: Connection, hospital: HospitalId, *, status: str = "", place: str = "", scope: Scope = EVERYWHERE
) -> list[Task]:
    """Return the newest tasks in a scope, of one status and storeroom where they are named."""
    query = _tasks(hospital, status, place, scope)
    rows = connection.execute(query.order_by(WARD_TASK.c.made_at.desc(), WARD_TASK.c.task).limit(TASKS_MAX))
    return [_task(row) for row in rows]


TASKS = Keyset("count-tasks", (Key(WARD_TASK.c.made_at, falling=True), Key(WARD_TASK.c.task)))


def tasks_page(
    connection: Connection,
    hospital: HospitalId,
    asked: PageAsked,
    *,
    status: str = "",
    place: str = "",
    scope: Scope = EVERYWHERE,
) -> Page[Task]:
    """Return a page of the tasks in a scope, the newest first. Raises `BadInput` for its cursor."""
    rows, cursor = TASKS.rows(connection, _tasks(hospital, status, place, scope), asked)
    return Page(tuple(_task(row) for row in rows), cursor)


def _tasks(hospital: HospitalId, status: str, place: str, scope: Scope) -> Select[Any]:
    query = select(WARD_TASK).where(WARD_TASK.c.hospital == hospital, within(WARD_TASK.c.place, scope))
    if status:
        query = query.where(WARD_TASK.c.status == status)
    return query.where(WARD_TASK.c.place == place) if place else query


def _task(row: Row[Any]) -> Task:
    return Task(
        row.task, row.kind, row.place, row.item, row.lot, row.unit, row.day, json.loads(row.reason), row.status,
        row.done_at,
    )  # fmt: skip


def add_tasks(connection: Connection, hospital: HospitalId, asked: Iterable[Task], now: Instant) -> int:
    """Add tasks that are not there yet; returns how many that were."""
    rows = [
        {
            "hospital": hospital, "task": one.id, "kind": one.kind, "place": one.place, "item": one.item,
            "lot": one.lot, "unit": one.unit, "day": one.day, "reason": json.dumps(dict(one.reason), sort_keys=True),
            "status": one.status, "made_at": now, "done_at": None, "done_event_id": None,
        }
        for one in asked
    ]  # fmt: skip
    return add_new(connection, WARD_TASK, rows)


def end_task(
    connection: Connection, hospital: HospitalId, id: str, status: str, at: Instant | None, event: bytes | None
) -> None:
    """End an open task."""
    connection.execute(
        WARD_TASK.update()
        .where(WARD_TASK.c.hospital == hospital, WARD_TASK.c.task == id, WARD_TASK.c.status == "open")
        .values(status=status, done_at=at, done_event_id=event)
    )
