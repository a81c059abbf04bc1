"""The commands that let devices in: keys, tickets, codes, brokers' files, and what they say asked wrongly."""

import json
from pathlib import Path

import pytest

from central.cli import start
from protocols.sync.enrolment import read_ticket
from tests.central.hospital import FILES, write_files

CONFIG = """
[broker]
urls = ["mqtts://broker.lan:8883"]
[enrolment]
port = 8443
names = ["central.lan"]
"""


@pytest.fixture
def config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    path = tmp_path / "central.toml"
    path.write_text(CONFIG, "utf-8")
    write_files(tmp_path / "sample", FILES)
    for command in (["keys", "init", "--root", str(tmp_path / "medium")], ["migrate"], ["import"]):
        more = [str(tmp_path / "sample")] if command == ["import"] else []
        assert start([*command, "--config", str(path), *more]) == 0
    capsys.readouterr()
    return str(path)


def test_a_ticket_is_printed_as_a_code_and_as_text(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["enrol", "--config", config, "ward-01"]) == 0
    *code, text = capsys.readouterr().out.splitlines()
    assert len(code) > 10
    ticket = read_ticket(text)
    assert (ticket.host, ticket.port, ticket.device) == ("central.lan", 8443, "ward-01")


@pytest.mark.parametrize(("ending", "begins"), [(".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_a_code_is_drawn_into_a_file(
    config: str, tmp_path: Path, ending: str, begins: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = tmp_path / f"ward-01{ending}"
    assert start(["enrol", "--config", config, "ward-01", "--qr", str(drawn), "--json"]) == 0
    assert drawn.read_bytes().startswith(begins)
    assert drawn.stat().st_mode & 0o777 == 0o600
    assert read_ticket(json.loads(capsys.readouterr().out)["ticket"]).device == "ward-01"


def test_asked_wrongly_each_command_says_in_one_line_what_it_expected(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = {
        "places.csv": (["enrol", "ward-77"], 1),
        "lower-case": (["enrol", "WARD 1"], 2),
        ".png or .svg": (["enrol", "ward-01", "--qr", "ward.pdf"], 2),
        "no key that stands": (["revoke", "ward-01", "--reason", "lost"], 1),
        "sync or policy": (["keys", "rotate", "--root", str(tmp_path / "medium"), "--kind", "head"], 2),
        "root's medium": (["keys", "rotate", "--root", str(tmp_path / "nowhere")], 1),
        "--qr: expected a file that can be written": (["enrol", "ward-01", "--qr", str(tmp_path / "no" / "w.png")], 2),
        "broker's files: expected to make": (["broker-conf", "--out", f"{config}/broker", "--name", "localhost"], 1),
        "host:": (["broker-conf", "--out", str(tmp_path / "broker"), "--name", "a b"], 2),
    }
    for expected, (arguments, status) in wrong.items():
        assert start([*arguments, "--config", config]) == status
        (line,) = capsys.readouterr().err.splitlines()
        assert expected in line


def test_devices_and_keys_are_listed(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start(["enrol", "--config", config, "ward-01", "--json"])
    start(["keys", "rotate", "--config", config, "--root", str(tmp_path / "medium"), "--kind", "sync"])
    capsys.readouterr()
    assert start(["devices", "--config", config, "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)["devices"]
    assert (first["device"], first["standing"], second["token_until"]) == ("ward-01", "without-key", "")
    assert first["token_until"]
    assert start(["keys", "show", "--config", config, "--json"]) == 0
    shown = [key["key"] for key in json.loads(capsys.readouterr().out)["keys"]]
    assert shown == ["sync-2", "sync-3", "policy-1", "policy-2"]


def test_a_brokers_files_name_who_may_say_what(config: str, tmp_path: Path) -> None:
    out = tmp_path / "broker"
    assert start(["broker-conf", "--config", config, "--out", str(out), "--name", "localhost", "--port", "9"]) == 0
    assert (out / "broker.key").stat().st_mode & 0o777 == 0o600
    listed = (out / "wardstock.acl").read_text()
    assert "pattern write ws/1/main/+/%u/up\n" in listed
    assert "user central\ntopic read ws/1/main/+/+/up\n" in listed
    said = (out / "wardstock.conf").read_text()
    for line in ("require_certificate true", "use_identity_as_username true", "allow_anonymous false"):
        assert f"\n{line}\n" in said
    kept = (out / "broker.key").read_bytes()
    assert start(["broker-conf", "--config", config, "--out", str(out), "--name", "localhost"]) == 0
    assert (out / "broker.key").read_bytes() == kept
