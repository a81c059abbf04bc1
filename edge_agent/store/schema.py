"""Whether a ledger is up to date, asked with plain SQL; sqlite-utils is imported only when it is not.

Not here: the schema itself (`migrations.edge.steps`).
"""

import sqlite3
from collections.abc import Callable

from edge_agent.errors import NotALedger
from edge_agent.store.connection import Connection, SqliteConnection, fault_of
from migrations.edge.steps import SET, STEPS

Upgrade = Callable[[SqliteConnection, str], None]
"""Applies what a file lacks, given its connection and its name."""


def applied_steps(connection: Connection) -> list[str]:
    """Return the names of the steps a file has seen, oldest first; none for a new file."""
    recorded = connection.query("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_sqlite_migrations'")
    if not recorded:
        return []
    rows = connection.query("SELECT name FROM _sqlite_migrations WHERE migration_set = ? ORDER BY id", (SET,))
    return [name for (name,) in rows]


def pending_steps(connection: Connection) -> list[str]:
    """Return the names of the steps a file lacks, oldest first."""
    seen = applied_steps(connection)
    return [step.name for step in STEPS if step.name not in seen]


def check_known(connection: Connection, name: str) -> None:
    """Refuse a file that is no ledger or that a newer version wrote. Raises `NotALedger`."""
    ours = [step.name for step in STEPS]
    seen = applied_steps(connection)
    if not seen:
        raise NotALedger(f"{name}: expected a ledger of wardstock-edge, found another file; name the right one")
    newer = [step for step in seen if step not in ours]
    if newer:
        raise NotALedger(f"{name}: expected steps up to {ours[-1]}, found {newer[-1]}; update this program")


def upgrade_here(connection: SqliteConnection, name: str) -> None:
    """Apply what is pending within this process. Raises `StoreFault`."""
    from migrations.edge.apply import apply_pending

    try:
        apply_pending(connection.raw)
    except sqlite3.Error as error:
        raise fault_of(error, name) from error


def bring_up_to_date(connection: SqliteConnection, name: str, upgrade: Upgrade = upgrade_here) -> None:
    """Apply what is pending; a new file becomes a ledger. Raises `StoreFault`, and `NotALedger` for a foreign file."""
    seen = applied_steps(connection)
    if not seen and connection.query("SELECT 1 FROM sqlite_master WHERE tbl_name <> '_sqlite_migrations'"):
        raise NotALedger(f"{name}: expected a new file or a ledger, found another database; name the right file")
    if pending_steps(connection):
        upgrade(connection, name)
    check_known(connection, name)
