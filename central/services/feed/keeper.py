"""Keeps the feed up to date: looks at what the hospital knows, makes versions where it changed, and lets devices know.

It runs on the worker's thread. A look reads everything and compares checksums, so that nobody who changes master data
has to say so; whoever does not want to wait calls `changed`. The rule that must not be broken: a version is made only
when the rows changed, in one transaction with its number.
"""

import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from central.core.feed import (
    HEADS_DAYS,
    Staff,
    duty_row,
    head_row,
    item_rows,
    lot_rows,
    place_rows,
    policy_row,
    recall_rows,
    staff_rows,
)
from central.services.feed.answers import offers, scopes_of
from central.services.feed.heads import make_heads
from central.services.feed.hints import Say
from central.services.feed.notes import document_rows
from central.services.feed.policies import Seal, issue
from central.services.policy import rules_at
from central.store.engine import Store
from central.store.feeds import (
    Listener,
    add_version,
    catalogue,
    checksums_of,
    heads_since,
    listeners,
    newest_checksums,
    recalls,
)
from central.store.queries_master import expiries, places
from central.store.queries_people import people
from central.store.ward_facts import newest
from protocols.errors import WeBroke
from protocols.sync.feed import FeedRow, Version, checksum_of, pack_rows
from protocols.sync.frames import Hint
from protocols.values.ids import HospitalId, PlaceId
from protocols.values.instant import Instant, business_day

LOOK_EVERY_S = 5.0
"""Link seconds between two looks that nobody asked for."""
SHARE = 50.0
"""A look that takes long is followed by a pause so many times as long: it never costs more than 2 % of a core."""

log = logging.getLogger("wardstock.feed")


@dataclass(frozen=True, slots=True)
class Times:
    """Story time, in which policies are issued and days end; link seconds, in which looks are spaced."""

    now: Callable[[], Instant]
    link_s: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Seals:
    """What signs policies and heads; None where messages go unsigned too."""

    policy: Seal | None = None
    heads: Seal | None = None


class FeedKeeper:
    """The feed of one hospital."""

    def __init__(self, store: Store, hospital: HospitalId, times: Times, seals: Seals) -> None:
        self._store, self._hospital, self._times, self._seals = store, hospital, times, seals
        self._say: Say | None = None
        self._wake: Callable[[], object] = lambda: None
        self._changed = threading.Event()
        self._changed.set()
        self._look_at_s = 0.0
        self._told: dict[Listener, Hint] = {}
        self._complained = ""

    def speak_by(self, say: Say) -> None:
        """Let devices hear from now on."""
        self._say = say
        self.changed()

    def wake_by(self, wake: Callable[[], object]) -> None:
        """Ask for a round from now on when something changed."""
        self._wake = wake

    def changed(self) -> None:
        """Say that something changed, so that it is looked at once; any thread may."""
        self._changed.set()
        self._wake()

    def round(self, touched: Collection[PlaceId] = ()) -> None:
        """Look if it is time to, and let the devices of storerooms that were touched know of new facts."""
        link_s = self._times.link_s()
        if self._changed.is_set() or link_s >= self._look_at_s:
            self._changed.clear()
            self.look()
            took_s = self._times.link_s() - link_s
            self._look_at_s = link_s + took_s + max(LOOK_EVERY_S, SHARE * took_s)
            self._tell(None)
        elif touched:
            self._tell(frozenset(touched))

    def look(self) -> int:
        """Bring every scope up to date; returns how many versions were made."""
        now = self._times.now()
        with self._store.write() as connection:
            make_heads(connection, self._hospital, now, self._seals.heads)
            rooms = listeners(connection, self._hospital)
            rules = rules_at(connection, self._hospital, now)
            signed = issue(
                connection,
                self._hospital,
                sorted({one.place for one in rooms}),
                rules,
                self._seals.policy,
                now,
            )
        with self._store.read() as connection:
            contents = {"global": self._hospitals(connection, now, rules.whole("duty.daily_at_min"))}
            staff = _staff(connection, self._hospital)
            documents = document_rows(connection, self._hospital, {one.place for one in rooms}, now)
            for one in rooms:
                scopes = scopes_of(one.device, one.place)
                contents[scopes["ward"]] = [*staff_rows(staff, one.place), *documents.get(one.place, ())]
                contents[scopes["device"]] = [policy_row(signed[one.place])]
            known = newest_checksums(connection, self._hospital)
        made = 0
        for scope, rows in contents.items():
            if known.get(scope, (-1, b""))[1] != checksum_of(rows):
                made += self._make(scope, rows, now)
        return made

    def _hospitals(self, connection: Connection, now: Instant, daily_at_min: int) -> list[FeedRow]:
        """Return the rows of the whole hospital."""
        first = business_day(now) - timedelta(days=HEADS_DAYS)
        return [
            *item_rows(catalogue(connection, self._hospital)),
            *lot_rows(expiries(connection, self._hospital)),
            *recall_rows(recalls(connection, self._hospital)),
            *place_rows(one.place for one in places(connection, self._hospital)),
            *staff_rows(_staff(connection, self._hospital)),
            duty_row(daily_at_min),
            *(head_row(day, said) for day, said in heads_since(connection, self._hospital, first)),
        ]

    def _make(self, scope: str, rows: list[FeedRow], now: Instant) -> bool:
        """Write a scope's next version; rows beyond the limits are told of and the old version stays."""
        checksum = checksum_of(rows)
        try:
            packed = pack_rows(rows)
        except WeBroke as error:
            self._complain(f"{scope}: {error}; devices keep what they have")
            return False
        with self._store.write() as connection:
            last = checksums_of(connection, self._hospital, [scope]).get(scope, (-1, b""))
            if last[1] == checksum:
                return False
            add_version(connection, self._hospital, scope, Version(last[0] + 1, checksum, packed), now)
        log.info("feed: version %d of %s, %d rows", last[0] + 1, scope, len(rows))
        return True

    def _tell(self, touched: frozenset[PlaceId] | None) -> None:
        """Say to each device what it can have, where that is new; to those of some storerooms only, or to all."""
        say = self._say
        if say is None:
            return
        with self._store.read() as connection:
            wanted = {
                one: Hint(
                    offers(connection, self._hospital, one.device, one.place),
                    newest(connection, self._hospital, one.place).number,
                )
                for one in listeners(connection, self._hospital)
                if touched is None or one.place in touched
            }
        for one, hint in wanted.items():
            if self._told.get(one) != hint:
                say(one, hint)
                self._told[one] = hint

    def _complain(self, fault: str) -> None:
        if fault != self._complained:
            log.error("feed: %s", fault)
        self._complained = fault


def _staff(connection: Connection, hospital: HospitalId) -> list[Staff]:
    return [Staff(one.person, one.grants, one.active) for one in people(connection, hospital)]
