"""The feed at central: its versions, what each device holds of them, and what the rows are made from.

No rule lives here. A version is numbered inside the transaction that writes it, by the scope's last; never by a
sequence of the database, whose numbers are given in another order than they are committed. The rule that must not be
broken: a version once written means the same rows for ever.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, func, select

from central.core.feed import CatalogueItem
from central.store.merge import merge
from central.store.tables.feed import DAILY_HEADS, DEVICE_FEED, FEED_VERSION, RECALL
from central.store.tables.ledger import DEVICE, INCARNATION
from central.store.tables.master import ITEM
from protocols.entry import Digest
from protocols.policy import SignedText
from protocols.sync.feed import Version
from protocols.values.ids import DeviceId, HospitalId, Incarnation, PlaceId
from protocols.values.instant import Instant, plus

VERSIONS_KEPT = 20
"""Versions of a scope from which changes can still be told, and whose pages can still be sent."""
TIMES_KEPT_S = 60 * 86_400.0
"""How long it is known when a version was made: what a device knew when it wrote an entry that comes late."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A device that listens, on which shard, and the storeroom it stands in."""

    device: DeviceId
    shard: int
    place: PlaceId


def listeners(connection: Connection, hospital: HospitalId) -> list[Listener]:
    """Return every device that stands in a storeroom."""
    query = select(DEVICE.c.device, DEVICE.c.shard, DEVICE.c.place).where(
        DEVICE.c.hospital == hospital, DEVICE.c.place != ""
    )
    rows = connection.execute(query.order_by(DEVICE.c.device))
    return [Listener(DeviceId(row.device), row.shard, PlaceId(row.place)) for row in rows]


def newest_checksums(connection: Connection, hospital: HospitalId) -> dict[str, tuple[int, bytes]]:
    """Return the newest version of every scope with its checksum."""
    last = (
        select(FEED_VERSION.c.scope, func.max(FEED_VERSION.c.version).label("version"))
        .where(FEED_VERSION.c.hospital == hospital)
        .group_by(FEED_VERSION.c.scope)
        .subquery()
    )
    rows = connection.execute(
        select(FEED_VERSION.c.scope, FEED_VERSION.c.version, FEED_VERSION.c.checksum)
        .join(last, (FEED_VERSION.c.scope == last.c.scope) & (FEED_VERSION.c.version == last.c.version))
        .where(FEED_VERSION.c.hospital == hospital)
    )
    return {row.scope: (row.version, row.checksum) for row in rows}


def checksums_of(connection: Connection, hospital: HospitalId, scopes: Sequence[str]) -> dict[str, tuple[int, bytes]]:
    """Return the newest version of some scopes with its checksum."""
    row = FEED_VERSION.c
    newest = (
        select(row.hospital, row.scope, func.max(row.version).label("version"))
        .where(row.hospital == hospital, row.scope.in_(scopes))
        .group_by(row.hospital, row.scope)
        .subquery()
    )
    is_newest = (newest.c.hospital == row.hospital) & (newest.c.scope == row.scope) & (newest.c.version == row.version)
    rows = connection.execute(select(row.scope, row.version, row.checksum).join(newest, is_newest))
    return {each.scope: (each.version, each.checksum) for each in rows}


def version_at(connection: Connection, hospital: HospitalId, scope: str, version: int | None) -> Version | None:
    """Return a version of a scope, the newest for None; None where it is not kept."""
    query = FEED_VERSION.select().where(FEED_VERSION.c.hospital == hospital, FEED_VERSION.c.scope == scope)
    if version is not None:
        query = query.where(FEED_VERSION.c.version == version)
    row = connection.execute(query.order_by(FEED_VERSION.c.version.desc()).limit(1)).first()
    return None if row is None or not row.packed else Version(row.version, row.checksum, row.packed)


def add_version(connection: Connection, hospital: HospitalId, scope: str, made: Version, now: Instant) -> None:
    """Write a version behind the scope's last; of those too old to be asked for only their times are kept, a while."""
    connection.execute(
        FEED_VERSION.insert().values(
            hospital=hospital,
            scope=scope,
            version=made.version,
            checksum=made.checksum,
            packed=made.packed,
            made_at=now,
        )
    )
    row = FEED_VERSION.c
    old = (row.hospital == hospital, row.scope == scope, row.version <= made.version - VERSIONS_KEPT)
    connection.execute(FEED_VERSION.update().where(*old, row.packed != b"").values(packed=b""))
    connection.execute(FEED_VERSION.delete().where(*old, row.made_at < plus(now, -TIMES_KEPT_S)))


def note_held(
    connection: Connection, hospital: HospitalId, device: DeviceId, held: Iterable[tuple[str, int]], now: Instant
) -> None:
    """Keep what a device said it holds."""
    rows = [
        {"hospital": hospital, "device": device, "scope": scope, "version": version, "said_at": now}
        for scope, version in held
    ]
    if rows:
        merge(connection, DEVICE_FEED, rows)


def held_by(connection: Connection, hospital: HospitalId) -> dict[tuple[DeviceId, str], tuple[int, Instant]]:
    """Return the version each device last said it holds of each scope, and when."""
    rows = connection.execute(DEVICE_FEED.select().where(DEVICE_FEED.c.hospital == hospital))
    return {(DeviceId(row.device), row.scope): (row.version, Instant(row.said_at)) for row in rows}


def catalogue(connection: Connection, hospital: HospitalId) -> list[CatalogueItem]:
    """Return what edges are told of every item."""
    rows = connection.execute(ITEM.select().where(ITEM.c.hospital == hospital))
    return [
        CatalogueItem(
            row.item, row.name_zh, row.name_en, row.gtin, row.pack, row.storage, row.criticality, row.chargeable
        )
        for row in rows
    ]


def recalls(connection: Connection, hospital: HospitalId) -> list[tuple[str, str, str]]:
    """Return the recalls in force: item, lot, why."""
    rows = connection.execute(RECALL.select().where(RECALL.c.hospital == hospital, RECALL.c.lifted_at.is_(None)))
    return [(row.item, row.lot, row.why) for row in rows]


def chain_ends(connection: Connection, hospital: HospitalId) -> list[tuple[DeviceId, Incarnation, int, Digest]]:
    """Return the end of every chain that holds an entry."""
    rows = connection.execute(
        INCARNATION.select().where(INCARNATION.c.hospital == hospital, INCARNATION.c.head_seq >= 0)
    )
    return [(DeviceId(row.device), Incarnation(row.incarnation), row.head_seq, Digest(row.head_hash)) for row in rows]


def heads_since(connection: Connection, hospital: HospitalId, first: date) -> list[tuple[date, SignedText]]:
    """Return the signed heads of the days from one on."""
    rows = connection.execute(
        DAILY_HEADS.select().where(DAILY_HEADS.c.hospital == hospital, DAILY_HEADS.c.day >= first)
    )
    return [(row.day, SignedText(row.text, row.key_id, row.signature.hex())) for row in rows]
