"""What of this version's schema does not stand in a store: tables, columns, keys, indexes and the rules that refuse.

It changes nothing and knows no row. Until the first release one revision is replaced rather than followed, so that two
builds may call different schemas by one number; what stands is therefore compared thing by thing. The rule that must
not be broken: what a store has beside what is wanted is no difference, for partitions and a hospital's own views are.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, MetaData, Table, text

from migrations.central.seals import seals

NAMED_MAX = 3
"""Differences that are named; of the others only their number is told."""

_MADE = re.compile(r"\s*CREATE (?:UNIQUE )?(?:TRIGGER|INDEX|FUNCTION) (\w+)")
_POSTGRESQL_CALLS = {"character varying": "VARCHAR", "double precision": "FLOAT"}
"""What PostgreSQL calls types otherwise than they were asked for."""

_SQLITE_COLUMNS = text(
    'SELECT m.name AS name, p.name AS part, p.type AS type, p."notnull" AS required, p.pk AS keyed,'
    " p.dflt_value IS NOT NULL AS filled"
    " FROM sqlite_master m JOIN pragma_table_xinfo(m.name) p WHERE m.type = 'table'"
)
_SQLITE_MADE = text("SELECT name, sql AS body FROM sqlite_master WHERE type IN ('trigger', 'index')")
_POSTGRESQL_COLUMNS = text(
    "SELECT c.relname AS name, a.attname AS part, format_type(a.atttypid, a.atttypmod) AS type,"
    " a.attnotnull AS required, coalesce(array_position(i.indkey::smallint[], a.attnum), -1) + 1 AS keyed,"
    " a.atthasdef AS filled FROM pg_class c"
    " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary"
    " WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
)
_POSTGRESQL_MADE = text(
    "SELECT p.proname AS name, p.prosrc AS body FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace"
    " UNION ALL SELECT t.tgname, '' FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal AND NOT c.relispartition"
    " UNION ALL SELECT c.relname, '' FROM pg_class c"
    " WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('i', 'I') AND NOT c.relispartition"
)


@dataclass(frozen=True, slots=True)
class Column:
    """What a column is: its type as asked for, whether a value must be there, its place in the key or 0.

    Whether the database fills it where nobody says a value matters only for a column that nobody wants.
    """

    type: str
    required: bool
    keyed: int
    filled: bool = field(default=False, compare=False)


@dataclass(slots=True)
class Found:
    """What stands: the columns of each table, and what else was made, by name, with its text where it is kept."""

    columns: dict[str, dict[str, Column]] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)


def differences(connection: Connection, wanted: MetaData) -> list[str]:
    """Return what does not stand as wanted, each in a few words; empty when all of it does."""
    found = _found(connection)
    said: list[str] = []
    for table in sorted(wanted.tables.values(), key=lambda one: one.name):
        said += _of_table(table, found.columns.get(table.name), connection)
    indexes = {str(index.name) for table in wanted.tables.values() for index in table.indexes}
    said += [f"index {name} is missing" for name in sorted(indexes - found.made.keys())]
    return [*said, *_of_seals(connection.dialect.name, found.made)]


def told(said: list[str]) -> str:
    """Return differences as a part of one sentence: the first by name, of the others how many."""
    more = len(said) - NAMED_MAX
    return ", ".join(said[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")


def _found(connection: Connection) -> Found:
    sqlite = connection.dialect.name == "sqlite"
    found = Found()
    for row in connection.execute(_SQLITE_COLUMNS if sqlite else _POSTGRESQL_COLUMNS):
        called = _POSTGRESQL_CALLS.get(row.type, row.type).upper()
        found.columns.setdefault(row.name, {})[row.part] = Column(
            called, bool(row.required), int(row.keyed), bool(row.filled)
        )
    found.made = {row.name: row.body or "" for row in connection.execute(_SQLITE_MADE if sqlite else _POSTGRESQL_MADE)}
    return found


def _of_table(table: Table, found: Mapping[str, Column] | None, connection: Connection) -> Iterator[str]:
    if found is None:
        yield f"table {table.name} is missing"
        return
    keys = [column.name for column in table.primary_key]
    for column in table.columns:
        keyed = keys.index(column.name) + 1 if column.name in keys else 0
        wanted = Column(column.type.compile(connection.dialect), not column.nullable, keyed)
        stands = found.get(column.name)
        if stands is None:
            yield f"column {table.name}.{column.name} is missing"
        elif stands != wanted:
            yield f"column {table.name}.{column.name} is {_words(stands)}, not {_words(wanted)}"
    for name in sorted(found.keys() - set(table.columns.keys())):
        if found[name].required and not found[name].filled:
            yield f"column {table.name}.{name} wants a value that this version does not give"


def _words(column: Column) -> str:
    required = "required" if column.required else "optional"
    return f"{column.type} {required}" + (f" as part {column.keyed} of the key" if column.keyed else "")


def _of_seals(dialect: str, made: Mapping[str, str]) -> Iterator[str]:
    """Give the rules that are missing, or say something else; PostgreSQL keeps only the text of functions as it was."""
    for statement in seals(dialect):
        match = _MADE.match(statement)
        if match is None:
            continue
        name = match.group(1)
        if name not in made:
            yield f"rule {name} is missing"
        elif made[name] and made[name].strip() != _body(statement):
            yield f"rule {name} is another"


def _body(statement: str) -> str:
    parts = statement.split("$$")
    return parts[1].strip() if len(parts) > 1 else statement.strip()
