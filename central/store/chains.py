"""Devices and the heads of their chains: what central remembers between two messages of one device.

Reading and writing rows only; who may do what is decided in `protocols.sync.reception`. The rule that must not be
broken: a head moves in the same transaction as the ledger rows it names.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, func, select, update

from central.store.merge import add_new
from central.store.tables.ledger import DEVICE, INCARNATION, LEDGER, Device
from central.store.tables.sync import LEDGER_GAP
from protocols.entry import GENESIS, Digest
from protocols.sync.frames import NOTHING, Head
from protocols.sync.reception import Held, Registered, Standing, new_head
from protocols.values.ids import DeviceId, HospitalId, Incarnation, PlaceId
from protocols.values.instant import Instant

NONCE_BYTES = 16
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
        tuple(row.former_nonces[at : at + NONCE_BYTES] for at in range(0, len(row.former_nonces), NONCE_BYTES)),
        tuple(json.loads(row.swaps or "[]")),
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
        former_nonces=b"".join(kept.former),
        swaps=json.dumps(kept.swaps),
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


def chains_held(connection: Connection, hospital: HospitalId, incarnations: Iterable[bytes]) -> dict[Incarnation, Held]:
    """Return each of these chains that central knows; on PostgreSQL they stay locked."""
    wanted = sorted(set(incarnations))
    query = (
        select(INCARNATION)
        .where(INCARNATION.c.hospital == hospital, INCARNATION.c.incarnation.in_(wanted))
        .order_by(INCARNATION.c.incarnation)
        .with_for_update()
    )
    return {Incarnation(row.incarnation): _held(row) for row in connection.execute(query)}


def chains_of(connection: Connection, hospital: HospitalId, device: DeviceId) -> list[tuple[Held, int, int]]:
    """Return every chain of a device, each with the range of its entries that were told as facts."""
    query = select(INCARNATION).where(INCARNATION.c.hospital == hospital, INCARNATION.c.device == device)
    rows = connection.execute(query.order_by(INCARNATION.c.incarnation))
    return [(_held(row), row.told_from, row.told_to) for row in rows]


def _held(row: Any) -> Held:  # noqa: ANN401 # a row of Core has no type of its own
    parent = None if row.parent is None else Incarnation(row.parent)
    return Held(DeviceId(row.device), Head(row.incarnation, row.head_seq, row.head_hash), parent, row.parent_seq)


def bear(connection: Connection, hospital: HospitalId, chains: Iterable[Held], at: Instant) -> None:
    """Know chains that have no entry yet."""
    for each in chains:
        row = {
            "hospital": hospital,
            "incarnation": each.head.incarnation,
            "device": each.device,
            "head_seq": each.head.seq,
            "head_hash": each.head.hash,
            "first_at": at,
            "parent": each.parent,
            "parent_seq": each.parent_seq,
        }
        add_new(connection, INCARNATION, [row])


def note_told(connection: Connection, hospital: HospitalId, incarnation: bytes, told: tuple[int, int]) -> None:
    """Note which entries of a chain were told as facts."""
    where = (INCARNATION.c.hospital == hospital, INCARNATION.c.incarnation == incarnation)
    connection.execute(update(INCARNATION).where(*where).values(told_from=told[0], told_to=told[1]))


def hash_at(connection: Connection, hospital: HospitalId, incarnation: Incarnation, seq: int) -> Digest | None:
    """Return the hash of one entry of a chain, the genesis hash before the first, None where central holds none."""
    if seq < 0:
        return GENESIS
    where = (LEDGER.c.hospital == hospital, LEDGER.c.incarnation == incarnation, LEDGER.c.seq == seq)
    found = connection.scalar(select(LEDGER.c.hash).where(*where))
    if found is None:
        closed = (LEDGER_GAP.c.hospital == hospital, LEDGER_GAP.c.incarnation == incarnation)
        found = connection.scalar(select(LEDGER_GAP.c.hash).where(*closed, LEDGER_GAP.c.last_seq == seq).limit(1))
    return None if found is None else Digest(found)


def head_of(connection: Connection, hospital: HospitalId, incarnation: Incarnation) -> Head:
    """Return the head of one chain, that of an empty one when central holds nothing of it."""
    found = chains_held(connection, hospital, (incarnation,)).get(incarnation)
    return new_head(incarnation) if found is None else found.head


def base_of(connection: Connection, hospital: HospitalId, held: Held) -> Head | None:
    """Return the place behind which a chain's next entry belongs; None when its parent is not there as far yet."""
    if held.head.seq != NOTHING or held.parent is None:
        return held.head
    base = hash_at(connection, hospital, held.parent, held.parent_seq)
    return None if base is None else Head(held.head.incarnation, NOTHING, base)


def move_head(connection: Connection, hospital: HospitalId, device: DeviceId, head: Head, at: Instant) -> None:
    """Store the head of a chain; `at` becomes `first_at` of a chain that is new."""
    where = (INCARNATION.c.hospital == hospital, INCARNATION.c.incarnation == head.incarnation)
    place = {"head_seq": head.seq, "head_hash": head.hash}
    if connection.execute(update(INCARNATION).where(*where).values(**place)).rowcount:
        return
    first = {"hospital": hospital, "incarnation": head.incarnation, "device": device, "first_at": at}
    connection.execute(INCARNATION.insert().values(**first, **place))
