"""The real agent: a card scanned or thrown into the box is a need in the ledger, beeped after it is on the disk."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hardware_sim.clock import Clock, real_time
from hardware_sim.devices.llrp import LlrpReaderDevice
from hardware_sim.serve import Port
from hardware_sim.wires import TcpWire
from protocols.readers.scanner import Beep
from tests.system.edge_ward import CONFIG, WAIT_S, Ward

pytestmark = pytest.mark.needs_linux

CARD = "30340242201D8D40000000C1"
READER = """
bins = "bins.csv"
[[reader]]
name = "r1"
kind = "llrp"
url = "tcp://{where}"
antennas = [1]
kanban = [2]
keepalive_s = 1
round_s = 0.1
"""


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    with closing(Ward(tmp_path)) as made:
        (tmp_path / "bins.csv").write_text(f"card,item,qty,position\n{CARD},C900,200,S7\nKB-17,C901,50,\n")
        yield made


def needs(ward: Ward) -> list[tuple[str, dict[str, object]]]:
    connection = sqlite3.connect(f"file:{ward.ledger}?mode=ro", uri=True)
    rows = connection.execute("SELECT actor, body FROM ledger WHERE kind = 'need' ORDER BY seq").fetchall()
    connection.close()
    return [(actor, json.loads(body)) for actor, body in rows]


def test_a_card_scanned_is_a_need_once_and_one_thrown_into_the_box_is_another(ward: Ward) -> None:
    box: set[str] = set()
    port = Port(
        LlrpReaderDevice(lambda _at, _antennas: [(card, 2, -50, 1) for card in box]), Clock(real_time()), TcpWire()
    )
    port.start()
    where = port.where.rpartition("//")[2]
    ward.config.write_text(
        CONFIG.replace("fit = 1", "fit = 2").replace("[store]\n", "").replace('path = "ledger.db"\n', "")
        + READER.format(where=where)
    )
    try:
        agent = ward.start_ready()
        assert ward.plug.scan("]C0KB-17", "KB-17", "KB-18") == [Beep.OK, Beep.LOOK, Beep.NO]
        assert needs(ward) == [("", {"card": "KB-17", "item": "C901", "qty": 50})]
        ward.wait_for("reader r1: inventories")
        box.add(CARD)
        limit = time.monotonic() + WAIT_S
        while len(needs(ward)) < 2:
            assert time.monotonic() < limit, ward.log()
            time.sleep(0.05)
        assert needs(ward)[1] == ("", {"card": CARD, "item": "C900", "position": "S7", "qty": 200})
        agent.terminate()
        agent.wait(WAIT_S)
        ward.start_ready()
        time.sleep(1.0)  # it lies there still, and a restart makes no second need of it
        assert ward.plug.scan("KB-17") == [Beep.LOOK]
        assert len(needs(ward)) == 2
        assert ward.tool("verify", str(ward.ledger)).returncode == 0
    finally:
        port.close()
