"""Uploaded spreadsheets and kept plans, read back and written.

No rule lives here. The rule that must not be broken: every query names the hospital, and lists have a limit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from central.store.merge import merge
from central.store.tables.intake import INTAKE_FILE, INTAKE_PLAN
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant

LISTED_MAX = 50
CONTENTS_KEPT = 20
"""Files whose bytes are kept, the newest; of others only what became of them."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """One uploaded file without its bytes."""

    file: str
    kind: str
    name: str
    sheet: str
    first_head: int
    last_head: int
    plan: str
    state: str
    rows_applied: int
    rows_left: int
    person: str
    at: Instant
    applied_at: Instant | None


@dataclass(frozen=True, slots=True)
class KeptPlan:
    """A plan kept by name."""

    name: str
    fingerprint: str
    plan: str
    person: str
    at: Instant


_SHOWN = [column for column in INTAKE_FILE.c if column.name not in {"content", "sha256", "hospital"}]


def uploads(connection: Connection, hospital: HospitalId, *, file: str = "") -> list[Uploaded]:
    """Return the files uploaded, the newest first, or the one named."""
    chosen = select(*_SHOWN).where(INTAKE_FILE.c.hospital == hospital)
    if file:
        chosen = chosen.where(INTAKE_FILE.c.file == file)
    rows = connection.execute(chosen.order_by(INTAKE_FILE.c.at.desc(), INTAKE_FILE.c.file).limit(LISTED_MAX))
    return [Uploaded(**row) for row in rows.mappings()]


def content(connection: Connection, hospital: HospitalId, file: str) -> bytes | None:
    """Return a file's bytes, None where they were let go."""
    row = INTAKE_FILE.c
    found = connection.execute(select(row.content).where(row.hospital == hospital, row.file == file)).first()
    return None if found is None else found.content


def add(connection: Connection, row: Mapping[str, Any]) -> None:
    """Add a file, and let go of the bytes of old ones."""
    connection.execute(INTAKE_FILE.insert().values(**row))
    held = select(INTAKE_FILE.c.file).where(
        INTAKE_FILE.c.hospital == row["hospital"], INTAKE_FILE.c.content.is_not(None)
    )
    old = connection.scalars(held.order_by(INTAKE_FILE.c.at.desc()).offset(CONTENTS_KEPT)).all()
    if old:
        gone = INTAKE_FILE.update().where(INTAKE_FILE.c.hospital == row["hospital"], INTAKE_FILE.c.file.in_(old))
        connection.execute(gone.values(content=None))


def change(connection: Connection, hospital: HospitalId, file: str, **values: object) -> None:
    """Change how a file is read or what became of it."""
    row = INTAKE_FILE.c
    connection.execute(INTAKE_FILE.update().where(row.hospital == hospital, row.file == file).values(**values))


def plans(connection: Connection, hospital: HospitalId, kind: str) -> list[KeptPlan]:
    """Return the plans kept for a kind, the newest first."""
    row = INTAKE_PLAN.c
    chosen = INTAKE_PLAN.select().where(row.hospital == hospital, row.kind == kind)
    rows = connection.execute(chosen.order_by(row.at.desc(), row.name).limit(LISTED_MAX))
    return [KeptPlan(one.name, one.fingerprint, one.plan, one.person, Instant(one.at)) for one in rows]


def keep_plan(connection: Connection, hospital: HospitalId, kind: str, one: KeptPlan) -> None:
    """Keep a plan under its name; the one of that name before is replaced."""
    row = {"hospital": hospital, "kind": kind, "name": one.name, "fingerprint": one.fingerprint, "plan": one.plan}
    merge(connection, INTAKE_PLAN, [row | {"person": one.person, "at": one.at}])
