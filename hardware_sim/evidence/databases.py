"""The databases of a played story, opened so that they cannot be written, as of one moment.

It knows no table; a row's form names its columns. The rule that must not be broken: nothing here can change what is
judged.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from hardware_sim.errors import PartFailed, WrongUse
from protocols.values.ids import HOSPITAL_DEFAULT, PlaceId

Form = TypeVar("Form")

HOSPITAL = HOSPITAL_DEFAULT
"""The demo's one hospital; every table of central is asked for it alone."""


class Database:
    """One file, one snapshot."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self.path = path

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Return every row of an answer. Raises `PartFailed` when the file is not as docs/databases.md says."""
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise PartFailed(f"{self.path}: expected the columns of docs/databases.md; {error}") from error

    def each(self, form: type[Form], table: str, where: str = "", *values: object) -> list[Form]:
        """Return a table's rows in a form (a dataclass) whose fields are named as the columns."""
        columns = ", ".join(field.name for field in fields(form))  # type: ignore[arg-type]  # a dataclass by contract
        return [form(*row) for row in self.rows(f"SELECT {columns} FROM {table} {where}", *values)]

    def ours(self, form: type[Form], table: str) -> list[Form]:
        """Return the rows of the hospital in one of central's tables."""
        return self.each(form, table, "WHERE hospital = ?", HOSPITAL)


def edge_path(state: Path, ward: PlaceId) -> Path:
    """Return where a ward's edge keeps its ledger."""
    return state / "edge" / ward / "ledger.db"


def central_path(state: Path) -> Path:
    """Return where central keeps everything."""
    return state / "central" / "central.db"


@contextmanager
def opened(path: Path) -> Iterator[Database]:
    """Give one snapshot of a file. Raises `WrongUse` when there is none, `PartFailed` when it cannot be read."""
    if not path.is_file():
        raise WrongUse(f"{path}: expected a database a played story left, there is none; name its --state")
    try:
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None)
    except sqlite3.Error as error:
        raise PartFailed(f"{path}: expected a database that can be read; {error}") from error
    with closing(connection):
        database = Database(connection, path)
        database.rows("BEGIN")
        yield database
