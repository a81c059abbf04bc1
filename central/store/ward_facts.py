"""The facts that a storeroom's device must know and did not write, in the order in which they are told.

Versions are counted here, one storeroom apart from the other, inside the transaction that writes the fact; never by a
sequence of the database, whose numbers appear in another order than they are committed. The rule that must not be
broken: a version once given means the same fact for ever, and its sum tells so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, exists, func, select

from central.store.rows import entry_of
from central.store.tables.ledger import DEVICE, EVENT, LEDGER, OPAQUE_SCHEMA, QUARANTINE, WARD_FACT
from central.store.tables.sync import LEDGER_GAP
from protocols.entry import encode_entry
from protocols.sync.facts import sum_of
from protocols.values.ids import DeviceId, HospitalId, PlaceId

ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Version:
    """The newest fact of a storeroom, 0 and an empty sum before the first."""

    number: int
    sum: bytes


def newest(connection: Connection, hospital: HospitalId, place: PlaceId) -> Version:
    """Return a storeroom's last version."""
    where = (WARD_FACT.c.hospital == hospital, WARD_FACT.c.place == place)
    query = select(WARD_FACT.c.version, WARD_FACT.c.sum).where(*where).order_by(WARD_FACT.c.version.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return Version(0, b"") if row is None else Version(row.version, row.sum)


def sum_at(connection: Connection, hospital: HospitalId, place: PlaceId, version: int) -> bytes | None:
    """Return the sum at a version, None where there is no such version."""
    if version == 0:
        return b""
    where = (WARD_FACT.c.hospital == hospital, WARD_FACT.c.place == place, WARD_FACT.c.version == version)
    found = connection.scalar(select(WARD_FACT.c.sum).where(*where))
    return None if found is None else bytes(found)


def tell(connection: Connection, hospital: HospitalId, place: PlaceId, events: Sequence[bytes]) -> None:
    """Add facts behind a storeroom's last version; those it was told already are left out.

    On PostgreSQL one transaction at a time counts on for a storeroom.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{hospital}/{place}", 0))))
    where = (WARD_FACT.c.hospital == hospital, WARD_FACT.c.place == place, WARD_FACT.c.event_id.in_(events))
    known = set(connection.scalars(select(WARD_FACT.c.event_id).where(*where)))
    last = newest(connection, hospital, place)
    contents = _contents(connection, hospital, events)
    rows = []
    for number, event in enumerate([event for event in events if event not in known], start=last.number + 1):
        last = Version(number, sum_of(last.sum, [contents[event]]))
        key = {"hospital": hospital, "place": place}
        rows.append({**key, "version": number, "event_id": event, "sum": last.sum})
    if rows:
        connection.execute(WARD_FACT.insert(), rows)


def _contents(connection: Connection, hospital: HospitalId, events: Sequence[bytes]) -> dict[bytes, bytes]:
    query = select(EVENT.c.event_id, EVENT.c.content_hash).where(
        EVENT.c.hospital == hospital, EVENT.c.event_id.in_(events)
    )
    return {row.event_id: row.content_hash for row in connection.execute(query)}


def places_with_a_device(connection: Connection, hospital: HospitalId) -> frozenset[PlaceId]:
    """Return the storerooms that some device speaks for."""
    query = select(DEVICE.c.place).where(DEVICE.c.hospital == hospital, DEVICE.c.place != "").distinct()
    return frozenset(PlaceId(place) for place in connection.scalars(query))


def posted_events(
    connection: Connection, hospital: HospitalId, incarnation: bytes, first: int, last: int
) -> list[bytes]:
    """Return the events that stand in a part of a chain and were posted, in its order."""
    part = (LEDGER.c.hospital == hospital, LEDGER.c.incarnation == incarnation, LEDGER.c.seq.between(first, last))
    set_aside = exists().where(
        QUARANTINE.c.hospital == EVENT.c.hospital,
        QUARANTINE.c.incarnation == EVENT.c.incarnation,
        QUARANTINE.c.seq == EVENT.c.seq,
    )
    query = (
        select(LEDGER.c.event_id)
        .join(EVENT, (EVENT.c.hospital == LEDGER.c.hospital) & (EVENT.c.event_id == LEDGER.c.event_id))
        .where(*part, LEDGER.c.schema != OPAQUE_SCHEMA, ~set_aside)
        .order_by(LEDGER.c.seq)
    )
    return list(dict.fromkeys(connection.scalars(query)))


def gap_events(connection: Connection, hospital: HospitalId, incarnation: bytes, first: int) -> list[bytes]:
    """Return the entries that stand for parts of a chain that are nowhere, where all of the part is behind `first`."""
    gap = LEDGER_GAP.c
    here = (gap.hospital == hospital, gap.incarnation == incarnation, gap.first_seq >= first)
    rows = connection.scalars(select(gap.events).where(*here).order_by(gap.last_seq, gap.page))
    return [ids[at : at + ID_BYTES] for ids in rows for at in range(0, len(ids), ID_BYTES)]


def facts_behind(
    connection: Connection, hospital: HospitalId, place: PlaceId, version: int, most: int
) -> list[tuple[int, bytes, DeviceId, bytes]]:
    """Return facts behind a version, oldest first: version, sum, the device that wrote it, the entry's exact bytes."""
    query = (
        select(WARD_FACT.c.version, WARD_FACT.c.sum, LEDGER)
        .join(EVENT, (EVENT.c.hospital == WARD_FACT.c.hospital) & (EVENT.c.event_id == WARD_FACT.c.event_id))
        .join(
            LEDGER,
            (LEDGER.c.hospital == EVENT.c.hospital)
            & (LEDGER.c.incarnation == EVENT.c.incarnation)
            & (LEDGER.c.seq == EVENT.c.seq),
        )
        .where(WARD_FACT.c.hospital == hospital, WARD_FACT.c.place == place, WARD_FACT.c.version > version)
        .order_by(WARD_FACT.c.version)
        .limit(most)
    )
    return [
        (row.version, bytes(row.sum), DeviceId(row.device), encode_entry(entry_of(row)))
        for row in connection.execute(query)
    ]
