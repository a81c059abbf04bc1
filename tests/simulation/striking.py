"""Faults as they strike: lines, machines, central; what takes a disk away is in `disks_taken`.

The rule that must not be broken: what a fault does is decided by its own fields and the world it meets.
"""

import random
from functools import partial
from typing import TYPE_CHECKING

from tests.simulation.disks_taken import DisksTaken
from tests.simulation.faults import HUB, Fault, Kind
from tests.simulation.forging import forged
from tests.simulation.legible import legible
from tests.simulation.ward import Ward
from tests.simulation.wire import Line, Mangle, Way

if TYPE_CHECKING:
    from tests.simulation.world import World

CALLS_MAX = 60
"""A fault at a call of the disk strikes within so many calls."""
CLOCK_STEP_S = 86_400.0
FAR_AHEAD_S = 12 * 365 * 86_400
"""A clock that believes itself in 2038."""
QUEUE_S = 60.0
MANGLES = {
    Kind.DUPLICATE: Mangle.DUPLICATE,
    Kind.REORDER: Mangle.REORDER,
    Kind.TRUNCATE: Mangle.TRUNCATE,
    Kind.CORRUPT: Mangle.CORRUPT,
}
DISKS_TAKEN = frozenset({Kind.EDGE_ROLLED_BACK, Kind.EDGE_REPLACED, Kind.BOTH_RESTORED})
"""What may happen to a machine that is off, too."""
LINE_FAULTS = frozenset({Kind.CUT, Kind.ONE_WAY, Kind.STALE, Kind.FORGED, *MANGLES})


class Striker:
    """Lets faults happen to a world; `disks` are those that take a disk away."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.disks = DisksTaken(world)
        self._trouble_us: dict[str, int] = {}
        """Until when whom a fault has hit."""

    def strike(self, fault: Fault) -> None:
        """Let one fault happen, unless what it hits is down already."""
        ward = self._world.wards.get(fault.target)
        fired = self._strike_hub(fault) if ward is None else self._strike_ward(fault, ward)
        self._world.note("fault" if fired else "no fault", fault.target, f"{fault.kind} {fault.size}")
        self._world.fired[fault.kind] += fired
        if fired:
            over_us = self._world.now_us + round(fault.lasts_s * 1_000_000)
            self._trouble_us[fault.target] = max(over_us, self._trouble_us.get(fault.target, 0))
            settled = {name: self._world.since_start_s(each.settled_us) for name, each in self._world.wards.items()}
            self._world.recovery.struck(fault, self._world.elapsed_s, settled)

    def expect(self, fault: Fault) -> None:
        """Let a fault happen in time, and what must have happened before it."""
        self._world.after(fault.at_s, lambda: self.strike(fault))
        self.disks.expect(fault)

    def spoilt(self, device: str) -> None:
        """Note that a fault of a line, which waited for a message, has struck now."""
        self._trouble_us[device] = max(self._world.now_us + 1, self._trouble_us.get(device, 0))

    def _strike_ward(self, fault: Fault, ward: Ward) -> bool:
        if fault.kind in LINE_FAULTS:
            return self._strike_line(fault)
        if fault.kind in DISKS_TAKEN:
            return self.disks.strike(fault, ward)
        return ward.up and self._strike_machine(fault, ward)

    def _strike_line(self, fault: Fault) -> bool:
        line = self._world.wire.lines[fault.target]
        way = Way.UP if fault.size < 0.5 else Way.DOWN
        match fault.kind:
            case Kind.CUT:
                return self._cut(line, fault.lasts_s)
            case Kind.ONE_WAY:
                line.deaf.add(way)
                self._world.after(fault.lasts_s, lambda: line.deaf.discard(way))
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
                self._world.after(fault.lasts_s, ward.start)
            case Kind.EDGE_POWER_AT_CALL:
                disk.fuse = 1 + int(fault.size * CALLS_MAX)
            case Kind.EDGE_EIO:
                disk.eio = 1 + int(fault.size * CALLS_MAX)
            case Kind.EDGE_FULL:
                disk.full = True
                self._world.after(fault.lasts_s, lambda: setattr(disk, "full", False))
            case Kind.EDGE_CLOCK:
                ward.watch.offset_us = offset_us(fault.size)
            case Kind.POISON | Kind.TWICE:
                done = ward.act_badly(fault.size, twice=fault.kind is Kind.TWICE)
                self._mind_the_queue(ward)
                return done
            case _:
                return self.disks.strike(fault, ward)
        return True

    def _mind_the_queue(self, ward: Ward) -> None:
        """I7: what stands behind an entry that is set aside is acknowledged within a minute, all being well."""
        asked_us, run, end = self._world.now_us, ward.run, ward.end()

        def look() -> None:
            calm = self._trouble_us.get(ward.device, 0) <= asked_us and self._trouble_us.get(HUB, 0) <= asked_us
            calm = (
                calm and ward.greeted_us > self._world.restored_us
            )  # a central put back is found at the next greeting
            if not calm or ward.run != run or end is None or self._world.hub.store is None or self._has_a_twin(ward):
                return
            if not ward.has_acknowledged(end):
                self._world.violations.append(
                    f"I7 {ward.device}: entry {end[1]} waits a minute behind one that is set aside"
                )

        line = self._world.wire.lines[ward.device]
        if ward.uplink is not None and ward.uplink.live and not (line.cut or line.deaf or line.clogged):
            self._world.after(QUEUE_S, look)

    def _has_a_twin(self, ward: Ward) -> bool:
        """Whether a copied disk speaks under the same name: the two shut each other out until a person decides."""
        return sum(each.device == ward.device and each.up for each in self._world.everybody()) > 1

    def _say_again(self, fault: Fault) -> bool:
        """Somebody on the broker says an old message of central again, or one made after the last."""
        said = self._world.said[fault.target]
        if not said:
            return False
        data = said[int(fault.size * len(said))]
        if fault.kind is Kind.FORGED:
            data = forged(said, self._world.wards[fault.target], fault.size, self._world.keys) or data
        self._world.note("said again", fault.target, legible(data)[0])
        self._world.hear_down(fault.target, data)
        return True

    def _cut(self, line: Line, lasts_s: float) -> bool:
        if line.cut:
            return False
        line.cut = True
        for machine in self._world.machines(line.device):
            machine.link(False)

        def join() -> None:
            line.cut = False
            self._world.manners.linked(line.device)
            for machine in self._world.machines(line.device):
                machine.link(True)

        self._world.after(lasts_s, join)
        return True

    def _strike_hub(self, fault: Fault) -> bool:
        match fault.kind:
            case Kind.BROKER_FORGETS:
                self._forget(fault.lasts_s)
            case Kind.SWIZZLE:
                self._swizzle(fault)
            case Kind.HUB_RESTORED:
                return bool(self.disks.backups[HUB]) and self.disks.restore_hub(fault, self.disks.backups[HUB][-1])
            case Kind.PROOF_LOST:
                return self.disks.lose_proof(fault)
            case _:
                return self._world.hub.up and self._strike_machine_of_hub(fault)
        return True

    def _strike_machine_of_hub(self, fault: Fault) -> bool:
        hub = self._world.hub
        match fault.kind:
            case Kind.HUB_POWER | Kind.HUB_KILL:
                (hub.disk.lose_power if fault.kind is Kind.HUB_POWER else hub.disk.kill)()
                hub.stop()
                self._world.after(fault.lasts_s, hub.start)
            case Kind.HUB_FULL:
                hub.disk.full = True
                self._world.after(fault.lasts_s, lambda: setattr(hub.disk, "full", False))
            case Kind.HUB_POWER_AT_CALL:
                hub.disk.fuse = 1 + int(fault.size * CALLS_MAX)
            case Kind.HUB_EIO:
                hub.disk.eio = 1 + int(fault.size * CALLS_MAX)
            case Kind.HUB_CLOCK:
                hub.clock.offset_us = offset_us(fault.size)
            case _:
                raise AssertionError(fault)
        return True

    def _swizzle(self, fault: Fault) -> None:
        """Clog the lines one after another, then free them in another order; what waited comes all at once."""
        chance = random.Random(fault.size)
        lines = list(self._world.wire.lines.values())
        for line in lines:
            self._world.after(chance.uniform(0, fault.lasts_s / 3), line.clog)
            self._world.after(chance.uniform(fault.lasts_s / 2, fault.lasts_s), partial(self._world.wire.free, line))

    def _forget(self, lasts_s: float) -> None:
        """The broker starts again with nothing: what was on its way is gone, and every edge must come back."""
        self._world.wire.forget()
        for line in self._world.wire.lines.values():
            self._cut(line, lasts_s)


def offset_us(size: float) -> int:
    """Return how far a clock jumps: up to a day either way, at the end of the scale into 2038."""
    if size > 0.95:
        return FAR_AHEAD_S * 1_000_000
    return round((size / 0.95 * 2 - 1) * CLOCK_STEP_S) * 1_000_000
