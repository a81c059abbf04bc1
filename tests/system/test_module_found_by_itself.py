"""The real agent finds its module on whatever port it is plugged in, and finds it again on another."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hardware_sim.clock import Clock, real_time
from hardware_sim.devices.m100 import M100Device
from hardware_sim.serve import ModulePort
from tests.system.edge_ward import CONFIG, Plug, Ward

pytestmark = pytest.mark.needs_linux

READER = """
[ports]
serial = "serial"
[[reader]]
name = "r1"
kind = "m100"
url = "serial:auto"
answer_s = 0.2
keepalive_s = 1
round_s = 0.2
"""


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    with closing(Ward(tmp_path)) as made:
        yield made


def plugged(link: Path) -> ModulePort:
    port = ModulePort(M100Device(lambda _at, _antennas: []), Clock(real_time()), link)
    port.start()
    return port


def test_a_module_is_found_and_found_again_on_another_port(ward: Ward) -> None:
    names = ward.folder / "serial/by-path"
    names.mkdir(parents=True)
    silent = Plug(names / "usb-0:1")  # another device, which says nothing
    ward.config.write_text(CONFIG.replace("fit = 1", "fit = 2") + READER)
    port = plugged(names / "usb-0:2")
    try:
        ward.start_ready()
        ward.wait_for("reader r1: inventories")
        port.close()
        ward.wait_for("usb-0:2: the port is gone")
        port = plugged(names / "usb-0:3")
        ward.wait_for_times("reader r1: inventories", 2)
    finally:
        port.close()
        silent.pull()
    assert "Traceback" not in ward.log()
