"""The chains of a ledger: its way from the root to the chain now written, and places on it. It reads only.

Entries that were trimmed are passed over by their checkpoints. Going on in a new chain is `adoption`'s.
"""

from edge_agent.errors import NotALedger
from edge_agent.store.connection import Connection
from protocols.entry import Digest
from protocols.errors import WeBroke
from protocols.sync.frames import NOTHING, Head
from protocols.sync.machine import Leg
from protocols.values.ids import Incarnation

CHAINS_MAX = 256
"""A HELLO offers no more; each is a copy put back or a disk found again."""


def read_way(connection: Connection, current: Incarnation) -> tuple[Leg, ...]:
    """Return the ledger's chains from its root to `current`, each as far as the way goes. Raises `StoreFault`."""
    legs: list[Leg] = []
    incarnation: bytes | None = current
    end: tuple[int, Digest] | None = None
    while incarnation is not None and len(legs) < CHAINS_MAX:
        rows = connection.query(
            "SELECT parent, parent_seq, base_hash, acked FROM incarnation JOIN mark USING (incarnation) "
            "WHERE incarnation = ?",
            (incarnation,),
        )
        if not rows:
            raise NotALedger(
                f"ledger: expected the chain {incarnation.hex()}, got none; the file is damaged: put a backup "
                "back (wardstock-edge restore --from FILE)"
            )
        ((parent, parent_seq, base, acked),) = rows
        own = Incarnation(incarnation)
        seq, digest = _end(connection, own, Digest(base)) if end is None else end
        grew_from = None if parent is None else Incarnation(parent)
        kept_from = min(_kept_from(connection, own), seq + 1)
        legs.append(Leg(own, seq, digest, min(acked, seq), Digest(base), grew_from, parent_seq, kept_from))
        incarnation, end = parent, (parent_seq, Digest(base))
    return tuple(reversed(legs))


def _end(connection: Connection, incarnation: Incarnation, base: Digest) -> tuple[int, Digest]:
    rows = connection.query(
        "SELECT seq, hash FROM (SELECT seq, hash FROM ledger WHERE incarnation = ? ORDER BY seq DESC LIMIT 1) "
        "UNION ALL SELECT seq, hash FROM checkpoint WHERE incarnation = ? ORDER BY seq DESC LIMIT 1",
        (incarnation, incarnation),
    )
    return (rows[0][0], Digest(rows[0][1])) if rows else (NOTHING, base)


def _kept_from(connection: Connection, incarnation: Incarnation) -> int:
    ((seq,),) = connection.query("SELECT MAX(seq) FROM checkpoint WHERE incarnation = ?", (incarnation,))
    return 0 if seq is None else int(seq) + 1


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
