"""`wardstock-sim hospital` on real programs: many wards through a broker into central, every entry acknowledged."""

import json
from pathlib import Path

import pytest

from hardware_sim import cli


@pytest.mark.needs_linux
@pytest.mark.slow
@pytest.mark.parametrize("broker", ["amqtt", pytest.param("mosquitto", marks=pytest.mark.needs_mosquitto)])
def test_a_backlog_of_many_wards_drains_into_a_central_that_verifies(
    broker: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["hospital", "--wards", "12", "--days", "2", "--tags", "20", "--speed", "0", "--broker", broker, "--json"]
    assert cli.start([*asked, "--state", str(tmp_path / "state")]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["acknowledged"] == said["entries"] > 1000
    assert (said["waiting"], said["verified"], said["quarantined"], said["refused"]) == (0, True, 0, [])
    assert (said["signed"], said["unbelieved"]) == (True, 0)
    assert said["bytes_an_entry"] < 60


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--wards", "0"], 2, "--wards: expected 1..2000, got 0"),
        (["--broker", "mqtt://127.0.0.1:1"], 1, "broker mqtt://127.0.0.1:1: expected to be let in"),
    ],
)
def test_a_load_that_cannot_be_is_one_clear_line(
    arguments: list[str], status: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.start(["hospital", *arguments]) == status
    assert says in capsys.readouterr().err


def test_what_central_must_know_first_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.start(["hospital", "--wards", "40", "--places", str(tmp_path / "first")]) == 0
    assert "wardstock-central import" in capsys.readouterr().out
    places = (tmp_path / "first" / "places.csv").read_text(encoding="utf-8").splitlines()
    assert len(places) == 42
    assert places[-1].endswith("main-store,ward-40")
