"""The ledger's columns and the entry they hold, both ways; an entry's raw bytes are made from the columns alone."""

from edge_agent.store.connection import Row
from protocols.entry import ChainedEntry, ClockQuality, Entry
from protocols.values.hlc import Hlc
from protocols.values.ids import actor_id, boot_id, event_id
from protocols.values.instant import Instant

ENTRY_COLUMNS = "event_id, hlc, wall, mono, boot_id, clock_quality, kind, schema, body, actor"
INSERT = f"""
    INSERT INTO ledger (incarnation, seq, device, {ENTRY_COLUMNS}, content_hash, prev_hash, hash)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def row_of(chained: ChainedEntry) -> Row:
    """Return the values for `INSERT`."""
    entry = chained.entry
    return (
        chained.incarnation,
        chained.seq,
        chained.device,
        entry.event_id,
        entry.hlc,
        entry.wall,
        entry.mono,
        entry.boot_id,
        int(entry.clock_quality),
        entry.kind,
        entry.schema,
        entry.body,
        entry.actor,
        chained.content_hash,
        chained.prev_hash,
        chained.hash,
    )


def entry_of(row: Row) -> Entry:
    """Return the entry in a row of `ENTRY_COLUMNS`. Raises `ValueError` for columns that no entry could give."""
    eid, clock, wall, mono, boot, quality, kind, schema, body, actor = row
    return Entry(
        event_id(eid),
        Hlc(clock),
        Instant(wall),
        mono,
        boot_id(boot),
        ClockQuality(quality),
        kind,
        schema,
        body,
        actor_id(actor),
    )
