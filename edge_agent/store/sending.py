"""What the ledger hands to the link: the exact bytes of entries, or why there are none. It reads only.

An entry whose columns no longer come to its stored content hash is never sent as a fact. The rule that must not be
broken: what is handed out is what was written.
"""

from edge_agent.store.connection import Connection, Row
from edge_agent.store.cuts import last_cut
from edge_agent.store.rows import ENTRY_COLUMNS, entry_of
from protocols.entry import Digest, content_hash, encode_entry
from protocols.sync.machine import Spoilt, Trimmed
from protocols.values.ids import DeviceId, Incarnation

CHANGED = "the disk no longer holds this entry as it was written"
SOUND = "this entry is whole here, and central did not take it alone in a frame"


def raws(
    connection: Connection, device: DeviceId, incarnation: Incarnation, from_seq: int, limit: int, max_bytes: int
) -> list[bytes]:
    """Return entries from a place on, up to the first that is missing or changed; within both limits but the first."""
    rows = connection.stream(
        f"SELECT seq, content_hash, {ENTRY_COLUMNS} FROM ledger "
        "WHERE incarnation = ? AND seq >= ? ORDER BY seq LIMIT ?",
        (incarnation, from_seq, limit),
    )
    found: list[bytes] = []
    size = 0
    for seq, row in enumerate(rows, start=from_seq):
        raw = whole(row[2:], row[1], device) if row[0] == seq else None
        if raw is None:
            break
        size += len(raw)
        if found and size > max_bytes:
            break
        found.append(raw)
    return found


def whole(columns: Row, content: bytes, device: DeviceId) -> bytes | None:
    """Return an entry's bytes, None when they are not what was written."""
    try:
        raw = encode_entry(entry_of(columns))
    except (ValueError, TypeError):
        return None
    return raw if content_hash(device, raw) == content else None


def missing(connection: Connection, device: DeviceId, incarnation: Incarnation, seq: int) -> Trimmed | Spoilt | None:
    """Return what stands for entries that were trimmed, or what is left of one that cannot be sent."""
    rows = connection.query(
        "SELECT seq, hash FROM checkpoint WHERE incarnation = ? AND seq >= ? ORDER BY seq DESC LIMIT 1",
        (incarnation, seq),
    )
    if rows:
        return Trimmed(rows[0][0], Digest(rows[0][1]), last_cut(connection).own_rows())
    found = connection.query(
        f"SELECT hash, content_hash, {ENTRY_COLUMNS} FROM ledger WHERE incarnation = ? AND seq = ?", (incarnation, seq)
    )
    if not found:
        return None
    raw = whole(found[0][2:], found[0][1], device)
    if raw is not None:
        return Spoilt(Digest(found[0][0]), raw, SOUND)
    body = found[0][10]
    return Spoilt(Digest(found[0][0]), body if isinstance(body, bytes) else b"", CHANGED)
