"""The configured model of presence, and its memory on the disk."""

import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.agent.model import MEMORY, Memory, make_presence
from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock
from edge_agent.config import Config, load_config
from edge_agent.core.presence.live import Filter
from edge_agent.core.presence.window import Window
from protocols.values.ids import epc
from protocols.values.instant import from_iso

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
