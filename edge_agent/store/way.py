"""The chains of a ledger: its way from the root to the chain now written, places on it, and going on in a new one.

A ledger that was put back from a copy, or that central remembers otherwise, goes on in a new chain behind the last
entry both hold. What came after that entry is written again there, with the same event id and content, and posted no
second time. The rule that must not be broken: nothing already written is changed; adoption is one transaction.
"""

from collections.abc import Iterator
from itertools import islice

from edge_agent.store.connection import Connection, transaction
from edge_agent.store.rows import ENTRY_COLUMNS, INSERT, entry_of, row_of
from protocols.entry import ALGORITHM, GENESIS, ChainedEntry, Digest, Entry, chain
from protocols.errors import WeBroke
from protocols.sync.frames import NOTHING, Head
from protocols.sync.machine import Leg
from protocols.values.ids import DeviceId, Incarnation
from protocols.values.instant import Instant

CHAINS_MAX = 256
"""A HELLO offers no more; each is a copy put back or a disk found again."""
COPIED_AT_ONCE = 500


def read_way(connection: Connection, current: Incarnation) -> tuple[Leg, ...]:
    """Return the ledger's chains from its root to `current`, each as far as the way goes. Raises `StoreFault`."""
    legs: list[Leg] = []
    incarnation: bytes | None = current
    limit: int | None = None
    while incarnation is not None and len(legs) < CHAINS_MAX:
        ((parent, parent_seq, base, acked),) = connection.query(
            "SELECT parent, parent_seq, base_hash, acked FROM incarnation JOIN mark USING (incarnation) "
            "WHERE incarnation = ?",
            (incarnation,),
        )
        own = Incarnation(incarnation)
        seq, digest = _end(connection, own, limit, Digest(base))
        grew_from = None if parent is None else Incarnation(parent)
        legs.append(Leg(own, seq, digest, min(acked, seq), Digest(base), grew_from, parent_seq))
        incarnation, limit = parent, parent_seq
    return tuple(reversed(legs))


def _end(connection: Connection, incarnation: Incarnation, limit: int | None, base: Digest) -> tuple[int, Digest]:
    where = "incarnation = ?" if limit is None else "incarnation = ? AND seq = ?"
    values: tuple[object, ...] = (incarnation,) if limit is None else (incarnation, limit)
    rows = connection.query(
        f"SELECT seq, hash FROM (SELECT seq, hash FROM ledger WHERE {where} ORDER BY seq DESC LIMIT 1) "
        f"UNION ALL SELECT seq, hash FROM checkpoint WHERE {where} ORDER BY seq DESC LIMIT 1",
        values * 2,
    )
    return (rows[0][0], Digest(rows[0][1])) if rows else (NOTHING, base)


def hash_at(connection: Connection, incarnation: Incarnation, seq: int) -> Digest | None:
    """Return a chain's hash at a seq, the one before its first entry at -1, None where this ledger holds none."""
    if seq == NOTHING:
        rows = connection.query("SELECT base_hash FROM incarnation WHERE incarnation = ?", (incarnation,))
    else:
        rows = connection.query(
            "SELECT hash FROM ledger WHERE incarnation = ? AND seq = ? UNION ALL "
            "SELECT hash FROM checkpoint WHERE incarnation = ? AND seq = ? LIMIT 1",
            (incarnation, seq) * 2,
        )
    return Digest(rows[0][0]) if rows else None


def places(connection: Connection, way: tuple[Leg, ...], most: int) -> list[Head]:
    """Return places of the way from its end backwards: the last, then 1, 2, 4, 8 … before it."""
    found: list[Head] = []
    back = 0
    total = sum(leg.seq + 1 for leg in way)
    while back < total and len(found) < most:
        incarnation, seq = _place(way, back)
        digest = hash_at(connection, incarnation, seq)
        if digest is None:
            break  # no longer kept, nor is anything before it
        found.append(Head(incarnation, seq, digest))
        back = back * 2 or 1
    return found


def _place(way: tuple[Leg, ...], back: int) -> tuple[Incarnation, int]:
    for leg in reversed(way):
        if back <= leg.seq:
            return leg.incarnation, leg.seq - back
        back -= leg.seq + 1
    raise WeBroke(f"way: expected a place within it, got {back} before its root")


def adopt(
    connection: Connection,
    device: DeviceId,
    way: tuple[Leg, ...],
    born: Incarnation,
    behind: Head | None,
    now: Instant,
) -> None:
    """Go on in the chain `born` behind a place of the way; write what came after it again. Raises `StoreFault`."""
    base = GENESIS if behind is None else Digest(behind.hash)
    parent, parent_seq = (None, NOTHING) if behind is None else (behind.incarnation, behind.seq)
    with transaction(connection):
        connection.execute(
            "INSERT INTO incarnation (incarnation, parent, parent_seq, base_hash, created_wall, algorithm) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (born, parent, parent_seq, base, now, ALGORITHM),
        )
        connection.execute("INSERT INTO mark (incarnation) VALUES (?)", (born,))
        connection.execute("UPDATE meta SET value = ? WHERE key = 'incarnation'", (born.hex(),))
        after = _after(connection, way, behind)
        seq, prev = NOTHING, base
        while entries := list(islice(after, COPIED_AT_ONCE)):
            written: list[ChainedEntry] = chain(device, born, from_seq=seq + 1, prev_hash=prev, entries=entries)
            connection.executemany(INSERT, [row_of(each) for each in written])
            seq, prev = written[-1].seq, written[-1].hash


def _after(connection: Connection, way: tuple[Leg, ...], behind: Head | None) -> Iterator[Entry]:
    """Return the entries of the way behind a place, in order."""
    chains = [leg.incarnation for leg in way]
    start = 0 if behind is None else chains.index(Incarnation(behind.incarnation))
    for place, leg in enumerate(way[start:]):
        first = behind.seq + 1 if behind is not None and place == 0 else 0
        for from_seq in range(first, leg.seq + 1, COPIED_AT_ONCE):
            upto = min(from_seq + COPIED_AT_ONCE - 1, leg.seq)
            rows = connection.query(
                f"SELECT {ENTRY_COLUMNS} FROM ledger WHERE incarnation = ? AND seq BETWEEN ? AND ? ORDER BY seq",
                (leg.incarnation, from_seq, upto),
            )
            yield from (entry_of(row) for row in rows)
