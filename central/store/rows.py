"""A row of the ledger's table as the entry it keeps in columns.

It reads nothing and checks nothing beyond form. The rule that must not be broken: writing the entry again gives the
bytes it came with.
"""

from typing import Any

from sqlalchemy import Row

from protocols.entry import ClockQuality, Entry
from protocols.values.hlc import Hlc
from protocols.values.ids import actor_id, boot_id, event_id
from protocols.values.instant import Instant


def entry_of(row: Row[Any]) -> Entry:
    """Return the entry a row keeps. Raises `BadValue` for columns that no entry has."""
    return Entry(
        event_id(row.event_id),
        Hlc(row.hlc),
        Instant(row.wall),
        row.mono,
        boot_id(row.boot_id),
        ClockQuality(row.clock_quality),
        row.kind,
        row.schema,
        row.body,
        actor_id(row.actor),
    )
