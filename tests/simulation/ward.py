"""One storeroom as the simulation runs it: a machine with a disk, the real ledger and uplink, and people who act.

An act is one pure step: a group of entries, COMMIT, the beep. Everything in memory is gone when the machine starts
again. The rule that must not be broken: `beeped` lists exactly what a person was told is done.
"""

import io
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import msgspec

from edge_agent.agent.uplink import Uplink
from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock, Pen
from edge_agent.config import SyncConfig
from edge_agent.core.recognise import Draft
from edge_agent.errors import NotALedger, StoreFault
from edge_agent.store.ledger import Ledger, ledger_over
from edge_agent.store.verify import verify
from protocols.entry import SCHEMA_NOW, ChainedEntry, Entry
from protocols.sync.codec import Envelope, Signing
from protocols.sync.frames import Welcome
from protocols.sync.machine import Action
from protocols.values.ids import DeviceId, EventId, Incarnation, incarnation
from protocols.values.instant import Instant
from tests.simulation.disk import Disk, Rack
from tests.simulation.people import People
from tests.simulation.sqlite_under import DiskConnection, bring_up_to_date

SYNC = SyncConfig(
    ("mqtt://broker",),
    30,
    unsigned=True,
    hello_s=15.0,
    resend_s=15.0,
    backoff_max_s=300.0,
    spread_s=60.0,
    idle_hello_s=600.0,
)
BOOT_S = 20.0
NEWER_FROM = 0.6
"""From this size on a poisoned entry is one of a later schema, which central keeps and does not post."""
REPAIR_S = 60.0
KEPT_DAYS_BACK = 20_000
"""A clock may be wrong by decades; age is no question here."""
TICK_S = 0.00001
"""A tick comes surely after it is due, whatever a float lost."""


@dataclass(slots=True)
class Watch:
    """A wall clock that can be wrong."""

    now_us: Callable[[], int]
    offset_us: int = 0

    def wall(self) -> Instant:
        return Instant(self.now_us() + self.offset_us)


@dataclass(frozen=True, slots=True)
class Beeped:
    """One entry that a person was told is done."""

    device: str
    event_id: bytes
    content_hash: bytes
    at_us: int


class Pipe:
    """The uplink's broker."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self.moved = 0

    def publish(self, data: bytes) -> None:
        """Hand one message to the wire."""
        self._send(data)

    def move_on(self) -> None:
        """There is one broker here."""
        self.moved += 1


def knows_no_later_keys(uplink: Uplink) -> None:
    """Let a session skip what a WELCOME says since the first version: it packs its frames as it always did."""
    session = uplink._session
    welcomed = session._welcomed

    def skips(envelope: Envelope, message: Welcome, now: float) -> list[Action]:
        return welcomed(envelope, msgspec.structs.replace(message, dictionary=0, safe=()), now)

    session._welcomed = skips  # type: ignore[method-assign] # an older agent


class _Mute(io.StringIO):
    def write(self, text: str) -> int:
        return len(text)


class Ward:
    """One machine. `after` lets something happen later; `send` puts bytes on its line."""

    def __init__(
        self,
        device: str,
        rack: Rack,
        disk: Disk,
        *,
        seed: str,
        now_us: Callable[[], int],
        after: Callable[[float, Callable[[], None]], None],
        send: Callable[[bytes], None],
        wards: tuple[str, ...],
        marked: Callable[["Ward", bytes, int, bytes | None], None],
        signing: Signing,
        old: bool = False,
    ) -> None:
        self.device, self.disk, self.watch = device, disk, Watch(now_us)
        self.clock = Clock(None, lambda: now_us() * 1000, self.watch.wall)
        self._rack, self._chance = rack, random.Random(seed)
        self._people = People(device, wards, self._chance, self.clock.now)
        self._after, self._send, self._marked = after, send, marked
        self._signing, self._old = signing, old
        self.settled_us = 0
        """When central last held everything here and both knew it."""
        self.greeted_us = 0
        """When this run last became live."""
        self.poisoned: set[bytes] = set()
        """Events that central must set aside."""
        self.beeped: list[Beeped] = []
        self.connected = False
        self.ledger: Ledger | None = None
        self.uplink: Uplink | None = None
        self._pen: Pen | None = None
        self._run, self._tick_at = 0, 0.0
        self._was_live = False
        self._marks: dict[bytes, int] = {}
        self.unreadable = 0
        self.trimmed = 0
        self.set_aside: dict[bytes, tuple[str, bytes]] = {}
        """Kind and body of the events that central must set aside: the entry itself may be trimmed."""
        self.asleep = False
        """Switched off for good: nobody starts it again."""

    @property
    def up(self) -> bool:
        return self.uplink is not None

    @property
    def run(self) -> int:
        """Which run of the machine this is."""
        return self._run

    def end(self) -> tuple[bytes, int] | None:
        """Return where the ledger ends."""
        if self.ledger is None:
            return None
        head = self.ledger.head()
        return head.incarnation, head.seq

    def has_acknowledged(self, place: tuple[bytes, int]) -> bool:
        """Tell whether the edge knows that central holds a place, or goes on in another chain."""
        assert self.uplink is not None
        marks = {leg.incarnation: leg.acked for leg in self.uplink.way}
        return marks.get(Incarnation(place[0]), place[1]) >= place[1] or self.uplink.way[-1].incarnation != place[0]

    # --- power ---

    def start(self) -> None:
        """Switch on: open the ledger, greet. A disk that cannot be read is tried again later."""
        if self.up or self.asleep:
            return
        self._run += 1
        try:
            self._open()
        except NotALedger:
            self.replace()
            return
        except StoreFault:
            self._crash()
            return
        if self.connected and self.uplink is not None:
            self.uplink.up()
        self._follow()

    def _open(self) -> None:
        connection = DiskConnection(self._rack, self.disk)
        try:
            bring_up_to_date(connection)
            self._take_up(connection)
        except StoreFault:
            with suppress(StoreFault):
                connection.close()
            raise

    def _take_up(self, connection: DiskConnection) -> None:
        if self.disk.told_lies:  # a technician looks at a disk that lost what it had called safe
            self.disk.told_lies = False
            if not verify(connection).sound:
                raise NotALedger("the technician says so")
        newborn = incarnation(self._chance.randbytes(16))
        self.ledger = ledger_over(connection, DeviceId(self.device), newborn=newborn, now=self.clock.now())
        self._pen = Pen(self.clock, self.ledger.last_hlc(), self._chance.randbytes)
        self._marks = {leg.incarnation: leg.acked for leg in self.ledger.way()}
        self.uplink = Uplink(
            self.ledger,
            SYNC,
            Pipe(self._send),
            boot_nonce=self._chance.randbytes(16),
            version="0.0.9" if self._old else "0.1.0",
            clock=self.clock,
            voice=Voice(self.clock, _Mute()),
            chance=self._chance.random,
            signing=self._signing,
        )
        if self._old:
            knows_no_later_keys(self.uplink)
        if not self.ledger.connection.query("SELECT 1 FROM ledger LIMIT 1"):
            self.act(self._people.opening())

    def replace(self) -> None:
        """A technician puts an empty disk in."""
        self.unreadable += 1
        self.stop()
        self.disk.put({})
        self._later(REPAIR_S, self.start)

    def stop(self) -> None:
        """Switch off: everything in memory is gone."""
        self._run += 1
        self._tick_at = 0.0
        self._was_live = False
        if self.ledger is not None:
            with suppress(StoreFault):
                self.ledger.close()
        self.ledger = self.uplink = self._pen = None

    def _crash(self) -> None:
        self.stop()
        self._later(BOOT_S, self.start)

    # --- the link ---

    def link(self, up: bool) -> None:
        """The broker took us, or is gone."""
        if self.connected == up:
            return
        self.connected = up
        if self.uplink is None:
            return
        self._guarded(self.uplink.up if up else lambda: self.uplink.down("cut"))  # type: ignore[union-attr] # just asked

    def hear(self, data: bytes) -> None:
        """Take what central said."""
        if self.uplink is not None:
            self._guarded(lambda: self.uplink.said(data))  # type: ignore[union-attr] # just asked

    def _tick(self, run: int) -> None:
        if run != self._run or self.uplink is None:
            return
        self._tick_at = 0.0
        self._guarded(lambda: self.uplink.tick(now=self.clock.now(), free_bytes=1))  # type: ignore[union-attr] # just asked

    def _guarded(self, work: Callable[[], None]) -> None:
        """Do a turn; a disk that fails ends the run as it ends the agent's."""
        era = self.disk.era
        try:
            work()
        except NotALedger:
            self.replace()
            return
        except StoreFault:
            self._crash()
            return
        if self.disk.era != era:
            self._crash()
            return
        self._look_at_marks()
        self._follow()

    def _look_at_marks(self) -> None:
        """Tell whoever watches when a mark has moved up."""
        if self.uplink is None or self.ledger is None:
            return
        live = self.uplink.live
        if live and not self._was_live:
            self.greeted_us = self.watch.now_us()
        self._was_live = live
        if live and all(leg.acked == leg.seq for leg in self.uplink.way) and not self.uplink.rebuilding:
            self.settled_us = self.watch.now_us()
        for leg in self.uplink.way:
            if leg.acked > self._marks.get(leg.incarnation, -1):
                self._marked(self, leg.incarnation, leg.acked, self.ledger.hash_at(leg.acked, leg.incarnation))
            self._marks[leg.incarnation] = leg.acked

    def _follow(self) -> None:
        if self.uplink is None:
            return
        due = self.uplink.due_s()
        if due == float("inf") or (self._tick_at and self._tick_at <= due):
            return
        self._tick_at = due
        run = self._run
        self._after(max(0.0, due - self.clock.link_s()) + TICK_S, lambda: self._tick(run))

    def _later(self, seconds: float, then: Callable[[], None]) -> None:
        run = self._run
        self._after(seconds, lambda: then() if self._run == run else None)

    # --- people ---

    def person(self) -> None:
        """Somebody does something at the counter."""
        if self.up:
            self.act(self._people.some())

    def act(self, acts: list[list[Draft]], schema: int = SCHEMA_NOW) -> list[Entry]:
        """Write a group of acts and beep for each that is kept; returns what was beeped for."""
        assert self.ledger is not None
        assert self._pen is not None
        era, written = self.disk.era, list[ChainedEntry]()
        try:
            with self.ledger.group():
                for drafts in acts:
                    entries = [replace(self._pen.entry(draft), schema=schema) for draft in drafts]
                    written += self.ledger.append(entries)
        except NotALedger:
            self.replace()
            return []
        except StoreFault:
            self._after_fault(era)
            return []
        if self.disk.era != era:
            self._crash()  # the power went between COMMIT and the beep
            return []
        self.beeped += [
            Beeped(self.device, each.entry.event_id, each.content_hash, self.watch.now_us()) for each in written
        ]
        if self.uplink is not None:
            self._guarded(self.uplink.committed)
        return [each.entry for each in written]

    def _after_fault(self, era: int) -> None:
        """After a fault of the disk trust nothing in memory: open anew and verify, as the agent does."""
        if self.disk.era != era or self.uplink is None:
            self._crash()
            return
        self.stop()
        self.start()

    def trim(self) -> None:
        """Give back the room of what is safe elsewhere, however young: the simulation has no ninety days."""
        if self.ledger is None:
            return
        era = self.disk.era
        try:
            self.trimmed += self.ledger.trim(self.clock.now(), kept_days=-KEPT_DAYS_BACK).entries
        except NotALedger:
            self.replace()
        except StoreFault:
            self._after_fault(era)

    def sound(self) -> list[str]:
        """Return what is wrong with the ledger."""
        assert self.ledger is not None
        return [problem.what for problem in verify(self.ledger.connection).problems]

    def act_badly(self, size: float, *, twice: bool) -> bool:
        """Record what central must set aside, with a good act behind it; `twice`: a known id with another content."""
        if twice:
            self._again(size)
        else:
            newer = size > NEWER_FROM
            written = self.act([[self._people.one()]], SCHEMA_NOW + 1) if newer else self.act(self._people.poison(size))
            for each in written[:1]:
                self.poisoned.add(each.event_id)
                self.set_aside[each.event_id] = (each.kind, each.body)
            if newer and self.up:
                self.act([[self._people.one()]])
        return True

    def _again(self, size: float) -> None:
        assert self.ledger is not None
        assert self._pen is not None
        era = self.disk.era
        try:
            ids = self.ledger.connection.query("SELECT event_id FROM ledger ORDER BY rowid DESC LIMIT 9")
        except StoreFault:
            self._after_fault(era)
            return
        event = EventId(ids[int(size * len(ids))][0])
        entry = replace(self._pen.entry(self._people.one()), event_id=event)
        with suppress(StoreFault):
            self.ledger.append([entry])
        if self.uplink is not None:
            self._guarded(self.uplink.committed)
