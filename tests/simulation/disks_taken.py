"""Faults that take a disk away: copies put back, empty disks, twins, disks that lie, a central put back.

Copies are taken now and then, and before the faults that need one. The rule that must not be broken: in a gentle run no
disk is taken away while it holds what people were told is done and nobody else has.
"""

from typing import TYPE_CHECKING

from tests.simulation.disk import Image
from tests.simulation.faults import BEFORE_S, HUB, VOUCHED_S, Fault, Kind
from tests.simulation.hub import missing_at_central
from tests.simulation.ward import Ward

if TYPE_CHECKING:
    from tests.simulation.world import World

OFF_S = 5.0
"""How long a machine is off whose power went at a call."""
BACKUP_EVERY_S = 2 * 3600.0
BACKUPS_KEPT = 6
TWIN_DRAINS_S = 300.0
ROUGH_FROM = 0.97
"""Where disks may be taken away with what is nowhere else, it happens to so few of them."""


class DisksTaken:
    """The copies of a world's disks, and the faults that put them back."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.backups: dict[str, list[Image]] = {name: [] for name in (HUB, *world.setting.wards)}
        self._copies: dict[Fault, dict[str, Image]] = {}

    def expect(self, fault: Fault) -> None:
        """Take the copy that a fault will put back."""
        if fault.kind in BEFORE_S and not self._world.setting.gentle:
            self._world.after(fault.at_s - BEFORE_S[fault.kind], lambda: self._copy(fault))
        if fault.kind is Kind.PROOF_LOST and not self._world.setting.gentle:
            self._world.after(fault.at_s - VOUCHED_S, self._vouch)

    def lose_proof(self, fault: Fault) -> bool:
        """Put central back to the copy before the one that was vouched for."""
        copies = self._copies.pop(fault, {})
        return bool(copies) and self.restore_hub(fault, copies[HUB])

    def _copy(self, fault: Fault) -> None:
        if self._world.hub.up:
            self._copies[fault] = {HUB: self._world.hub.disk.image()}
        ward = self._world.wards.get(fault.target)
        if ward is not None and ward.up and fault in self._copies:
            self._copies[fault][fault.target] = ward.disk.image()

    def _vouch(self) -> None:
        """A copy of central was put back elsewhere and verified: what it holds is safe."""
        if self._world.hub.up:
            self._world.hub.vouch()

    def strike(self, fault: Fault, ward: Ward) -> bool:
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

    def _keep_only_now(self) -> None:
        """Older copies of central lack what a disk held that is taken away; one of now has it."""
        self.backups[HUB] = [self._world.hub.disk.image()] if self._world.hub.up else []

    def _keep_only_then(self, image: Image) -> None:
        """A younger copy than the one put back is of another central."""
        self.backups[HUB] = [image]

    def _is_elsewhere(self, ward: Ward) -> bool:
        """Tell whether central holds everything that this machine's people were told is done."""
        return self._world.hub.up and not missing_at_central(self._world.hub, ward.beeped)

    def _lie(self, fault: Fault, ward: Ward) -> bool:
        if self._world.setting.gentle:
            return False
        ward.disk.lies = True

        def cut() -> None:
            if ward.disk.lies:
                ward.disk.lose_power()
                ward.stop()
                self._world.after(OFF_S, ward.start)

        self._world.after(fault.lasts_s, cut)
        return True

    def _take_disk(self, fault: Fault, ward: Ward) -> bool:
        """Put an old copy back, or an empty disk in."""
        backups = self.backups[fault.target]
        gentle = self._world.setting.gentle or fault.size < ROUGH_FROM
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
        self._world.after(fault.lasts_s, ward.start)
        return True

    def _restore_both(self, fault: Fault, ward: Ward) -> bool:
        """A storeroom's disk and central are put back to old copies in the same hour: what both forgot is nowhere."""
        copies = self._copies.pop(fault, {})
        if ward.device not in copies or not self.restore_hub(fault, copies[HUB]):
            return False
        ward.stop()
        ward.disk.put(copies[ward.device])
        self._world.after(fault.lasts_s, ward.start)
        return True

    def _clone(self, fault: Fault, ward: Ward) -> bool:
        """Somebody copies the disk into a second machine, which works beside the first for a while."""
        name = fault.target
        if name in self._world.twins:
            return False
        twin = self._world.machine(name, f"{name}-twin-{len(self._world.retired)}-{self._world.now_us}")
        twin.disk.put(ward.disk.image())
        self._world.twins[name] = twin
        twin.link(not self._world.wire.lines[name].cut)
        twin.start()
        self._world.after(fault.lasts_s, lambda: self._retire(name, twin))
        return True

    def _retire(self, name: str, twin: Ward) -> None:
        """Somebody switches the second machine off, once central holds all it did, and says so at central."""
        if not self._is_elsewhere(twin) and (self._world.setting.gentle or twin.beeped):
            self._world.after(TWIN_DRAINS_S, lambda: self._retire(name, twin))
            return
        del self._world.twins[name]
        self._world.retired.append(twin)
        twin.asleep = True
        twin.stop()
        self._keep_only_now()
        self._world.hub.settle(name)
        self._world.note("retired", name)

    def restore_hub(self, fault: Fault, image: Image) -> bool:
        if not self._world.hub.up:
            return False
        self._world.hub.stop()
        self._world.restored_us = self._world.now_us
        self._world.hub.disk.put(image)
        self._world.manners.restored()
        self._keep_only_then(image)
        self._world.after(fault.lasts_s, self._world.hub.start)
        return True

    def back_up(self) -> None:
        """Copy every disk now and then, while nobody writes."""
        parts = [*self._world.wards.items()]
        for name, ward in parts:
            if ward.up:
                self._keep(name, ward.disk.image())
        if self._world.hub.up:
            self._keep_only_now()  # entries are trimmed that only a proven copy holds: no older one is put back
            self._vouch()
        self._world.after(BACKUP_EVERY_S, self.back_up)

    def _keep(self, name: str, image: Image) -> None:
        self.backups[name] = [*self.backups[name], image][-BACKUPS_KEPT:]
