"""The edge's door to SQLite: five methods, so that another SQLite can stand behind the same store.

It is not a pool and knows no table. The rule that must not be broken: transactions are said aloud (`transaction` is the
one way to write), and a failed commit is never tried again blindly: the caller is told and decides.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from edge_agent.errors import DiskFull, NotALedger, StoreFault
from edge_agent.store.lock import LOCK_SUFFIX, hold_alone

Row = tuple[Any, ...]

WAL_PAGES_MAX = 4_000
"""What the WAL may grow to before a commit moves it into the file itself: some hundred scans without a pause."""
BUSY_TIMEOUT_S = 10.0
"""How long one waits for another reader or writer of the file; a verification holds a read for its whole length."""


WHEN_DAMAGED = "keep this file, stop the agent, and put the newest backup back: wardstock-edge restore --from FILE"
"""What a person does about a damaged ledger; what the backup lacks and central has comes back from there."""


class Connection(Protocol):
    """What the store asks of SQLite. Every method raises `StoreFault`, or `DiskFull` when there is no room."""

    def execute(self, sql: str, values: Sequence[Any] = ()) -> None:
        """Run one statement and drop what it returns."""

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row."""

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Return every row of a small answer."""

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        """Return the rows of a large answer one at a time."""

    def close(self) -> None:
        """Give the file back."""


class SqliteConnection:
    """The standard library's SQLite in autocommit: WAL, every commit synced in full.

    Each method tells of a fault by itself: one context manager a statement would be a fifth of a commit's Python. One
    cursor serves every statement that ends within its call.
    """

    def __init__(self, raw: sqlite3.Connection, name: str) -> None:
        self.raw = raw
        self._cursor = raw.cursor()
        self._name = name

    def execute(self, sql: str, values: Sequence[Any] = ()) -> None:
        """Run one statement and drop what it returns."""
        try:
            self._cursor.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise fault_of(error, self._name) from error

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row."""
        try:
            self._cursor.executemany(sql, rows)
        except sqlite3.Error as error:
            raise fault_of(error, self._name) from error

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Return every row of a small answer."""
        try:
            return self._cursor.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise fault_of(error, self._name) from error

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        """Return the rows of a large answer one at a time."""
        try:
            yield from self.raw.execute(sql, values)
        except sqlite3.Error as error:
            raise fault_of(error, self._name) from error

    def close(self) -> None:
        """Give the file back."""
        try:
            self.raw.close()
        except sqlite3.Error as error:
            raise fault_of(error, self._name) from error


def fault_of(error: sqlite3.Error, name: str) -> StoreFault:
    """Return SQLite's complaint about a file as ours, with what to do."""
    match getattr(error, "sqlite_errorname", ""):
        case "SQLITE_FULL":
            return DiskFull(f"{name}: expected room for one more entry, the disk is full; free some and scan again")
        case "SQLITE_NOTADB" | "SQLITE_CORRUPT":
            return NotALedger(f"{name}: expected a sound SQLite file, {error}; {WHEN_DAMAGED}")
        case "SQLITE_CANTOPEN" | "SQLITE_READONLY":
            return StoreFault(f"{name}: expected a file that can be opened and written, {error}; look at its owner")
        case errorname:
            return StoreFault(f"{name}: {error} ({errorname or 'SQLite'}); the transaction was not kept")


def open_to_write(path: Path, *, max_pages: int | None = None) -> SqliteConnection:
    """Open or create a file for the one writer. `max_pages` limits its size in pages. Raises `StoreFault`."""
    connection = _connect(path, "rwc")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES_MAX}")
    connection.execute("PRAGMA temp_store = MEMORY")  # what a statement may undo is kept here, not in a file beside
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA recursive_triggers = ON")
    if max_pages is not None:
        connection.execute(f"PRAGMA max_page_count = {int(max_pages)}")
    return connection


@contextmanager
def open_to_read(path: Path) -> Iterator[SqliteConnection]:
    """Open a file that stands already, for reading only: a running agent is not disturbed, and no trace is left.

    A file without a WAL is closed: nobody writes it, and it is read without locks. Raises `StoreFault`, also when
    somebody began to write such a file meanwhile: then what was read says nothing.
    """
    if not path.is_file():
        found = "that is a folder" if path.is_dir() else "there is no such file"
        raise NotALedger(f"{path}: expected a ledger, {found}; name the ledger.db of a device")
    wal, shm = (path.with_name(path.name + end) for end in ("-wal", "-shm"))
    if not wal.exists():
        yield from _read_closed(path, wal)
        return
    had_shm = shm.exists()
    connection = _connect(path, "ro")
    try:
        yield connection
    finally:
        connection.close()
        if not had_shm:
            _remove_unless_held(path, shm)


def _read_closed(path: Path, wal: Path) -> Iterator[SqliteConnection]:
    before = _mark_of(path)
    connection = _connect(path, "ro&immutable=1")
    try:
        yield connection
    finally:
        connection.close()
    if wal.exists() or _mark_of(path) != before:
        raise StoreFault(f"{path}: expected nobody to write it meanwhile, an agent began to; ask again")


def _mark_of(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _remove_unless_held(path: Path, shm: Path) -> None:
    """Remove the index that reading a lone WAL left behind, unless an agent works with it by now."""
    with suppress(OSError, StoreFault):
        if path.with_name(path.name + LOCK_SUFFIX).exists():
            with hold_alone(path):
                shm.unlink()
        else:
            shm.unlink()


def _connect(path: Path, mode: str) -> SqliteConnection:
    try:
        raw = sqlite3.connect(
            f"file:{quote(str(path))}?mode={mode}", uri=True, isolation_level=None, timeout=BUSY_TIMEOUT_S
        )
    except sqlite3.Error as error:
        raise fault_of(error, str(path)) from error
    return SqliteConnection(raw, str(path))


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """Do everything inside, synced to the disk, or nothing of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(StoreFault):  # SQLite has rolled back itself after some faults, and then refuses
            connection.execute("ROLLBACK")
        raise
