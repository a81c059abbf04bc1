from pathlib import Path

import pytest

from central.config import read_config
from central.errors import BadConfig
from protocols.values.instant import from_iso

LEAST = '[broker]\nurls = ["mqtt://127.0.0.1:1883"]\n'


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "central.toml"
    path.write_text(text, "utf-8")
    return path


def test_only_the_broker_must_be_named(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, LEAST))
    assert (config.hospital_id, config.http.host, config.http.port, config.policy.reorder) == (
        "main",
        "127.0.0.1",
        0,
        "3x",
    )
    assert config.sync.unsigned is False
    assert config.story() is None


def test_a_story_clock_is_read_with_the_instant_from_which_it_runs_at_rate_one(tmp_path: Path) -> None:
    clock = (
        '[clock]\nstart = "2026-03-02T16:00:00+08:00"\nrate = 540.0\nsince_monotonic_ns = 5\n'
        'real_from = "2026-03-03T02:30:00+08:00"\n'
    )
    story = read_config(written(tmp_path, LEAST + clock)).story()
    assert story is not None
    assert (story.rate, story.real_from) == (540, from_iso("2026-03-03T02:30:00+08:00"))


def test_every_fault_is_told_at_once_by_its_key(tmp_path: Path) -> None:
    text = """
[hospital]
id = "Main X"
[clock]
start = "2026-03-02"
rate = 0
[http]
host = "0.0.0.0"
port = "x"
[policy]
reorder = "4x"
[jobbs]
reconcile_s = 1
[broker]
urls = ["http://127.0.0.1"]
"""
    with pytest.raises(BadConfig) as caught:
        read_config(written(tmp_path, text))
    assert caught.value.faults == (
        "[broker] urls.0: expected mqtt://HOST:PORT or mqtts://HOST:PORT, got 'http://127.0.0.1'",
        "[hospital] id: expected a lower-case name such as 'main', got 'Main X'",
        "[clock] start: expected ISO 8601 with a zone, got '2026-03-02'",
        "[clock] rate: expected greater than 0, got 0",
        "[clock] since_monotonic_ns: expected a value, got none",
        "[http] host: expected one of 127.0.0.1, localhost until there are people and rights, got '0.0.0.0'",
        "[http] port: expected a valid integer, got 'x'",
        "[policy] reorder: expected one of 3x, 3x-literal, got '4x'",
        "[jobbs]: expected a known key, got this; check the spelling",
    )


def test_a_story_that_is_over_before_it_starts_is_a_fault_of_the_clock(tmp_path: Path) -> None:
    clock = (
        '[clock]\nstart = "2026-03-02T16:00:00+08:00"\nrate = 1.0\nsince_monotonic_ns = 5\n'
        'real_from = "2026-03-01T02:30:00+08:00"\n'
    )
    with pytest.raises(BadConfig) as caught:
        read_config(written(tmp_path, LEAST + clock))
    (said,) = caught.value.faults
    assert said.startswith("[clock]: clock real_from: expected not before the start, got 2026-03-01")


def test_a_file_that_is_not_there_or_is_no_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="readable file"):
        read_config(tmp_path / "nothing.toml")
    with pytest.raises(BadConfig, match="expected TOML"):
        read_config(written(tmp_path, "[broker\n"))
