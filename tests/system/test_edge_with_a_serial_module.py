"""The real agent with a serial module on a pseudo-terminal: it reads simulated tags and writes what it believes."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hardware_sim.clock import Clock, real_time
from hardware_sim.devices.m100 import M100Device
from hardware_sim.devices.uhfreader18 import Uhf18Device
from hardware_sim.serve import ModulePort, ReaderPort
from tests.system.edge_ward import CONFIG, PIECES, WAIT_S, Ward

pytestmark = pytest.mark.needs_linux

READER = """
[clock]
start = "2026-03-02T16:00:00+08:00"
rate = 540.0
since_monotonic_ns = {anchor}
[[reader]]
name = "r1"
kind = "{kind}"
url = "{url}"
keepalive_s = 1
round_s = 60
"""


class Field:
    """A module on a line; `here` is what it hears."""

    def __init__(self, kind: str, here: set[str]) -> None:
        self.here = here
        make = M100Device if kind == "m100" else Uhf18Device
        self.device = make(lambda _at, _antennas: [(epc, 1, -55, 1) for epc in sorted(self.here)])

    def plug(self, link: Path) -> ModulePort:
        port = ModulePort(self.device, Clock(real_time()), link)
        port.start()
        return port


def epc(number: int) -> str:
    return f"30340242201D8D40000000{number:02X}"


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    with closing(Ward(tmp_path)) as made:
        yield made


def configure(ward: Ward, kind: str, url: str) -> None:
    reader = READER.format(anchor=time.monotonic_ns(), kind=kind, url=url)
    ward.config.write_text(CONFIG.replace("fit = 1", "fit = 2") + reader)


def beliefs(ward: Ward) -> dict[str, bool]:
    connection = sqlite3.connect(ward.ledger)
    rows = connection.execute("SELECT body FROM ledger WHERE kind = 'observe' ORDER BY seq").fetchall()
    connection.close()
    return {body["epc"]: body["p"] > 0.5 for body in (json.loads(row[0]) for row in rows)}


def wait_until(ward: Ward, wanted: dict[str, bool]) -> None:
    limit = time.monotonic() + WAIT_S
    while beliefs(ward) != wanted:
        assert time.monotonic() < limit, f"{beliefs(ward)}\n{ward.log()}"
        time.sleep(0.1)


@pytest.mark.parametrize("kind", ["m100", "uhfreader18"])
def test_a_module_on_a_port_reads_tags_misses_one_and_is_pulled_and_put_back(ward: Ward, kind: str) -> None:
    everything = {epc(number) for number in range(PIECES)}
    field = Field(kind, set(everything))
    plug = field.plug(ward.folder / "reader")
    configure(ward, kind, "serial:reader")
    ward.start_ready()
    try:
        ward.wait_for("reader r1: inventories")
        wait_until(ward, dict.fromkeys(everything, True))
        field.here.discard(epc(0))
        wait_until(ward, dict.fromkeys(everything, True) | {epc(0): False})
        plug.close()
        ward.wait_for("plug the reader in again")
        time.sleep(3.0)  # an outage of half a story hour proves nothing
        assert beliefs(ward) == dict.fromkeys(everything, True) | {epc(0): False}
        field.here.add(epc(0))
        plug = field.plug(ward.folder / "reader")
        wait_until(ward, dict.fromkeys(everything, True))
    finally:
        plug.close()
    assert "Traceback" not in ward.log()


@pytest.mark.parametrize("kind", ["m100", "uhfreader18"])
def test_a_module_behind_a_converter_reads_tags_over_tcp(ward: Ward, kind: str) -> None:
    everything = {epc(number) for number in range(PIECES)}
    port = ReaderPort(Field(kind, everything).device, Clock(real_time()))
    port.start()
    configure(ward, kind, f"tcp://127.0.0.1:{port.port}")
    ward.start_ready()
    try:
        wait_until(ward, dict.fromkeys(everything, True))
    finally:
        port.close()
