"""Copies of a ledger: taken while the agent writes, proven whole, and put back without losing what they replace.

A backup is two files: the copy, and beside it a manifest that is written last; without its manifest a copy is nobody's
backup. Putting one back has one turning point, the rename to `.restoring`: before it nothing has changed, after it the
swap is finished by whoever comes next, this program or the agent's next start. The rule that must not be broken: only
a copy that passed the full check gets a manifest or a place, and what it replaces is kept.

Not here: the new chain that a ledger goes on in after an old copy was put back; central and the ledger agree on it when
they speak (`way`), for central knows what the copy lacks.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from edge_agent.errors import NotALedger, StoreFault
from edge_agent.store.connection import WHEN_DAMAGED, SqliteConnection, fault_of, open_to_read
from edge_agent.store.lock import hold_alone
from edge_agent.store.schema import applied_steps, check_known
from edge_agent.store.verify import verify
from protocols.values.instant import Instant, to_iso

FORMAT = 1
"""Version of the manifest's form."""
PAGES_AT_ONCE = 2_048
"""Pages copied between two words to a person who watches; the snapshot is one for all of them."""
CHUNK_BYTES = 1 << 20
RESTORED = "restored"
"""The word in a ledger's file that says when it was put back from a copy."""
PARTIAL, RESTORING, REPLACED = ".partial", ".restoring", ".replaced-"

Told = Callable[[int, int], None]


def tell_nobody(done: int, total: int) -> None:
    """Say nothing about how far it is."""
    del done, total


@dataclass(frozen=True, slots=True)
class ChainHead:
    """Where one chain of a ledger ends; ids and hashes in hex."""

    incarnation: str
    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds and that it was proven; `taken_at` is ISO text, `sha256` of the copy's bytes."""

    device: str
    taken_at: str
    file: str
    bytes: int
    sha256: str
    entries: int
    schema: str
    heads: tuple[ChainHead, ...]
    format: int = FORMAT
    verified: bool = True


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back, and where that which stood there before is kept; None when nothing stood there."""

    device: str
    entries: int
    kept: Path | None


def take_backup(ledger: Path, folder: Path, now: Instant, told: Told = tell_nobody) -> tuple[Path, Manifest]:
    """Copy a ledger into a folder while its agent may write, check the copy, then write its manifest.

    Returns the manifest's path and what it says. Raises `StoreFault`, `NotALedger` for a source that is damaged.
    """
    _make_folder(folder)
    with open_to_read(ledger) as source:
        check_known(source, str(ledger))
        device = _name_of(source)
        partial = folder / f"{device}{PARTIAL}"
        with hold_alone(partial, what="backup"):
            _copy(source, partial, ledger, told)
            manifest = _prove(partial, ledger, device, now)
            stamp = to_iso(now)[:19].replace("-", "").replace(":", "")
            final = folder / f"{device}-{stamp}-{manifest.heads[-1].seq}.db"
            partial.replace(final)
    manifest = replace(manifest, file=final.name)
    said = final.with_suffix(".json")
    _write_synced(said, json.dumps(asdict(manifest), indent=1).encode() + b"\n")
    return said, manifest


def put_back(copy: Path, ledger: Path, device: str, now: Instant) -> Restored:
    """Check a copy whole and put it where a device's ledger stands; keep what stood there.

    Raises `StoreFault` beside a running agent, `NotALedger` for a copy that is damaged or another device's.
    """
    source = _db_of(copy)
    with hold_alone(ledger):
        partial = ledger.with_name(ledger.name + PARTIAL)
        _sync_copy(source, partial)
        entries = _check_copy(partial, source, device)
        _mark_restored(partial, now)
        partial.replace(ledger.with_name(ledger.name + RESTORING))
        kept = finish_restore(ledger)
    return Restored(device, entries, kept)


def finish_restore(ledger: Path) -> Path | None:
    """Finish a swap that reached its turning point; returns what was replaced. Does nothing where none did.

    May be called again after a cut at any step. The caller holds the ledger alone. Raises `StoreFault`.
    """
    ready = ledger.with_name(ledger.name + RESTORING)
    try:
        if not ready.exists():
            return None
        kept = ledger.with_name(f"{ledger.name}{REPLACED}{ready.stat().st_mtime_ns}")
        for end in ("-wal", ""):
            old = ledger.with_name(ledger.name + end)
            if old.exists():
                old.replace(kept.with_name(kept.name + end))
        ledger.with_name(ledger.name + "-shm").unlink(missing_ok=True)
        ready.replace(ledger)
        _sync_folder(ledger.parent)
    except OSError as error:
        raise StoreFault(f"{ready}: expected to put it in the place of {ledger.name}, {error}; run it again") from error
    return kept if kept.exists() else None


# --- taking ---


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreFault(f"{folder}: expected a folder to put the backup in, {error.strerror}; name another") from error


def _name_of(source: SqliteConnection) -> str:
    rows: dict[str, str] = dict(source.query("SELECT key, value FROM meta WHERE key = 'device'"))
    if "device" not in rows:
        raise NotALedger("expected a ledger of a device, no agent has finished its first start on it; run it once")
    return rows["device"]


def _copy(source: SqliteConnection, to: Path, ledger: Path, told: Told) -> None:
    """Copy one snapshot, held for the whole of it, so that the agent's writing never begins it anew."""
    to.unlink(missing_ok=True)
    source.execute("BEGIN")
    try:
        source.query("SELECT 1 FROM meta LIMIT 1")
        target = sqlite3.connect(to, isolation_level=None)
        try:
            source.raw.backup(
                target, pages=PAGES_AT_ONCE, progress=lambda _status, left, total: told(total - left, total)
            )
            target.execute("PRAGMA journal_mode = DELETE").close()
        finally:
            target.close()
        with to.open("rb") as file:
            os.fsync(file.fileno())
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorname", "") in {"SQLITE_CORRUPT", "SQLITE_NOTADB"}:
            raise fault_of(error, str(ledger)) from error
        raise StoreFault(f"{to}: the copy could not be written, {error}; free some room or name another") from error
    except OSError as error:
        raise StoreFault(f"{to}: the copy could not be written, {error.strerror}; name another folder") from error
    finally:
        source.execute("ROLLBACK")


def _prove(copy: Path, ledger: Path, device: str, now: Instant) -> Manifest:
    with open_to_read(copy) as connection:
        entries = _check(connection, str(ledger))
        heads = _heads(connection)
        schema = applied_steps(connection)[-1]
    return Manifest(
        device=device,
        taken_at=to_iso(now),
        file=copy.name,
        bytes=copy.stat().st_size,
        sha256=_digest(copy),
        entries=entries,
        schema=schema,
        heads=heads,
    )


def _check(connection: SqliteConnection, name: str) -> int:
    """Check every page, the chain and the book; returns how many entries. Raises `NotALedger`."""
    ((said,),) = connection.query("PRAGMA integrity_check(1)")
    if said != "ok":
        raise NotALedger(f"{name}: a page is damaged, {_one_line(str(said))}; {WHEN_DAMAGED}")
    report = verify(connection)
    if not report.sound:
        raise NotALedger(f"{name}: {report.problems[0].what}; {WHEN_DAMAGED}")
    return report.entries


def _heads(connection: SqliteConnection) -> tuple[ChainHead, ...]:
    rows = connection.query(
        "SELECT hex(i.incarnation), COALESCE(l.seq, -1), COALESCE(hex(l.hash), '') FROM incarnation i "
        "LEFT JOIN ledger l ON l.incarnation = i.incarnation "
        "AND l.seq = (SELECT MAX(seq) FROM ledger WHERE incarnation = i.incarnation) ORDER BY i.rowid"
    )
    return tuple(ChainHead(name.lower(), seq, digest.lower()) for name, seq, digest in rows)


# --- putting back ---


def _db_of(copy: Path) -> Path:
    """Return the copy that a manifest names, or the copy itself."""
    return copy.with_suffix(".db") if copy.suffix == ".json" else copy


def _sync_copy(source: Path, to: Path) -> None:
    try:
        with source.open("rb") as old, to.open("wb") as new:
            while chunk := old.read(CHUNK_BYTES):
                new.write(chunk)
            new.flush()
            os.fsync(new.fileno())
    except OSError as error:
        raise StoreFault(
            f"{source}: expected a backup to copy to {to.parent}, {error.strerror}; look at both"
        ) from error


def _check_copy(partial: Path, source: Path, device: str) -> int:
    said = source.with_suffix(".json")
    try:
        if said.exists() and json.loads(said.read_text("utf-8")).get("sha256") != _digest(partial):
            raise NotALedger(
                f"{source}: expected the bytes that {said.name} names, it was changed; take another backup"
            )
    except (OSError, ValueError, AttributeError) as error:
        raise NotALedger(f"{said}: expected the manifest of a backup, {error}; take another backup") from error
    try:
        with open_to_read(partial) as connection:
            check_known(connection, str(source))
            owner = _name_of(connection)
            if owner != device:
                raise NotALedger(f"{source}: expected a backup of {device}, this one is of {owner}; name the right one")
            ((page,),) = connection.query("PRAGMA integrity_check(1)")
            report = verify(connection)
    except NotALedger as error:
        raise NotALedger(f"{error}".replace(f"; {WHEN_DAMAGED}", "; take an older backup")) from error
    if page != "ok" or not report.sound:
        wrong = _one_line(str(page)) if page != "ok" else report.problems[0].what
        raise NotALedger(f"{source}: this copy is damaged, {wrong}; take an older backup")
    return report.entries


def _mark_restored(path: Path, now: Instant) -> None:
    try:
        raw = sqlite3.connect(path, isolation_level=None)
        try:
            raw.execute("PRAGMA synchronous = FULL").close()
            raw.execute(
                "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
                (RESTORED, to_iso(now)),
            ).close()
        finally:
            raw.close()
    except sqlite3.Error as error:
        raise fault_of(error, str(path)) from error


# --- files ---


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_synced(path: Path, data: bytes) -> None:
    partial = path.with_name(path.name + PARTIAL)
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise StoreFault(f"{path}: the manifest could not be written, {error.strerror}; free some room") from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _one_line(text: str) -> str:
    return " ".join(text.split())
