"""A reader is recorded between itself and its host, and played again: the host reads the same tags a second time."""

import os
import select
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hardware_sim.clock import Clock, real_time
from hardware_sim.devices.device import Heard
from hardware_sim.devices.faults import Fault, Kind
from hardware_sim.devices.llrp import LlrpReaderDevice
from hardware_sim.devices.m100 import M100Device
from hardware_sim.devices.replay import read_recording
from hardware_sim.errors import WrongUse
from hardware_sim.ndjson import NdjsonFile
from hardware_sim.rack import Faults, Place, hang_replay
from hardware_sim.recorder import SerialRecorder, Source, Tape, TcpRecorder, source_of
from hardware_sim.serve import ModulePort, ReaderPort
from protocols.readers.llrp.requests import LlrpConfig
from protocols.readers.llrp.session import LlrpSession
from protocols.readers.m100.session import M100Session
from protocols.readers.outcomes import Close, Outcome, Send
from protocols.readers.reads import RoundEnded, TagRead
from protocols.readers.use import ReaderSession, ReaderUse
from protocols.values.instant import Instant

LIMIT_S = 60.0
ROUNDS = 3

pytestmark = pytest.mark.needs_linux


def shelf(at: Instant, antennas: tuple[int, ...]) -> list[Heard]:
    del at
    return [(f"3034{each:020X}", each, -50, 1) for each in antennas]


def converse(end: int, session: ReaderSession, rounds: int = ROUNDS) -> list[Outcome]:
    """Let a session live on an open descriptor until it has its rounds."""
    heard: list[Outcome] = []
    until = time.monotonic() + LIMIT_S

    def take(outcomes: list[Outcome]) -> None:
        for each in outcomes:
            heard.append(each)
            if isinstance(each, Send):
                os.write(end, each.data)

    take(list(session.opened(_now())))
    while sum(isinstance(each, RoundEnded) for each in heard) < rounds:
        assert time.monotonic() < until, heard
        assert not any(isinstance(each, Close) for each in heard), heard
        if select.select([end], [], [], 0.02)[0]:
            take(list(session.receive(os.read(end, 65_536), _now())))
        take(list(session.tick(_now())))
    return heard


def _now() -> Instant:
    return Instant(time.monotonic_ns() // 1000)


def tags(heard: list[Outcome]) -> set[tuple[str, int]]:
    return {(each.epc, each.antenna) for each in heard if isinstance(each, TagRead)}


def over_tcp(where: str, session: ReaderSession) -> list[Outcome]:
    host, _, port = where.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=LIMIT_S) as link:
        return converse(link.fileno(), session)


def over_port(link: Path, session: ReaderSession) -> list[Outcome]:
    end = os.open(link, os.O_RDWR | os.O_NOCTTY)
    try:
        return converse(end, session)
    finally:
        os.close(end)


def recorded(run: Callable[[threading.Event], None], talk: Callable[[], list[Outcome]]) -> list[Outcome]:
    ended = threading.Event()
    thread = threading.Thread(target=run, args=(ended,))
    thread.start()
    try:
        return talk()
    finally:
        ended.set()
        thread.join(LIMIT_S)


def llrp_session(first_id: int = 0) -> LlrpSession:
    session = LlrpSession(LlrpConfig((1, 2), round_ms=200, keepalive_ms=1_000))
    session._last_id = first_id
    return session


def test_an_llrp_reader_is_recorded_and_played_to_a_host_that_counts_otherwise(tmp_path: Path) -> None:
    reader = ReaderPort(LlrpReaderDevice(shelf), Clock(real_time()))
    reader.start()
    book = NdjsonFile(tmp_path / "tape")
    recorder = TcpRecorder(("127.0.0.1", reader.port), 0, Tape(book))
    first = recorded(recorder.run, lambda: over_tcp(recorder.where, llrp_session()))
    reader.close()
    book.close()
    assert tags(first) == {(f"3034{each:020X}", each) for each in (1, 2)}

    pieces = read_recording((tmp_path / "tape").read_bytes())
    assert [each.way for each in pieces[:2]] == ["joined", "reader"]
    again = hang_replay("llrp", pieces, Place(), Clock(real_time()), faults=Faults())
    again.start()
    second = over_tcp(again.where, llrp_session(first_id=700))
    again.close()
    reads = [each for each in second if isinstance(each, TagRead)]
    assert reads == [each for each in first if isinstance(each, TagRead)][: len(reads)]
    assert tags(second) == tags(first)


def test_a_serial_module_is_recorded_and_played(tmp_path: Path) -> None:
    real, between = tmp_path / "real", tmp_path / "between"
    module = ModulePort(M100Device(shelf), Clock(real_time()), real)
    module.start()
    book = NdjsonFile(tmp_path / "tape")
    recorder = SerialRecorder(Source(None, real), between, Tape(book))
    use = ReaderUse(round_s=0.3, keepalive_s=1.0)
    first = recorded(recorder.run, lambda: over_port(between, M100Session(use)))
    module.close()
    book.close()
    assert not between.is_symlink()

    pieces = read_recording((tmp_path / "tape").read_bytes())
    again = hang_replay("m100", pieces, Place(link=tmp_path / "again"), Clock(real_time()), faults=Faults())
    again.start()
    second = over_port(tmp_path / "again", M100Session(use))
    again.close()
    assert tags(second) == tags(first) == {(f"3034{1:020X}", 1)}


def test_a_recording_suffers_faults_like_any_device(tmp_path: Path) -> None:
    (tmp_path / "tape").write_text('{"at":0,"way":"joined"}\n{"at":5,"way":"reader","hex":"0102"}\n')
    pieces = read_recording((tmp_path / "tape").read_bytes())
    faults = Faults(said=[Fault(Kind.DROP, 0.0, 0.0)])
    port = hang_replay("m100", pieces, Place(), Clock(real_time()), faults=faults)
    port.start()
    host, _, number = port.where.rpartition(":")
    with socket.create_connection((host, int(number)), timeout=LIMIT_S) as link:
        assert link.recv(10) == b"\x01\x02"
        assert link.recv(10) == b""
    port.close()


@pytest.mark.parametrize("text", ["", "tcp://host", "udp://h:1", "serial:", "tcp://h:99999"])
def test_a_source_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(WrongUse, match="--from"):
        source_of(text, 115_200)
    with pytest.raises(WrongUse, match="--from"):
        source_of("serial:/dev/ttyUSB0", 12_345)
