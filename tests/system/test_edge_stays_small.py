"""What a real agent has loaded by its end and the most memory it took, with two readers and scans behind it."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from protocols.codes.label import make_badge
from protocols.readers.scanner import Beep
from protocols.values.ids import ActorId
from tests.system import edge_ward
from tests.system.edge_ward import CONFIG, ROOT, WAIT_S, Ward, label

pytestmark = pytest.mark.needs_linux

READER = """
[[reader]]
name = "r{number}"
kind = "llrp"
url = "tcp://127.0.0.1:{port}"
antennas = [1, 2, 3, 4]
"""
HEAVY = {"alembic", "asyncio", "click", "fastapi", "numpy", "pydantic", "rich", "sqlalchemy", "sqlite_utils", "typer"}
MEMORY_MAX_MB = 64
TELLS = [
    sys.executable,
    "-c",
    "import atexit, sys\n"
    "from pathlib import Path\n"
    "from edge_agent.cli import main\n"
    "def tell():\n"
    "    most = Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0]\n"
    "    Path('{told}').write_text(' '.join([most, *sorted(sys.modules)]))\n"
    "atexit.register(tell)\n"
    "main()\n",
]
"""The program itself; at its end it writes down its highest memory in KiB and the names of what it had loaded."""


@contextmanager
def readers(count: int) -> Iterator[list[int]]:
    """Give the ports of simulated readers, two hundred tags before each."""
    command = [sys.executable, "-c", "from hardware_sim.cli import main; main()", "reader", "--tags", "200"]
    made = [
        subprocess.Popen([*command, "--seed", str(seed)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for seed in range(count)
    ]
    try:
        yield [int(each.stdout.readline().rpartition(":")[2]) for each in made if each.stdout is not None]
    finally:
        for each in made:
            each.terminate()
            each.communicate(timeout=WAIT_S)


def test_a_first_and_a_later_life_load_nothing_heavy_and_stay_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ward, told = Ward(tmp_path), tmp_path / "told"
    monkeypatch.setattr(edge_ward, "PROGRAM", [part.replace("{told}", str(told)) for part in TELLS])
    with readers(2) as ports:
        more = "".join(READER.format(number=number, port=port) for number, port in enumerate(ports))
        ward.config.write_text(CONFIG.replace("fit = 1", "fit = 2") + more)
        try:
            for life in (0, 1):
                agent = ward.start_ready()
                ward.wait_for_times("reader r0: inventories", life + 1)
                ward.wait_for_times("reader r1: inventories", life + 1)
                assert ward.plug.scan(make_badge(ActorId("1001")), label(life)) == [Beep.OK, Beep.OK]
                ward.wait_for_times("sync: broker", life + 1)
                agent.send_signal(signal.SIGTERM)
                assert agent.wait(WAIT_S) == 0, ward.log()
                most_kb, *loaded = told.read_text().split()
                assert {"biip", "paho.mqtt.client", "protocols.readers.llrp.session"} <= set(loaded), "it lived"
                assert HEAVY & {name.partition(".")[0] for name in loaded} == set()
                assert int(most_kb) / 1024 <= MEMORY_MAX_MB
        finally:
            ward.close()
