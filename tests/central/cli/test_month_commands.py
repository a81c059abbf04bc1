"""`wardstock-central month` on a store of its own."""

import csv
import json
import time
from pathlib import Path

import pytest

from central.bootstrap.parts import migrate_store, store_of
from central.cli import start
from central.clock import Clock
from central.config import Config, read_config
from central.services.imports import import_folder
from protocols.values.instant import StoryTime
from tests.central.hospital import FILES, HOSPITAL, START, write_files


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "central.toml"
    text = '[store]\nurl = "sqlite:///central.db"\n[broker]\nurls = ["mqtt://127.0.0.1:1"]\n'
    clock = f'[clock]\nstart = "2026-04-02T09:00:00+08:00"\nrate = 1.0\nsince_monotonic_ns = {time.monotonic_ns()}\n'
    path.write_text(text + clock + "[sync]\nunsigned = true\n", "utf-8")
    loaded: Config = read_config(path)
    migrate_store(loaded)
    with store_of(loaded) as store:
        import_folder(store, HOSPITAL, write_files(tmp_path / "files", FILES), Clock(StoryTime(START, 1e-9, 0)))
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = start(list(arguments))
    said = capsys.readouterr()
    return status, said.out, said.err


def test_a_month_is_shown_closed_once_and_its_entries_taken_out(
    config: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    at = ("--config", str(config))
    assert json.loads(run(capsys, "month", "list", *at, "--json")[1])["months"][-1] == {
        "month": "2026-03", "closed": False, "value": None,
    }  # fmt: skip
    told = json.loads(run(capsys, "month", "show", "2026-03", *at, "--json")[1])
    assert told["places"]["main-store"]["closing"] == "425.00", "500 swabs at 0.85"
    status, said, _ = run(capsys, "month", "close", "2026-03", *at)
    assert (status, said) == (0, "2026-03 is closed with 1 value lines; 0 settlements were made\n")
    status, _, fault = run(capsys, "month", "close", "2026-03", *at)
    assert status == 1
    assert "expected 2026-04, the first that is open" in fault
    out = tmp_path / "entries.csv"
    assert run(capsys, "month", "entries", "2026-03", *at, "--out", str(out))[1] == "1 entries of 2026-03\n"
    rows = list(csv.DictReader(out.read_text("utf-8").splitlines()))
    assert [(one["role"], one["debit"], one["credit"]) for one in rows] == [
        ("stock", "425.00", "0.00"),
        ("opening", "0.00", "425.00"),
    ]
    assert run(capsys, "month", "entries", "2026-03", *at, "--out", "x.doc")[0] == 2
    assert "2026-13" in run(capsys, "month", "show", "2026-13", *at)[2]
