"""The edge ledger: one file, one writer, a chain that only grows.

`append` puts entries at the head with their projections in one transaction that is synced before it returns; `group`
makes one transaction of several appends, so that 64 scans cost one sync. The rule that must not be broken: nothing is
said to a person about an entry before `group` has ended without an error.

Not here: what an entry means (`core`), whether the chain is sound (`verify`), questions about stock (`queries`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from edge_agent.core.book import effect_of
from edge_agent.errors import NotALedger, StoreFault
from edge_agent.store.adoption import adopt, finish_adoption
from edge_agent.store.connection import Connection, open_to_write, transaction
from edge_agent.store.facts import facts_held, post_facts
from edge_agent.store.projections import check_reversal, project
from edge_agent.store.rows import INSERT, row_of
from edge_agent.store.schema import Upgrade, bring_up_to_date, upgrade_here
from edge_agent.store.sending import missing, raws
from edge_agent.store.trim import KEPT_DAYS, Trimming, trim
from edge_agent.store.way import hash_at, places, read_way
from protocols.entry import ALGORITHM, ChainedEntry, Digest, Entry, chain
from protocols.sync import frames as sync
from protocols.sync.machine import Leg, Spoilt, Trimmed
from protocols.values.hlc import Hlc
from protocols.values.ids import DeviceId, Incarnation, device_id, incarnation
from protocols.values.instant import Instant

UNKNOWN = Instant(0)
"""When a chain was born, where nobody said."""
TIDY_ENTRIES = 256
"""Entries after which the WAL is worth moving into the file: fewer than would make SQLite do it within a commit."""
RAW_ROWS_MAX = 500
"""Most entries one call hands to the link; a frame carries no more."""


class Head(msgspec.Struct, frozen=True):
    """The last entry's place: seq -1 and the genesis hash when there is none."""

    incarnation: Incarnation
    seq: int
    hash: Digest


class Ledger:
    """One device's ledger over an open connection. Used by one thread only."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        known: dict[str, str] = dict(
            connection.query("SELECT key, value FROM meta WHERE key IN ('device', 'incarnation')")
        )
        self.device: DeviceId = device_id(known["device"])
        self._incarnation = incarnation(bytes.fromhex(known["incarnation"]))
        self._head = self._read_head()
        self._grouped = self._torn = False
        self._untidy = 0

    @property
    def connection(self) -> Connection:
        """Return the connection, for questions within the same transaction."""
        return self._connection

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    # --- writing ---

    @contextmanager
    def group(self) -> Iterator[None]:
        """Make one transaction of the appends inside; when it ends without an error they are on the disk."""
        before = self._head
        self._grouped, self._torn = True, False
        try:
            with transaction(self._connection):
                yield
                if self._torn:
                    raise StoreFault("ledger: expected whole acts, one broke off while it was written; none was kept")
        except BaseException:
            self._head = before
            raise
        finally:
            self._grouped = False

    def append(self, entries: Sequence[Entry]) -> list[ChainedEntry]:
        """Put entries at the head, all or none. Outside of a group it is a transaction of its own.

        Raises `StoreFault`, `DiskFull`; `BadValue` or `PeerBroke` for a body the table of movements does not admit, and
        for a reversal that is not the mirror of what it names.
        """
        if not self._grouped:
            with self.group():
                return self._append(entries)
        return self._append(entries)

    def _append(self, entries: Sequence[Entry]) -> list[ChainedEntry]:
        """Write entries behind the head; whatever may be refused is refused before the first is written."""
        effects = [effect_of(entry.kind, entry.body) for entry in entries]
        for entry in entries:
            check_reversal(self._connection, entry, entries)
        head = self._head
        chained = chain(self.device, head.incarnation, from_seq=head.seq + 1, prev_hash=head.hash, entries=entries)
        self._torn = True
        self._connection.executemany(INSERT, [row_of(each) for each in chained])
        project(self._connection, list(zip(entries, effects, strict=True)))
        self._torn = False
        self._untidy += len(chained)
        if chained:
            self._head = Head(head.incarnation, chained[-1].seq, chained[-1].hash)
        return chained

    def tidy(self) -> None:
        """Move what the WAL has gathered into the file, once it is worth it. Raises `StoreFault`.

        To be called while nobody waits; else SQLite does it within the commit that fills the WAL.
        """
        if self._untidy >= TIDY_ENTRIES:
            self._untidy = 0
            self._connection.query("PRAGMA wal_checkpoint(PASSIVE)")

    def set_acked(self, seq: int, incarnation: Incarnation | None = None) -> None:
        """Move a chain's mark of what central has committed; it may fall after a restore. Raises `StoreFault`."""
        chain_id = incarnation or self._incarnation
        most = self._head.seq if chain_id == self._incarnation else seq
        with transaction(self._connection):
            self._connection.execute("UPDATE mark SET acked = ? WHERE incarnation = ?", (min(seq, most), chain_id))

    def set_safe(self, seq: int, incarnation: Incarnation) -> None:
        """Move the mark of what is safe elsewhere besides central; it may fall. Raises `StoreFault`."""
        known = self._connection.query("SELECT safe, acked FROM mark WHERE incarnation = ?", (incarnation,))
        if not known or known[0][0] == min(seq, known[0][1]):
            return
        with transaction(self._connection):
            self._connection.execute(
                "UPDATE mark SET safe = ? WHERE incarnation = ?", (min(seq, known[0][1]), incarnation)
            )

    def trim(self, now: Instant, *, kept_days: int = KEPT_DAYS) -> Trimming:
        """Give back the room of entries that may go. Raises `StoreFault`."""
        return trim(self._connection, now, kept_days=kept_days)

    def adopt(
        self,
        incarnation: Incarnation,
        behind: sync.Head | None,
        without: int | None = None,
        *,
        now: Instant = UNKNOWN,
    ) -> tuple[Leg, ...]:
        """Go on in a new chain behind a place of this ledger, None for its very beginning. Raises `StoreFault`.

        What came after that place is written again in the new chain, but for the entry right behind it where `without`
        names one; the new way is returned.
        """
        leave_out = without is not None
        adopt(self._connection, self.device, self.way(), incarnation, behind, now, leave_out=leave_out)
        self._incarnation = incarnation
        self._head = self._read_head()
        return self.way()

    def post_facts(self, upto: int, facts_sum: bytes, entries: Sequence[tuple[DeviceId, bytes]]) -> None:
        """Post facts of others to the projections, and keep the version reached. Raises `StoreFault`, `PeerBroke`."""
        post_facts(self._connection, upto, facts_sum, entries)

    def note(self, key: str, value: str) -> None:
        """Keep a word about this file itself, within a group. Raises `StoreFault`."""
        self._connection.execute("INSERT INTO meta (key, value) VALUES (?, ?)", (key, value))

    # --- reading ---

    def noted(self, key: str) -> str | None:
        """Return the word kept about this file."""
        rows = self._connection.query("SELECT value FROM meta WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else None

    def head(self) -> Head:
        """Return where the chain ends."""
        return self._head

    def acked(self) -> int:
        """Return the last seq central has committed; -1 when none."""
        rows = self._connection.query("SELECT acked FROM mark WHERE incarnation = ?", (self._incarnation,))
        return int(rows[0][0])

    def way(self) -> tuple[Leg, ...]:
        """Return this ledger's chains from its root to the one now written."""
        return read_way(self._connection, self._incarnation)

    def places(self, most: int) -> list[sync.Head]:
        """Return places of this ledger from its end backwards, in doubling steps."""
        return places(self._connection, self.way(), most)

    def facts_held(self) -> tuple[int, bytes]:
        """Return the version up to which facts of others are held, and the sum of their ids."""
        return facts_held(self._connection)

    def hash_at(self, seq: int, incarnation: Incarnation | None = None) -> Digest | None:
        """Return a chain's hash at a seq, the one before its first entry at -1, None where this ledger holds none."""
        return hash_at(self._connection, incarnation or self._incarnation, seq)

    def entries_raw(
        self, from_seq: int, limit: int, max_bytes: int, incarnation: Incarnation | None = None
    ) -> list[bytes]:
        """Return the canonical bytes of a chain's entries within both limits; at least one where the next is whole."""
        chain_id = incarnation or self._incarnation
        return raws(self._connection, self.device, chain_id, from_seq, min(limit, RAW_ROWS_MAX), max_bytes)

    def missing(self, seq: int, incarnation: Incarnation) -> Trimmed | Spoilt | None:
        """Return why the entry at a place cannot be sent, None when there never was one. Raises `StoreFault`."""
        return missing(self._connection, self.device, incarnation, seq)

    def last_hlc(self) -> Hlc:
        """Return the hybrid clock of the last entry; 0 when there is none."""
        rows = self._connection.query("SELECT hlc FROM ledger ORDER BY rowid DESC LIMIT 1")
        return Hlc(rows[0][0] if rows else 0)

    def _read_head(self) -> Head:
        last = self.way()[-1]
        return Head(last.incarnation, last.seq, last.hash)


def open_ledger(
    path: Path,
    device: DeviceId,
    *,
    newborn: Incarnation,
    now: Instant,
    max_pages: int | None = None,
    upgrade: Upgrade = upgrade_here,
) -> Ledger:
    """Open a device's ledger to write; a new file is born as `newborn` at `now`, an old one is brought up to date.

    Raises `NotALedger` for another device's file, `DiskFull`, `StoreFault`.
    """
    connection = open_to_write(path, max_pages=max_pages)
    try:
        bring_up_to_date(connection, str(path), upgrade)
        return ledger_over(connection, device, newborn=newborn, now=now, name=str(path))
    except BaseException:
        connection.close()
        raise


def ledger_over(
    connection: Connection, device: DeviceId, *, newborn: Incarnation, now: Instant, name: str = "ledger"
) -> Ledger:
    """Return a device's ledger over a connection whose schema is up to date; an empty one is born as `newborn`.

    Raises `NotALedger` for another device's ledger, `DiskFull`, `StoreFault`.
    """
    _be_born(connection, device, newborn, now)
    _check_device(connection, device, name)
    finish_adoption(connection, device)
    return Ledger(connection)


def _be_born(connection: Connection, device: DeviceId, newborn: Incarnation, now: Instant) -> None:
    if connection.query("SELECT 1 FROM meta WHERE key = 'device'"):
        return
    with transaction(connection):
        connection.execute(
            "INSERT INTO incarnation (incarnation, parent, created_wall, algorithm) VALUES (?, NULL, ?, ?)",
            (newborn, now, ALGORITHM),
        )
        connection.execute("INSERT INTO mark (incarnation) VALUES (?)", (newborn,))
        connection.executemany(
            "INSERT INTO meta (key, value) VALUES (?, ?)", [("device", device), ("incarnation", newborn.hex())]
        )


def _check_device(connection: Connection, device: DeviceId, name: str) -> None:
    ((owner,),) = connection.query("SELECT value FROM meta WHERE key = 'device'")
    if owner != device:
        raise NotALedger(
            f"{name}: expected the ledger of {device}, this one is of {owner}; set [device] id or [store] path"
        )
