"""Enrolment read back and written: devices with their keys and certificates, and tokens.

No rule lives here. The rule that must not be broken: a token is looked up by its hash, and never leaves as a row.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, update

from central.store.merge import add_new, merge
from central.store.tables.enrolment import DEVICE_CERTIFICATE, DEVICE_KEY, ENROL_TOKEN
from central.store.tables.ledger import DEVICE
from protocols.values.ids import DeviceId, HospitalId, PlaceId
from protocols.values.instant import Instant


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """One key of a device; `until` ends its newest certificate."""

    device: DeviceId
    key_id: str
    public: bytes
    enrolled_at: Instant
    enrolled_by: str
    until: Instant
    revoked_at: Instant | None
    revoked_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate given to a device's key."""

    serial: int
    device: DeviceId
    key_id: str
    begins_at: Instant
    ends_at: Instant


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token; `key_id` is the key it let in."""

    device: DeviceId
    made_at: Instant
    made_by: str
    ends_at: Instant
    key_id: str


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A device that central knows, enrolled or not."""

    device: DeviceId
    place: PlaceId
    shard: int
    last_hello_at: Instant | None
    agent_version: str
    status: str


def known_devices(connection: Connection, hospital: HospitalId, device: DeviceId | None = None) -> list[KnownDevice]:
    """Return the devices by name, or the one asked for."""
    query = select(DEVICE).where(DEVICE.c.hospital == hospital).order_by(DEVICE.c.device)
    if device is not None:
        query = query.where(DEVICE.c.device == device)
    return [
        KnownDevice(
            DeviceId(row.device), PlaceId(row.place), row.shard, row.last_hello_at, row.agent_version, row.status
        )
        for row in connection.execute(query)
    ]


def set_shard(connection: Connection, hospital: HospitalId, device: DeviceId, shard: int) -> None:
    """Give a device its shard."""
    where = (DEVICE.c.hospital == hospital, DEVICE.c.device == device)
    connection.execute(update(DEVICE).where(*where).values(shard=shard))


def device_keys(connection: Connection, hospital: HospitalId, device: DeviceId | None = None) -> list[DeviceKey]:
    """Return every key of a device, or of all, the newest first."""
    ends = func.coalesce(func.max(DEVICE_CERTIFICATE.c.ends_at), 0).label("until")
    same = (
        (DEVICE_CERTIFICATE.c.hospital == DEVICE_KEY.c.hospital)
        & (DEVICE_CERTIFICATE.c.device == DEVICE_KEY.c.device)
        & (DEVICE_CERTIFICATE.c.key_id == DEVICE_KEY.c.key_id)
    )
    query = (
        select(DEVICE_KEY, ends)
        .outerjoin(DEVICE_CERTIFICATE, same)
        .where(DEVICE_KEY.c.hospital == hospital)
        .group_by(*DEVICE_KEY.c)
        .order_by(DEVICE_KEY.c.device, DEVICE_KEY.c.enrolled_at.desc(), DEVICE_KEY.c.key_id)
    )
    if device is not None:
        query = query.where(DEVICE_KEY.c.device == device)
    return [
        DeviceKey(
            device=DeviceId(row.device),
            key_id=row.key_id,
            public=bytes(row.public),
            enrolled_at=Instant(row.enrolled_at),
            enrolled_by=row.enrolled_by,
            until=Instant(row.until),
            revoked_at=row.revoked_at,
            revoked_by=row.revoked_by,
            reason=row.reason,
        )
        for row in connection.execute(query)
    ]


def standing_key(connection: Connection, hospital: HospitalId, device: DeviceId, key_id: str) -> bytes | None:
    """Return the public half of a device's key that is not revoked, None when it has no such key."""
    where = (DEVICE_KEY.c.hospital == hospital, DEVICE_KEY.c.device == device, DEVICE_KEY.c.key_id == key_id)
    found = connection.scalar(select(DEVICE_KEY.c.public).where(*where, DEVICE_KEY.c.revoked_at.is_(None)))
    return None if found is None else bytes(found)


def add_key(connection: Connection, hospital: HospitalId, key: DeviceKey) -> None:
    """Keep a device's key; the same key enrolled again stands again."""
    row = {
        "hospital": hospital,
        "device": key.device,
        "key_id": key.key_id,
        "public": key.public,
        "enrolled_at": key.enrolled_at,
        "enrolled_by": key.enrolled_by,
        "revoked_at": None,
        "revoked_by": "",
        "reason": "",
    }
    merge(connection, DEVICE_KEY, [row])


def revoke_keys(
    connection: Connection, hospital: HospitalId, device: DeviceId, at: Instant, *, by: str, reason: str
) -> int:
    """Revoke every standing key of a device; returns how many."""
    where = (DEVICE_KEY.c.hospital == hospital, DEVICE_KEY.c.device == device, DEVICE_KEY.c.revoked_at.is_(None))
    change = update(DEVICE_KEY).where(*where).values(revoked_at=at, revoked_by=by, reason=reason)
    return connection.execute(change).rowcount


def add_certificate(connection: Connection, hospital: HospitalId, made: Certificate) -> None:
    """Keep that a certificate was given."""
    row = {
        "hospital": hospital,
        "serial": f"{made.serial:x}",
        "device": made.device,
        "key_id": made.key_id,
        "begins_at": made.begins_at,
        "ends_at": made.ends_at,
    }
    add_new(connection, DEVICE_CERTIFICATE, [row])


def certificates_since(connection: Connection, hospital: HospitalId, device: DeviceId, since: Instant) -> int:
    """Return how many certificates a device was given after an instant."""
    made = DEVICE_CERTIFICATE.c
    given = select(func.count()).where(made.hospital == hospital, made.device == device, made.begins_at > since)
    count: int = connection.execute(given).scalar_one()
    return count


def revoked_certificates(connection: Connection, hospital: HospitalId, now: Instant) -> list[tuple[int, Instant]]:
    """Return serial number and instant of revocation of each revoked certificate that has not ended by itself."""
    same = (
        (DEVICE_CERTIFICATE.c.hospital == DEVICE_KEY.c.hospital)
        & (DEVICE_CERTIFICATE.c.device == DEVICE_KEY.c.device)
        & (DEVICE_CERTIFICATE.c.key_id == DEVICE_KEY.c.key_id)
    )
    query = (
        select(DEVICE_CERTIFICATE.c.serial, DEVICE_KEY.c.revoked_at)
        .join(DEVICE_KEY, same)
        .where(DEVICE_KEY.c.hospital == hospital, DEVICE_KEY.c.revoked_at.is_not(None))
        .where(DEVICE_CERTIFICATE.c.ends_at > now)
        .order_by(DEVICE_CERTIFICATE.c.serial)
    )
    return [(int(row.serial, 16), Instant(row.revoked_at)) for row in connection.execute(query)]


def add_token(connection: Connection, hospital: HospitalId, token_hash: bytes, token: Token) -> None:
    """Keep a token by its hash."""
    row = {
        "hospital": hospital,
        "token_hash": token_hash,
        "device": token.device,
        "made_at": token.made_at,
        "made_by": token.made_by,
        "ends_at": token.ends_at,
        "key_id": token.key_id,
    }
    add_new(connection, ENROL_TOKEN, [row])


def token_with(connection: Connection, hospital: HospitalId, token_hash: bytes) -> Token | None:
    """Return a token by its hash."""
    query = select(ENROL_TOKEN).where(ENROL_TOKEN.c.hospital == hospital, ENROL_TOKEN.c.token_hash == token_hash)
    row = connection.execute(query.with_for_update()).one_or_none()
    if row is None:
        return None
    return Token(DeviceId(row.device), Instant(row.made_at), row.made_by, Instant(row.ends_at), row.key_id)


def use_token(connection: Connection, hospital: HospitalId, token_hash: bytes, key_id: str) -> None:
    """Note which key a token let in."""
    where = (ENROL_TOKEN.c.hospital == hospital, ENROL_TOKEN.c.token_hash == token_hash)
    connection.execute(update(ENROL_TOKEN).where(*where).values(key_id=key_id))


def end_tokens(connection: Connection, hospital: HospitalId, device: DeviceId, at: Instant) -> None:
    """End what tokens of a device are still open."""
    where = (ENROL_TOKEN.c.hospital == hospital, ENROL_TOKEN.c.device == device, ENROL_TOKEN.c.ends_at > at)
    connection.execute(update(ENROL_TOKEN).where(*where).values(ends_at=at))


def open_tokens(connection: Connection, hospital: HospitalId, now: Instant) -> dict[DeviceId, Instant]:
    """Return until when a token that let nobody in yet is open, by device."""
    query = (
        select(ENROL_TOKEN.c.device, func.max(ENROL_TOKEN.c.ends_at).label("ends_at"))
        .where(ENROL_TOKEN.c.hospital == hospital, ENROL_TOKEN.c.key_id == "", ENROL_TOKEN.c.ends_at > now)
        .group_by(ENROL_TOKEN.c.device)
    )
    return {DeviceId(row.device): Instant(row.ends_at) for row in connection.execute(query)}


def devices_of(rows: Iterable[DeviceKey]) -> dict[DeviceId, DeviceKey]:
    """Return the newest key of each device, a standing one first."""
    found: dict[DeviceId, DeviceKey] = {}
    for row in rows:
        standing = found.get(row.device)
        if standing is None or (standing.revoked_at is not None and row.revoked_at is None):
            found[row.device] = row
    return found
