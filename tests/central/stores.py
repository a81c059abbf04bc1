"""Stores in memory for tests: Alembic makes one a process, and every further one is a copy of its bytes.

It is for tests that need a store and not its making; what migrating does is tested in tests/migrations and
tests/central/store. The rule that must not be broken: a copy holds what the original held and is one test's own.
"""

from collections.abc import Callable
from functools import cache
from sqlite3 import Connection
from typing import cast

from central.store.engine import Store, open_store
from central.store.migrate import migrate


def migrated_store() -> Store:
    """Return a store of its own in memory, migrated and else empty."""
    return copied(_migrated())


def copied(image: bytes) -> Store:
    """Return a store of its own in memory that holds what an image holds."""
    store = open_store("sqlite://")
    _driven(store, lambda driver: driver.deserialize(image))
    return store


def image_of(store: Store) -> bytes:
    """Return what a store in memory holds."""
    held: list[bytes] = []
    _driven(store, lambda driver: held.append(driver.serialize()))
    return held[0]


@cache
def _migrated() -> bytes:
    store = open_store("sqlite://")
    migrate(store)
    image = image_of(store)
    store.close()
    return image


def _driven(store: Store, use: Callable[[Connection], object]) -> None:
    """Use the driver's own connection of a store in memory; it has one, which stays open."""
    raw = store.engine.raw_connection()
    use(cast(Connection, raw.driver_connection))
    raw.close()
