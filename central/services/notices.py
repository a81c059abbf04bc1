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

from central.core.notices import SAID, Need, Sending, after_failure, digest, shift_at
from central.core.purchasing import InvoiceState, overdue_days
from central.core.rights import Caller, grants_of
from central.links.notices import name_of
from central.services.overview import Name
from central.services.overview_now import overview_now
from central.services.policy import rules_at
from central.services.suppliers import papers_on, shortages_now
from central.store.engine import Store
from central.store.merge import add_new
from central.store.queries_purchasing import invoices
from central.store.queries_settling import tasks
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
        made = self.make(now)
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
            title, body = said or ("", "")
            row = {"hospital": self.hospital, "recipient": recipient, "shift": shift, "title": title, "body": body}
            row |= {"state": (Sending.WAITING if said else Sending.EMPTY).value, "tries": 0, "next_at": now}
            row |= {"taken_by": "[]", "fault": "", "made_at": now, "ended_at": None if said else now}
            with self.store.write() as connection:
                added = add_new(connection, NOTICE, [row])
            made += added if said else 0
        return made

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
        chosen = select(func.count()).where(
            row.hospital == self.hospital, row.recipient == recipient, row.shift == shift
        )
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
        one = (of.hospital == self.hospital, of.recipient == row["recipient"], of.shift == row["shift"])
        with self.store.write() as connection:
            connection.execute(NOTICE.update().where(*one).values(taken_by=json.dumps(sorted(taken)), **change))
        return state is Sending.SENT

    def _needs(self, recipient: str, now: Instant) -> Mapping[Need, int]:
        """Count what needs a role now, as far as the role may see it."""
        role, _, place = recipient.partition("@")
        caller = Caller(ActorId(ACTOR), ACTOR, grants_of([(role, place)]))
        seen = overview_now(self.store, self.hospital, Name("", ""), now, caller)
        with self.store.read() as connection:
            counted = self._of_store(connection, now, place) | {
                Need.PROPOSALS: seen.proposals_all,
                Need.DISCREPANCIES: seen.discrepancies_all,
                Need.SILENT: sum(ward.offline for ward in seen.wards),
                Need.QUARANTINED: sum(ward.quarantined for ward in seen.wards),
            }
        return {need: count for need, count in counted.items() if caller.may(SAID[need].right)}

    def _of_store(self, connection: Connection, now: Instant, place: str) -> dict[Need, int]:
        today, rules = business_day(now), rules_at(connection, self.hospital, now)
        asked = [one for one in tasks(connection, self.hospital, status="open", place=place) if one.kind == "count"]
        owed = {InvoiceState.MATCHED, InvoiceState.DISPUTED}
        late = [
            one for one in invoices(connection, self.hospital) if one.state in owed and overdue_days(one.due, today)
        ]
        papers = papers_on(connection, self.hospital, today, rules)
        return {
            Need.COUNTS: len(asked),
            Need.OVERDUE: len(late),
            Need.PAPERS: sum(one.standing not in {"valid", "not-yet"} for one in papers),
            Need.SHORTAGES: len(shortages_now(connection, self.hospital, now)),
        }
