"""A real agent on a disk that counts as full: what readers believe waits, what people do is written."""

import json
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from protocols.codes.label import make_badge
from protocols.readers.scanner import Beep
from protocols.values.ids import ActorId
from tests.bench.edge_machine import Machine, end
from tests.system.edge_ward import PROGRAM, ROOT, WAIT_S, label

pytestmark = pytest.mark.needs_linux
TAGS = 20
FULL = "[store]\nalarm_share = 0.01\nshed_share = 0.01\n"


def observed(ledger: Path) -> int:
    with closing(sqlite3.connect(ledger)) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM ledger WHERE kind = 'observe'").fetchone()[0])


def reads(folder: Path) -> int:
    path = folder / "metrics.prom"
    lines = path.read_text().splitlines() if path.exists() else []
    return sum(int(line.rpartition(" ")[2]) for line in lines if line.startswith("wardstock_edge_reads_total{"))


def test_beliefs_wait_for_room_and_a_scan_does_not(tmp_path: Path) -> None:
    machine = Machine(tmp_path, TAGS, readers=((1, TAGS, 40.0),))
    roomy = machine.config.read_text()
    try:
        machine.config.write_text(roomy + FULL)
        agent = machine.start()
        limit = time.monotonic() + WAIT_S
        while reads(tmp_path) < 2 * TAGS:
            assert time.monotonic() < limit, (tmp_path / "log").read_text()
            time.sleep(0.1)
        assert machine.plug.scan(make_badge(ActorId("1001")), label(1)) == [Beep.OK, Beep.OK]
        assert observed(tmp_path / "ledger.db") == 0
        command = [*PROGRAM, "status", "--config", str(machine.config), "--json"]
        told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S, check=True)
        assert ("disk", "full") in [(each["part"], each["cause"]) for each in json.loads(told.stdout)["health"]["open"]]
        end(agent)
        assert (tmp_path / "log").read_text().count(" disk: ") == 2
        machine.config.write_text(roomy)
        agent = machine.start()
        limit = time.monotonic() + WAIT_S
        while not observed(tmp_path / "ledger.db"):
            assert time.monotonic() < limit, "beliefs are written when there is room"
            time.sleep(0.1)
        end(agent)
    finally:
        machine.close()
