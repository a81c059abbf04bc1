"""The real agent on a real pseudo-terminal: what beeped is on the disk, whatever kills it."""

import os
import resource
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from protocols.codes.label import make_badge
from protocols.readers.scanner import Beep
from protocols.values.ids import ActorId
from tests.system.edge_ward import CONFIG, PIECES, WAIT_S, Plug, Ward, label

pytestmark = pytest.mark.needs_linux

BADGE = make_badge(ActorId("1001"))


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    with closing(Ward(tmp_path)) as made:
        yield made


def test_badge_and_items_survive_a_kill_and_verify_passes_until_a_byte_is_changed(ward: Ward) -> None:
    agent = ward.start_ready()
    assert ward.kinds() == ["bind_tag", "opening"]
    assert ward.plug.scan(BADGE) == [Beep.OK]
    assert ward.kinds()[2:] == ["visit"]
    assert ward.plug.scan(label(1)) == [Beep.OK]
    assert ward.kinds()[2:] == ["visit", "issue"]
    assert ward.plug.scan(label(1), label(99), "hello") == [Beep.NO, Beep.LOOK, Beep.NO]
    os.kill(agent.pid, signal.SIGKILL)
    agent.wait(WAIT_S)

    ward.start_ready()
    assert ward.plug.scan(label(1), label(2), label(3)) == [Beep.NO, Beep.OK, Beep.OK]
    assert ward.kinds()[2:] == ["visit", "issue", "unknown_label", "issue", "issue"]
    assert "already taken by 1001" in ward.log()
    assert ward.tool("verify", str(ward.ledger)).returncode == 0  # beside the running agent

    agent = ward.agents[-1]
    agent.send_signal(signal.SIGTERM)
    assert agent.wait(WAIT_S) == 0
    assert ward.tool("verify", "--config", str(ward.config)).returncode == 0
    connection = sqlite3.connect(ward.ledger)
    connection.execute("DROP TRIGGER ledger_refuses_update")
    connection.execute("UPDATE ledger SET body = CAST(replace(body, '1001', '1002') AS BLOB) WHERE seq = 3")
    connection.execute("UPDATE ledger SET body = CAST(replace(body, '\"qty\":1', '\"qty\":2') AS BLOB) WHERE seq = 3")
    connection.commit()
    connection.close()
    told = ward.tool("verify", str(ward.ledger))
    assert told.returncode == 1
    assert "seq 3: content_hash" in told.stdout
    assert "Traceback" not in ward.log()


def test_killed_again_and_again_no_ok_is_lost_and_the_opening_is_written_once(ward: Ward) -> None:
    oks = 0
    for serial in range(1, 6):
        agent = ward.start_ready()
        oks += ward.plug.scan(BADGE, label(serial)).count(Beep.OK)
        agent.kill()
        agent.wait(WAIT_S)
    kinds = ward.kinds()
    assert oks == 10
    assert (kinds.count("opening"), kinds.count("issue")) == (1, 5)
    assert ward.tool("verify", str(ward.ledger)).returncode == 0


def test_a_scanner_that_is_pulled_and_put_back_goes_on(ward: Ward) -> None:
    ward.start_ready()
    assert ward.plug.scan(BADGE) == [Beep.OK]
    ward.plug.pull()
    ward.wait_for("the port is gone")
    assert "device reports readiness" not in ward.log()
    ward.plug = Plug(ward.folder / "scanner")
    limit = time.monotonic() + WAIT_S
    while ward.log().count("scanner s1: is ready") < 2:
        assert time.monotonic() < limit, ward.log()
        time.sleep(0.05)
    assert ward.plug.scan(label(1)) == [Beep.OK]


def test_a_full_disk_is_a_no_with_one_clear_line_and_nothing_is_lost(ward: Ward) -> None:
    agent = ward.start_ready()
    agent.terminate()
    agent.wait(WAIT_S)
    connection = sqlite3.connect(ward.ledger)
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.close()
    ward.config.write_text(CONFIG + f"max_pages = {pages + 1}\n")
    ward.start_ready()
    beeps = ward.plug.scan(BADGE)
    for serial in range(PIECES):
        beeps += ward.plug.scan(label(serial))
    assert Beep.NO in beeps
    assert "expected room for one more entry, the disk is full; free some and scan again" in ward.log()
    assert "Traceback" not in ward.log()
    assert ward.tool("verify", str(ward.ledger)).returncode == 0
    kinds = ward.kinds()
    assert kinds.count("visit") + kinds.count("issue") == beeps.count(Beep.OK)


def test_after_a_fault_of_the_disk_the_ledger_is_opened_again_and_verified(ward: Ward) -> None:
    agent = ward.start_ready()
    assert ward.plug.scan(BADGE, label(1)) == [Beep.OK, Beep.OK]
    size = (ward.folder / "ledger.db-wal").stat().st_size
    limits = resource.prlimit(agent.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(agent.pid, resource.RLIMIT_FSIZE, (size, limits[1]))
    assert ward.plug.scan(label(2)) == [Beep.NO]
    resource.prlimit(agent.pid, resource.RLIMIT_FSIZE, limits)
    ward.wait_for("opened again and verified")
    assert ward.plug.scan(label(2)) == [Beep.OK]
    assert ward.tool("verify", str(ward.ledger)).returncode == 0


def test_the_agent_ends_with_its_parent(ward: Ward) -> None:
    reading, writing = os.pipe()
    agent = ward.start_ready("--parent-pipe", str(reading), pass_fds=(reading,))
    os.close(reading)
    os.close(writing)
    assert agent.wait(WAIT_S) == 0
    assert "the parent has ended" in ward.log()


def test_a_second_agent_on_the_same_ledger_is_refused_in_one_line(ward: Ward) -> None:
    ward.start_ready()
    second = ward.tool("run", "--config", str(ward.config))
    assert second.returncode == 1
    assert second.stderr == (
        f"wardstock-edge: {ward.ledger}: expected no other agent on it, one runs; stop that one first\n"
    )


def test_a_scanner_that_is_not_there_is_one_line_and_waited_for(ward: Ward) -> None:
    (ward.folder / "scanner").unlink()
    agent = ward.start()
    ward.wait_for("expected a serial port, there is none; plug the scanner in or correct its url")
    assert agent.poll() is None
    assert ward.log().count("expected a serial port") == 1


@pytest.mark.parametrize(
    ("right", "wrong", "status", "why"),
    [
        ("unsigned = true", "", 2, "this device is not enrolled"),
        ("fit = 1", 'fit = "x"', 2, "device.fit: expected a whole number from 1 to 2, got 'x'"),
        ("opening.csv", "nothing.csv", 2, "expected a CSV file, No such file"),
        ("ledger.db", "no/such/ledger.db", 1, "expected a folder one may write to"),
    ],
)
def test_a_wrong_configuration_is_one_line(ward: Ward, right: str, wrong: str, status: int, why: str) -> None:
    ward.config.write_text(CONFIG.replace(right, wrong))
    told = ward.tool("run", "--config", str(ward.config))
    assert told.returncode == status
    assert why in told.stderr
    assert len(told.stderr.splitlines()) == 1
