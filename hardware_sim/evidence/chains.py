"""Ledger rows and the hashes that bind them, recomputed from nothing but the stored columns.

It is written from docs/databases.md ("Verify a chain by hand") and shares no code with either program's own
verification: two readings that agree are evidence. The rule that must not be broken: no stored hash is believed.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from hardware_sim.evidence.databases import HOSPITAL, Database

COLUMNS = (
    "incarnation, seq, event_id, device, hlc, wall, mono, boot_id, clock_quality, kind, schema, body, actor, "
    "content_hash, prev_hash, hash"
)
CONTENT_TAG, CHAIN_TAG = b"wardstock.content.1", b"wardstock.chain.1"
OPAQUE = 0
"""`schema` of a row of central's whose entry it could not read."""
FIRST = (-1, bytes(32))
"""What stands before an incarnation's first entry: seq and hash."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a ledger, as stored; `received_at` is 0 in an edge's, which does not have it."""

    incarnation: bytes
    seq: int
    event_id: bytes
    device: str
    hlc: int
    wall: int
    mono: int
    boot_id: bytes
    clock_quality: int
    kind: str
    schema: int
    body: bytes
    actor: str
    content_hash: bytes
    prev_hash: bytes
    hash: bytes
    received_at: int = 0

    @property
    def said(self) -> dict[str, object]:
        """Return the body as a map; empty when it is no JSON map."""
        try:
            return msgspec.json.decode(self.body, type=dict[str, object])
        except (msgspec.MsgspecError, ValueError):
            return {}

    @property
    def at(self) -> int:
        """Return when it happened: the body's `occurred_at`, else the wall time."""
        said = self.said.get("occurred_at")
        return said if isinstance(said, int) else self.wall

    def raw(self) -> bytes:
        """Return the entry's bytes: ten fields in msgpack, by position; `body` itself where central read none of it."""
        if self.schema == OPAQUE:
            return self.body
        return msgspec.msgpack.encode(
            (
                self.event_id,
                self.hlc,
                self.wall,
                self.mono,
                self.boot_id,
                self.clock_quality,
                self.kind,
                self.schema,
                self.body,
                self.actor,
            )
        )


@dataclass(frozen=True, slots=True)
class Chain:
    """The entries of one incarnation in order, and what stood before the first that is kept."""

    device: str
    incarnation: bytes
    entries: tuple[Entry, ...]
    before: tuple[int, bytes] = FIRST

    @property
    def head(self) -> tuple[int, bytes]:
        """Return the last entry's seq and hash."""
        return (self.entries[-1].seq, self.entries[-1].hash) if self.entries else self.before


def edge_chains(database: Database) -> list[Chain]:
    """Return the chains of an edge's ledger; a trimmed one begins after its last checkpoint."""
    meta: dict[str, str] = dict(database.rows("SELECT key, value FROM meta"))
    device = meta.get("device", "")
    entries = _by_incarnation(Entry(*row) for row in database.rows(f"SELECT {COLUMNS} FROM ledger"))
    before: dict[bytes, tuple[int, bytes]] = {}
    for incarnation, seq, digest in database.rows("SELECT incarnation, seq, hash FROM checkpoint ORDER BY seq"):
        before[incarnation] = (seq, digest)
    return [
        Chain(device, one, entries.get(one, ()), before.get(one, FIRST))
        for (one,) in database.rows("SELECT incarnation FROM incarnation ORDER BY rowid")
    ]


def central_chains(database: Database) -> list[Chain]:
    """Return every chain of central's ledger, its own included."""
    rows = database.rows(f"SELECT {COLUMNS}, received_at FROM ledger WHERE hospital = ?", HOSPITAL)
    entries = _by_incarnation(Entry(*row) for row in rows)
    return [Chain(kept[0].device, incarnation, kept) for incarnation, kept in sorted(entries.items())]


def fault_in(chain: Chain) -> str:
    """Return what is wrong with the first entry that does not hold, empty when all do."""
    seq, prev = chain.before
    for entry in chain.entries:
        seq += 1
        wrong = _wrong(entry, seq=seq, prev=prev, device=chain.device)
        if wrong:
            return f"{chain.device} entry {seq}: {wrong}"
        prev = entry.hash
    return ""


def _wrong(entry: Entry, *, seq: int, prev: bytes, device: str) -> str:
    if entry.seq != seq or entry.device != device:
        return f"found seq {entry.seq} of {entry.device} in its place"
    if _digest(CONTENT_TAG, device.encode(), entry.raw()) != entry.content_hash:
        return "its columns do not give its content hash"
    if entry.prev_hash != prev:
        return "it does not name the hash of the entry before"
    if _digest(CHAIN_TAG, entry.incarnation, seq.to_bytes(8, "big"), prev, entry.content_hash) != entry.hash:
        return "its place in the chain does not give its hash"
    return ""


def _digest(tag: bytes, *parts: bytes) -> bytes:
    return hashlib.sha256(tag + b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()


def _by_incarnation(entries: Iterable[Entry]) -> dict[bytes, tuple[Entry, ...]]:
    found: defaultdict[bytes, list[Entry]] = defaultdict(list)
    for entry in entries:
        found[entry.incarnation].append(entry)
    return {incarnation: _in_order(kept) for incarnation, kept in found.items()}


def _in_order(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda entry: entry.seq))
