"""The record of who did and saw what: one chain of rows a hospital, added to at its end, let go at its beginning.

It is about people at central, not about stock; the ledger has its own chains. The rules that must not be broken: a row
is written in the same transaction as what it tells of, and its hash covers every field and the row before it; what is
old enough goes only behind a checkpoint, of which the chain itself tells, and only while it is whole.

Source: GB/T 22239-2019 8.1.4.3 (records of every user, protected from change); Cybersecurity Law of China, article 21
(kept at least six months).
"""

import hashlib
import json
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, select

from central.errors import BadInput, NotNow
from central.store.paging import Key, Keyset, Page, PageAsked
from central.store.tables.people import AUDIT, AUDIT_CHECKPOINT
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, plus

GENESIS = bytes(32)
DOMAIN = b"wardstock.audit.1"
LISTED_MAX = 500
"""Rows a list gives at most."""
KEPT_DAYS_MIN = 180
"""Nothing is let go that is younger, whatever the policy table says; the store's own triggers hold to it too."""
LET_GO_MAX = 50_000
"""Rows let go at once: the hashing of a second."""
LET_GO, DAY_S = "let-go", 86_400
WALKED_AT_ONCE = 1_000
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
    """Return the number of the first row that is not as it was written or is missing, None when all stand.

    Where rows were let go, an act behind them must tell of it, else the last that went is named.
    """
    start = _checkpoint(connection, hospital)
    told = start.seq < 0
    for row in _walked(connection, hospital, start):
        if isinstance(row, int):
            return row
        told = told or (row.act == LET_GO and _detail(row.detail).get("hash") == start.hash.hex())
    return None if told else start.seq


def let_go(connection: Connection, hospital: HospitalId, now: Instant, kept_days: int) -> int:
    """Let go of the rows older than so many days, at most `LET_GO_MAX`; returns how many. Writes an act that tells it.

    Raises `BadInput` for fewer days than `KEPT_DAYS_MIN`, `NotNow` when what would go is not whole.
    """
    if kept_days < KEPT_DAYS_MIN:
        raise BadInput(f"audit.kept_days: expected {KEPT_DAYS_MIN} days or more, got {kept_days}")
    before, start = plus(now, -kept_days * DAY_S), _checkpoint(connection, hospital)
    last = start
    with closing(_walked(connection, hospital, start)) as walked:
        for row in islice(walked, LET_GO_MAX):
            if isinstance(row, int):
                raise NotNow(f"record of acts, row {row}: expected it as it was written; nothing is let go, run verify")
            if row.at >= before:
                break
            last = Checkpoint(row.seq, row.hash)
    if last == start:
        return 0
    gone = last.seq - start.seq
    said = {"first": start.seq + 1, "last": last.seq, "hash": last.hash.hex()}
    note(connection, hospital, now, person="central", act=LET_GO, detail=said)
    connection.execute(AUDIT_CHECKPOINT.insert().values(hospital=hospital, seq=last.seq, hash=last.hash, at=now))
    connection.execute(AUDIT.delete().where(AUDIT.c.hospital == hospital, AUDIT.c.seq <= last.seq))
    return gone


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The last row that is no longer kept, -1 and zeros while all are."""

    seq: int
    hash: bytes


def _checkpoint(connection: Connection, hospital: HospitalId) -> Checkpoint:
    point = AUDIT_CHECKPOINT.c
    newest = AUDIT_CHECKPOINT.select().where(point.hospital == hospital).order_by(point.seq.desc()).limit(1)
    row = connection.execute(newest).first()
    return Checkpoint(-1, GENESIS) if row is None else Checkpoint(row.seq, row.hash)


def _walked(connection: Connection, hospital: HospitalId, start: Checkpoint) -> Generator[Row[Any] | int, None, None]:
    """Give the rows in their order while they are as they were written, then the number of the first that is not."""
    expected, before = start.seq + 1, start.hash
    chosen = AUDIT.select().where(AUDIT.c.hospital == hospital).order_by(AUDIT.c.seq)
    with connection.execute(chosen.execution_options(yield_per=WALKED_AT_ONCE)) as rows:
        for row in rows:
            fields = {name: row._mapping[name] for name in _FIELDS}
            if row.seq != expected or row.prev_hash != before or row.hash != _digest(fields, before):
                yield expected
                return
            yield row
            expected, before = expected + 1, row.hash


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
