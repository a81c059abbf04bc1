"""Tell whoever listens what changed: discrepancies, proposals, orders and edges, within what each may see.

While anybody listens, one thread looks at the store every second, on whichever process wrote there, and numbers what
is another than at the look before; the last numbers are kept for who comes back. It carries no content: a listener
reads the thing itself. The rule that must not be broken: who missed something is told so, and nobody makes the server
remember without limit or wait.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from central.core.rights import Caller, Right
from central.errors import TooMany
from central.services.policy import rules_at
from central.services.wards import is_silent
from central.store import queries_changes as kept
from central.store.chains import OWN_DEVICE
from central.store.engine import Store
from central.store.queries_book import devices
from protocols.values.ids import HospitalId, PlaceId
from protocols.values.instant import Instant, plus, seconds_between

LOOK_S = 1.0
"""How often the store is looked at, link time: a page that follows is a second behind."""
BACK_S, BACK_LOOKS = 60.0, 30
"""How far back a look reads, in story time and in times of what passed since the last one: a transaction that began
before another look may end after it."""
KEPT_MAX = 2000
"""Changes kept for who comes back, and for who reads slowly."""
SEEN_MAX = 20_000
"""Things whose last state is remembered, so that a look that reads back tells nothing twice."""
LISTENERS_MAX = 200
STOP_WAIT_S = 30


class Subject(StrEnum):
    """What a change is about."""

    DISCREPANCY = "discrepancy"
    PROPOSAL = "proposal"
    ORDER = "order"
    EDGE = "edge"


RIGHT_OF = {
    Subject.DISCREPANCY: Right.SEE_STOCK,
    Subject.PROPOSAL: Right.SEE_ORDERS,
    Subject.ORDER: Right.SEE_ORDERS,
    Subject.EDGE: Right.SEE_FLEET,
}
"""Which right lets somebody hear of it, in the storeroom it is about."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change: what, which, where, the state it is in now, and since when in story time."""

    number: int
    subject: Subject
    id: str
    place: str
    state: str
    at: Instant

    def is_for(self, caller: Caller) -> bool:
        """Tell whether somebody may hear of it."""
        right = RIGHT_OF[self.subject]
        return caller.may(right) and (PlaceId(self.place) in caller.scope(right))


@dataclass(slots=True)
class Changes:
    """The changes of one hospital. `now` is story time; `boot` names this process run: numbers begin anew with it."""

    store: Store
    hospital: HospitalId
    now: Callable[[], Instant]
    boot: str
    _kept: deque[Change] = field(default_factory=lambda: deque(maxlen=KEPT_MAX))
    _seen: OrderedDict[tuple[Subject, str], tuple[str, Instant]] = field(default_factory=OrderedDict)
    _looked: Instant | None = None
    _count: int = 0
    _wakes: list[Callable[[], None]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _looking: threading.Lock = field(default_factory=threading.Lock)

    def check_room(self) -> None:
        """Check that one more may listen. Raises `TooMany`."""
        if len(self._wakes) >= LISTENERS_MAX:
            raise TooMany(f"events: expected at most {LISTENERS_MAX} listeners, there are as many", STOP_WAIT_S)

    @contextmanager
    def listening(self, wake: Callable[[], None]) -> Iterator[None]:
        """Have `wake` called after every look that found something; the first who listens starts the looking."""
        with self._lock:
            self._wakes.append(wake)
            first = len(self._wakes) == 1
        if first:
            threading.Thread(target=self._look_on, name="changes", daemon=True).start()
        try:
            yield
        finally:
            with self._lock:
                self._wakes.remove(wake)

    def after(self, number: int) -> tuple[list[Change], bool]:
        """Return the changes after a number, and whether some between are no longer kept."""
        with self._lock:
            missed = number > self._count or number < self._count - len(self._kept)
            return [one for one in self._kept if one.number > number], missed

    @property
    def count(self) -> int:
        """Return the number of the last change."""
        return self._count

    def look(self) -> int:
        """Look at the store once; returns how many changes were found."""
        with self._looking:
            now, before = self.now(), self._looked
            with self.store.read() as connection:
                since = kept.newest(connection, self.hospital) if before is None else _back(before, now)
                found = [
                    (subject, one) for subject, read in _READ.items() for one in read(connection, self.hospital, since)
                ]
                silent_s = float(rules_at(connection, self.hospital, now).number("contact.silent_s"))
                edges = {
                    str(one.device): (one.place, f"{one.status}{' silent' if is_silent(one, now, silent_s) else ''}")
                    for one in devices(connection, self.hospital)
                    if one.device != OWN_DEVICE
                }
            self._looked = now
            moved = [(Subject.EDGE, kept.Changed(device, *told, now)) for device, told in edges.items()]
            return self._number([*sorted(found, key=lambda pair: pair[1].at), *moved], quiet=before is None)

    def _number(self, found: list[tuple[Subject, kept.Changed]], *, quiet: bool) -> int:
        """Keep what is another than before; a first look only learns how things stand."""
        fresh = 0
        with self._lock:
            for subject, one in found:
                key = (subject, one.id)
                told = (one.state, Instant(0) if subject is Subject.EDGE else one.at)
                if self._is_old(key, told):
                    continue
                self._remember(key, told)
                if not quiet:
                    fresh += 1
                    self._count += 1
                    self._kept.append(Change(self._count, subject, one.id, one.place, one.state, one.at))
            wakes = list(self._wakes)
        for wake in wakes if fresh else ():
            wake()
        return fresh

    def _is_old(self, key: tuple[Subject, str], told: tuple[str, Instant]) -> bool:
        before = self._seen.get(key)
        return before is not None and (before == told or told[1] < before[1])

    def _remember(self, key: tuple[Subject, str], told: tuple[str, Instant]) -> None:
        self._seen[key] = told
        self._seen.move_to_end(key)
        if len(self._seen) > SEEN_MAX:
            self._seen.popitem(last=False)

    def _look_on(self) -> None:
        wait = threading.Event()
        while self._wakes:
            self.look()
            wait.wait(LOOK_S)


_READ = {
    Subject.DISCREPANCY: kept.discrepancies_since,
    Subject.PROPOSAL: kept.proposals_since,
    Subject.ORDER: kept.orders_since,
}


def _back(before: Instant, now: Instant) -> Instant:
    return plus(before, -(BACK_S + BACK_LOOKS * max(0.0, seconds_between(before, now))))
