"""Put rows into a table whether or not they are there already, on SQLite and PostgreSQL alike.

It knows no table. The rule that must not be broken: the caller holds a write transaction; nothing commits here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

ROWS_A_STATEMENT_MAX = 500
"""Bounds what one statement holds in memory; SQLite admits 32,766 parameters."""

Row = Mapping[str, Any]


def merge(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, or update the columns that are no key where the key is there; every row names the same columns."""
    for chunk in _chunks(rows):
        statement = _insert(connection)(table)
        keys = [column.name for column in table.primary_key]
        changed = {name: statement.excluded[name] for name in chunk[0] if name not in keys}
        renewed = (
            statement.on_conflict_do_update(index_elements=keys, set_=changed)
            if changed
            else statement.on_conflict_do_nothing()
        )
        connection.execute(renewed, chunk)


def add_new(connection: Connection, table: Table, rows: Sequence[Row]) -> int:
    """Insert the rows whose key is not there yet and return how many that were."""
    added = 0
    for row in rows:
        statement = _insert(connection)(table).values(**row).on_conflict_do_nothing()
        added += connection.execute(statement.execution_options(preserve_rowcount=True)).rowcount
    return added


def _chunks(rows: Sequence[Row]) -> list[list[dict[str, Any]]]:
    starts = range(0, len(rows), ROWS_A_STATEMENT_MAX)
    return [[dict(row) for row in rows[start : start + ROWS_A_STATEMENT_MAX]] for start in starts]


def _insert(connection: Connection) -> Any:  # noqa: ANN401 # the two dialects' statements share no typed base
    return postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
