"""A real agent under a service manager: it says that it is ready and alive, measures itself, is backed up, restored."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.agent.checks import Checks
from edge_agent.agent.health import Watch
from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock
from edge_agent.core.presence.window import Window
from edge_agent.store.ledger import open_ledger
from edge_agent.store.tail import CHECKED
from protocols.codes.label import make_badge
from protocols.readers.scanner import Beep
from protocols.values.ids import ActorId, device_id, incarnation
from protocols.values.instant import Instant
from tests.system.edge_ward import WAIT_S, Ward, label

BADGE = make_badge(ActorId("1001"))

pytestmark = pytest.mark.needs_linux


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    ward = Ward(tmp_path)
    yield ward
    ward.close()


def wait_for(path: Path, text: str) -> str:
    limit = time.monotonic() + WAIT_S
    while not path.exists() or text not in path.read_text():
        assert time.monotonic() < limit, f"expected {text!r} in {path}"
        time.sleep(0.05)
    return path.read_text()


def test_a_service_manager_hears_ready_and_life_and_the_end(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    ward.config.write_text(ward.config.read_text() + '[metrics]\ntextfile = "edge.prom"\nevery_s = 1\n')
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(ward.folder / "notify"))
        manager.settimeout(WAIT_S)
        monkeypatch.setenv("NOTIFY_SOCKET", str(ward.folder / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "6000000")
        agent = ward.start_ready()
        assert manager.recv(256) == b"READY=1\nSTATUS=serves ward-01"
        assert manager.recv(256) == b"WATCHDOG=1"
        assert ward.plug.scan(BADGE, label(1)) == [Beep.OK, Beep.OK]
        said = wait_for(ward.folder / "edge.prom", 'wardstock_edge_pending{device="ward-01"} 4')
        assert 'wardstock_edge_outages_open{device="ward-01"} ' in said
        agent.terminate()
        agent.wait(WAIT_S)
        heard = b"WATCHDOG=1"
        while heard == b"WATCHDOG=1":
            heard = manager.recv(256)
        assert heard == b"STOPPING=1"


def test_a_backup_is_taken_beside_the_agent_and_put_back_only_without_it(ward: Ward) -> None:
    agent = ward.start_ready()
    assert ward.plug.scan(BADGE, label(1)) == [Beep.OK, Beep.OK]
    config = ("--config", str(ward.config))
    done = ward.tool("backup", *config, "--to", str(ward.folder / "copies"), "--json")
    assert done.returncode == 0, done.stderr
    backup = json.loads(done.stdout)["backup"]
    assert ward.plug.scan(label(2)) == [Beep.OK]
    refused = ward.tool("restore", "--from", backup, *config)
    assert refused.returncode == 1
    assert "one runs; stop that one first" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    agent.kill()
    agent.wait(WAIT_S)
    before = ward.kinds()
    restored = json.loads(ward.tool("restore", "--from", backup, *config, "--json").stdout)
    assert (restored["ok"], restored["entries"]) == (True, len(before) - 1)
    assert ward.tool("verify", restored["kept"]).returncode == 0
    ward.start_ready()
    assert ward.plug.scan(BADGE, label(2)) == [Beep.OK, Beep.OK]
    assert ward.tool("verify", *config).returncode == 0
    assert json.loads(ward.tool("status", *config, "--json").stdout)["restored"]


def test_a_backup_onto_a_disk_that_fills_is_told_in_one_line(ward: Ward, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root mounts a small disk")
    mounted = subprocess.run([mount, "-t", "tmpfs", "-o", "size=64k", "none", str(small)], check=False)
    if mounted.returncode:
        pytest.skip("this machine mounts nothing")
    try:
        ward.start_ready()
        done = ward.tool("backup", "--config", str(ward.config), "--to", str(small))
    finally:
        subprocess.run(["umount", str(small)], check=True)
    assert done.returncode == 1
    assert "free some room or name another" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_full_check_runs_beside_the_agent_after_a_stop_that_was_not_clean(ward: Ward) -> None:
    ward.start_ready().kill()
    ward.agents[0].wait(WAIT_S)
    ns = [0]
    clock = Clock(monotonic_ns=lambda: ns[0])
    watch = Watch((), Window({}, round_s=1.0, window_s=600.0), clock=clock, voice=Voice(clock), story_rate=1.0)
    ledger = open_ledger(ward.ledger, device_id("ward-01"), newborn=incarnation(bytes(16)), now=Instant(0))
    checks = Checks(ward.ledger, soon=True, watch=watch, clock=clock, voice=Voice(clock))
    checks.tick(ledger)
    assert ledger.noted(CHECKED) is None
    ns[0] = 61_000_000_000
    limit = time.monotonic() + 6 * WAIT_S  # it gives way to everybody else on the machine
    while ledger.noted(CHECKED) is None:
        checks.tick(ledger)
        assert time.monotonic() < limit
        time.sleep(0.05)
    assert watch.open == frozenset()
    checks.stop()
    ledger.close()
    ward.start_ready()
    ward.wait_for("the last run did not end as it should")
