"""What stands elsewhere besides here: proved from a backup that was put back, vouched for by its manifest.

A backup proves nothing until it was restored somewhere else and verified whole; `prove` does that on the restored
copy and writes a manifest, `accept` holds the manifest against this store and lets devices trim up to it. The rule that
must not be broken: a head counts only when this store has the same hash at that place.
"""

from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, select

from central.errors import BadInput, NotThere
from central.services.verify import verify
from central.store.audit import note
from central.store.chains import hash_at, keep_device, registered
from central.store.engine import Store
from central.store.safety import vouch, withdraw
from central.store.tables.ledger import DEVICE, INCARNATION
from protocols.sync.reception import Standing, settle_dispute
from protocols.values.ids import DeviceId, HospitalId, Incarnation
from protocols.values.instant import Instant

STANDBY = "standby"
FORM = "wardstock-safe-1"


class ManifestHead(msgspec.Struct, frozen=True):
    """One chain as the restored copy holds it; ids and hashes in hex."""

    hospital: str
    incarnation: str
    seq: int
    hash: str


class Manifest(msgspec.Struct, frozen=True):
    """What a restored and verified copy holds."""

    form: str
    made_at: int
    entries: int
    heads: tuple[ManifestHead, ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """How many chains a manifest vouches for, and how many of it this store knows otherwise."""

    chains: int
    unknown: int


def prove(restored: Store, now: Instant) -> bytes:
    """Verify a restored copy whole and return its manifest. Raises `BadInput` naming the first fault."""
    report = verify(restored)
    if not report.ok:
        raise BadInput(f"backup: expected a copy that is sound, {report.fault_count} faults; first: {report.faults[0]}")
    with restored.read() as connection:
        rows = connection.execute(select(INCARNATION).order_by(INCARNATION.c.hospital, INCARNATION.c.incarnation))
        heads = tuple(
            ManifestHead(row.hospital, row.incarnation.hex(), row.head_seq, row.head_hash.hex())
            for row in rows
            if row.head_seq >= 0
        )
    return msgspec.json.format(msgspec.json.encode(Manifest(FORM, now, report.entries, heads)), indent=1)


def accept(store: Store, hospital: HospitalId, name: str, raw: bytes, now: Instant) -> Accepted:
    """Let devices trim up to what a proven backup holds. Raises `BadInput` for bytes that are no manifest."""
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
        said = [
            (Incarnation(bytes.fromhex(head.incarnation)), head.seq, bytes.fromhex(head.hash))
            for head in manifest.heads
            if head.hospital == hospital
        ]
    except (msgspec.MsgspecError, ValueError) as error:
        raise BadInput(f"manifest: expected what `backup prove` wrote; {error}") from error
    if manifest.form != FORM:
        raise BadInput(f"manifest: expected the form {FORM}, got {manifest.form!r:.40}")
    with store.write() as connection:
        same = [(chain, seq) for chain, seq, digest in said if hash_at(connection, hospital, chain, seq) == digest]
        vouch(connection, hospital, name, same, now)
    return Accepted(len(same), len(said) - len(same))


def forget(store: Store, hospital: HospitalId, name: str) -> None:
    """A backup was thrown away or a standby is gone: devices are told less is safe."""
    with store.write() as connection:
        withdraw(connection, hospital, name)


def suspects(connection: Connection, hospital: HospitalId) -> list[tuple[DeviceId, str]]:
    """Return the devices in whose name two machines seem to speak, with what was seen."""
    where = (DEVICE.c.hospital == hospital, DEVICE.c.status == Standing.DISPUTED.value)
    query = select(DEVICE.c.device, DEVICE.c.reason).where(*where).order_by(DEVICE.c.device)
    return [(DeviceId(row.device), str(row.reason)) for row in connection.execute(query)]


def settle_clone(connection: Connection, hospital: HospitalId, device: DeviceId, person: str, at: Instant) -> str:
    """Note that a device is one machine again; return what had been suspected. Raises `NotThere` where nothing was."""
    stored = registered(connection, hospital, device)
    if stored is None or stored.standing is not Standing.DISPUTED:
        raise NotThere(f"device: expected one that is a suspected clone, {device} is none; see `devices`")
    keep_device(connection, hospital, settle_dispute(stored))
    note(connection, hospital, at, person=person, act="settle-clone", subject=device, detail={"seen": stored.reason})
    return stored.reason
