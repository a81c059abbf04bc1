"""The command line: what goes wrong is one line and a status, never a traceback."""

import json
from pathlib import Path

import pytest

from hardware_sim import cli
from hardware_sim.errors import PartFailed


def test_the_sample_is_written_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "sample"
    assert cli.start(["sample", str(folder), "--wards", "3", "--until", "2026-05-01", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["folder"] == str(folder)
    assert set(said["files"]) == {path.name for path in folder.iterdir()}
    assert "2026-04-30" in (folder / "use.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["sample", "/proc/nothing"], 2, "expected a folder that can be made"),
        (["sample", "x", "--until", "soon"], 2, "--until: expected a day such as 2026-03-02, got soon"),
        (["demo", "--seed", "abc"], 2, "--seed: expected a whole number, got abc; see wardstock-sim demo --help"),
        (["demo", "--hours", "long"], 2, "--hours: expected a number, got long"),
        (["demo", "--lang", "fr"], 2, "--lang: expected one of 'en', 'zh', got fr"),
        (["reader", "--port", "99999"], 2, "--port: expected less than or equal to 65535, got 99999"),
        (["reader", "--nothing"], 2, "No such option: --nothing; see wardstock-sim reader --help"),
        (["demo", "--wards", "0"], 2, "wards: expected 1..32, got 0"),
        (["demo", "--hours", "1"], 2, "hours: expected 4..24, got 1"),
        (["demo", "--json", "x.json"], 2, "expected together with --exit"),
        (["reader", "--port", "0", "--tags", "0"], 2, "--tags: expected 1..100000, got 0"),
        (["reader", "--port", "0", "--rate", "0"], 2, "--rate: expected more than 0 and at most 100000"),
        (["reader", "--port", "0", "--world", "/no/such/file"], 2, "expected a file that can be read"),
        (["no-such-command"], 2, "No such command"),
    ],
)
def test_wrong_use_is_one_clear_line(
    arguments: list[str], status: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.start(arguments) == status
    said = capsys.readouterr().err
    assert says in said
    assert "Traceback" not in said


@pytest.mark.parametrize("command", ["", "demo", "reader", "sample"])
def test_every_help_ends_with_commands_to_copy_on_lines_of_their_own(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert cli.start([*command.split(), "--help"]) == 0
    commands = capsys.readouterr().out.split("Example:\n")[1].splitlines()
    assert all(f"wardstock-sim {command}" in line for line in commands if line.strip())


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.start([]) == 2
    assert "Example:" in capsys.readouterr().out


def test_an_intruder_among_the_packages_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "PACKAGES", ("hardware_sim", "json"))
    with pytest.raises(PartFailed, match="package json: expected it in"):
        cli.check_packages()
