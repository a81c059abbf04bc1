"""A question that every request asks: made once, and handed to the driver as text with its values.

SQLAlchemy reckons a statement, its types and its rows anew each time it is asked, which costs more than the answer of
an index. It knows no table. The rules that must not be broken: a question is asked within the caller's transaction; its
rows come as the driver gives them, so whoever reads a day or a flag reads it with `as_day` and `bool`; what the driver
refuses is raised as SQLAlchemy's error, for which everybody waits.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import date
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, bindparam
from sqlalchemy.exc import DBAPIError

Rows = Sequence[tuple[Any, ...]]


class Prepared:
    """One question with named parameters, none of them a list."""

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement
        self._told: dict[str, tuple[str, tuple[str, ...] | None, dict[str, Any]]] = {}

    def rows(self, connection: Connection, **values: object) -> Rows:
        """Return every row, in the columns of the question. Raises `DBAPIError` as `Connection.execute` does."""
        text, order, fixed = self.told(connection)
        if not connection.in_transaction():
            connection.begin()
        said = {**fixed, **values} if fixed else values
        try:
            with closing(connection.connection.cursor()) as cursor:
                cursor.execute(text, said if order is None else [said[name] for name in order])
                rows: Rows = cursor.fetchall()
        except connection.dialect.loaded_dbapi.Error as error:
            raise _refused(connection, text, error) from error
        return rows

    def told(self, connection: Connection) -> tuple[str, tuple[str, ...] | None, dict[str, Any]]:
        """Return the text for a database, the order of its values where they have no names, and those it brings."""
        known = self._told.get(connection.dialect.name)
        if known is not None:
            return known
        made = self._statement.compile(dialect=connection.dialect)
        order = None if made.positiontup is None else tuple(made.positiontup)
        fixed = {name: value for name, value in made.params.items() if value is not None}
        told = self._told[connection.dialect.name] = (made.string, order, fixed)
        return told


def _refused(connection: Connection, text: str, error: Exception) -> BaseException:
    """Return what a driver said as SQLAlchemy's error; a connection that broke is given up and never used again."""
    dialect = connection.dialect
    broke = dialect.is_disconnect(error, connection.connection, None)  # type: ignore[arg-type] # what the pool hands out
    if broke:
        connection.invalidate(error)
    base = dialect.loaded_dbapi.Error
    return DBAPIError.instance(text, None, error, base, connection_invalidated=broke, dialect=dialect)


class Among:
    """One question that names several things; `make` makes it for their parameters.

    It is made for one, two, four, eight of them and so on; the last is named again until they are so many.
    """

    def __init__(self, make: Callable[[Sequence[BindParameter[Any]]], Select[Any]]) -> None:
        self._make = make
        self._made: dict[int, tuple[Prepared, tuple[str, ...]]] = {}

    def rows(self, connection: Connection, several: Sequence[object], **values: object) -> Rows:
        """Return every row for things that are named; none for nothing."""
        if not several:
            return ()
        size = 1 << (len(several) - 1).bit_length()
        made = self._made.get(size)
        if made is None:
            names = tuple(f"one_{number}" for number in range(size))
            made = self._made[size] = Prepared(self._make([bindparam(name) for name in names])), names
        question, names = made
        named = dict(zip(names, [*several, *[several[-1]] * (size - len(several))], strict=True))
        return question.rows(connection, **named, **values)


def as_day(value: str | date | None) -> date | None:
    """Return a day as SQLite's text or PostgreSQL's date tells it."""
    return date.fromisoformat(value) if isinstance(value, str) else value
