"""A central that takes little at once: short frames, a short inbox. Back-pressure then happens all day long."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

ENTRIES_TAKEN, BUSY_FROM = 3, 1


@contextmanager
def pressed(on: bool) -> Iterator[None]:
    """Let central refuse frames of more than a few entries, and be busy when a few messages wait."""
    with pytest.MonkeyPatch.context() as patch:
        if on:
            patch.setattr("protocols.sync.reception.FRAME_ENTRIES_MAX", ENTRIES_TAKEN)
            patch.setattr("central.services.ingest.BUSY_FROM", BUSY_FROM)
        yield
