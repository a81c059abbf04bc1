"""Tell each role once a shift what needs it now: make the digests that are due, send those that wait.

It decides nothing itself; `core.notices` does. The rules that must not be broken: a digest is kept before it is sent,
nothing is sent while the store is held, and an address that took it is not sent it again.
"""

import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time

from sqlalchemy import Connection, func, select

from central.core.alarms import SAID as ALARM_SAID
from central.core.notices import SAID, About, Need, Sending, after_failure, digest, shift_at
from central.core.purchasing import InvoiceState
from central.core.rights import Caller, grants_of
from central.links.notices import name_of
from central.services.alarms import is_told, open_for
from central.services.asking import COUNT, asked_now
from central.services.emergencies import emergencies
from central.services.overview import Name
from central.services.overview_now import overview_now
from central.services.policy import rules_at
from central.services.suppliers import papers_on, shortages_now
from central.store.engine import Store
from central.store.merge import add_new
from central.store.queries_alarms import Alarm, change_alarm, untold
from central.store.queries_master import Item, Place, items, places
from central.store.queries_purchasing import overdue
from central.store.tables.notices import NOTICE
from protocols.values.ids import ActorId, HospitalId
from protocols.values.instant import Instant, business_day

ACTOR = "notices"
NOTICES_S = 60
"""How often it is looked for digests that are due, seconds of story time."""
WAITING_MAX = 200
"""Digests sent in one go: far more roles than a hospital has."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Notices:
    """The digests of one hospital; `send` takes an address, a title and a text and tells whether it was taken."""

    store: Store
    hospital: HospitalId
    now: Callable[[], Instant]
    starts: Sequence[time]
    urls: Mapping[str, Sequence[str]]
    send: Callable[[str, str, str], bool]
    zh: bool = True
    _sending: threading.Lock = field(default_factory=threading.Lock)

    def work(self, now: Instant) -> str:
        """Make what is due and let a thread send what waits; returns what was done, for the record of jobs."""
        made = self.make(now) + self.tell_alarms(now)
        if self._waiting(now):
            threading.Thread(target=self._run, name="notices", daemon=True).start()
        return f"{made} digests made"

    def make(self, now: Instant) -> int:
        """Make the digests of the shift that were not made yet; returns how many have something to say."""
        shift, made = shift_at(now, self.starts), 0
        for recipient in self.urls:
            if self._made(recipient, shift):
                continue
            said = digest(self._needs(recipient, now), shift, zh=self.zh)
            with self.store.write() as connection:
                added = add_new(connection, NOTICE, [self._row(recipient, About.SHIFT, shift, said, now)])
            made += added if said else 0
        return made

    def tell_alarms(self, now: Instant) -> int:
        """Make a message for each role of the alarms that nobody was told of yet; returns how many messages."""
        with self.store.read() as connection:
            found = untold(connection, self.hospital)
            if not found:
                return 0
            named = items(connection, self.hospital, {one.item for one in found})
            rooms = {one.place: one for one in places(connection, self.hospital)}
        lines = {one.alarm: _alarm_said(one, named.get(one.item), rooms.get(one.place), zh=self.zh) for one in found}
        title, rows = "立即处理" if self.zh else "At once", []
        for recipient in self.urls:
            caller = _caller_of(recipient)
            mine = [f"· {lines[one.alarm]}" for one in found if is_told(caller, one)]
            if mine:
                rows.append(self._row(recipient, About.ALARMS, now, (title, "\n".join(mine)), now))
        with self.store.write() as connection:
            made = add_new(connection, NOTICE, rows)
            for one in found:
                change_alarm(connection, self.hospital, one.alarm, told_at=now)
        return made

    def _row(
        self, recipient: str, about: About, shift: Instant, said: tuple[str, str] | None, now: Instant
    ) -> Mapping[str, object]:
        """Return a message as it is kept; where nothing is said there is nothing to send."""
        title, body = said or ("", "")
        return {
            "hospital": self.hospital, "recipient": recipient, "shift": shift, "about": about.value, "title": title,
            "body": body, "state": (Sending.WAITING if said else Sending.EMPTY).value, "tries": 0, "next_at": now,
            "taken_by": "[]", "fault": "", "made_at": now, "ended_at": None if said else now,
        }  # fmt: skip

    def send_waiting(self) -> int:
        """Send every digest whose time has come, to each address that has not taken it; returns how many are done."""
        if not self._sending.acquire(blocking=False):
            return 0
        try:
            return sum(self._send(row) for row in self._waiting(self.now()))
        finally:
            self._sending.release()

    def _run(self) -> None:
        try:
            self.send_waiting()
        except Exception as error:  # noqa: BLE001 # the outermost loop of the thread; an error's words may hold an address
            log.error("notices: sending failed: %s; the next round tries again", type(error).__name__)

    def _made(self, recipient: str, shift: Instant) -> bool:
        row = NOTICE.c
        same = (row.hospital == self.hospital, row.recipient == recipient, row.shift == shift)
        chosen = select(func.count()).where(*same, row.about == About.SHIFT)
        with self.store.read() as connection:
            return bool(connection.execute(chosen).scalar_one())

    def _waiting(self, now: Instant) -> list[Mapping[str, object]]:
        row = NOTICE.c
        chosen = NOTICE.select().where(row.hospital == self.hospital, row.state == Sending.WAITING, row.next_at <= now)
        with self.store.read() as connection:
            return [dict(one) for one in connection.execute(chosen.limit(WAITING_MAX)).mappings()]

    def _send(self, row: Mapping[str, object]) -> bool:
        taken = set(json.loads(str(row["taken_by"])))
        urls = self.urls.get(str(row["recipient"]), ())
        for url in urls:
            if name_of(url) not in taken and self.send(url, str(row["title"]), str(row["body"])):
                taken.add(name_of(url))
        lacking = sum(name_of(url) not in taken for url in urls)
        now, tries = self.now(), int(str(row["tries"])) + 1
        state, next_at = (Sending.SENT, now) if not lacking else after_failure(tries, now)
        fault = f"{lacking} of {len(urls)} addresses did not take it" if lacking else ""
        if lacking:
            log.warning("notice for %s: %s; try %d", row["recipient"], fault, tries)
        ended = None if state is Sending.WAITING else now
        change = {"state": state.value, "tries": tries, "next_at": next_at, "fault": fault, "ended_at": ended}
        of = NOTICE.c
        same = (getattr(of, name) == row[name] for name in ("hospital", "recipient", "shift", "about"))
        with self.store.write() as connection:
            connection.execute(NOTICE.update().where(*same).values(taken_by=json.dumps(sorted(taken)), **change))
        return state is Sending.SENT

    def _needs(self, recipient: str, now: Instant) -> Mapping[Need, int]:
        """Count what needs a role now, as far as the role may see it."""
        place, caller = recipient.partition("@")[2], _caller_of(recipient)
        seen = overview_now(self.store, self.hospital, Name("", ""), now, caller)
        with self.store.read() as connection:
            counted = self._of_store(connection, now, place) | {
                Need.PROPOSALS: seen.proposals_all,
                Need.DISCREPANCIES: seen.discrepancies_all,
                Need.SILENT: sum(ward.offline for ward in seen.wards),
                Need.ALARMS: open_for(connection, self.hospital, caller),
                Need.QUARANTINED: sum(ward.quarantined for ward in seen.wards),
            }
        return {need: count for need, count in counted.items() if caller.may(SAID[need].right)}

    def _of_store(self, connection: Connection, now: Instant, place: str) -> dict[Need, int]:
        today, rules = business_day(now), rules_at(connection, self.hospital, now)
        asked = [one for one in asked_now(connection, self.hospital, now, place=place) if one.kind == COUNT]
        owed = {InvoiceState.MATCHED, InvoiceState.DISPUTED}
        papers = papers_on(connection, self.hospital, today, rules)
        return {
            Need.COUNTS: len(asked),
            Need.OVERDUE: overdue(connection, self.hospital, today, owed),
            Need.PAPERS: sum(one.standing not in {"valid", "not-yet"} for one in papers),
            Need.EMERGENCIES: sum(one.late for one in emergencies(connection, self.hospital, now)),
            Need.SHORTAGES: len(shortages_now(connection, self.hospital, now)),
        }


def _caller_of(recipient: str) -> Caller:
    role, _, place = recipient.partition("@")
    return Caller(ActorId(ACTOR), ACTOR, grants_of([(role, place)]))


def _alarm_said(one: Alarm, item: Item | None, room: Place | None, *, zh: bool) -> str:
    """Return one alarm as a line of a message."""
    name = one.item if item is None else f"{item.name_zh if zh else item.name_en} {one.item}"
    where = one.place if room is None else room.name_zh if zh else room.name_en
    said = ALARM_SAID[one.kind][0 if zh else 1]
    return said.format(item=name, place=where, lot=one.lot, subject=one.subject).rstrip()
