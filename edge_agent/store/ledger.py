"""The edge ledger: one file, one writer, a chain that only grows.

`append` puts entries at the head with their projections in one transaction that is synced before it returns; `group`
makes one transaction of several appends, so that 64 scans cost one sync. The rule that must not be broken: nothing is
said to a person about an entry before `group` has ended without an error.

Not here: what an entry means (`core`), whether the chain is sound (`verify`), questions about stock (`queries`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge_agent.errors import NotALedger
from edge_agent.store.connection import Connection, open_to_write, savepoint, transaction
from edge_agent.store.projections import project
from edge_agent.store.rows import ENTRY_COLUMNS, INSERT, entry_of, row_of
from edge_agent.store.schema import bring_up_to_date
from protocols.entry import ALGORITHM, GENESIS, ChainedEntry, Digest, Entry, chain, encode_entry
from protocols.values.hlc import Hlc
from protocols.values.ids import DeviceId, Incarnation, device_id, incarnation
from protocols.values.instant import Instant

RAW_ROWS_MAX = 500
"""Most entries one call hands to the link; a frame carries no more."""


@dataclass(frozen=True, slots=True)
class Head:
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
        self._grouped = False

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
        self._grouped = True
        try:
            with transaction(self._connection):
                yield
        except BaseException:
            self._head = before
            raise
        finally:
            self._grouped = False

    def append(self, entries: Sequence[Entry]) -> list[ChainedEntry]:
        """Put entries at the head, all or none. Outside of a group it is a transaction of its own.

        Raises `StoreFault`, `DiskFull`; `BadValue` or `PeerBroke` for a body the table of movements does not admit.
        """
        if not self._grouped:
            with self.group():
                return self._append(entries)
        return self._append(entries)

    def _append(self, entries: Sequence[Entry]) -> list[ChainedEntry]:
        head = self._head
        chained = chain(self.device, head.incarnation, from_seq=head.seq + 1, prev_hash=head.hash, entries=entries)
        with savepoint(self._connection):
            self._connection.executemany(INSERT, [row_of(each) for each in chained])
            for entry in entries:
                project(self._connection, entry)
        if chained:
            self._head = Head(head.incarnation, chained[-1].seq, chained[-1].hash)
        return chained

    def set_acked(self, seq: int) -> None:
        """Move the mark of what central has committed; it may fall after a restore. Raises `StoreFault`."""
        with transaction(self._connection):
            self._connection.execute(
                "UPDATE mark SET acked = ? WHERE incarnation = ?", (min(seq, self._head.seq), self._incarnation)
            )

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

    def hash_at(self, seq: int) -> Digest | None:
        """Return the hash of the entry at a seq, the genesis hash at -1, None where this ledger holds none."""
        if seq == -1:
            return GENESIS
        rows = self._connection.query(
            "SELECT hash FROM ledger WHERE incarnation = ? AND seq = ? UNION ALL "
            "SELECT hash FROM checkpoint WHERE incarnation = ? AND seq = ? LIMIT 1",
            (self._incarnation, seq) * 2,
        )
        return Digest(rows[0][0]) if rows else None

    def entries_raw(self, from_seq: int, limit: int, max_bytes: int) -> list[bytes]:
        """Return the canonical bytes of entries in order; at least one if there is one, then within both limits."""
        rows = self._connection.stream(
            f"SELECT {ENTRY_COLUMNS} FROM ledger WHERE incarnation = ? AND seq >= ? ORDER BY seq LIMIT ?",
            (self._incarnation, from_seq, min(limit, RAW_ROWS_MAX)),
        )
        found: list[bytes] = []
        size = 0
        for row in rows:
            raw = encode_entry(entry_of(row))
            size += len(raw)
            if found and size > max_bytes:
                break
            found.append(raw)
        return found

    def last_hlc(self) -> Hlc:
        """Return the hybrid clock of the last entry; 0 when there is none."""
        rows = self._connection.query(
            "SELECT hlc FROM ledger WHERE incarnation = ? ORDER BY seq DESC LIMIT 1", (self._incarnation,)
        )
        return Hlc(rows[0][0] if rows else 0)

    def _read_head(self) -> Head:
        rows = self._connection.query(
            "SELECT seq, hash FROM (SELECT seq, hash FROM ledger WHERE incarnation = ? ORDER BY seq DESC LIMIT 1) "
            "UNION ALL SELECT seq, hash FROM checkpoint WHERE incarnation = ? ORDER BY seq DESC LIMIT 1",
            (self._incarnation,) * 2,
        )
        seq, digest = rows[0] if rows else (-1, GENESIS)
        return Head(self._incarnation, seq, Digest(digest))


def open_ledger(
    path: Path, device: DeviceId, *, newborn: Incarnation, now: Instant, max_pages: int | None = None
) -> Ledger:
    """Open a device's ledger to write; a new file is born as `newborn` at `now`.

    Raises `NotALedger` for another device's file, `DiskFull`, `StoreFault`.
    """
    connection = open_to_write(path, max_pages=max_pages)
    try:
        bring_up_to_date(connection, str(path))
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
