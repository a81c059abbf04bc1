"""The tap holds whole lines, goes on where it ended, and never takes more than its limit."""

import io
import json
from pathlib import Path

import pytest

from edge_agent.agent.tap import Tap, open_tap
from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock
from edge_agent.errors import BadConfig
from protocols.readers.reads import TagRead
from protocols.values.ids import epc
from protocols.values.instant import plus
from tests.edge_agent.conftest import START

READ = TagRead(epc("30340242201D8D4000000001"), 2, None, START, plus(START, 1), 7)


def voice() -> Voice:
    return Voice(Clock(), io.StringIO())


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_read_is_one_line_with_everything_the_reader_said(tmp_path: Path) -> None:
    tap = open_tap(tmp_path / "tap", voice())
    tap.hear("r1", READ)
    assert lines(tmp_path / "tap") == []
    tap.close()
    assert lines(tmp_path / "tap") == [
        {
            "epc": "30340242201D8D4000000001",
            "antenna": 2,
            "reader": "r1",
            "first_seen": START,
            "last_seen": START + 1_000_000,
            "count": 7,
            "rssi_dbm": None,
        }
    ]


def test_a_tap_goes_on_after_a_line_that_was_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "tap"
    path.write_bytes(b'{"epc":"30')
    tap = open_tap(path, voice())
    tap.hear("r1", READ)
    tap.close()
    cut, whole = path.read_bytes().splitlines()
    assert (cut, json.loads(whole)["reader"]) == (b'{"epc":"30', "r1")


def test_a_tap_that_is_full_begins_anew_and_keeps_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "tap"
    tap = Tap(path, voice(), bytes_max=1_000)
    for _ in range(100):
        tap.hear("r1", READ)
        tap.flush()
    tap.close()
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["tap", "tap.1"]
    assert all(0 < file.stat().st_size <= 1_000 for file in files)
    assert all(each["epc"] == READ.epc for file in files for each in lines(file))


def test_a_tap_nobody_may_write_is_a_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"--tap .*: expected a file one may write"):
        open_tap(tmp_path / "no" / "tap", voice())
