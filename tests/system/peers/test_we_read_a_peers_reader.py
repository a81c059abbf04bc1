"""Our session on llrpkit's reader emulator over TCP: a reader that breaks some rules of real ones is still read.

It refuses ROSpec 0, answers ENABLE_EVENTS_AND_REPORTS with an error, knows no message of LLRP 1.1,
transmits where the FCC allows it, and starts nothing by itself.
"""

import re
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest

from hardware_sim.demo.brokers import free_port
from protocols.readers.llrp.memory import ReaderMemory
from protocols.readers.llrp.requests import LlrpConfig
from protocols.readers.llrp.session import LlrpSession
from protocols.readers.outcomes import Close, Outcome, Send
from protocols.readers.radio import Radio
from protocols.readers.reads import BadFrame, LinkUp, TagRead
from protocols.values.instant import Instant
from tests.system.peers.environments import LLRPKIT

pytestmark = pytest.mark.needs_peers

LIMIT_S = 30.0
TAGS = 12
CONNECTIONS_MAX = 3
RADIO = Radio(region="", powers_dbm=((1, 30.0), (2, 30.0), (3, 30.0), (4, 30.0)), session=1, population=16)
CONFIG = LlrpConfig(antennas=(1, 2, 3, 4), keepalive_ms=1000, reader_starts=False, radio=RADIO)


@pytest.fixture
def port() -> Iterator[int]:
    number = free_port()
    command = [str(LLRPKIT.program("llrpkit")), "emulate", "--port", str(number), "--tags", str(TAGS), "--rate", "200"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as emulator:
        assert emulator.stdout is not None
        assert re.search(str(number), emulator.stdout.readline())
        yield number
        emulator.terminate()


def _now() -> Instant:
    return Instant(time.monotonic_ns() // 1000)


def _connect(port: int) -> socket.socket:
    until = time.monotonic() + LIMIT_S
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S)
        except ConnectionRefusedError:
            assert time.monotonic() < until
            time.sleep(0.05)


def _talk(port: int, memory: ReaderMemory, whole: int) -> list[Outcome]:
    """Hold one connection until so many tags were read, or it ends."""
    session = LlrpSession(CONFIG, memory)
    heard: list[Outcome] = []
    epcs: set[str] = set()
    until = time.monotonic() + LIMIT_S
    with _connect(port) as link:
        outcomes = session.opened(_now())
        while time.monotonic() < until and len(epcs) < whole:
            link.sendall(b"".join(each.data for each in outcomes if isinstance(each, Send)))
            heard += outcomes
            epcs |= {each.epc for each in outcomes if isinstance(each, TagRead)}
            if any(isinstance(each, Close) for each in outcomes):
                break
            data = link.recv(65_536)
            if not data:
                return heard + session.closed("the emulator closed")
            outcomes = session.receive(data, _now())
    return heard


def test_our_session_reads_all_tags_of_llrpkits_emulator(port: int) -> None:
    memory = ReaderMemory()
    heard: list[Outcome] = []
    for _ in range(CONNECTIONS_MAX):
        heard = _talk(port, memory, TAGS)
        if any(isinstance(each, LinkUp) for each in heard):
            break
    reads = [each for each in heard if isinstance(each, TagRead)]
    assert {each.epc for each in reads} == {f"E2000017010B01621000{each:04X}" for each in range(TAGS)}
    assert {each.antenna for each in reads} == {1, 2, 3, 4}
    assert not [each for each in heard if isinstance(each, BadFrame)]
