"""What the ledger has around a discrepancy: beliefs of every storeroom about a unit, and entries near an instant.

Reading only, no rule. The rule that must not be broken: every query names the hospital and has a limit.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select

from central.store.tables.ledger import BELIEF, DEVICE, EVENT, INCARNATION, LEDGER
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant

ENTRIES_MAX = 500
"""Entries one question reads: hours of one storeroom."""
OBSERVED_MAX = 4_000
"""Beliefs one question reads to find those of one unit."""
DUTIES_READ = 32
"""Duties looked through for the last end of a shift; there are two or three a day of each sort."""
CLOCK_STEPS_READ = 8
"""Clock steps looked through for the last that tells an error: one that jumps tells its error at its next greeting."""


@dataclass(frozen=True, slots=True)
class Near:
    """One entry: when it is said to have happened, when central had it, what it says."""

    event: str
    kind: str
    at: Instant
    received_at: Instant
    actor: str
    device: str
    body: bytes


@dataclass(frozen=True, slots=True)
class BeliefThere:
    """What one storeroom's readers last believed about a unit."""

    place: str
    device: str
    p: float
    since: Instant
    at: Instant
    event: str


_JOINED = and_(
    LEDGER.c.hospital == EVENT.c.hospital, LEDGER.c.incarnation == EVENT.c.incarnation, LEDGER.c.seq == EVENT.c.seq
)


def _entries() -> Select[Any]:
    chosen = select(EVENT.c.event_id, EVENT.c.kind, EVENT.c.at, EVENT.c.actor, EVENT.c.device)
    return chosen.add_columns(LEDGER.c.received_at, LEDGER.c.body).join(LEDGER, _JOINED)


def _near(row: Any) -> Near:  # noqa: ANN401 # a row of Core has no type of its own
    return Near(
        row.event_id.hex(), row.kind, Instant(row.at), Instant(row.received_at), row.actor, row.device, row.body
    )


def entries_between(
    connection: Connection,
    hospital: HospitalId,
    devices: Iterable[str],
    kinds: Sequence[str],
    first: Instant,
    last: Instant,
    limit: int = ENTRIES_MAX,
) -> list[Near]:
    """Return the newest entries of some kinds that devices wrote between two instants, oldest first."""
    chosen = _entries().where(
        EVENT.c.hospital == hospital,
        EVENT.c.kind.in_(kinds),
        EVENT.c.at.between(first, last),
        EVENT.c.device.in_(sorted(set(devices))),
    )
    rows = connection.execute(chosen.order_by(EVENT.c.at.desc(), EVENT.c.event_id.desc()).limit(limit)).all()
    return [_near(row) for row in reversed(rows)]


def entry(connection: Connection, hospital: HospitalId, event: str) -> Near | None:
    """Return one entry by its event id (hex), None when there is none."""
    chosen = _entries().where(EVENT.c.hospital == hospital, EVENT.c.event_id == bytes.fromhex(event))
    row = connection.execute(chosen).first()
    return None if row is None else _near(row)


def duties_of(connection: Connection, hospital: HospitalId, device: str) -> list[Near]:
    """Return the last duties that a device recorded, the newest first."""
    chosen = _entries().where(EVENT.c.hospital == hospital, EVENT.c.kind == "duty", EVENT.c.device == device)
    return [_near(row) for row in connection.execute(chosen.order_by(EVENT.c.seq.desc()).limit(DUTIES_READ))]


def duties_since(
    connection: Connection, hospital: HospitalId, devices: Collection[str], since: Instant
) -> dict[str, list[Near]]:
    """Return the same of several devices, of what each recorded since an instant."""
    duties = (EVENT.c.kind == "duty", EVENT.c.at >= since)
    return _newest(connection, hospital, devices, duties, DUTIES_READ)


def clock_steps(connection: Connection, hospital: HospitalId, devices: Collection[str]) -> dict[str, list[Near]]:
    """Return the last clock steps that each device recorded, the newest first; by a wrong clock `at` is wrong too."""
    return _newest(connection, hospital, devices, (EVENT.c.kind == "clock_step",), CLOCK_STEPS_READ)


def _newest(
    connection: Connection,
    hospital: HospitalId,
    devices: Collection[str],
    which: Sequence[ColumnElement[bool]],
    most: int,
) -> dict[str, list[Near]]:
    """Return the newest entries of each device that are so, the newest first."""
    event = EVENT.c
    newest = func.row_number().over(partition_by=event.device, order_by=event.seq.desc()).label("no")
    ranked = (
        select(event.hospital, event.event_id, newest)
        .where(event.hospital == hospital, *which)
        .where(event.device.in_(sorted(devices)))
        .subquery()
    )
    is_one = (ranked.c.hospital == event.hospital) & (ranked.c.event_id == event.event_id)
    chosen = _entries().join(ranked, is_one).where(ranked.c.no <= most).order_by(ranked.c.no)
    found: dict[str, list[Near]] = {device: [] for device in devices}
    for row in connection.execute(chosen):
        found[row.device].append(_near(row))
    return found


def keeps_visits(connection: Connection, hospital: HospitalId, device: str) -> bool:
    """Tell whether a device has ever recorded a visit."""
    chosen = select(EVENT.c.event_id).where(
        EVENT.c.hospital == hospital, EVENT.c.kind == "visit", EVENT.c.device == device
    )
    return connection.execute(chosen.limit(1)).first() is not None


def beliefs_about(connection: Connection, hospital: HospitalId, unit: str) -> list[BeliefThere]:
    """Return what every storeroom's readers last believed about a unit."""
    rows = connection.execute(BELIEF.select().where(BELIEF.c.hospital == hospital, BELIEF.c.epc == unit))
    return [
        BeliefThere(row.place, row.device, row.p, Instant(row.since), Instant(row.at), row.event_id.hex())
        for row in rows
    ]


def pending_of(connection: Connection, hospital: HospitalId, places: Iterable[str]) -> int:
    """Return how many entries the devices of some storerooms said they hold and central has not."""
    chosen = (
        select(DEVICE.c.said_seq, INCARNATION.c.head_seq)
        .join(
            INCARNATION,
            and_(INCARNATION.c.hospital == DEVICE.c.hospital, INCARNATION.c.incarnation == DEVICE.c.incarnation),
        )
        .where(DEVICE.c.hospital == hospital, DEVICE.c.place.in_(sorted(set(places))))
    )
    return sum(max(0, row.said_seq - row.head_seq) for row in connection.execute(chosen))


def devices_at(connection: Connection, hospital: HospitalId, place: str) -> list[str]:
    """Return the devices that speak for a storeroom."""
    chosen = select(DEVICE.c.device).where(DEVICE.c.hospital == hospital, DEVICE.c.place == place)
    return sorted(connection.scalars(chosen))
