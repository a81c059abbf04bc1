"""The record of who did and saw what: one chain of rows a hospital, only ever added to.

It is about people at central, not about stock; the ledger has its own chains. The rule that must not be broken: a row
is written in the same transaction as what it tells of, and its hash covers every field and the row before it.

Source: GB/T 22239-2019 8.1.4.3 (records of every user, protected from change); Cybersecurity Law of China, article 21
(kept at least six months).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from central.store.paging import Key, Keyset, Page, PageAsked
from central.store.tables.people import AUDIT
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant

GENESIS = bytes(32)
DOMAIN = b"wardstock.audit.1"
LISTED_MAX = 500
"""Rows a list gives at most."""
DETAIL_MAX = 4000
"""Characters of detail kept with a row."""
LOCK_KEY = 0x57415244
"""Names the lock under which PostgreSQL numbers the rows; SQLite has one writer anyway."""


@dataclass(frozen=True, slots=True)
class Act:
    """One row: `act` is a verb such as `approve` or `see-prices`, `subject` what it was done to."""

    seq: int
    at: Instant
    person: str
    act: str
    subject: str
    detail: Mapping[str, Any]


def note(
    connection: Connection,
    hospital: HospitalId,
    at: Instant,
    *,
    person: str,
    act: str,
    subject: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add one row; the caller holds the write transaction of what the row tells of."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK_KEY})")
    newest = AUDIT.select().where(AUDIT.c.hospital == hospital).order_by(AUDIT.c.seq.desc()).limit(1)
    last = connection.execute(newest).first()
    seq, before = (0, GENESIS) if last is None else (last.seq + 1, last.hash)
    text = json.dumps(dict(detail or {}), sort_keys=True, ensure_ascii=False)[:DETAIL_MAX]
    row = {"hospital": hospital, "seq": seq, "at": at, "person": person, "act": act, "subject": subject, "detail": text}
    connection.execute(AUDIT.insert().values(**row, prev_hash=before, hash=_digest(row, before)))


def acts(connection: Connection, hospital: HospitalId, *, before: int | None = None, person: str = "") -> list[Act]:
    """Return the newest rows, at most `LISTED_MAX`, older than a number, of one person or of all."""
    chosen = AUDIT.select().where(AUDIT.c.hospital == hospital).order_by(AUDIT.c.seq.desc()).limit(LISTED_MAX)
    if before is not None:
        chosen = chosen.where(AUDIT.c.seq < before)
    if person:
        chosen = chosen.where(AUDIT.c.person == person)
    return [_act(row) for row in connection.execute(chosen)]


ACTS = Keyset("acts", (Key(AUDIT.c.seq, falling=True),))


def acts_page(connection: Connection, hospital: HospitalId, asked: PageAsked, *, person: str = "") -> Page[Act]:
    """Return a page of the rows, the newest first, of one person or of all. Raises `BadInput` for its cursor."""
    chosen = select(AUDIT).where(AUDIT.c.hospital == hospital)
    rows, cursor = ACTS.rows(connection, chosen.where(AUDIT.c.person == person) if person else chosen, asked)
    return Page(tuple(_act(row) for row in rows), cursor)


def broken_at(connection: Connection, hospital: HospitalId) -> int | None:
    """Return the number of the first row that is not as it was written or is missing, None when all stand."""
    expected, before = 0, GENESIS
    chosen = AUDIT.select().where(AUDIT.c.hospital == hospital).order_by(AUDIT.c.seq)
    for row in connection.execution_options(yield_per=1000).execute(chosen):
        fields = {name: row._mapping[name] for name in _FIELDS}
        if row.seq != expected or row.prev_hash != before or row.hash != _digest(fields, before):
            return expected
        expected, before = expected + 1, row.hash
    return None


_FIELDS = ("hospital", "seq", "at", "person", "act", "subject", "detail")


def _digest(row: Mapping[str, Any], before: bytes) -> bytes:
    said = json.dumps([row[name] for name in _FIELDS], ensure_ascii=False).encode()
    return hashlib.sha256(DOMAIN + before + said).digest()


def _act(row: Row[Any]) -> Act:
    return Act(row.seq, Instant(row.at), row.person, row.act, row.subject, _detail(row.detail))


def _detail(text: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(text)
    except ValueError:
        return {"cut": text}  # a detail longer than DETAIL_MAX
    return found
