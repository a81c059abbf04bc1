"""Many rows at once into one table, by the plainest way each store has: executemany, on PostgreSQL COPY.

A row is a tuple in the order of its table's columns. It knows no table and decides nothing. The rules that must not be
broken: nothing commits here; a fault of the driver is raised as SQLAlchemy's, so that callers know one kind of fault.
"""

from collections.abc import Sequence
from contextlib import contextmanager
from functools import lru_cache
from operator import itemgetter
from typing import Any, cast

import psycopg
from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError

COPY_ROWS_MIN = 24
"""From so many rows on COPY is faster than statements one behind the other; measured on one machine, not a law."""
STATEMENTS_KEPT = 256

Rows = Sequence[tuple[Any, ...]]


def insert_rows(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert rows that are new. Raises the store's `IntegrityError` when one is not."""
    if not rows:
        return
    if _copies(connection, rows):
        _copy(connection, table.name, table, rows)
        return
    connection.exec_driver_sql(_insert(table, connection.dialect.name), list(rows))


def insert_new(connection: Connection, table: Table, rows: Rows) -> int:
    """Insert the rows whose key is not there yet; return how many that were. No key may stand in `rows` twice."""
    return _upsert(connection, table, rows, "DO NOTHING")


def merge_rows(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert rows, or bring what is no key up to date where the key is there. No key may stand in `rows` twice."""
    changed = ", ".join(f'"{name}" = excluded."{name}"' for name in _values(table))
    _upsert(connection, table, rows, f"({_names(_keys(table))}) DO UPDATE SET {changed}")


def add_rows(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert rows, or add to the numbers that stand there. No key may stand in `rows` twice."""
    added = ", ".join(f'"{name}" = {table.name}."{name}" + excluded."{name}"' for name in _values(table))
    _upsert(connection, table, rows, f"({_names(_keys(table))}) DO UPDATE SET {added}")


def _upsert(connection: Connection, table: Table, rows: Rows, conflict: str) -> int:
    """Insert in key order, so that two writers never wait for each other crosswise; return how many rows moved."""
    if not rows:
        return 0
    rows = sorted(rows, key=itemgetter(slice(len(_keys(table)))))
    if not _copies(connection, rows):
        statement = f"{_insert(table, connection.dialect.name)} ON CONFLICT {conflict}"
        return connection.exec_driver_sql(statement, rows).rowcount
    aside, columns = f"{table.name}_aside", _names(_columns(table))
    connection.exec_driver_sql(
        f"CREATE TEMP TABLE IF NOT EXISTS {aside} ON COMMIT DELETE ROWS AS SELECT {columns} FROM {table.name} LIMIT 0"
    )
    _copy(connection, aside, table, rows)
    order = _names(_keys(table))
    moved = connection.exec_driver_sql(
        f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM {aside} ORDER BY {order} ON CONFLICT {conflict}"
    ).rowcount
    connection.exec_driver_sql(f"DELETE FROM {aside}")
    return moved


def _copies(connection: Connection, rows: Rows) -> bool:
    return connection.dialect.name == "postgresql" and len(rows) >= COPY_ROWS_MIN


def _copy(connection: Connection, into: str, table: Table, rows: Rows) -> None:
    raw = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    statement = f"COPY {into} ({_names(_columns(table))}) FROM STDIN (FORMAT BINARY)"
    with _told(connection, statement), raw.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(_types(table, connection))
        for row in rows:
            copy.write_row(row)


@contextmanager
def _told(connection: Connection, statement: str) -> Any:  # noqa: ANN401 # a generator, for contextmanager
    """Raise what the driver raises as SQLAlchemy's error."""
    try:
        yield
    except psycopg.Error as error:
        raise DBAPIError.instance(statement, None, error, psycopg.Error, dialect=connection.dialect) from error


@lru_cache(STATEMENTS_KEPT)
def _insert(table: Table, dialect: str) -> str:
    names = _columns(table)
    mark = "?" if dialect == "sqlite" else "%s"
    return f"INSERT INTO {table.name} ({_names(names)}) VALUES ({', '.join([mark] * len(names))})"


def _types(table: Table, connection: Connection) -> list[str]:
    """Return PostgreSQL's name of each column's type, as binary COPY needs it."""
    return [_PLAIN.get(name, name) for name in (c.type.compile(connection.dialect).lower() for c in table.columns)]


_PLAIN = {"varchar": "text", "integer": "int4", "bigint": "int8", "float": "float8", "boolean": "bool"}


def _columns(table: Table) -> list[str]:
    return [column.name for column in table.columns]


def _keys(table: Table) -> list[str]:
    return [column.name for column in table.primary_key]


def _values(table: Table) -> list[str]:
    keys = set(_keys(table))
    return [name for name in _columns(table) if name not in keys]


def _names(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
