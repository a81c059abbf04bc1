"""What the server's own role may do in a PostgreSQL store that another role owns: as much as the product does, no more.

`migrate` runs as the owner and grants; `serve` and `ingest` run as the other. What a table refuses is read from its
triggers, so that the two cannot differ: a row that is never changed may only be inserted, one that is never removed may
be brought up to date, and no table may be emptied. The rule that must not be broken: the server's role owns nothing.
"""

import re

from sqlalchemy import Connection, text

from central.errors import BadInput

ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")
READ_ONLY = "alembic_version"

_SEALED = text(
    "SELECT c.relname AS name,"
    " bool_or(t.tgname = c.relname || '_no_update' AND t.tgqual IS NULL) AS stands,"
    " bool_or(t.tgname = c.relname || '_no_delete') AS stays"
    " FROM pg_class c LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal"
    " WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
    " GROUP BY c.relname ORDER BY c.relname"
)


def role_name(name: str) -> str:
    """Return the name of a role. Raises `BadInput`."""
    if ROLE.fullmatch(name) is None:
        raise BadInput(f"--app-role: expected a role such as wardstock_app, got {name!r:.40}")
    return name


def grant(connection: Connection, role: str) -> int:
    """Give a role that exists what the server needs; return the number of tables. Only on PostgreSQL, as the owner.

    Raises `BadInput` for a role that is not there.
    """
    if connection.scalar(text("SELECT count(*) FROM pg_roles WHERE rolname = :role"), {"role": role_name(role)}) != 1:
        raise BadInput(f"--app-role: expected a role of this server, {role} is none; CREATE ROLE {role} LOGIN first")
    schema = connection.scalar(text("SELECT quote_ident(current_schema())"))
    connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
    connection.exec_driver_sql(f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}")
    sealed = connection.execute(_SEALED).all()
    for table in sealed:
        rights = _rights(table.name, stands=bool(table.stands), stays=bool(table.stays))
        connection.exec_driver_sql(f"GRANT {rights} ON {table.name} TO {role}")
    connection.exec_driver_sql(f"GRANT EXECUTE ON FUNCTION ledger_month(integer) TO {role}")
    return len(sealed)


def _rights(table: str, *, stands: bool, stays: bool) -> str:
    if table == READ_ONLY:
        return "SELECT"
    more = [] if stands else ["UPDATE"]
    return ", ".join(["SELECT", "INSERT", *more, *([] if stays else ["DELETE"])])
