"""The real agent with a simulated reader on TCP: what it heard stands in the tap, what broke stands in its health."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hardware_sim.clock import Clock, real_time
from hardware_sim.devices.device import Heard
from hardware_sim.devices.llrp import LlrpReaderDevice
from hardware_sim.serve import ReaderPort
from protocols.values.instant import Instant
from tests.system.edge_ward import CONFIG, WAIT_S, Plug, Ward

pytestmark = pytest.mark.needs_linux

READER = """
[[reader]]
name = "r1"
kind = "llrp"
url = "tcp://127.0.0.1:{port}"
antennas = [1, 2]
keepalive_s = 1
round_s = 0.1
blind_s = 1
reference = {{ 1 = "30340242201D8D40000000F1" }}
"""
REF = "30340242201D8D40000000F1"
TAG = "30340242201D8D4000000001"
FOREIGN = "E28011700000020F"


class Field:
    """A reader's field and everything it ever handed out."""

    def __init__(self) -> None:
        self.heard = {(REF, 1), (TAG, 1), (TAG, 2), (FOREIGN, 2)}
        self.rounds: list[tuple[Instant, list[Heard]]] = []
        self.delivered: set[Instant] = set()
        self.device = LlrpReaderDevice(self.inventory, delivered=lambda at, _tags: self.delivered.add(at))
        self.port: ReaderPort | None = None

    def inventory(self, at: Instant, antennas: object) -> list[Heard]:
        heard = [(epc, antenna, -55, 1) for epc, antenna in sorted(self.heard)]
        self.rounds.append((at, heard))
        return heard

    def serve(self, port: int = 0) -> int:
        self.port = ReaderPort(self.device, Clock(real_time()), port=port)
        self.port.start()
        return self.port.port

    def stop(self) -> None:
        if self.port is not None:
            self.port.close()


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    with closing(Ward(tmp_path)) as made:
        yield made


@pytest.fixture
def field() -> Iterator[Field]:
    made = Field()
    yield made
    made.stop()


def outages(ward: Ward) -> list[tuple[str, str, int, str, bool, str]]:
    connection = sqlite3.connect(f"file:{ward.ledger}?mode=ro", uri=True)
    rows = connection.execute(
        "SELECT part, name, antenna, cause, ended IS NULL, ended_by FROM health WHERE part <> 'broker' ORDER BY outage"
    ).fetchall()
    connection.close()
    return [(part, name, antenna, cause, bool(lasts), by) for part, name, antenna, cause, lasts, by in rows]


def wait_until(ward: Ward, holds: Callable[[], bool]) -> None:
    limit = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < limit, f"{outages(ward)}\n{ward.log()}"
        time.sleep(0.05)


def status(ward: Ward) -> dict[str, list[dict[str, str]]]:
    health = json.loads(ward.tool("status", "--config", str(ward.config), "--json").stdout)["health"]
    assert isinstance(health, dict)
    return health


def test_every_outage_of_reader_antenna_scanner_and_broker_is_an_interval(ward: Ward, field: Field) -> None:
    port = field.serve()
    ward.config.write_text(CONFIG.replace("fit = 1", "fit = 2") + READER.format(port=port))
    agent = ward.start_ready()
    ward.wait_for("reader r1: inventories")
    field.heard.discard((REF, 1))
    wait_until(ward, lambda: outages(ward) == [("antenna", "r1", 1, "blind", True, "")])
    field.heard.add((REF, 1))
    wait_until(ward, lambda: outages(ward) == [("antenna", "r1", 1, "blind", False, "recovery")])
    field.stop()
    wait_until(ward, lambda: outages(ward)[1:] == [("reader", "r1", 0, "link", True, "")])
    field.serve(port)
    wait_until(ward, lambda: outages(ward)[1:] == [("reader", "r1", 0, "link", False, "recovery")])
    ward.plug.pull()
    wait_until(ward, lambda: outages(ward)[2:] == [("scanner", "s1", 0, "link", True, "")])
    health = status(ward)
    assert not health["ok"]
    assert {(each["part"], each["cause"]) for each in health["open"]} == {("scanner", "link"), ("broker", "link")}
    agent.terminate()
    agent.wait(WAIT_S)
    told = ward.tool("status", "--config", str(ward.config)).stdout
    assert "OUT OF ORDER   scanner s1 (link) since" in told
    assert "antenna        reader r1 antenna 1:" in told

    ward.plug = Plug(ward.folder / "scanner")
    ward.start_ready()
    wait_until(ward, lambda: outages(ward)[2][4:] == (False, "restart"))
    assert "Traceback" not in ward.log()


def test_the_tap_is_what_the_reader_delivered_and_rates_are_of_tags_that_belong_here(ward: Ward, field: Field) -> None:
    ward.config.write_text(CONFIG.replace("fit = 1", "fit = 2") + READER.format(port=field.serve()))
    tap = ward.folder / "tap.ndjson"
    agent = ward.start_ready("--tap", str(tap))
    wait_until(ward, lambda: len(field.delivered) >= 20)
    field.stop()
    wait_until(ward, lambda: len(outages(ward)) == 1)  # it has heard all there was to hear
    agent.terminate()
    agent.wait(WAIT_S)
    lines = [json.loads(line) for line in tap.read_text().splitlines()]
    tapped = [(each["epc"], each["antenna"], each["last_seen"]) for each in lines]
    sent = [(epc, antenna, at) for at, heard in field.rounds if at in field.delivered for epc, antenna, _, _ in heard]
    assert sorted(tapped) == sorted(sent)
    connection = sqlite3.connect(ward.ledger)
    tags = connection.execute("SELECT epc, antenna FROM tag_rate ORDER BY epc, antenna").fetchall()
    rounds = connection.execute("SELECT rounds FROM antenna_rate").fetchall()
    connection.close()
    assert tags == [(TAG, 1), (TAG, 2), (REF, 1)]
    assert len(rounds) == 2
    assert all(count >= 19 for (count,) in rounds)
