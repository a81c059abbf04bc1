"""The ledger of one simulated edge: real entries in a real hash chain, kept in memory.

It is what `SyncSession` asks of a ledger, and nothing of an edge's store: nothing here survives the process. The rule
that must not be broken: an entry is chained once, and its bytes never change.
"""

import random
from collections.abc import Mapping

from protocols.entry import (
    GENESIS,
    SCHEMA_NOW,
    ClockQuality,
    Digest,
    Entry,
    chain_hash,
    content_hash,
    encode_body,
    encode_entry,
)
from protocols.sync.frames import NOTHING
from protocols.values.hlc import Hlc, next_hlc
from protocols.values.ids import BootId, DeviceId, Incarnation, actor_id, make_event_id
from protocols.values.instant import Instant

MILLI = 1_000


class MemoryLedger:
    """One device's chain from its first entry on."""

    def __init__(self, device: DeviceId, rng: random.Random) -> None:
        self.device = device
        self._rng = rng
        self.incarnation = Incarnation(rng.randbytes(16))
        self._boot = BootId(rng.randbytes(16))
        self._raws: list[bytes] = []
        self._hashes: list[Digest] = []
        self._hlc = Hlc(0)
        self.acked = NOTHING

    @property
    def head_seq(self) -> int:
        """Return the seq of the last entry, `NOTHING` before the first."""
        return len(self._raws) - 1

    @property
    def head_hash(self) -> Digest:
        """Return the hash of the last entry."""
        return self._hashes[-1] if self._hashes else GENESIS

    def append(self, kind: str, body: Mapping[str, object], actor: str, *, wall: Instant, mono: int) -> None:
        """Write one entry behind the last. `mono` in microseconds."""
        self._hlc = next_hlc(self._hlc, wall)
        entry = Entry(
            event_id=make_event_id(max(0, wall // MILLI), self._rng.randbytes(10)),
            hlc=self._hlc,
            wall=wall,
            mono=mono,
            boot_id=self._boot,
            clock_quality=ClockQuality.SYNCED,
            kind=kind,
            schema=SCHEMA_NOW,
            body=encode_body(body),
            actor=actor_id(actor),
        )
        raw = encode_entry(entry)
        prev = self.head_hash
        self._raws.append(raw)
        content = content_hash(self.device, raw)
        self._hashes.append(chain_hash(self.incarnation, len(self._raws) - 1, prev, content))

    def entries_raw(self, from_seq: int, limit: int, max_bytes: int) -> list[bytes]:
        """Return entry bytes from a seq on: at least one where there is one, within both limits."""
        found: list[bytes] = []
        size = 0
        for raw in self._raws[from_seq : from_seq + limit]:
            size += len(raw)
            if found and size > max_bytes:
                break
            found.append(raw)
        return found

    def hash_at(self, seq: int) -> Digest | None:
        """Return the chain's hash at a seq, None where there is no such entry."""
        if seq == NOTHING:
            return GENESIS
        return self._hashes[seq] if 0 <= seq < len(self._hashes) else None

    def set_acked(self, seq: int) -> None:
        """Keep the mark."""
        self.acked = seq
