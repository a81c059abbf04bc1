"""The configured model of presence, and its memory on the disk."""

import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.agent.model import KEEP_SOON_S, MEMORY, Memory, make_presence
from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock
from edge_agent.config import Config, load_config
from edge_agent.core.presence import Belief
from edge_agent.core.presence.live import Filter
from edge_agent.core.presence.window import Window
from protocols.readers.reads import RoundEnded, TagRead
from protocols.values.ids import epc
from protocols.values.instant import Instant, from_iso, plus

TEXT = """
[device]
id = "ward-01"
fit = 2
[broker]
urls = ["mqtt://127.0.0.1:1883"]
[sync]
unsigned = true
[[reader]]
name = "r1"
kind = "llrp"
url = "tcp://127.0.0.1:5084"
antennas = [1, 2]
door = [3]
next = [4]
[[scanner]]
name = "s1"
url = "serial:scanner"
feedback = "host-beep"
"""
TAG = epc("30340242201D8D4000000001")
AT = from_iso("2026-03-02T16:00:00+08:00")
LOST_BELOW = 0.05


def configured(folder: Path, more: str = "") -> Config:
    path = folder / "edge.toml"
    path.write_text(TEXT + more, "utf-8")
    return load_config(path)


def a_filter(folder: Path) -> Filter:
    made = make_presence(configured(folder, '[presence]\nmodel = "filter"\n'))
    assert isinstance(made, Filter)
    made.book(TAG, True, AT)
    return made


def test_the_window_is_the_model_unless_the_filter_is_asked_for(tmp_path: Path) -> None:
    assert isinstance(make_presence(configured(tmp_path)), Window)
    ward = a_filter(tmp_path).course.ward
    assert (ward.room, ward.door, ward.next) == (("r1:1", "r1:2"), ("r1:3",), ("r1:4",))


def test_the_memory_is_kept_beside_the_ledger_and_taken_up_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = tmp_path / "ledger.db"
    first = a_filter(tmp_path)
    first.tags.minds[0].z = 0.25
    Memory(first, ledger, Voice(Clock())).write()
    again = a_filter(tmp_path)
    Memory(again, ledger, Voice(Clock())).recall()
    assert again.tags.minds[0].z == 0.25
    assert "what was learned of 1 tags" in capsys.readouterr().err


def minutes(live: Filter, at: Instant, count: int, *, here: bool = True, door: bool = False) -> Instant:
    """Let minutes pass in which the shelf hears the piece in every round, or the door in the first one."""
    for turn in range(count * 30):
        at = plus(at, 2)
        for antenna in ([1] if here else []) + ([3] if door and not turn else []):
            live.receive(TagRead(TAG, antenna, -55, at, at), "r1")
        told = live.receive(RoundEnded(at, (1, 2, 3, 4)), "r1")
        if any(isinstance(each, Belief) and each.p < LOST_BELOW for each in told):
            return at
    return at


def test_a_piece_that_the_door_heard_is_missed_although_the_agent_was_killed_two_minutes_later(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    first = a_filter(tmp_path)
    memory = Memory(first, ledger, Voice(Clock()))
    memory.keep(0.0)
    at = minutes(first, AT, 120)
    memory.keep(KEEP_SOON_S)
    assert not (tmp_path / MEMORY).exists(), "nothing happened that could not be learned again"
    at = minutes(first, at, 1, here=False, door=True)
    at = minutes(first, at, 1, here=False)
    memory.keep(KEEP_SOON_S)  # killed after this
    again = a_filter(tmp_path)
    Memory(again, ledger, Voice(Clock())).recall()
    begun = plus(at, 300)
    assert minutes(again, begun, 60, here=False) < plus(begun, 30 * 60)


def test_a_damaged_memory_is_told_and_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / MEMORY).write_bytes(b"damaged")
    fresh = a_filter(tmp_path)
    before = fresh.course.p()
    Memory(fresh, tmp_path / "ledger.db", Voice(Clock())).recall()
    assert fresh.course.p() == before
    assert "learns anew" in capsys.readouterr().err


def test_the_filter_runs_without_numpy() -> None:
    code = "import sys, edge_agent.agent.life, edge_agent.agent.model; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
