"""The door to central's database: one engine, short read transactions, one writer at a time on SQLite.

It is not a unit of work and knows no table. On SQLite every write is `BEGIN IMMEDIATE` under a lock of this process,
with WAL and `synchronous = FULL`: what COMMIT returned for is on the disk, and only that may be acknowledged. The rule
that must not be broken: nobody opens a second engine on the same file, and nobody holds `write()` while waiting for a
network.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

BUSY_TIMEOUT_MS = 10_000
"""How long SQLite waits for a lock of another process (a backup, a reader that checkpoints) before it says busy."""

POOL_SIZE_MAX = 16
"""Connections kept for readers: the API's threads and the jobs."""

SERVED = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
"""What an address may start with, and the driver that serves it: the two databases this is tested on."""

EXAMPLE = "sqlite:///central.db or postgresql://wardstock@db.hospital.lan/wardstock"

READING = "BEGIN"
_WRITES = "wardstock_writes"


class BadStoreUrl(ValueError):
    """The configured store address cannot be used."""


class NoStore(ValueError):
    """No store is where one was expected."""


class Store:
    """One database: `read()` and `write()` give a SQLAlchemy connection inside a transaction."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._alone = isinstance(engine.pool, StaticPool)
        self._lock = threading.RLock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one moment of the store; whatever it changed is rolled back."""
        if self._alone:
            with self._lock, self.engine.connect() as connection:
                yield connection
            return
        moment = self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="REPEATABLE READ")
        with moment.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection in one write transaction: commit at the end, roll back on any error."""
        if not self.is_sqlite:
            with self.engine.begin() as connection:
                yield connection
            return
        with self._lock, self.engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Close every connection; the store must not be used afterwards."""
        self.engine.dispose()


def was_in_the_way(error: DBAPIError) -> bool:
    """Tell whether another writer, or a connection that broke, made a transaction fail: the same may be tried again.

    PostgreSQL, appendix A: 40001 serialization_failure, 40P01 deadlock_detected, class 57 operator intervention and
    class 08 connection exception.
    """
    code = getattr(error.orig, "sqlstate", None) or ""
    return error.connection_invalidated or code in {"40001", "40P01"} or code[:2] in {"08", "57"}


def open_store(url: str, *, base: Path | None = None, existing: bool = False) -> Store:
    """Open the store at a SQLAlchemy address; a relative SQLite path is relative to `base`.

    With `existing`, a file that is not there is refused and never made. Raises `BadStoreUrl`, `NoStore`. Opening does
    not migrate and does not check that the store is migrated.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise BadStoreUrl(f"expected an address such as {EXAMPLE}, got {url!r:.80}") from error
    if parsed.drivername not in SERVED:
        raise BadStoreUrl(
            f"expected SQLite or PostgreSQL, such as {EXAMPLE}, got {parsed.drivername}; change the address"
        )
    if parsed.get_backend_name() == "postgresql":
        return _postgresql(parsed.set(drivername=SERVED[parsed.drivername]))
    if parsed.database in {None, "", ":memory:"}:
        options: dict[str, Any] = {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
        return Store(_sqlite(create_engine(parsed, **options)))
    path = Path(str(parsed.database))
    if base is not None and not path.is_absolute():
        parsed = parsed.set(database=str(base / path))
    if not Path(str(parsed.database)).parent.is_dir():
        raise BadStoreUrl(f"expected a file in an existing folder, got {parsed.database}")
    if existing and not _holds_anything(Path(str(parsed.database))):
        raise NoStore(f"store: expected a migrated store in {parsed.database}, there is none")
    return Store(_sqlite(create_engine(parsed, pool_size=POOL_SIZE_MAX, max_overflow=POOL_SIZE_MAX)))


def _postgresql(url: URL) -> Store:
    """Open a PostgreSQL store. Raises `BadStoreUrl` when nobody answers there."""
    engine = create_engine(url, pool_size=POOL_SIZE_MAX, max_overflow=POOL_SIZE_MAX, pool_pre_ping=True)
    try:
        engine.connect().close()
    except SQLAlchemyError as error:
        engine.dispose()
        said = " ".join(str(error.args[0] if error.args else error).split())
        raise BadStoreUrl(f"expected a database that answers at {url.render_as_string()}, got {said:.200}") from error
    return Store(engine)


def _holds_anything(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _sqlite(engine: Engine) -> Engine:
    @event.listens_for(engine, "connect")
    def _prepare(raw: DBAPIConnection, _record: object) -> None:
        raw.isolation_level = None  # the driver must not begin on its own; we do, below
        cursor = raw.cursor()
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if begin_of(connection) == READING:
            connection.connection.cursor().execute(READING)  # of the driver itself: no request does without
        else:
            connection.exec_driver_sql(begin_of(connection))

    return engine


def begin_of(connection: Connection) -> str:
    """Return the statement that begins a connection's transaction on SQLite: a writer takes its lock at once."""
    return "BEGIN IMMEDIATE" if connection.get_execution_options().get(_WRITES, False) else READING
