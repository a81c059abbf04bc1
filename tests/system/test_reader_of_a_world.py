"""A live LLRP reader of a drawn storeroom: our client hears over TCP what stands there in that minute of its days."""

import socket
import time

import pytest

from hardware_sim.clock import Clock, monotonic_ns
from hardware_sim.devices.llrp import LlrpReaderDevice
from hardware_sim.serve import ReaderPort
from hardware_sim.storeroom.live import LiveRoom
from hardware_sim.storeroom.rates import QUIET, from_table
from hardware_sim.storeroom.script import Event, Script
from hardware_sim.storeroom.stock import Where
from hardware_sim.storeroom.ward import START, Plan, draw_ward
from protocols.readers.llrp.requests import LlrpConfig
from protocols.readers.llrp.session import LlrpSession
from protocols.readers.outcomes import Outcome, Send
from protocols.readers.reads import RoundEnded, TagRead
from protocols.values.instant import Instant, StoryTime, from_iso, plus

pytestmark = pytest.mark.needs_linux

LIMIT_S = 20.0
ROUNDS = 40
RATES = from_table({"visits_a_day": 0.0, "ghost": 0.0, "next_share": 0.0, "read_mean": 0.9}, base=QUIET)


def _now() -> Instant:
    return Instant(time.monotonic_ns() // 1000)


def _heard(address: tuple[str, int], antennas: tuple[int, ...]) -> list[Outcome]:
    session = LlrpSession(LlrpConfig(antennas, round_ms=2_000, keepalive_ms=1000))
    heard: list[Outcome] = []
    until = time.monotonic() + LIMIT_S
    with socket.create_connection(address, timeout=LIMIT_S) as link:
        outcomes = session.opened(_now())
        while time.monotonic() < until and sum(isinstance(one, RoundEnded) for one in heard) < ROUNDS:
            link.sendall(b"".join(one.data for one in outcomes if isinstance(one, Send)))
            heard += outcomes
            outcomes = session.receive(link.recv(65_536), _now())
    return heard


@pytest.mark.parametrize(("minute", "stands"), [(10, True), (70, False)])
def test_what_is_heard_is_what_stands_there_in_that_minute(minute: int, stands: bool) -> None:
    ward = draw_ward(Plan(seed=3, days=2, tags=40, rates=RATES, script=Script((Event(60, "take", "gone"),))))
    room = LiveRoom(ward, from_iso(START))
    story = StoryTime(plus(from_iso(START), minute * 60), 60.0, monotonic_ns())
    port = ReaderPort(LlrpReaderDevice(room.inventory, antennas=room.antennas), Clock(story))
    port.start()
    try:
        heard = _heard(("127.0.0.1", port.port), tuple(range(1, room.antennas + 1)))
    finally:
        port.close()
    epcs = {one.epc for one in heard if isinstance(one, TagRead)}
    here = {piece.epc for piece in ward.stock.tags if piece.first == Where.HERE}
    assert epcs <= here
    assert len(epcs) > 0.8 * len(here)
    assert (ward.stock.pieces[ward.cast["gone"]].epc in epcs) == stands
