"""Bring an edge ledger up to date with sqlite-utils: each step and its record are one transaction.

Import this only when `pending` says so: the agent's normal start does without sqlite-utils. Not here: the schema itself
(`steps.py`).
"""

import sqlite3
from collections.abc import Callable

from sqlite_utils import Database, Migrations

from migrations.edge.steps import SET, STEPS, Step


def apply_pending(connection: sqlite3.Connection) -> None:
    """Apply every step the database lacks, oldest first. Raises `sqlite3.Error`; what was not done stays pending."""
    migrations = Migrations(SET)
    for step in STEPS:
        migrations(name=step.name)(_runner(step))
    migrations.apply(Database(connection, recursive_triggers=True, execute_plugins=False))


def _runner(step: Step) -> Callable[[Database], None]:
    def run(db: Database, /) -> None:
        for statement in step.statements:
            db.conn.execute(statement)

    return run
