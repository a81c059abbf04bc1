"""One simulated hospital: edges, broker and central in one process, a virtual clock, and faults that come as planned.

Everything that happens is an event on one heap, in order of time and then of making. The rule that must not be broken:
nothing here asks the real clock or draws unseeded chance, so that the same seed and faults give the same trace.
"""

import hashlib
import heapq
import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count

from protocols.errors import PeerBroke
from protocols.sync.codec import unseal
from protocols.sync.frames import Nack
from protocols.values.instant import from_iso
from tests.simulation.disk import Rack
from tests.simulation.disks_taken import OFF_S
from tests.simulation.faults import HUB, Fault
from tests.simulation.feeding import change
from tests.simulation.hub import Hub, HubClock, hash_held
from tests.simulation.keyring import Keyring
from tests.simulation.legible import READABLE, legible
from tests.simulation.manners import Manners
from tests.simulation.recovery import Recovery
from tests.simulation.striking import Striker
from tests.simulation.ward import Ward
from tests.simulation.wire import Line, Way, Wire

START_US = int(from_iso("2026-03-02T16:00:00+08:00"))
ACT_EVERY_S = 240.0
HEAL_S = 3600.0
"""After the last fault everything is whole for so long before the laws are asked."""
TRIM_EVERY_S = 300.0
LOOK_EVERY_S, LOOKS_EVERYWHERE = 900.0, 4
LOOKED_ON_S = 1_500.0
"""What central answers last is with the edges before the laws are asked."""
LOG_LINES_MAX = 200_000
SAID_KEPT = 300
"""Messages from central that an eavesdropper keeps of each line."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a run is made of."""

    seed: str
    hours: float
    wards: tuple[str, ...] = ("ward-01", "ward-02", "ward-03")
    loss: float = 0.02
    gentle: bool = True
    """No disk is taken away while it holds what is nowhere else: then nothing at all may be lost."""
    act_every_s: float = ACT_EVERY_S
    """Mean time between two people at one counter."""
    part: int = 0
    """Which of the pairs of kinds of fault it plays."""
    feed_every_s: float = 0.0
    """Mean time between two changes of what edges are told; 0 where nothing is told."""
    pressed: bool = False
    """Central takes little at once: it says busy and too large."""
    old: tuple[str, ...] = ()
    """Storerooms whose agent is of an earlier version."""


class World:
    """The hospital and its clock."""

    def __init__(self, setting: Setting, faults: Sequence[Fault]) -> None:
        self.setting, self.now_us = setting, START_US
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()
        self._trace = hashlib.sha256()
        self.log: list[str] = []
        self.fired: Counter[str] = Counter()
        self.recovery, self.manners = Recovery(), Manners()
        self._looks = 0
        self.nacks: Counter[str] = Counter()
        self.violations: list[str] = []
        """Laws that were broken on the way."""
        self.said: dict[str, list[bytes]] = {name: [] for name in setting.wards}
        self.restored_us = 0
        self.frames = 0
        self.rack = Rack()
        self.keys = Keyring(setting.seed)
        self.wire = Wire(self, f"{setting.seed}/wire", self._spoilt)
        self.wire.loss = setting.loss
        chance = random.Random(f"{setting.seed}/hub clock")
        self.hub = Hub(
            self.rack,
            self.rack.add(HUB, f"{setting.seed}/{HUB}/disk"),
            HubClock(lambda: self.now_us, chance),
            seed=f"{setting.seed}/hub",
            signing=self.keys.central(),
            after=self.after,
            say=self._down,
        )
        self.hub.install(setting.wards)
        self.twins: dict[str, Ward] = {}
        self.retired: list[Ward] = []
        """Twins that were switched off."""
        self.wards = {name: self._ward(name) for name in setting.wards}
        self.striker = Striker(self)
        for fault in faults:
            self.striker.expect(fault)
        self.striker.disks.back_up()
        if setting.feed_every_s:
            self._change_feed(random.Random(f"{setting.seed}/feed"))
        self.after(TRIM_EVERY_S, self._trim)
        self.after(LOOK_EVERY_S, self._look)
        for name in setting.wards:
            self._people(name, random.Random(f"{setting.seed}/{name}/people"))

    def close(self) -> None:
        """Take the disks away."""
        for ward in self.everybody():
            ward.stop()
        self.hub.stop()
        self.rack.unregister()

    @property
    def elapsed_s(self) -> float:
        """Return the seconds since the start."""
        return self.since_start_s(self.now_us)

    @staticmethod
    def since_start_s(at_us: int) -> float:
        """Return the seconds from the start to an instant."""
        return (at_us - START_US) / 1_000_000

    @property
    def trace_hash(self) -> str:
        """Return the hash of everything that happened."""
        return self._trace.hexdigest()

    # --- time ---

    def after(self, seconds: float, then: Callable[[], None]) -> None:
        """Let something happen later."""
        heapq.heappush(self._heap, (self.now_us + max(0, round(seconds * 1_000_000)), next(self._order), then))

    def run(self, until_s: float) -> None:
        """Let everything happen that is due until then."""
        until = START_US + round(until_s * 1_000_000)
        while self._heap and self._heap[0][0] <= until:
            self.now_us, _, then = heapq.heappop(self._heap)
            then()
        self.now_us = until

    def note(self, what: str, who: str, detail: str = "", payload: bytes = b"") -> None:
        """Put one happening into the trace."""
        line = f"{self.elapsed_s:.6f} {what} {who} {detail}"
        self._trace.update(line.encode())
        self._trace.update(payload)
        if len(self.log) < LOG_LINES_MAX:
            self.log.append(line)

    # --- parts ---

    def _ward(self, name: str) -> Ward:
        line = Line(name, lambda data: self._hear_up(name, data), lambda data: self.hear_down(name, data))
        self.wire.lines[name] = line
        ward = self.machine(name, name)
        ward.link(True)
        ward.start()
        return ward

    def machine(self, name: str, disk: str) -> Ward:
        """Return a machine of a storeroom with a disk of its own, switched off."""
        return Ward(
            name,
            self.rack,
            self.rack.add(disk, f"{self.setting.seed}/{disk}/disk"),
            seed=f"{self.setting.seed}/{disk}",
            now_us=lambda: self.now_us,
            after=self.after,
            send=lambda data: self._up(name, data),
            wards=self.setting.wards,
            marked=self._marked,
            signing=self.keys.edge(name),
            old=name in self.setting.old,
        )

    def _people(self, name: str, chance: random.Random) -> None:
        def come() -> None:
            if self.elapsed_s >= self.setting.hours * 3600:
                return
            for ward in self.machines(name):
                ward.person()
            self.after(chance.expovariate(1 / self.setting.act_every_s), come)

        self.after(chance.expovariate(1 / self.setting.act_every_s), come)

    def _change_feed(self, chance: random.Random) -> None:
        """Let somebody at central change what edges are told, now and then."""

        def change_it() -> None:
            if self.elapsed_s >= self.setting.hours * 3600:
                return
            size = chance.random()
            if self.hub.up:
                self.note("feed", HUB, f"{size}")
                change(self.hub, size, self.keys.central())
                self.fired["feed_change"] += 1
            self.after(chance.expovariate(1 / self.setting.feed_every_s), change_it)

        self.after(chance.expovariate(1 / self.setting.feed_every_s), change_it)

    def _look(self) -> None:
        """Central looks for what several edges' facts contradict, until well before it is judged."""
        self._looks += 1
        moved = self.hub.look_for_conflicts(everywhere=self._looks % LOOKS_EVERYWHERE == 0)
        self._mind_the_hub()
        self.note("conflicts", HUB, str(moved))
        if self.elapsed_s < self.setting.hours * 3600 + LOOKED_ON_S:
            self.after(LOOK_EVERY_S, self._look)

    def _up(self, name: str, data: bytes) -> None:
        self._say(Way.UP, name, data)

    def _down(self, name: str, data: bytes) -> None:
        self._say(Way.DOWN, name, data)

    def _say(self, way: Way, name: str, data: bytes) -> None:
        self._look_at(data)
        what, payload, frames = legible(data)
        self.frames += frames
        self.note(f"says {way}", name, what, payload)
        if way is Way.DOWN:
            self.said[name] = [*self.said[name], data][-SAID_KEPT:]
        self.wire.carry(self.wire.lines[name], way, data)

    def _look_at(self, data: bytes) -> None:
        with suppress(PeerBroke):
            envelope, message = unseal(data, READABLE)
            self.manners.said(envelope, message, self.elapsed_s)
            if isinstance(message, Nack):
                self.nacks[message.reason] += 1

    def _hear_up(self, name: str, data: bytes) -> None:
        self.hub.hear(name, data)
        self._mind_the_hub()

    def hear_down(self, name: str, data: bytes) -> None:
        """Let a storeroom's machines hear a message."""
        for ward in self.machines(name):
            ward.hear(data)

    def machines(self, name: str) -> list[Ward]:
        """Return the machine of a storeroom, and its twin while there is one."""
        return [self.wards[name], *([self.twins[name]] if name in self.twins else [])]

    def everybody(self) -> list[Ward]:
        """Return every machine there ever was."""
        return [*self.wards.values(), *self.twins.values(), *self.retired]

    def _marked(self, ward: Ward, incarnation: bytes, seq: int, digest: bytes | None) -> None:
        """I10: a mark moves only to what central holds, unless central was put back since the last greeting."""
        if self.hub.store is None or ward.greeted_us <= self.restored_us or seq < 0:
            return
        held = hash_held(self.hub, incarnation, seq)
        if held is not None and held != (digest or b""):
            self.violations.append(
                f"I10 {ward.device}: mark at {seq} of {incarnation.hex()[:8]}, central holds another"
            )

    def _trim(self) -> None:
        """Every storeroom gives back the room of what is safe elsewhere."""
        for ward in self.wards.values():
            ward.trim()
        self.after(TRIM_EVERY_S, self._trim)

    def _spoilt(self, device: str) -> None:
        """A message met a fault of its line that waited for one."""
        self.striker.spoilt(device)

    def _mind_the_hub(self) -> None:
        """Start central again when its power went at a call."""
        hub = self.hub

        def look() -> None:
            if hub.up and hub.disk.era != hub.opened_era:
                hub.stop()
                self.after(OFF_S, hub.start)

        self.after(0.01, look)

    def heal(self) -> None:
        """Make everything whole: no loss, clocks right, everybody connected and on."""
        self.wire.loss = 0.0
        for line in self.wire.lines.values():
            line.deaf.clear()
            line.mangles.clear()
            self.wire.free(line)
        for disk in self.rack.disks.values():
            disk.full = disk.lies = False
            disk.fuse = disk.eio = None
        self.hub.clock.offset_us = 0
        for ward in self.everybody():
            ward.watch.offset_us = 0
        self.note("heal", "all")
