"""One agent a ledger: a lock that the system gives back however the process ends (flock(2) on a file beside it)."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_agent.errors import StoreFault

LOCK_SUFFIX = ".lock"
"""What the lock's file is called after its ledger."""


@contextmanager
def hold_alone(ledger: Path, what: str = "agent") -> Iterator[None]:
    """Hold a file for this process alone; `what` is who else may hold it.

    Raises `StoreFault` when another holds it or the folder refuses.
    """
    path = ledger.with_name(ledger.name + LOCK_SUFFIX)
    try:
        file = path.open("w")
    except OSError as error:
        raise StoreFault(
            f"{ledger}: expected a folder one may write to, {error.strerror}; look at its owner"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StoreFault(f"{ledger}: expected no other {what} on it, one runs; stop that one first") from error
        yield
