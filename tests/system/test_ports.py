"""Simulated devices on real ports: a reader on TCP, a scanner on a pseudo-terminal."""

import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from hardware_sim.clock import Clock, monotonic_ns
from hardware_sim.devices.llrp import LlrpReaderDevice
from hardware_sim.devices.scanner import ScannerDevice
from hardware_sim.errors import WrongUse
from hardware_sim.noise import Radio
from hardware_sim.sample.catalogue import read_sample
from hardware_sim.scenario.draw import START, tags_of
from hardware_sim.serve import ReaderPort, ScannerPort
from hardware_sim.world import ANTENNAS, Storeroom
from protocols.readers.llrp.requests import LlrpConfig
from protocols.readers.llrp.session import LlrpSession
from protocols.readers.outcomes import Outcome, Send
from protocols.readers.reads import LinkUp, RoundEnded, TagRead
from protocols.readers.scanner import Beep, ScanFrame, ScannerDecoder
from protocols.values.ids import PlaceId
from protocols.values.instant import Instant, StoryTime

LIMIT_S = 60.0
RATE = 540.0

pytestmark = pytest.mark.needs_linux


def _room() -> Storeroom:
    return Storeroom(PlaceId("ward-01"), tags_of(read_sample(), 1))


@pytest.fixture
def port() -> Iterator[ReaderPort]:
    radio = Radio(_room(), random.Random(1))
    port = ReaderPort(LlrpReaderDevice(radio.inventory), Clock(StoryTime(START, RATE, monotonic_ns())))
    port.start()
    yield port
    port.close()


def _now() -> Instant:
    return Instant(time.monotonic_ns() // 1000)


def _heard_until(port: ReaderPort, rounds: int) -> list[Outcome]:
    return _rounds_of(("127.0.0.1", port.port), LlrpConfig(ANTENNAS, round_ms=60_000, keepalive_ms=1000), rounds)


def _rounds_of(address: tuple[str, int], config: LlrpConfig, rounds: int) -> list[Outcome]:
    session = LlrpSession(config)
    heard: list[Outcome] = []
    until = time.monotonic() + LIMIT_S
    with socket.create_connection(address, timeout=LIMIT_S) as link:
        outcomes = session.opened(_now())
        while time.monotonic() < until and sum(isinstance(one, RoundEnded) for one in heard) < rounds:
            link.sendall(b"".join(one.data for one in outcomes if isinstance(one, Send)))
            heard += outcomes
            outcomes = session.receive(link.recv(65_536), _now())
    return heard


def test_a_reader_on_tcp_delivers_rounds_of_the_story(port: ReaderPort) -> None:
    heard = _heard_until(port, rounds=5)
    rounds = [one for one in heard if isinstance(one, RoundEnded)]
    assert any(isinstance(one, LinkUp) for one in heard)
    assert len({one.epc for one in heard if isinstance(one, TagRead)}) == len(_room().tags)
    assert [later.at - earlier.at for earlier, later in pairwise(rounds)] == [60_000_000] * 4


def test_a_reader_takes_its_next_client_and_turns_a_second_away(port: ReaderPort) -> None:
    with socket.create_connection(("127.0.0.1", port.port), timeout=LIMIT_S) as first:
        assert first.recv(64)
        with socket.create_connection(("127.0.0.1", port.port), timeout=LIMIT_S) as second:
            assert second.recv(64)
            assert second.recv(64) == b""
    assert [one for one in _heard_until(port, rounds=1) if isinstance(one, RoundEnded)]


def test_a_port_in_use_is_one_clear_line(port: ReaderPort) -> None:
    with pytest.raises(WrongUse, match="expected a free port"):
        ReaderPort(LlrpReaderDevice(lambda _at, _antennas: ()), Clock(StoryTime(START, 1, 0)), port=port.port)


def _answer_one(link: Path, beep: Beep, heard: list[object]) -> threading.Thread:
    """Be a host for one scan."""

    def answer() -> None:
        host = os.open(link, os.O_RDWR | os.O_NOCTTY)
        heard.extend(ScannerDecoder().receive(os.read(host, 100)))
        os.write(host, beep.wire)
        os.close(host)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    return thread


def test_a_scanner_sends_without_echo_hears_its_answer_and_outlives_its_host(tmp_path: Path) -> None:
    link = tmp_path / "ward-01.pty"
    scanner = ScannerPort(ScannerDevice(), link)
    for beep in (Beep.OK, Beep.NO):
        heard: list[object] = []
        host = _answer_one(link, beep, heard)
        assert scanner.scan("a label", wait_s=LIMIT_S) is beep
        host.join(LIMIT_S)
        assert heard == [ScanFrame("a label")]
    assert scanner.scan("nobody listens", wait_s=0.1) is None
    scanner.close()
    assert not link.is_symlink()


def test_the_reader_command_says_where_it_listens_and_reads_at_its_rate() -> None:
    command = [
        str(Path(sys.executable).parent / "wardstock-sim"),
        "reader",
        "--port",
        "0",
        "--tags",
        "20",
        "--rate",
        "500",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            host, _, number = process.stdout.readline().removeprefix("listening ").strip().rpartition(":")
            heard = _rounds_of((host, int(number)), LlrpConfig(ANTENNAS, round_ms=200, keepalive_ms=1000), rounds=6)
        finally:
            process.terminate()
        assert process.wait(LIMIT_S) == 0
    reads = [one for one in heard if isinstance(one, TagRead)]
    assert len({one.epc for one in reads}) == 20
    assert len(reads) >= 4 * 90
