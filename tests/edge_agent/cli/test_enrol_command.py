"""`wardstock-edge enrol` against a real central: what it says when ticket, device or hospital are others."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.cli.tools import call
from protocols.sync.enrolment import write_ticket
from tests.central.services.fleet import ADMIN, OTHER
from tests.edge_agent.enrolling import Central, serving

CONFIG = """
[device]
id = "ward-01"
fit = 1
[[scanner]]
name = "s1"
url = "serial:scanner"
feedback = "host-beep"
"""


@pytest.fixture
def central(tmp_path: Path) -> Iterator[Central]:
    with serving(tmp_path / "central") as central:
        yield central


def enrol(tmp_path: Path, *words: str, config: str = CONFIG) -> int:
    path = tmp_path / "edge.toml"
    path.write_text(config)
    return call(["enrol", "--config", str(path), *words])


def test_a_device_is_enrolled_by_the_tickets_text(
    central: Central, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = write_ticket(central.ticket())
    assert enrol(tmp_path, text, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["device"], told["shard"], told["brokers"]) == ("ward-01", 165, ["mqtts://localhost:8883"])
    assert call(["status", "--config", str(tmp_path / "edge.toml")]) == 1  # no ledger yet; it says so
    assert "Traceback" not in capsys.readouterr().err


def test_asked_wrongly_it_says_what_it_expected(
    central: Central, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = write_ticket(central.ticket())
    others = write_ticket(central.fleet.devices.ticket(ADMIN, OTHER, 30))
    elsewhere = CONFIG.replace('id = "ward-01"', 'id = "ward-01"\nhospital = "other"')
    wrong = [
        ((others,), CONFIG, 2, "expected one for ward-01"),
        (("hello",), CONFIG, 2, "expected WARDSTOCK-1/HOST:PORT"),
        ((), CONFIG, 2, "got neither"),
        ((good, "--scan", "s1"), CONFIG, 2, "got both"),
        (("--scan", "s9"), CONFIG, 2, "expected one of the scanners s1, got 's9'"),
        ((good,), elsewhere, 2, "device.hospital: expected main"),
    ]
    for words, config, status, said in wrong:
        assert enrol(tmp_path, *words, config=config) == status
        assert said in capsys.readouterr().err
    assert not (tmp_path / "keys" / "enrolment.json").exists()
    assert enrol(tmp_path, good) == 0  # the same ticket with the same key, once all is right


def test_where_central_is_away_it_says_where_it_asked(
    central: Central, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = write_ticket(central.ticket())
    central.server.stop()
    assert enrol(tmp_path, text) == 1
    assert f"central does not answer at localhost:{central.port}" in capsys.readouterr().err
