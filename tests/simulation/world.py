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
from protocols.sync.codec import Signing, unpack_entries, unseal
from protocols.sync.frames import Frame
from protocols.values.instant import from_iso
from tests.simulation.disk import Image, Rack
from tests.simulation.faults import BEFORE_S, HUB, VOUCHED_S, Fault, Kind
from tests.simulation.feeding import change
from tests.simulation.forging import forged
from tests.simulation.hub import Hub, HubClock, hash_held, missing_at_central
from tests.simulation.keyring import Keyring
from tests.simulation.manners import Manners
from tests.simulation.recovery import Recovery
from tests.simulation.ward import Ward
from tests.simulation.wire import Line, Mangle, Way, Wire

START_US = int(from_iso("2026-03-02T16:00:00+08:00"))
ACT_EVERY_S = 240.0
HEAL_S = 3600.0
"""After the last fault everything is whole for so long before the laws are asked."""
OFF_S = 5.0
"""How long a machine is off whose power went at a call."""
CALLS_MAX = 60
"""A fault at a call of the disk strikes within so many calls."""
CLOCK_STEP_S = 86_400.0
FAR_AHEAD_S = 12 * 365 * 86_400
"""A clock that believes itself in 2038."""
BACKUP_EVERY_S = 2 * 3600.0
BACKUPS_KEPT = 6
TRIM_EVERY_S = 300.0
QUEUE_S = 60.0
TWIN_DRAINS_S = 300.0
ROUGH_FROM = 0.97
"""Where disks may be taken away with what is nowhere else, it happens to so few of them."""
LOG_LINES_MAX = 200_000
READABLE = Signing(unsigned=True, sign=lambda _data: b"", verify=lambda *_: True)
"""Opens any message for the trace."""
MANGLES = {
    Kind.DUPLICATE: Mangle.DUPLICATE,
    Kind.REORDER: Mangle.REORDER,
    Kind.TRUNCATE: Mangle.TRUNCATE,
    Kind.CORRUPT: Mangle.CORRUPT,
}

DISKS_TAKEN = frozenset({Kind.EDGE_ROLLED_BACK, Kind.EDGE_REPLACED, Kind.BOTH_RESTORED})
"""What may happen to a machine that is off, too."""
LINE_FAULTS = frozenset({Kind.CUT, Kind.ONE_WAY, Kind.STALE, Kind.FORGED, *MANGLES})
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
        self._trouble_us: dict[str, int] = {}
        """Until when whom a fault has hit."""
        self.violations: list[str] = []
        """Laws that were broken on the way."""
        self._said: dict[str, list[bytes]] = {name: [] for name in setting.wards}
        self._restored_us = 0
        self.frames = 0
        self.rack = Rack()
        self._keys = Keyring(setting.seed)
        self.wire = Wire(self, f"{setting.seed}/wire", lambda _kind: None)
        self.wire.loss = setting.loss
        chance = random.Random(f"{setting.seed}/hub clock")
        self.hub = Hub(
            self.rack,
            self.rack.add(HUB, f"{setting.seed}/{HUB}/disk"),
            HubClock(lambda: self.now_us, chance),
            seed=f"{setting.seed}/hub",
            signing=self._keys.central(),
            after=self.after,
            say=self._down,
        )
        self.hub.install(setting.wards)
        self.backups: dict[str, list[Image]] = {name: [] for name in (HUB, *setting.wards)}
        self.twins: dict[str, Ward] = {}
        self.retired: list[Ward] = []
        """Twins that were switched off."""
        self.wards = {name: self._ward(name) for name in setting.wards}
        self._copies: dict[Fault, dict[str, Image]] = {}
        for fault in faults:
            self._expect(fault)
        self._back_up()
        if setting.feed_every_s:
            self._change_feed(random.Random(f"{setting.seed}/feed"))
        self.after(TRIM_EVERY_S, self._trim)
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
        return (self.now_us - START_US) / 1_000_000

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
        line = Line(name, lambda data: self._hear_up(name, data), lambda data: self._hear_down(name, data))
        self.wire.lines[name] = line
        ward = self._machine(name, name)
        ward.link(True)
        ward.start()
        return ward

    def _machine(self, name: str, disk: str) -> Ward:
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
            signing=self._keys.edge(name),
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
                change(self.hub, size, self._keys.central())
                self.fired["feed_change"] += 1
            self.after(chance.expovariate(1 / self.setting.feed_every_s), change_it)

        self.after(chance.expovariate(1 / self.setting.feed_every_s), change_it)

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
            self._said[name] = [*self._said[name], data][-SAID_KEPT:]
        self.wire.carry(self.wire.lines[name], way, data)

    def _look_at(self, data: bytes) -> None:
        with suppress(PeerBroke):
            self.manners.said(*unseal(data, READABLE), self.elapsed_s)

    def _hear_up(self, name: str, data: bytes) -> None:
        self.hub.hear(name, data)
        self._mind_the_hub()

    def _hear_down(self, name: str, data: bytes) -> None:
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
        if self.hub.store is None or ward.greeted_us <= self._restored_us or seq < 0:
            return
        held = hash_held(self.hub, incarnation, seq)
        if held is not None and held != (digest or b""):
            self.violations.append(
                f"I10 {ward.device}: mark at {seq} of {incarnation.hex()[:8]}, central holds another"
            )

    # --- faults ---

    def strike(self, fault: Fault) -> None:
        """Let one fault happen, unless what it hits is down already."""
        ward = self.wards.get(fault.target)
        fired = self._strike_hub(fault) if ward is None else self._strike_ward(fault, ward)
        self.note("fault" if fired else "no fault", fault.target, f"{fault.kind} {fault.size}")
        self.fired[fault.kind] += fired
        if fired:
            over_us = self.now_us + round(fault.lasts_s * 1_000_000)
            self._trouble_us[fault.target] = max(over_us, self._trouble_us.get(fault.target, 0))
            settled = {name: (each.settled_us - START_US) / 1_000_000 for name, each in self.wards.items()}
            self.recovery.struck(fault, self.elapsed_s, settled)

    def _expect(self, fault: Fault) -> None:
        """Let a fault happen in time, and what must have happened before it."""
        self.after(fault.at_s, lambda: self.strike(fault))
        if fault.kind in BEFORE_S and not self.setting.gentle:
            self.after(fault.at_s - BEFORE_S[fault.kind], lambda: self._copy(fault))
        if fault.kind is Kind.PROOF_LOST and not self.setting.gentle:
            self.after(fault.at_s - VOUCHED_S, self._vouch)

    def _copy(self, fault: Fault) -> None:
        if self.hub.up:
            self._copies[fault] = {HUB: self.hub.disk.image()}
        ward = self.wards.get(fault.target)
        if ward is not None and ward.up and fault in self._copies:
            self._copies[fault][fault.target] = ward.disk.image()

    def _vouch(self) -> None:
        """A copy of central was put back elsewhere and verified: what it holds is safe."""
        if self.hub.up:
            self.hub.vouch()

    def _strike_ward(self, fault: Fault, ward: Ward) -> bool:
        if fault.kind in LINE_FAULTS:
            return self._strike_line(fault)
        if fault.kind in DISKS_TAKEN:
            return self._strike_disk(fault, ward)
        return ward.up and self._strike_machine(fault, ward)

    def _strike_line(self, fault: Fault) -> bool:
        line = self.wire.lines[fault.target]
        way = Way.UP if fault.size < 0.5 else Way.DOWN
        match fault.kind:
            case Kind.CUT:
                return self._cut(line, fault.lasts_s)
            case Kind.ONE_WAY:
                line.deaf.add(way)
                self.after(fault.lasts_s, lambda: line.deaf.discard(way))
            case Kind.STALE | Kind.FORGED:
                return self._say_again(fault)
            case _:
                line.mangles.append((way, MANGLES[fault.kind]))
        return True

    def _strike_machine(self, fault: Fault, ward: Ward) -> bool:
        disk = ward.disk
        match fault.kind:
            case Kind.EDGE_POWER | Kind.EDGE_KILL:
                (disk.lose_power if fault.kind is Kind.EDGE_POWER else disk.kill)()
                ward.stop()
                self.after(fault.lasts_s, ward.start)
            case Kind.EDGE_POWER_AT_CALL:
                disk.fuse = 1 + int(fault.size * CALLS_MAX)
            case Kind.EDGE_EIO:
                disk.eio = 1 + int(fault.size * CALLS_MAX)
            case Kind.EDGE_FULL:
                disk.full = True
                self.after(fault.lasts_s, lambda: setattr(disk, "full", False))
            case Kind.EDGE_CLOCK:
                ward.watch.offset_us = _offset_us(fault.size)
            case Kind.POISON | Kind.TWICE:
                done = ward.act_badly(fault.size, twice=fault.kind is Kind.TWICE)
                self._mind_the_queue(ward)
                return done
            case _:
                return self._strike_disk(fault, ward)
        return True

    def _mind_the_queue(self, ward: Ward) -> None:
        """I7: what stands behind an entry that is set aside is acknowledged within a minute, all being well."""
        asked_us, run, end = self.now_us, ward.run, ward.end()

        def look() -> None:
            calm = self._trouble_us.get(ward.device, 0) <= asked_us and self._trouble_us.get(HUB, 0) <= asked_us
            calm = calm and ward.greeted_us > self._restored_us  # a central put back is found at the next greeting
            if not calm or ward.run != run or end is None or self.hub.store is None or self._has_a_twin(ward):
                return
            if not ward.has_acknowledged(end):
                self.violations.append(f"I7 {ward.device}: entry {end[1]} waits a minute behind one that is set aside")

        line = self.wire.lines[ward.device]
        if ward.uplink is not None and ward.uplink.live and not (line.cut or line.deaf or line.clogged):
            self.after(QUEUE_S, look)

    def _has_a_twin(self, ward: Ward) -> bool:
        """Whether a copied disk speaks under the same name: the two shut each other out until a person decides."""
        return sum(each.device == ward.device and each.up for each in self.everybody()) > 1

    def _strike_disk(self, fault: Fault, ward: Ward) -> bool:
        match fault.kind:
            case Kind.EDGE_LIES:
                return self._lie(fault, ward)
            case Kind.EDGE_ROLLED_BACK | Kind.EDGE_REPLACED:
                return self._take_disk(fault, ward)
            case Kind.BOTH_RESTORED:
                return self._restore_both(fault, ward)
            case Kind.CLONE:
                return self._clone(fault, ward)
            case _:
                raise AssertionError(fault)

    def _say_again(self, fault: Fault) -> bool:
        """Somebody on the broker says an old message of central again, or one made after the last."""
        said = self._said[fault.target]
        if not said:
            return False
        data = said[int(fault.size * len(said))]
        if fault.kind is Kind.FORGED:
            data = forged(said, self.wards[fault.target], fault.size, self._keys) or data
        self.note("said again", fault.target, legible(data)[0])
        self._hear_down(fault.target, data)
        return True

    # --- faults that take a disk away -------------------------------------------------------------------------------

    def _back_up(self) -> None:
        """Copy every disk now and then, while nobody writes."""
        parts = [*self.wards.items()]
        for name, ward in parts:
            if ward.up:
                self._keep(name, ward.disk.image())
        if self.hub.up:
            self._keep_only_now()  # entries are trimmed that only a proven copy holds: no older one is put back
            self._vouch()
        self.after(BACKUP_EVERY_S, self._back_up)

    def _trim(self) -> None:
        """Every storeroom gives back the room of what is safe elsewhere."""
        for ward in self.wards.values():
            ward.trim()
        self.after(TRIM_EVERY_S, self._trim)

    def _keep(self, name: str, image: Image) -> None:
        self.backups[name] = [*self.backups[name], image][-BACKUPS_KEPT:]

    def _keep_only_now(self) -> None:
        """Older copies of central lack what a disk held that is taken away; one of now has it."""
        self.backups[HUB] = [self.hub.disk.image()] if self.hub.up else []

    def _keep_only_then(self, image: Image) -> None:
        """A younger copy than the one put back is of another central."""
        self.backups[HUB] = [image]

    def _is_elsewhere(self, ward: Ward) -> bool:
        """Tell whether central holds everything that this machine's people were told is done."""
        return self.hub.up and not missing_at_central(self.hub, ward.beeped)

    def _lie(self, fault: Fault, ward: Ward) -> bool:
        if self.setting.gentle:
            return False
        ward.disk.lies = True

        def cut() -> None:
            if ward.disk.lies:
                ward.disk.lose_power()
                ward.stop()
                self.after(OFF_S, ward.start)

        self.after(fault.lasts_s, cut)
        return True

    def _take_disk(self, fault: Fault, ward: Ward) -> bool:
        """Put an old copy back, or an empty disk in."""
        backups = self.backups[fault.target]
        gentle = self.setting.gentle or fault.size < ROUGH_FROM
        if gentle and not self._is_elsewhere(ward):
            return False
        image: Image = {}
        if fault.kind is Kind.EDGE_ROLLED_BACK:
            if not backups:
                return False
            image = backups[int(fault.size * len(backups))]
        if gentle:
            self._keep_only_now()
        ward.stop()
        ward.disk.put(image)
        self.after(fault.lasts_s, ward.start)
        return True

    def _restore_both(self, fault: Fault, ward: Ward) -> bool:
        """A storeroom's disk and central are put back to old copies in the same hour: what both forgot is nowhere."""
        copies = self._copies.pop(fault, {})
        if ward.device not in copies or not self._restore_hub(fault, copies[HUB]):
            return False
        ward.stop()
        ward.disk.put(copies[ward.device])
        self.after(fault.lasts_s, ward.start)
        return True

    def _clone(self, fault: Fault, ward: Ward) -> bool:
        """Somebody copies the disk into a second machine, which works beside the first for a while."""
        name = fault.target
        if name in self.twins:
            return False
        twin = self._machine(name, f"{name}-twin-{len(self.retired)}-{self.now_us}")
        twin.disk.put(ward.disk.image())
        self.twins[name] = twin
        twin.link(not self.wire.lines[name].cut)
        twin.start()
        self.after(fault.lasts_s, lambda: self._retire(name, twin))
        return True

    def _retire(self, name: str, twin: Ward) -> None:
        """Somebody switches the second machine off, once central holds all it did, and says so at central."""
        if not self._is_elsewhere(twin) and (self.setting.gentle or twin.beeped):
            self.after(TWIN_DRAINS_S, lambda: self._retire(name, twin))
            return
        del self.twins[name]
        self.retired.append(twin)
        twin.asleep = True
        twin.stop()
        self._keep_only_now()
        self.hub.settle(name)
        self.note("retired", name)

    def _cut(self, line: Line, lasts_s: float) -> bool:
        if line.cut:
            return False
        line.cut = True
        for machine in self.machines(line.device):
            machine.link(False)

        def join() -> None:
            line.cut = False
            self.manners.linked(line.device)
            for machine in self.machines(line.device):
                machine.link(True)

        self.after(lasts_s, join)
        return True

    def _strike_hub(self, fault: Fault) -> bool:
        match fault.kind:
            case Kind.BROKER_FORGETS:
                self._forget(fault.lasts_s)
            case Kind.SWIZZLE:
                self._swizzle(fault)
            case Kind.HUB_RESTORED:
                return bool(self.backups[HUB]) and self._restore_hub(fault, self.backups[HUB][-1])
            case Kind.PROOF_LOST:
                copies = self._copies.pop(fault, {})
                return bool(copies) and self._restore_hub(fault, copies[HUB])
            case _:
                return self.hub.up and self._strike_machine_of_hub(fault)
        return True

    def _strike_machine_of_hub(self, fault: Fault) -> bool:
        hub = self.hub
        match fault.kind:
            case Kind.HUB_POWER | Kind.HUB_KILL:
                (hub.disk.lose_power if fault.kind is Kind.HUB_POWER else hub.disk.kill)()
                hub.stop()
                self.after(fault.lasts_s, hub.start)
            case Kind.HUB_FULL:
                hub.disk.full = True
                self.after(fault.lasts_s, lambda: setattr(hub.disk, "full", False))
            case Kind.HUB_POWER_AT_CALL:
                hub.disk.fuse = 1 + int(fault.size * CALLS_MAX)
            case Kind.HUB_EIO:
                hub.disk.eio = 1 + int(fault.size * CALLS_MAX)
            case Kind.HUB_CLOCK:
                hub.clock.offset_us = _offset_us(fault.size)
            case _:
                raise AssertionError(fault)
        return True

    def _restore_hub(self, fault: Fault, image: Image) -> bool:
        if not self.hub.up:
            return False
        self.hub.stop()
        self._restored_us = self.now_us
        self.hub.disk.put(image)
        self.manners.restored()
        self._keep_only_then(image)
        self.after(fault.lasts_s, self.hub.start)
        return True

    def _swizzle(self, fault: Fault) -> None:
        """Clog the lines one after another, then free them in another order; what waited comes all at once."""
        chance = random.Random(fault.size)
        lines = list(self.wire.lines.values())
        for line in lines:
            self.after(chance.uniform(0, fault.lasts_s / 3), line.clog)
            self.after(chance.uniform(fault.lasts_s / 2, fault.lasts_s), lambda line=line: self.wire.free(line))  # type: ignore[misc] # the default binds it

    def _forget(self, lasts_s: float) -> None:
        """The broker starts again with nothing: what was on its way is gone, and every edge must come back."""
        self.wire.forget()
        for line in self.wire.lines.values():
            self._cut(line, lasts_s)

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


def legible(data: bytes) -> tuple[str, bytes, int]:
    """Return what a message is, its bytes before compression, and whether it is a frame (1) or not (0)."""
    try:
        envelope, message = unseal(data, READABLE)
        if isinstance(message, Frame):
            raws = b"".join(unpack_entries(message.entries))
            return f"frame {message.from_seq} {message.n} {envelope.incarnation.hex()[:8]}", raws, 1
    except PeerBroke:
        return "illegible", b"", 0
    return f"{message} {envelope.generation}", b"", 0


def _offset_us(size: float) -> int:
    """Return how far a clock jumps: up to a day either way, at the end of the scale into 2038."""
    if size > 0.95:
        return FAR_AHEAD_S * 1_000_000
    return round((size / 0.95 * 2 - 1) * CLOCK_STEP_S) * 1_000_000
