"""Facts: entries of others that concern this storeroom, and own entries of a disk that was lost, in the projections.

They stand in the table `fact`, never in the ledger, and are posted once by their event id. The version up to which they
are held stands in `meta`, with the sum that tells whether central still means the same by it. The rule that must not be
broken: facts and their version are one transaction.
"""

from collections.abc import Sequence

from edge_agent.core.book import as_fact, effect_of
from edge_agent.store.connection import Connection, transaction
from edge_agent.store.projections import project
from edge_agent.store.rows import ENTRY_COLUMNS
from protocols.entry import Entry, decode_entry
from protocols.errors import ProtocolsError
from protocols.values.ids import DeviceId

VERSION, SUM = "facts", "facts_sum"
SKIPPED_MAX = 200
_INSERT = f"""
    INSERT INTO fact (event_id, after_rowid, skipped, device, {ENTRY_COLUMNS.removeprefix("event_id, ")})
    VALUES (?, (SELECT COALESCE(MAX(rowid), 0) FROM ledger), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def facts_held(connection: Connection) -> tuple[int, bytes]:
    """Return the version up to which facts are held, and the sum of their ids."""
    kept: dict[str, str] = dict(connection.query("SELECT key, value FROM meta WHERE key IN (?, ?)", (VERSION, SUM)))
    return int(kept.get(VERSION, "0")), bytes.fromhex(kept.get(SUM, ""))


def post_facts(connection: Connection, upto: int, total: bytes, entries: Sequence[tuple[DeviceId, bytes]]) -> None:
    """Post facts that are not known yet, and keep the version reached. Raises `StoreFault`, `PeerBroke` for bytes."""
    read = [(device, decode_entry(raw)) for device, raw in entries]
    with transaction(connection):
        for device, entry in read:
            if not connection.query("SELECT 1 FROM applied WHERE event_id = ?", (entry.event_id,)):
                _post(connection, device, entry)
        connection.executemany(
            "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            [(VERSION, str(upto)), (SUM, total.hex())],
        )


def _post(connection: Connection, device: DeviceId, entry: Entry) -> None:
    """Post one fact; one that this version cannot read is kept with the reason and posted by none."""
    skipped = ""
    try:
        effect = effect_of(entry.kind, entry.body)
    except ProtocolsError as error:
        skipped = str(error)[:SKIPPED_MAX] or "unreadable"
        connection.execute("INSERT INTO applied (event_id) VALUES (?)", (entry.event_id,))
    else:
        project(connection, [(entry, as_fact(effect))])
    values = (entry.hlc, entry.wall, entry.mono, entry.boot_id, int(entry.clock_quality), entry.kind, entry.schema)
    connection.execute(_INSERT, (entry.event_id, skipped, device, *values, entry.body, entry.actor))
