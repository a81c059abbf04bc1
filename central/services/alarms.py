"""Alarms: open them when their matter begins, let people take and close them, end them when the matter ends.

What is to be heard is in core. The rules that must not be broken: a look opens one alarm a matter and never a second
while it stands; a step and its record are one transaction.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from central.core.alarms import TELLS, AlarmKind, AlarmState, AlarmStep, Matter, alarm_after
from central.core.rights import EVERYWHERE, Caller, Right
from central.core.suppliers import CaseKind, clock_of
from central.errors import BadInput, NotThere
from central.services.documents import Documents, check_seen, check_text, number_of
from central.services.emergencies import emergencies
from central.services.policy import rules_at
from central.store.audit import note
from central.store.engine import Store
from central.store.paging import Page, PageAsked
from central.store.queries_alarms import (
    Alarm,
    alarms,
    alarms_page,
    change_alarm,
    raise_alarms,
    recalls_standing,
    standing,
    vital_at_zero,
)
from central.store.queries_suppliers import cases
from protocols.values.ids import HospitalId, PlaceId
from protocols.values.instant import Instant

ALARMS_S = 60
"""How often it is looked, seconds of story time: at once, to a person."""
WORDS_MAX = 500
ITSELF = "alarms"
"""Who an alarm is said to be closed by when its matter ended."""


def look(store: Store, hospital: HospitalId, now: Instant) -> tuple[int, int]:
    """Open alarms for what stands and end those for what does not; returns how many of each."""
    with store.read() as connection:
        matters = {one.key: one for one in _matters(connection, hospital, now)}
        known = standing(connection, hospital)
    fresh = [one for key, one in matters.items() if key not in known]
    gone = [one for key, one in known.items() if key not in matters]
    if not fresh and not gone:
        return 0, 0
    with store.write() as connection:
        rows = [(number_of("AL", *one.key, str(now)), one) for one in fresh]
        opened = raise_alarms(connection, hospital, rows, now)
        for number, one in rows:
            detail = {"kind": one.kind.value, "place": one.place, "item": one.item, "lot": one.lot}
            note(connection, hospital, now, person=ITSELF, act="alarm-raise", subject=number, detail=detail)
        stands = standing(connection, hospital)  # somebody may have closed one since
        for ended in gone:
            _end(connection, hospital, stands.get((ended.kind, ended.subject), ended), now)
    return opened, len(gone)


def _end(connection: Connection, hospital: HospitalId, one: Alarm, now: Instant) -> None:
    if one.state is AlarmState.CLOSED:
        change_alarm(connection, hospital, one.alarm, over_at=now)
        return
    closed = {"state": AlarmState.CLOSED.value, "closed_at": now, "closed_by": ITSELF}
    change_alarm(connection, hospital, one.alarm, over_at=now, **closed)
    note(connection, hospital, now, person=ITSELF, act="alarm-end", subject=one.alarm, detail={"kind": one.kind.value})


def _matters(connection: Connection, hospital: HospitalId, now: Instant) -> Iterable[Matter]:
    yield from vital_at_zero(connection, hospital)
    yield from recalls_standing(connection, hospital)
    for asked in emergencies(connection, hospital, now):
        if asked.late:
            named = asked.requisition
            yield Matter(AlarmKind.EMERGENCY_LATE, named.requisition, named.place)
    rules = rules_at(connection, hospital, now)
    for case in cases(connection, hospital):
        if case.kind in {CaseKind.EMERGENCY, CaseKind.DISRUPTION} and case.ended_at is None:
            clock = clock_of(case.opened_at, None, now, rules.whole("case.hours", case.kind))
            if not clock.in_time:
                yield Matter(AlarmKind.EMERGENCY_LATE, case.case_no, "", case.item)


@dataclass(frozen=True, slots=True)
class Alarms:
    """The alarms of one hospital."""

    documents: Documents

    def page(self, caller: Caller, asked: PageAsked, state: str = "") -> Page[Alarm]:
        """Return a page of the alarms the caller may see, the newest first. Raises `NotAllowed`, `BadInput`."""
        caller.need(Right.SEE_STOCK)
        with self.documents.store.read() as connection:
            scope = caller.scope(Right.SEE_STOCK)
            return alarms_page(connection, self.documents.hospital, asked, state=state, scope=scope)

    def one(self, caller: Caller, alarm: str) -> Alarm:
        """Return an alarm. Raises `NotAllowed`, `NotThere`."""
        caller.need(Right.SEE_STOCK)
        with self.documents.store.read() as connection:
            return self._found(connection, caller, alarm)

    def step(self, caller: Caller, alarm: str, step: AlarmStep, words: str = "", seen: int | None = None) -> Alarm:
        """Acknowledge or close an alarm; who closes it says what was done.

        Raises `NotAllowed`, `NotThere`, `NotNow`, `ChangedSince`, `BadInput`.
        """
        caller.need(Right.SEE_STOCK)
        with self.documents.store.write() as connection:
            found = self._found(connection, caller, alarm)
            caller.need(TELLS[found.kind], _room(found))
            check_text("words", words, WORDS_MAX, empty=step is AlarmStep.ACKNOWLEDGE)
            check_seen(alarm, seen, found.version)
            after, now = alarm_after(found.state, step), self.documents.clock.now()
            who = "acknowledged" if step is AlarmStep.ACKNOWLEDGE else "closed"
            values: dict[str, object] = {"state": after.value, f"{who}_at": now, f"{who}_by": caller.person}
            if words.strip():
                values["words"] = words.strip()
            change_alarm(connection, self.documents.hospital, alarm, **values)
            self.documents.note(connection, caller, f"alarm-{step}", alarm, {"words": words.strip()})
            return self._found(connection, caller, alarm)

    def _found(self, connection: Connection, caller: Caller, alarm: str) -> Alarm:
        if not alarm:
            raise BadInput("alarm: expected its number, got nothing")
        scope = caller.scope(Right.SEE_STOCK)
        found = alarms(connection, self.documents.hospital, scope=scope, named=alarm)
        if not found:
            raise NotThere(f"alarm: expected one of your storerooms, got {alarm!r:.40}")
        return found[0]


def is_told(caller: Caller, one: Alarm) -> bool:
    """Tell whether somebody is among those an alarm is told to, who may take and close it."""
    return caller.may(TELLS[one.kind], _room(one))


def _room(one: Alarm) -> PlaceId | None:
    return PlaceId(one.place) if one.place else None


def open_for(connection: Connection, hospital: HospitalId, caller: Caller) -> int:
    """Count the alarms that nobody took yet and that somebody is told of."""
    found = alarms(connection, hospital, scope=EVERYWHERE, state=AlarmState.OPEN.value)
    return sum(is_told(caller, one) for one in found)
