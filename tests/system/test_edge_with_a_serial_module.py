"""The real agent with a serial module on a pseudo-terminal: it reads simulated tags and writes what it believes."""

import json
import os
import select
import sqlite3
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hardware_sim.devices.llrp import Heard
from hardware_sim.devices.m100 import M100Device
from hardware_sim.devices.uhfreader18 import Uhf18Device
from protocols.values.instant import Instant
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
url = "serial:reader"
keepalive_s = 1
round_s = 60
"""


class ModulePlug:
    """A module on a pseudo-terminal behind a stable link, on a thread of its own; `here` is what it hears."""

    def __init__(self, kind: str, link: Path, here: set[str]) -> None:
        self.here = here
        device = M100Device if kind == "m100" else Uhf18Device
        self._device = device(self._inventory)
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        link.unlink(missing_ok=True)
        link.symlink_to(os.ttyname(self._slave))
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _inventory(self, _at: Instant, _antennas: tuple[int, ...]) -> list[Heard]:
        return [(epc, 1, -55, 1) for epc in sorted(self.here)]

    def _serve(self) -> None:
        while not self._ended.is_set():
            data = os.read(self._master, 4096) if select.select([self._master], [], [], 0.01)[0] else b""
            now = Instant(time.monotonic_ns() // 1000)
            answer = self._device.receive(data, now, now) + self._device.tick(now, now)
            if answer:
                os.write(self._master, answer)

    def pull(self) -> None:
        self._ended.set()
        self._thread.join()
        os.close(self._master)
        os.close(self._slave)


def epc(number: int) -> str:
    return f"30340242201D8D40000000{number:02X}"


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    with closing(Ward(tmp_path)) as made:
        yield made


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
    plug = ModulePlug(kind, ward.folder / "reader", set(everything))
    reader = READER.format(anchor=time.monotonic_ns(), kind=kind)
    ward.config.write_text(CONFIG.replace("fit = 1", "fit = 2") + reader)
    ward.start_ready()
    try:
        ward.wait_for("reader r1: inventories")
        wait_until(ward, dict.fromkeys(everything, True))
        plug.here.discard(epc(0))
        wait_until(ward, dict.fromkeys(everything, True) | {epc(0): False})
        plug.pull()
        ward.wait_for("plug the reader in again")
        time.sleep(3.0)  # an outage of half a story hour proves nothing
        assert beliefs(ward) == dict.fromkeys(everything, True) | {epc(0): False}
        plug = ModulePlug(kind, ward.folder / "reader", set(everything))
        wait_until(ward, dict.fromkeys(everything, True))
    finally:
        plug.pull()
    assert "Traceback" not in ward.log()
