"""`wardstock-sim storeroom` and `reader --world`: what is printed, and what goes wrong, is one line."""

import json
from pathlib import Path

import pytest

from hardware_sim import cli
from hardware_sim.storeroom.rates import NAMES
from hardware_sim.storeroom.trace import BINS, BOOK, HAPPENED, META, TRUTH, WORLD


def test_a_trace_is_written_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "trace"
    asked = ["storeroom", "--out", str(folder), "--days", "1", "--tags", "12", "--seed", "4", "--looks", "3"]
    assert cli.start([*asked, "--world", "hard", "--set", "unscanned=0.5", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert {path.name for path in folder.iterdir()} == {META, BINS, BOOK, TRUTH, HAPPENED, WORLD}
    assert (said["folder"], said["bins"], said["seed"]) == (str(folder), 1440, 4)
    meta = json.loads((folder / META).read_text())
    assert meta["world"]["unscanned"] == 0.5
    assert meta["world"]["door_capture"] == 0.5


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--days", "0"], "--days: expected 1..366, got 0"),
        (["--tags", "0"], "--tags: expected 1..20000"),
        (["--world", "mild"], "--world: expected one of nominal, hard, quiet, got 'mild'"),
        (["--set", "unscaned=1"], "such as unscanned"),
        (["--set", "unscanned"], "expected key=number"),
        (["--looks", "2"], "--looks: expected one of 0, 3, 6, got 2"),
        (["--story", "/no/such/file"], "expected a file that can be read, or differences"),
    ],
)
def test_wrong_use_is_one_clear_line_and_leaves_no_folder(
    arguments: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.start(["storeroom", "--out", str(tmp_path / "trace"), *arguments]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
    assert not (tmp_path / "trace").exists()


def test_every_rate_is_told_with_its_bounds(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.start(["storeroom", "--rates", "--world", "hard", "--set", "ghost=0.5"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert len(said) == len(NAMES)
    assert any(line.split()[:3] == ["ghost", "0.5", "0..1"] for line in said)
    assert cli.start(["storeroom", "--rates", "--json"]) == 0
    assert {row["rate"] for row in json.loads(capsys.readouterr().out)} == set(NAMES)


def test_a_trace_needs_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.start(["storeroom"]) == 2
    assert "--out: expected a new or empty folder" in capsys.readouterr().err


def test_a_folder_with_files_in_it_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    assert cli.start(["storeroom", "--out", str(tmp_path), "--days", "1", "--tags", "5"]) == 2
    assert "expected a new or empty folder" in capsys.readouterr().err


def test_a_reader_refuses_a_world_that_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "world.json").write_text('{"form":"wardstock storeroom"}')
    assert cli.start(["reader", "--world", str(tmp_path / "world.json")]) == 1
    assert "world: expected {form, seed, days, tags, rates}" in capsys.readouterr().err


def test_the_help_ends_with_commands_to_copy(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.start(["storeroom", "--help"]) == 0
    assert "wardstock-sim storeroom --out week --days 7" in capsys.readouterr().out.split("Example:\n")[1]
