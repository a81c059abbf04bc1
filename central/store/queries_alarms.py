"""Alarms read and written, and the matters they are opened for. No rule lives here.

The rule that must not be broken: every query names the hospital.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select

from central.core.alarms import AlarmKind, AlarmState, Matter
from central.core.rights import Scope
from central.store.merge import add_new
from central.store.paging import Key, Keyset, Page, PageAsked
from central.store.queries_work import within
from central.store.tables.alarms import ALARM
from central.store.tables.feed import RECALL
from central.store.tables.ledger import BALANCE
from central.store.tables.master import ITEM, PLACE
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant

LISTED_MAX = 500


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm as it stands; `over_at` is None while its matter does."""

    alarm: str
    kind: AlarmKind
    subject: str
    place: str
    item: str
    lot: str
    state: AlarmState
    raised_at: Instant
    acknowledged_at: Instant | None
    acknowledged_by: str
    closed_at: Instant | None
    closed_by: str
    words: str
    over_at: Instant | None

    @property
    def version(self) -> int:
        """How many steps it took: raised, acknowledged, closed."""
        return 1 + (self.acknowledged_at is not None) + (self.closed_at is not None)


ALARMS = Keyset("alarms", (Key(ALARM.c.raised_at, falling=True), Key(ALARM.c.alarm)))


def alarms_page(
    connection: Connection, hospital: HospitalId, asked: PageAsked, *, state: str = "", scope: Scope
) -> Page[Alarm]:
    """Return a page of the alarms of storerooms in a scope and of none, the newest first. Raises `BadInput`."""
    rows, cursor = ALARMS.rows(connection, _chosen(hospital, state, scope), asked)
    return Page(tuple(_alarm(row) for row in rows), cursor)


def alarms(
    connection: Connection, hospital: HospitalId, *, scope: Scope, state: str = "", named: str = ""
) -> list[Alarm]:
    """Return the newest alarms in a scope, of one state, or the one named."""
    chosen = _chosen(hospital, state, scope)
    chosen = chosen.where(ALARM.c.alarm == named) if named else chosen
    rows = connection.execute(chosen.order_by(ALARM.c.raised_at.desc(), ALARM.c.alarm).limit(LISTED_MAX))
    return [_alarm(row) for row in rows]


def _chosen(hospital: HospitalId, state: str, scope: Scope) -> Select[Any]:
    row = ALARM.c
    chosen = select(ALARM).where(row.hospital == hospital, or_(row.place == "", within(row.place, scope)))
    return chosen.where(row.state == state) if state else chosen


def standing(connection: Connection, hospital: HospitalId) -> dict[tuple[str, str], Alarm]:
    """Return the alarms whose matter was still standing when it was last looked, by their matter."""
    rows = connection.execute(select(ALARM).where(ALARM.c.hospital == hospital, ALARM.c.over_at.is_(None)))
    return {(row.kind, row.subject): _alarm(row) for row in rows}


def untold(connection: Connection, hospital: HospitalId) -> list[Alarm]:
    """Return the alarms of which no message was made yet, the oldest first."""
    row = ALARM.c
    chosen = select(ALARM).where(row.hospital == hospital, row.told_at.is_(None), row.state == AlarmState.OPEN.value)
    return [_alarm(one) for one in connection.execute(chosen.order_by(row.raised_at, row.alarm).limit(LISTED_MAX))]


def raise_alarms(connection: Connection, hospital: HospitalId, rows: Sequence[tuple[str, Matter]], at: Instant) -> int:
    """Open alarms under their numbers; one that stands already is left as it is."""
    return add_new(
        connection,
        ALARM,
        [
            {
                "hospital": hospital, "alarm": number, "kind": one.kind.value, "subject": one.subject,
                "place": one.place, "item": one.item, "lot": one.lot, "state": AlarmState.OPEN.value, "raised_at": at,
                "acknowledged_by": "", "closed_by": "", "words": "",
            }
            for number, one in rows
        ],
    )  # fmt: skip


def change_alarm(connection: Connection, hospital: HospitalId, alarm: str, **values: object) -> None:
    """Bring an alarm up to date."""
    connection.execute(ALARM.update().where(ALARM.c.hospital == hospital, ALARM.c.alarm == alarm).values(**values))


def vital_at_zero(connection: Connection, hospital: HospitalId) -> list[Matter]:
    """Return the vital items of which a storeroom had some and has none left, by the book."""
    held, item, room = BALANCE.c, ITEM.c, PLACE.c
    rows = connection.execute(
        select(held.place, held.item)
        .join(ITEM, (item.hospital == held.hospital) & (item.item == held.item) & (item.criticality == "vital"))
        .join(PLACE, (room.hospital == held.hospital) & (room.place == held.place))
        .where(held.hospital == hospital)
        .group_by(held.place, held.item)
        .having(func.sum(held.qty) <= 0)
        .order_by(held.place, held.item)
    )
    return [Matter(AlarmKind.VITAL_ZERO, f"{row.place}/{row.item}", row.place, row.item) for row in rows]


def recalls_standing(connection: Connection, hospital: HospitalId) -> list[Matter]:
    """Return the recalls in force."""
    row = RECALL.c
    rows = connection.execute(select(RECALL).where(row.hospital == hospital, row.lifted_at.is_(None)))
    return [Matter(AlarmKind.RECALL, f"{one.item}/{one.lot}", "", one.item, one.lot) for one in rows]


def _alarm(row: Any) -> Alarm:  # noqa: ANN401 # a row of Core has no type of its own
    def at(value: int | None) -> Instant | None:
        return None if value is None else Instant(value)

    return Alarm(
        row.alarm, AlarmKind(row.kind), row.subject, row.place, row.item, row.lot, AlarmState(row.state),
        Instant(row.raised_at), at(row.acknowledged_at), row.acknowledged_by, at(row.closed_at), row.closed_by,
        row.words, at(row.over_at),
    )  # fmt: skip
