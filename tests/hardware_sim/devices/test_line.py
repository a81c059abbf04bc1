"""Every device and every fault: both ends survive, and the delivery log and the listener agree. Common to all kinds."""

import random

import pytest

from hardware_sim.devices.card import CardReaderDevice
from hardware_sim.devices.deliveries import Deliveries
from hardware_sim.devices.device import Device
from hardware_sim.devices.faults import LASTS_S, Fault, Kind, draw_faults
from hardware_sim.devices.framing import FRAMINGS
from hardware_sim.devices.line import Abandon, Close, Line, Resume, Unplug, Write
from hardware_sim.devices.printer import PrinterDevice
from hardware_sim.devices.registry import DEVICES
from hardware_sim.devices.scanner import ScannerDevice
from protocols.readers.reads import BadFrame, LinkUp, RoundEnded
from protocols.readers.scanner import frame_scan
from protocols.values.instant import Instant, plus
from tests.hardware_sim.devices.meeting import LINK0, READERS, Meeting, make_device

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


def test_a_device_that_stands_still_greets_a_client_when_it_goes_on() -> None:
    line = Line(make_device("llrp"), FRAMINGS["llrp"], Deliveries("llrp"), iter([Fault(Kind.STALL, 0.0, 3.0)]))
    line.tick(LINK0, LINK0)
    assert line.connected(LINK0, LINK0)
    still = plus(LINK0, 2.5)
    line.tick(still, still)
    line.disconnected()
    assert line.connected(still, still) == []
    assert line.tick(still, still) == []
    on = plus(LINK0, 5.6)
    assert any(isinstance(each, Write) for each in line.tick(on, on) + line.tick(on, on))


TALKERS = sorted(set(DEVICES) - set(READERS))
"""Devices that are asked, or scan: whoever is beside them tries again until the answer is there."""


def said_by(name: str) -> tuple[Device, bytes]:
    """Return a device, and what a person makes it say; nothing where it is asked."""
    if name == "printer":
        return PrinterDevice(), b""
    if name == "card":
        return CardReaderDevice(), CardReaderDevice().present("A1B2C3D4")
    return ScannerDevice(), frame_scan("label")


def talk(name: str, kind: Kind, seed: int) -> tuple[Line, bytes]:
    """Let a device and its host live through a fault; returns the line, and what the host heard long after it."""
    device, says = said_by(name)
    line = Line(device, FRAMINGS[name], Deliveries(name), iter([Fault(kind, 1.0, LASTS_S[kind])]), random.Random(seed))
    heard, now, there, plugged = b"", LINK0, False, True
    for step in range(1_500):
        now = plus(now, 0.02)
        acts = line.tick(now, now)
        if plugged and not there:
            there = True
            acts += line.connected(now, now)
        if there and step % 10 == 0:
            acts += line.receive(b"~HS", now, now) if says == b"" else line.say(says, now, now)
        for act in acts:
            heard += act.data if isinstance(act, Write) and step >= 1_400 else b""
            there = there and not isinstance(act, Close | Abandon | Unplug)
            plugged = (plugged or isinstance(act, Resume)) and not isinstance(act, Abandon | Unplug)
    return line, heard


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("name", TALKERS)
def test_a_device_that_is_asked_answers_again_after_a_fault(name: str, kind: Kind) -> None:
    for seed in range(3):
        line, heard = talk(name, kind, seed)
        assert heard
        if name == "printer":
            assert heard.startswith(b"\x02030,")
            assert heard.count(b"\r\n") == 30
        else:
            assert heard == said_by(name)[1] * 10
        assert line.log.fired == ({} if kind is Kind.BURST else {kind: 1})


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
