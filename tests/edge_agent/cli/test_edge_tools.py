"""The tools answer for people and for scripts, with a status a script can trust and never a traceback."""

import io
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.cli import start
from edge_agent.store.feed import Row, checksum_of, take_snapshot
from edge_agent.store.ledger import Ledger
from tests.edge_agent.conftest import BORN, START, Scribe

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = "from edge_agent.cli import main; main()"
UNITS = ["30340242201D8D4000000001", "30340242201D8D4000000002"]

CONFIG = """
[device]
id = "ward-01"
fit = 1
[broker]
urls = ["mqtt://127.0.0.1:1883"]
[sync]
unsigned = true
[[scanner]]
name = "s1"
url = "serial:s1"
feedback = "host-beep"
"""


@pytest.fixture
def written(ledger: Ledger, ledger_path: Path, scribe: Scribe) -> Path:
    ledger.append([scribe.bind(*UNITS), scribe.opening(*UNITS), scribe.visit(), scribe.issue(UNITS[0])])
    ledger.append([scribe.observe(UNITS[0], 0.01), scribe.observe(UNITS[1], 0.99)])
    ledger.set_acked(2)
    return ledger_path


def break_body(path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("DROP TRIGGER ledger_refuses_update")
    connection.execute("UPDATE ledger SET body = CAST(replace(body, '1', '2') AS BLOB) WHERE seq = 3")
    connection.close()


def test_verify_passes_a_sound_ledger_named_in_three_ways(
    written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "edge.toml").write_text(CONFIG)
    for arguments in ([str(written)], ["--ledger", str(written)], ["--config", str(tmp_path / "edge.toml")]):
        assert start(["verify", *arguments]) == 0
        assert "sound: the chain ends at seq 5" in capsys.readouterr().out


def test_verify_names_the_entry_that_was_changed_and_fails(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    break_body(written)
    assert start(["verify", str(written)]) == 1
    said = capsys.readouterr().out
    assert f"NOT SOUND: incarnation {BORN.hex()} seq 3: content_hash" in said
    assert "checked 3 of 6 entries" in said
    assert start(["verify", str(written), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], answer["problems"][0]["seq"]) == (False, 3)


def test_status_tells_what_central_lacks(written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "edge.toml").write_text(CONFIG)
    assert start(["status", "--config", str(tmp_path / "edge.toml"), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert {key: answer[key] for key in ("device", "entries", "head_seq", "acked", "pending", "signing")} == {
        "device": "ward-01",
        "entries": 6,
        "head_seq": 5,
        "acked": 2,
        "pending": 3,
        "signing": "unsigned",
    }
    assert (answer["units_in_stock"], answer["tags_bound"], answer["believed_gone"]) == (1, 2, 1)
    assert start(["status", str(written)]) == 0
    assert "up to seq 2, 3 pending" in capsys.readouterr().out


def test_status_tells_what_waits_for_people_and_which_data_stand_here(
    written: Path, ledger: Ledger, scribe: Scribe, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger.append([scribe.observe(UNITS[1], 0.01), scribe.issue(UNITS[0])])
    rows = [Row("item", "C001", {})]
    take_snapshot(ledger.connection, "global", 7, rows, checksum=checksum_of(rows), now=START)
    assert start(["status", str(written), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["to_claim"], answer["feed"]) == (1, {"global": 7})
    assert answer["discrepancies"] == {"custody": 1, "negative": 1}
    assert start(["status", str(written)]) == 0
    said = capsys.readouterr().out
    assert "to claim       1 pieces left without a scan" in said
    assert "discrepancies  custody 1, negative 1" in said
    assert "hospital data  global 7" in said


def test_status_of_an_empty_ledger_says_so(
    ledger: Ledger, ledger_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ledger.head().seq == -1
    assert start(["status", str(ledger_path)]) == 0
    assert "nothing yet" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["verify", "status"])
@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "there is no such file"),
        (b"no database at all" * 100, "expected a sound SQLite file"),
        (b"", "expected a ledger of wardstock-edge, found another file"),
    ],
)
def test_a_file_that_is_no_ledger_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, content: bytes | None, why: str
) -> None:
    path = tmp_path / "some.db"
    if content is not None:
        path.write_bytes(content)
    assert start([command, str(path)]) == 1
    said = capsys.readouterr().err
    assert why in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["verify"],
        ["verify", "x", "--config", "y"],
        ["verify", "x", "--ledger", "y"],
        ["verify", "--nothing"],
        ["fly"],
        ["status", "--config", "/no/e"],
    ],
)
def test_wrong_use_is_status_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert start(arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("command", ["", "verify", "status", "decode", "doctor", "run", "backup", "restore", "label"])
def test_every_help_ends_with_a_command_to_copy_on_a_line_of_its_own(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    try:
        status = start([*command.split(), "--help"])
    except SystemExit as end:
        status = int(end.code or 0)
    assert status == 0
    commands = capsys.readouterr().out.split("Example:\n")[1].splitlines()
    assert all(f"wardstock-edge {command}" in line for line in commands if line.strip())


def test_only_what_is_built_is_offered(capsys: pytest.CaptureFixture[str]) -> None:
    start(["--help"])
    said = capsys.readouterr().out
    offered = ("run", "verify", "status", "decode", "doctor", "replay", "backup", "restore", "label")
    assert all(f"  {name} " in said for name in offered)


def test_decode_answers_every_line_whatever_it_holds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        b"barcode\t(01)09506000134352(21)42",
        b"epc\t3034",
        b"m100\tBB",
        b"\xff\xfe",
        b"",
        b"llrp\t" + b"0" * 5_000_000,
    ]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\n".join([*lines, lines[0]]))))
    assert start(["decode"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(answers) == 7
    assert answers[0] == answers[6]
    assert answers[0]["ok"]["product"] == "09506000134352"
    assert "expected the rest of a frame" in answers[2]["error"]
    assert "at most" in answers[5]["error"]


def test_a_foreign_package_of_our_name_is_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "protocols.py").write_text("")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "status"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"wardstock-edge: package protocols: expected it in {ROOT}, found {tmp_path}")
    assert len(done.stderr.splitlines()) == 1
