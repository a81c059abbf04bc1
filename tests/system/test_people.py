"""A person at a real pseudo-terminal: what is taken, what is left, and what is logged, whatever the host answers."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hardware_sim.clock import Clock, monotonic_ns
from hardware_sim.devices.scanner import ScannerDevice
from hardware_sim.evidence.truth import Beep as Logged
from hardware_sim.evidence.truth import beeps_path, read_beeps
from hardware_sim.sample.catalogue import read_sample
from hardware_sim.scenario.draw import START, tags_of
from hardware_sim.scenario.plan import Visit, Ward
from hardware_sim.serve import ScannerPort
from hardware_sim.story.person import People
from hardware_sim.world import Storeroom
from protocols.readers.scanner import Beep, ScanFrame, ScannerDecoder
from protocols.values.ids import PlaceId, actor_id
from protocols.values.instant import StoryTime

WARD = PlaceId("ward-01")
LIMIT_S = 60.0
PATIENCE_S = 2.0
"""How long the person waits for a beep: the host's thread answers sooner on a machine that does much else too."""

pytestmark = pytest.mark.needs_linux

Script = list[Beep | None]
"""The host's answers in order; None is silence. After the script it is silent."""


@contextmanager
def host(link: Path, script: Script) -> Iterator[list[str]]:
    """Answer scans as the script says, and note what was scanned."""
    scanned: list[str] = []
    port = os.open(link, os.O_RDWR | os.O_NOCTTY)

    def answer() -> None:
        decoder, left = ScannerDecoder(), list(script)
        while left:
            for frame in decoder.receive(os.read(port, 1024)):
                assert isinstance(frame, ScanFrame)
                scanned.append(frame.text)
                beep = left.pop(0) if left else None
                if beep is not None:
                    os.write(port, beep.wire)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    yield scanned
    thread.join(LIMIT_S)
    os.close(port)


def visit(tmp_path: Path, script: Script) -> tuple[Storeroom, list[Logged], list[str]]:
    """Let one person visit for one piece, against a host that follows a script."""
    room = Storeroom(WARD, tags_of(read_sample(), 1))
    epc = next(iter(room.tags))
    log = beeps_path(tmp_path, WARD)
    log.parent.mkdir(parents=True)
    scanner = ScannerPort(ScannerDevice(), tmp_path / "pty")
    ward = Ward(WARD, "icu", "", "", tuple(room.tags.values()), (Visit(START, actor_id("N0101"), (epc,)),))
    clock = Clock(StoryTime(START, 1.0, monotonic_ns()))
    people = People(
        ward,
        room=room,
        scanner=scanner,
        clock=clock,
        log=log,
        tell=lambda _name, **_values: None,
        patience_s=PATIENCE_S,
    )
    with host(tmp_path / "pty", script) as scanned:
        people.start()
        until = time.monotonic() + LIMIT_S
        while not people.done and time.monotonic() < until:
            time.sleep(0.02)
        assert people.done
    scanner.close()
    return room, read_beeps(tmp_path, WARD), scanned


def test_a_piece_is_taken_after_its_beep(tmp_path: Path) -> None:
    room, beeps, _ = visit(tmp_path, [Beep.OK, Beep.OK])
    assert [(move.why, move.actor) for move in room.moves] == [("scanned", "N0101")]
    assert [(beep.what, beep.answer) for beep in beeps] == [("badge", "ok"), ("item", "ok")]
    assert beeps[-1].at <= room.moves[0].at


def test_without_a_beep_a_person_scans_again(tmp_path: Path) -> None:
    room, beeps, scanned = visit(tmp_path, [Beep.OK, None, None, Beep.OK])
    assert [beep.answer for beep in beeps] == ["ok", "none", "none", "ok"]
    assert scanned[1] == scanned[2] == scanned[3]
    assert [move.why for move in room.moves] == ["scanned"]


def test_what_was_booked_before_the_answer_got_lost_is_taken_as_answered(tmp_path: Path) -> None:
    room, beeps, _ = visit(tmp_path, [Beep.OK, None, Beep.NO, Beep.OK, Beep.NO])
    assert [(beep.what, beep.answer) for beep in beeps[1:]] == [
        ("item", "none"), ("item", "no"), ("badge", "ok"), ("item", "no"),
    ]  # fmt: skip
    assert [move.why for move in room.moves] == ["answered"]


def test_a_piece_that_is_refused_without_any_silence_stays_on_the_shelf(tmp_path: Path) -> None:
    room, _, _ = visit(tmp_path, [Beep.OK, Beep.NO, Beep.OK, Beep.NO])
    assert room.moves == ()


def test_a_visit_the_host_forgot_is_begun_again(tmp_path: Path) -> None:
    room, _, _ = visit(tmp_path, [Beep.OK, Beep.NO, Beep.OK, Beep.OK])
    assert [move.why for move in room.moves] == ["scanned"]
