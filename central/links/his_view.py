"""The view in which another system shows its charges: rows above a mark, in its order, read and never written.

The account it is read with should only be able to read; every connection also asks for a transaction that cannot write
where the database knows such a thing. The rule that must not be broken: nothing is ever sent there but SELECT.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnClause,
    Connection,
    Engine,
    Select,
    column,
    create_engine,
    literal_column,
    make_url,
    select,
    table,
)
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from central.errors import NotReady

ROWS_MAX = 2_000
"""Rows one reading takes; the next reading goes on behind them."""
CONNECT_S = 10
SAID_MAX = 200
READ_ONLY = {"postgresql": "SET TRANSACTION READ ONLY", "sqlite": "PRAGMA query_only = 1"}
TIMEOUT_NAMES = {"sqlite": "timeout", "postgresql": "connect_timeout"}


@dataclass(frozen=True, slots=True)
class HisView:
    """Where the view is and what its growing column is called."""

    url: str
    view: str
    mark: str

    def rows(self, after: str) -> list[Mapping[str, Any]]:
        """Return at most `ROWS_MAX` rows above a mark (empty: from the beginning), the lowest first.

        Raises `NotReady` for a database or view that does not answer.
        """
        try:
            engine = _engine(self.url)
        except (SQLAlchemyError, ArgumentError, ImportError) as error:
            raise _refused(self.view, error) from error
        try:
            with engine.connect() as connection:
                return self._read(connection, after)
        except SQLAlchemyError as error:
            raise _refused(self.view, error) from error
        finally:
            engine.dispose()

    def _read(self, connection: Connection, after: str) -> list[Mapping[str, Any]]:
        said = READ_ONLY.get(connection.dialect.name)
        if said is not None:
            connection.exec_driver_sql(said)
        schema, _, name = self.view.rpartition(".")
        mark: ColumnClause[Any] = column(self.mark)
        query: Select[Any] = select(literal_column("*")).select_from(table(name, schema=schema or None)).order_by(mark)
        if after:
            query = query.where(mark > (int(after) if after.isdigit() else after))
        return [dict(row._mapping) for row in connection.execute(query.limit(ROWS_MAX))]


def _engine(url: str) -> Engine:
    name = make_url(url).get_backend_name()
    told = {TIMEOUT_NAMES[name]: CONNECT_S} if name in TIMEOUT_NAMES else {}
    return create_engine(url, connect_args=told)


def _refused(view: str, error: Exception) -> NotReady:
    said = str(getattr(error, "orig", None) or error).splitlines()[0][:SAID_MAX]
    return NotReady(f"his.charges_view: expected {view} to answer, got: {said}")
