"""Every device and every fault: both ends survive, and the delivery log and the listener agree. Common to all kinds."""

import pytest

from hardware_sim.devices.faults import LASTS_S, Fault, Kind, draw_faults
from hardware_sim.devices.registry import DEVICES
from protocols.readers.reads import BadFrame, LinkUp, RoundEnded
from protocols.values.instant import Instant
from tests.hardware_sim.devices.meeting import READERS, Meeting

SPOILS = (Kind.GARBAGE, Kind.TRUNCATE, Kind.LYING)
CUTS = (Kind.DROP, Kind.HALF_OPEN, Kind.REBOOT, Kind.UNPLUG)


def test_every_device_that_reads_tags_is_tried() -> None:
    assert {name for name, kind in DEVICES.items() if "inventory" in getattr(kind, "__slots__", ())} == set(READERS)


@pytest.mark.parametrize("name", READERS)
def test_without_faults_everything_handed_over_is_taken(name: str) -> None:
    room = Meeting(name)
    room.run(4.0)
    room.line.disconnected()
    assert room.handed_over(proved=True) <= room.taken() == room.handed_over(proved=False)
    assert len(room.of(LinkUp)) == 1
    assert not room.of(BadFrame)
    assert room.log.fired == {}


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("name", READERS)
def test_device_and_session_survive_a_fault(name: str, kind: Kind) -> None:
    for seed in range(3):
        room = Meeting(name, [Fault(kind, 1.0, LASTS_S[kind])], seed)
        room.run(4.0 + LASTS_S[kind])
        after = room.story
        room.run(8.0)
        assert room.rounds_since(after) >= 3, (seed, room.seen[-20:])
        assert room.log.fired == {kind: 1}
        if kind in CUTS:
            assert len(room.of(LinkUp)) == 2
        if kind is Kind.BYTEWISE:
            assert not room.of(BadFrame)
        room.line.disconnected()
        assert room.handed_over(proved=True) <= room.taken() <= room.handed_over(proved=False)
        assert room.handed_over(proved=True)


@pytest.mark.parametrize("name", READERS)
def test_device_and_session_survive_every_fault_in_any_order(name: str) -> None:
    for seed in range(2):
        room = Meeting(name, draw_faults(seed, every_s=4.0), seed)
        room.run(140.0)
        assert set(room.log.fired) == set(Kind)
        room.line.disconnected()
        assert room.handed_over(proved=True) <= room.taken() <= room.handed_over(proved=False)
        assert len(room.handed_over(proved=True)) > len(room.handed_over(proved=False)) / 2


def test_a_reboot_loses_the_programme_and_a_drop_does_not() -> None:
    for kind, left in ((Kind.DROP, True), (Kind.REBOOT, False)):
        room = Meeting("llrp", [Fault(kind, 1.0, 0.5)])
        room.run(2.5)
        rospecs = getattr(room.device, "_rounds")._rospecs  # noqa: B009 - a look inside
        while room.line.tick(room.now, room.story) == []:
            room.now = Instant(room.now + 10_000)
        assert bool(rospecs) == left


@pytest.mark.parametrize("name", READERS)
def test_a_slow_line_carries_less_and_loses_nothing_it_took(name: str) -> None:
    room = Meeting(name, [Fault(Kind.SLOW, 1.0, 3.0)])
    room.run(12.0)
    room.line.disconnected()
    assert room.handed_over(proved=True) <= room.taken()
    assert room.of(RoundEnded)
