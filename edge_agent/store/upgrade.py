"""A ledger brought up to date in a process of its own: sqlite-utils and what it brings never enter the agent's.

The schema itself is in `migrations.edge`. The rule that must not be broken: a step and its record are one transaction,
whoever applies it; a process that dies between two steps leaves the rest pending.
"""

import json
import sqlite3
import sys

from edge_agent.errors import StoreFault
from edge_agent.store.connection import SqliteConnection, fault_of

UPGRADE_S_MAX = 600.0
"""Longest upgrade: a step may go through a ledger of years on a slow disk."""
_PROGRAM = ("-P", "-m", "migrations.edge")
"""Without the working folder among the places of packages, so that nothing there is taken for ours."""


def upgrade_apart(connection: SqliteConnection, name: str) -> None:
    """Apply what the connection's file lacks, by a process that is asked and ends. Raises `StoreFault`, `DiskFull`."""
    del connection  # it stays open and idle meanwhile; SQLite keeps the two apart
    import subprocess

    try:
        told = subprocess.run(
            [sys.executable, *_PROGRAM, name], capture_output=True, text=True, timeout=UPGRADE_S_MAX, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StoreFault(f"{name}: expected to bring it up to date, {error}; start again") from error
    if told.returncode != 0:
        raise _fault(told.stderr, name)


def _fault(said: str, name: str) -> StoreFault:
    """Return a fault of the other process as ours."""
    lines = said.splitlines()
    try:
        told = json.loads(lines[-1])
        error = sqlite3.OperationalError(told["said"])
        error.sqlite_errorname = told["name"]
    except (IndexError, ValueError, TypeError, KeyError):
        last = lines[-1] if lines else "it ended without a word"
        return StoreFault(f"{name}: expected to bring it up to date, {last:.300}; start again")
    return fault_of(error, name)
