"""The whole demo as a user runs it: stories that are right, stories that are spoiled, and nothing that stays behind."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from hardware_sim.breaks import BREAKS, apply_break
from hardware_sim.checker import check

BIN = Path(sys.executable).parent
SHORT = "4"
"""Hours of the shortest story there is: half a minute."""

STORY_LIMIT_S = 240.0
END_LIMIT_S = 60.0
POLL_S = 0.1

pytestmark = [pytest.mark.needs_linux, pytest.mark.slow]


def eventually(true: Callable[[], bool], limit_s: float = STORY_LIMIT_S) -> bool:
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(POLL_S)
    return False


@contextmanager
def demo(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Run the demo; whatever happens in the test, nothing of it stays behind."""
    command = [str(BIN / "wardstock-sim"), "demo", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def finished(process: "subprocess.Popen[str]") -> tuple[int, str]:
    said, _ = process.communicate(timeout=STORY_LIMIT_S)
    return process.returncode, said


def play(*arguments: str) -> tuple[int, str]:
    with demo("--exit", *arguments) as process:
        return finished(process)


def summary_of(path: Path) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return summary


def scans_of(state: Path, ward: str) -> int:
    try:
        return (state / "sim" / ward / "beeps.ndjson").read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def kill_by_name(state: Path, name: str) -> int:
    pid: int = json.loads((state / "sim" / "pids.json").read_text(encoding="utf-8"))[name]
    os.kill(pid, signal.SIGKILL)
    return pid


def kill_in_the_middle(process: "subprocess.Popen[str]", state: Path) -> None:
    """Kill an edge, then central, then another edge, each between two scans of ward-01."""
    for scans, name in ((5, "edge-ward-01"), (12, "central"), (20, "edge-ward-02")):
        wait_for_scans(process, state, scans)
        kill_by_name(state, name)


def wait_for_scans(process: "subprocess.Popen[str]", state: Path, scans: int) -> None:
    eventually(lambda: process.poll() is not None or scans_of(state, "ward-01") >= scans)
    if process.poll() is not None:
        pytest.fail(f"the demo ended before {scans} scans: {finished(process)}")
    assert scans_of(state, "ward-01") >= scans


def assert_right(code: int, said: str, summary: dict[str, Any], *, take: bool = True) -> None:
    assert (code, summary["ok"], summary["problems"]) == (0, True, []), said
    assert (summary["lost"], summary["duplicates"], summary["pending"]) == (0, 0, 0)
    assert summary["entries"] == summary["acked"] > 0
    assert [found["kind"] for found in summary["discrepancies"]] == (["missing"] if take else [])
    assert len(summary["orders"]) == 1


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole evening on amqtt, with programs killed in the middle, that was judged right."""
    folder = tmp_path_factory.mktemp("evening")
    state, summary = folder / "state", folder / "summary.json"
    with demo("--exit", "--json", str(summary), "--state", str(state), "--seed", "20260302") as process:
        kill_in_the_middle(process, state)
        code, said = finished(process)
    assert_right(code, said, summary_of(summary))
    assert said.count("died and is started again") == 3
    return state


def test_nothing_is_lost_or_doubled_when_programs_are_killed_on_amqtt(played: Path) -> None:
    assert check(played).ok


@pytest.mark.needs_mosquitto
def test_nothing_is_lost_or_doubled_when_programs_are_killed_on_mosquitto(tmp_path: Path) -> None:
    state, summary = tmp_path / "state", tmp_path / "summary.json"
    options = ("--json", str(summary), "--state", str(state), "--broker", "mosquitto", "--hours", "5", "--seed", "11")
    with demo("--exit", *options) as process:
        kill_in_the_middle(process, state)
        kill_by_name(state, "broker")
        code, said = finished(process)
    assert_right(code, said, summary_of(summary))


@pytest.mark.parametrize("how", sorted(BREAKS))
def test_a_spoiled_central_is_noticed(played: Path, tmp_path: Path, how: str) -> None:
    state = tmp_path / "state"
    shutil.copytree(played, state)
    apply_break(state, how)
    assert not check(state).ok


def test_each_ledger_verifies_and_no_longer_when_one_byte_of_a_body_changed(played: Path, tmp_path: Path) -> None:
    for ward in ("ward-01", "ward-02"):
        ledger = tmp_path / f"{ward}.db"
        shutil.copy(played / "edge" / ward / "ledger.db", ledger)
        verify = [str(BIN / "wardstock-edge"), "verify", str(ledger)]
        assert subprocess.run(verify, check=False, capture_output=True).returncode == 0
        with sqlite3.connect(ledger) as connection:
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            seq, body = connection.execute("SELECT seq, body FROM ledger WHERE kind = 'issue' LIMIT 1").fetchone()
            connection.execute("UPDATE ledger SET body = ? WHERE seq = ?", (body.replace(b"ward", b"Ward", 1), seq))
        connection.close()
        assert subprocess.run(verify, check=False, capture_output=True).returncode == 1


Played = tuple[int, str, dict[str, Any]]
"""Status, words and summary of one story."""


@pytest.fixture(scope="module")
def side_by_side(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Played]:
    """Two short stories at once, for they do not disturb each other: one without a take, one that is broken."""
    folder = tmp_path_factory.mktemp("side-by-side")
    quiet, broken = folder / "quiet.json", folder / "broken.json"
    common = ("--exit", "--hours", SHORT)
    with (
        demo(*common, "--no-take", "--wards", "1", "--json", str(quiet), "--seed", "3") as one,
        demo(*common, "--break", "lose", "--json", str(broken), "--state", str(folder / "state"), "--seed", "4") as two,
    ):
        first, second = finished(one), finished(two)
    return {"quiet": (*first, summary_of(quiet)), "broken": (*second, summary_of(broken))}


def test_without_a_take_there_is_no_discrepancy_even_in_a_single_ward(side_by_side: dict[str, Played]) -> None:
    code, said, summary = side_by_side["quiet"]
    assert_right(code, said, summary, take=False)


def test_a_demo_told_to_break_fails_and_says_what_is_wrong(side_by_side: dict[str, Played]) -> None:
    code, said, summary = side_by_side["broken"]
    assert (code, summary["ok"]) == (1, False)
    assert "problem: " in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_stays_behind_however_a_demo_ends(tmp_path: Path, number: signal.Signals) -> None:
    with demo("--state", str(tmp_path / "state"), "--wards", "1") as process:
        assert process.stdout is not None
        assert "http://127.0.0.1:" in process.stdout.readline()
        family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) >= 3
        process.send_signal(number)
        assert eventually(lambda: process.poll() is not None, END_LIMIT_S)
        assert eventually(lambda: not any(child.is_running() for child in family), END_LIMIT_S)
        assert process.returncode == (0 if number is not signal.SIGKILL else -signal.SIGKILL)


def test_a_folder_with_something_in_it_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")
    code, said = play("--state", str(tmp_path))
    assert code == 2
    assert said == f"wardstock-sim: {tmp_path}: expected a new or empty folder; name another one\n"


def approve_on(page: str) -> None:
    """Approve every open proposal as a person at the page does."""
    for row in httpx.get(f"{page}api/v1/proposals").json()["items"]:
        said = {"actor": "viewer", "version": row.get("version")}
        httpx.post(f"{page}api/v1/proposals/{row['id']}/approve", json=said).raise_for_status()


def test_a_watcher_who_approves_is_echoed_and_the_evening_is_judged_while_it_lives() -> None:
    said: list[str] = []
    with demo("--hours", SHORT, "--wards", "1", "--seed", "3") as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if line[7:].startswith("It waits for you"):
                approve_on(said[0].split()[-1])
            if "Ctrl-C ends" in line:
                process.send_signal(signal.SIGINT)
        assert process.wait(END_LIMIT_S) == 0
    told = "".join(said)
    assert "approved on the page; order PO-" in told
    assert "ok: true" in told
    assert said[-1].startswith("Ended; its state is removed")
    assert "\n1 ward, " in told
