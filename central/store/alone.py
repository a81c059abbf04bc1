"""One process takes entries into a SQLite store; a second one is refused while the first runs.

The lock stands on a file beside the store, because SQLite keeps its own on the store's file. The operating system
gives it back when the process ends, however it ends. The rule that must not be broken: the store's own file is never
opened here: closing it would drop SQLite's locks.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from central.errors import NotReady
from central.store.engine import Store

SUFFIX = "-ingest"


@contextmanager
def alone(store: Store) -> Iterator[None]:
    """Hold the right to take entries in. Raises `NotReady` while another process holds it; PostgreSQL needs none."""
    path = store.engine.url.database
    if not store.is_sqlite or path in {None, "", ":memory:"}:
        yield
        return
    with open(f"{path}{SUFFIX}", "ab") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise NotReady(f"store: another process takes entries into {path} already; stop that one first") from error
        yield
