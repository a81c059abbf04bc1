"""Devices and the heads of their chains: what central remembers between two messages of one device.

Reading and writing rows only; who may do what is decided in `protocols.sync.reception`. The rule that must not be
broken: a head moves in the same transaction as the ledger rows it names.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, func, select, update

from central.store.merge import add_new
from central.store.tables.ledger import DEVICE, INCARNATION, LEDGER, Device
from protocols.entry import GENESIS, Digest
from protocols.sync.frames import Head
from protocols.sync.reception import Registered, Standing, new_head
from protocols.values.ids import DeviceId, HospitalId, Incarnation, PlaceId
from protocols.values.instant import Instant

OWN_DEVICE = DeviceId("central")
"""Central is a device with its own chain."""


def enrol(connection: Connection, hospital: HospitalId, device: DeviceId, place: PlaceId, shard: int = 0) -> None:
    """Make a device known, or change the place it speaks for; what it has said so far stays."""
    add_new(connection, DEVICE, [Device(hospital=hospital, device=device).model_dump()])
    _change_device(connection, hospital, device, place=place, shard=shard)


def registered(connection: Connection, hospital: HospitalId, device: DeviceId) -> Registered | None:
    """Return what is kept of a device, None for one that was never enrolled."""
    row = connection.execute(
        select(DEVICE).where(DEVICE.c.hospital == hospital, DEVICE.c.device == device)
    ).one_or_none()
    if row is None:
        return None
    return Registered(
        device,
        Standing(row.status),
        None if row.incarnation is None else Incarnation(row.incarnation),
        row.boot_nonce or b"",
        row.token or b"",
        row.generation,
        row.reason,
    )


def place_of(connection: Connection, hospital: HospitalId, device: DeviceId) -> PlaceId:
    """Return the storeroom a device speaks for, empty for one without."""
    where = (DEVICE.c.hospital == hospital, DEVICE.c.device == device)
    return PlaceId(connection.scalar(select(DEVICE.c.place).where(*where)) or "")


def keep_device(
    connection: Connection, hospital: HospitalId, kept: Registered, seen: Mapping[str, object] | None = None
) -> None:
    """Store what is kept of a device, and what was just seen of it (`last_hello_at`, `agent_version`, ...)."""
    _change_device(
        connection,
        hospital,
        kept.device,
        status=kept.standing.value,
        incarnation=kept.incarnation,
        boot_nonce=kept.boot_nonce,
        token=kept.token,
        generation=kept.generation,
        reason=kept.reason,
        **(seen or {}),
    )


def note_frame(connection: Connection, hospital: HospitalId, device: DeviceId, at: Instant, said_seq: int) -> None:
    """Note when a device last sent entries, and up to which seq it must hold them."""
    most = func.max(DEVICE.c.said_seq, said_seq) if connection.dialect.name == "sqlite" else None
    said = func.greatest(DEVICE.c.said_seq, said_seq) if most is None else most
    _change_device(connection, hospital, device, last_seen_at=at, said_seq=said)


def _change_device(connection: Connection, hospital: HospitalId, device: DeviceId, **values: object) -> None:
    where = (DEVICE.c.hospital == hospital, DEVICE.c.device == device)
    connection.execute(update(DEVICE).where(*where).values(**values))


def heads(
    connection: Connection, hospital: HospitalId, incarnations: Iterable[bytes]
) -> Mapping[Incarnation, tuple[DeviceId, Head]]:
    """Return the head and the device of each of these chains that central holds; on PostgreSQL they stay locked."""
    wanted = sorted(set(incarnations))
    query = (
        select(INCARNATION)
        .where(INCARNATION.c.hospital == hospital, INCARNATION.c.incarnation.in_(wanted))
        .order_by(INCARNATION.c.incarnation)
        .with_for_update()
    )
    return {
        Incarnation(row.incarnation): (DeviceId(row.device), Head(row.incarnation, row.head_seq, row.head_hash))
        for row in connection.execute(query)
    }


def hash_at(connection: Connection, hospital: HospitalId, incarnation: Incarnation, seq: int) -> Digest | None:
    """Return the hash of one entry of a chain, the genesis hash before the first, None where central holds none."""
    if seq < 0:
        return GENESIS
    where = (LEDGER.c.hospital == hospital, LEDGER.c.incarnation == incarnation, LEDGER.c.seq == seq)
    found = connection.scalar(select(LEDGER.c.hash).where(*where))
    return None if found is None else Digest(found)


def head_of(connection: Connection, hospital: HospitalId, incarnation: Incarnation) -> Head:
    """Return the head of one chain, that of an empty one when central holds nothing of it."""
    found = heads(connection, hospital, (incarnation,)).get(incarnation)
    return new_head(incarnation) if found is None else found[1]


def move_head(connection: Connection, hospital: HospitalId, device: DeviceId, head: Head, at: Instant) -> None:
    """Store the head of a chain; `at` becomes `first_at` of a chain that is new."""
    where = (INCARNATION.c.hospital == hospital, INCARNATION.c.incarnation == head.incarnation)
    place = {"head_seq": head.seq, "head_hash": head.hash}
    if connection.execute(update(INCARNATION).where(*where).values(**place)).rowcount:
        return
    first = {"hospital": hospital, "incarnation": head.incarnation, "device": device, "first_at": at}
    connection.execute(INCARNATION.insert().values(**first, **place))
