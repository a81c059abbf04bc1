"""Bring central's store to the schema this version needs, or say that it is not there yet.

Alembic without an ini file: the revisions are package resources, the connection and the tables are handed in. The rule
that must not be broken: only `migrate` changes a schema; a server never does it on its own.
"""

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData
from sqlmodel import SQLModel

from central.store.engine import Store
from central.store.roles import grant
from central.store.standing import differences, told
from central.store.tables import every_table


def migrate(store: Store, app_role: str = "") -> str:
    """Apply what is missing in one transaction and return the revision reached.

    With `app_role`, on PostgreSQL, that role is given what the server needs. Raises `BadInput` for a role there is not.
    """
    with store.write() as connection:
        command.upgrade(_config(connection), "head")
        if app_role and not store.is_sqlite:
            grant(connection, app_role)
        return _current(connection)


def pending(store: Store) -> str:
    """Return one line saying what is wrong with the store's schema, empty when it is as this version needs."""
    with store.read() as connection:
        current = _current(connection)
        scripts = ScriptDirectory.from_config(_config(connection))
        wanted = scripts.get_current_head() or ""
        known = {script.revision for script in scripts.walk_revisions()}
        unlike = differences(connection, tables()) if current == wanted else []
    if unlike:
        return (
            f"store: expected the tables of this version, found those of another build: {told(unlike)}. Run the build "
            "that made this store to export what you need, then run `wardstock-central migrate` on an empty store of "
            "another [store] url and import there; or put back a backup that this version made"
        )
    if current == wanted:
        return ""
    if current and current not in known:
        return f"store: expected schema {wanted}, got {current}, which a newer version made; update this program"
    return f"store: expected schema {wanted}, got {current or 'none'}; run `wardstock-central migrate` first"


def _current(connection: Connection) -> str:
    return MigrationContext.configure(connection).get_current_revision() or ""


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", "migrations:central")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["metadata"] = tables()
    return config


def tables() -> MetaData:
    """Return the metadata of every table of central."""
    every_table()
    return SQLModel.metadata
