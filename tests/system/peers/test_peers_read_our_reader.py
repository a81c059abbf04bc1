"""Other people's LLRP clients on our simulated reader: each finds every tag, as it would on a reader of metal."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hardware_sim.clock import Clock, real_time
from hardware_sim.devices.device import Heard
from hardware_sim.devices.llrp import LlrpReaderDevice
from hardware_sim.devices.tag_memory import TagMemory
from hardware_sim.serve import ReaderPort
from protocols.values.instant import Instant
from tests.system.peers.environments import LLRPKIT, PYLLRP, SLLURP, Peer

pytestmark = pytest.mark.needs_peers

CLIENTS = Path(__file__).parent / "clients"
LIMIT_S = 120
TAGS = [f"3034{each:020X}" for each in range(40)] + [f"3036{each:028X}" for each in range(10)]


def hear(at: Instant, antennas: tuple[int, ...]) -> list[Heard]:
    """Every tag, in front of antenna 1 or 2 by turns."""
    del at
    return [(code, 1 + place % 2, -50, 2) for place, code in enumerate(TAGS) if 1 + place % 2 in antennas]


@pytest.fixture
def port() -> Iterator[int]:
    memory = {TAGS[0]: TagMemory(TAGS[0], "E2801105200000A1")}
    served = ReaderPort(LlrpReaderDevice(hear, tags=memory), Clock(real_time()))
    served.start()
    yield served.port
    served.close()


@pytest.mark.parametrize("peer", [SLLURP, PYLLRP], ids=lambda peer: peer.name)
def test_a_client_library_reads_all_tags_of_our_reader(peer: Peer, port: int) -> None:
    script = CLIENTS / f"{peer.name}_inventory.py"
    command = [str(peer.program("python")), str(script), "127.0.0.1", str(port), str(len(TAGS))]
    run = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == sorted(TAGS), run.stderr


@pytest.mark.parametrize("options", [(), ("--session", "2", "--mode", "1", "--power", "20")], ids=["plain", "tuned"])
def test_llrpkits_inventory_reads_all_tags_of_our_reader(options: tuple[str, ...], port: int, tmp_path: Path) -> None:
    out = tmp_path / "reads.jsonl"
    command = [str(LLRPKIT.program("llrpkit")), "inventory", "127.0.0.1", "--port", str(port), "--antennas", "1,2"]
    command += ["--duration", "3", "--output", str(out), *options]
    run = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert run.returncode == 0, run.stderr
    assert {json.loads(line)["epc"].upper() for line in out.read_text().splitlines()} == set(TAGS)


def run_llrpkit(*words: str) -> str:
    """Run one of llrpkit's commands and return what it says."""
    command = [str(LLRPKIT.program("llrpkit")), *words]
    run = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_llrpkit_writes_and_reads_a_tags_memory_on_our_reader(port: int) -> None:
    where = ("127.0.0.1", "--port", str(port), "--epc", TAGS[0].lower(), "--bank", "user")
    assert "2 word(s) written" in run_llrpkit("write", *where, "--data", "CAFE0001")
    assert "cafe000100000000" in run_llrpkit("read", *where, "--words", "4")


def test_llrpkit_switches_an_output_of_our_reader(port: int) -> None:
    said = run_llrpkit("gpio", "127.0.0.1", "--port", str(port), "--set", "2=on")
    assert "GPO 2: on" in said
    assert "GPO 1: off" in said
