"""The real agent with a real reader that hears ten thousand tags of others: no entry, no belief, bounded memory."""

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from hardware_sim.clock import Clock, real_time
from hardware_sim.devices.device import Heard
from hardware_sim.devices.llrp import LlrpReaderDevice
from hardware_sim.serve import Port
from hardware_sim.wires import TcpWire
from protocols.values.instant import Instant
from tests.system.edge_ward import CONFIG, PIECES, WAIT_S, Ward

pytestmark = pytest.mark.needs_linux

READER = """
[[reader]]
name = "r1"
kind = "llrp"
url = "tcp://{where}"
antennas = [1]
keepalive_s = 5
round_s = 0.1
"""
A_ROUND = 500
HOUR = 10_000
GROWTH_BYTES_MAX = 16 << 20


class Street:
    """A window to a street: every round brings other tags, beside the storeroom's own."""

    def __init__(self) -> None:
        self.passed = 0

    def inventory(self, at: Instant, antennas: Sequence[int]) -> list[Heard]:
        del at, antennas
        foreign = [(f"E280{self.passed + number:020X}", 1, -70, 1) for number in range(A_ROUND)]
        self.passed += A_ROUND
        return foreign + [(f"30340242201D8D40000000{number:02X}", 1, -50, 1) for number in range(PIECES)]


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    with closing(Ward(tmp_path)) as made:
        yield made


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def tapped(tap: Path) -> int:
    return tap.read_bytes().count(b'"E280')


def wait_for_foreign(tap: Path, count: int) -> None:
    limit = time.monotonic() + 2 * WAIT_S
    while tapped(tap) < count:
        assert time.monotonic() < limit, tapped(tap)
        time.sleep(0.2)


def test_ten_thousand_foreign_tags_make_no_entry_and_fill_no_memory(ward: Ward) -> None:
    street, tap = Street(), ward.folder / "tap"
    port = Port(LlrpReaderDevice(street.inventory), Clock(real_time()), TcpWire())
    port.start()
    ward.config.write_text(CONFIG.replace("fit = 1", "fit = 2") + READER.format(where=port.where.rpartition("//")[2]))
    try:
        agent = ward.start_ready("--tap", str(tap))
        wait_for_foreign(tap, HOUR)
        before = resident_bytes(agent.pid)
        wait_for_foreign(tap, 3 * HOUR)
        grown = resident_bytes(agent.pid) - before
        agent.terminate()
        agent.wait(WAIT_S)
    finally:
        port.close()
    connection = sqlite3.connect(ward.ledger)
    entries = connection.execute("SELECT kind, body FROM ledger ORDER BY seq").fetchall()
    rates = connection.execute("SELECT count(*) FROM tag_rate WHERE epc LIKE 'E280%'").fetchone()
    connection.close()
    believed = [json.loads(body)["epc"] for kind, body in entries if kind == "observe"]
    assert {kind for kind, _ in entries} == {"bind_tag", "opening", "observe"}
    assert sorted(believed) == [f"30340242201D8D40000000{number:02X}" for number in range(PIECES)]
    assert rates == (0,)
    assert grown < GROWTH_BYTES_MAX
    assert "Traceback" not in ward.log()
