"""Real SQLite on simulated disks: the edge's five-method connection, and a DB-API for central's SQLAlchemy.

Both go through apsw, whose SQLite is the same code as production's; only the file system beneath differs. WAL needs the
exclusive mode here, because the VFS shares no memory. The rule that must not be broken: a statement's error reaches the
store as the same class that the standard library's SQLite would raise.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, cast

import apsw
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import StaticPool

from central.store.engine import begin_of
from edge_agent.errors import DiskFull, NotALedger, StoreFault
from edge_agent.store.connection import Row
from migrations.edge.steps import SET, STEPS
from tests.simulation.disk import Disk, Rack, path_of

LEDGER_FILE = "ledger.db"
CENTRAL_FILE = "central.db"
STATEMENTS_CACHED = 200
SYNCHRONOUS = "FULL"


def _open(rack: Rack, disk: Disk, file: str, journal: str) -> apsw.Connection:
    raw = apsw.Connection(path_of(disk, file), vfs=rack.vfs, statementcachesize=STATEMENTS_CACHED)
    try:
        raw.execute("PRAGMA locking_mode = EXCLUSIVE")
        for pragma in (
            f"journal_mode = {journal}",
            f"synchronous = {SYNCHRONOUS}",
            "foreign_keys = ON",
            "recursive_triggers = ON",
        ):
            raw.execute(f"PRAGMA {pragma}")
    except apsw.Error:
        _close(raw)
        raise
    return raw


def _close(raw: apsw.Connection) -> None:
    """Close a connection whose disk may be gone."""
    with suppress(apsw.Error):
        raw.close(True)


class DiskConnection:
    """The edge's connection over a simulated disk."""

    def __init__(self, rack: Rack, disk: Disk, journal: str = "WAL") -> None:
        self._name = path_of(disk, LEDGER_FILE)
        with self._told():
            self.raw = _open(rack, disk, LEDGER_FILE, journal)

    def execute(self, sql: str, values: Sequence[Any] = ()) -> None:
        """Run one statement and drop what it returns."""
        with self._told():
            self.raw.execute(sql, tuple(values)).fetchall()

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row."""
        with self._told():
            self.raw.executemany(sql, [tuple(row) for row in rows])

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Return every row of a small answer."""
        with self._told():
            return list(self.raw.execute(sql, tuple(values)).fetchall())

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        """Return the rows of a large answer one at a time."""
        with self._told():
            yield from self.raw.execute(sql, tuple(values))

    def close(self) -> None:
        """Give the file back."""
        with self._told():
            self.raw.close(True)  # once the disk is gone it says so and is closed all the same

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except apsw.FullError as error:
            raise DiskFull(f"{self._name}: {error}") from error
        except (apsw.NotADBError, apsw.CorruptError) as error:
            raise NotALedger(f"{self._name}: {error}") from error
        except apsw.Error as error:
            raise StoreFault(f"{self._name}: {error}") from error


def bring_up_to_date(connection: DiskConnection) -> None:
    """Apply the edge's steps as plain SQL, each with its record in one transaction."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS _sqlite_migrations "
        "(id INTEGER PRIMARY KEY, migration_set TEXT, name TEXT, applied_at TEXT)"
    )
    seen = {name for (name,) in connection.query("SELECT name FROM _sqlite_migrations")}
    for step in STEPS:
        if step.name in seen:
            continue
        connection.execute("BEGIN IMMEDIATE")
        for statement in step.statements:
            connection.execute(statement)
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES (?, ?, '')", (SET, step.name)
        )
        connection.execute("COMMIT")


# --- central ---------------------------------------------------------------------------------------------------------


class _Cursor:
    """A DB-API cursor over apsw, as far as SQLAlchemy's SQLite dialect asks."""

    arraysize = 1

    def __init__(self, raw: apsw.Connection) -> None:
        self._raw = raw
        self._rows: list[tuple[Any, ...]] = []
        self.description: Sequence[Any] | None = None
        self.rowcount, self.lastrowid = -1, 0

    def execute(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> None:
        self._run(sql, [values])

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self._run(sql, rows)

    def _run(self, sql: str, rows: Iterable[Any]) -> None:
        self._rows, self.description = [], None
        before = self._raw.total_changes()
        cursor = self._raw.cursor()
        cursor.exec_trace = self._describe
        try:
            for values in rows:
                cursor.execute(sql, values if isinstance(values, Mapping) else tuple(values))
                self._rows += cursor.fetchall()
        except apsw.Error as error:
            raise _as_sqlite3(error) from error
        self.rowcount = self._raw.total_changes() - before
        self.lastrowid = self._raw.last_insert_rowid()

    def _describe(self, cursor: apsw.Cursor, _sql: str, _values: object) -> bool:
        columns = cursor.get_description()
        self.description = [(name, None, None, None, None, None, None) for name, _ in columns] or None
        return True

    def fetchall(self) -> list[tuple[Any, ...]]:
        rows, self._rows = self._rows, []
        return rows

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        size = size or self.arraysize
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    def close(self) -> None:
        self._rows = []


class _DbApiConnection:
    """A DB-API connection over apsw in autocommit: transactions are said aloud, as the store does."""

    isolation_level = None

    def __init__(self, raw: apsw.Connection) -> None:
        self._raw = raw

    def cursor(self) -> _Cursor:
        return _Cursor(self._raw)

    def execute(self, sql: str, values: Sequence[Any] = ()) -> _Cursor:
        cursor = _Cursor(self._raw)
        cursor.execute(sql, values)
        return cursor

    def commit(self) -> None:
        if self._raw.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        if self._raw.in_transaction:
            self.execute("ROLLBACK")

    def create_function(self, name: str, parameters: int, function: Callable[..., Any], deterministic: bool) -> None:
        self._raw.create_scalar_function(name, function, parameters, deterministic=deterministic)

    def close(self) -> None:
        _close(self._raw)


_AS = (
    (apsw.ConstraintError, sqlite3.IntegrityError),
    ((apsw.NotADBError, apsw.CorruptError), sqlite3.DatabaseError),
)


def _as_sqlite3(error: apsw.Error) -> sqlite3.Error:
    kind = next((theirs for ours, theirs in _AS if isinstance(error, ours)), sqlite3.OperationalError)
    return kind(str(error))


def central_engine(rack: Rack, disk: Disk) -> Engine:
    """Return an engine on central's file of a simulated disk: one connection, write transactions said aloud."""

    def connect() -> DBAPIConnection:
        try:
            return cast(DBAPIConnection, _DbApiConnection(_open(rack, disk, CENTRAL_FILE, "WAL")))
        except apsw.Error as error:
            raise _as_sqlite3(error) from error

    engine = create_engine("sqlite://", poolclass=StaticPool, creator=connect)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin_of(connection))

    return engine
