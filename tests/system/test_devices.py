"""A rack of devices beside the real agent: what `wardstock-sim devices` writes is what `wardstock-edge run` reads."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hardware_sim.rack import Faults, Wanted, rack_in
from tests.system.edge_ward import PROGRAM, ROOT, WAIT_S

pytestmark = pytest.mark.needs_linux


def wait_until(done: Callable[[], bool], said: Callable[[], str]) -> None:
    limit = time.monotonic() + WAIT_S
    while not done():
        assert time.monotonic() < limit, said()
        time.sleep(0.05)


def test_the_agent_finds_every_device_of_a_rack_and_answers_with_beeps_and_lights(tmp_path: Path) -> None:
    told: list[str] = []
    wanted = Wanted(llrp=2, printers=1, cards=1, reads_a_s=50.0)
    with rack_in(tmp_path, wanted, Faults(), told.append) as (rack, home), (home / "log").open("w") as log:
        agent = subprocess.Popen(
            [*PROGRAM, "run", "--config", str(home / "edge.toml")], cwd=ROOT, stdout=log, stderr=log
        )
        try:
            ready = [f"reader {name}: inventories" for name in ("r1", "r2", "m1", "u1")]
            words = (home / "log").read_text
            wait_until(lambda: all(each in words() for each in ready), words)
            assert rack.do("scan s1 hello") == "s1 no"
            wait_until(lambda: "r1 light 2 on" in told, lambda: str(told))
            assert rack.do("card c1 A1B2C3D4") == "c1 read A1B2C3D4"
            assert rack.do("open r1") == "r1 door open"
        finally:
            agent.terminate()
            agent.wait(WAIT_S)
        assert "Traceback" not in (home / "log").read_text()


def test_the_command_says_where_each_device_is_and_does_what_it_is_told(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).parent / "wardstock-sim"), "devices", "--state", str(tmp_path / "bench")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        kinds = [process.stdout.readline().split()[1:3] for _ in range(6)]
        assert sorted(kinds) == [
            ["c1", "card"], ["m1", "m100"], ["p1", "printer"], ["r1", "llrp"], ["s1", "scanner"], ["u1", "uhfreader18"],
        ]  # fmt: skip
        assert process.stdout.readline() == f"ready {tmp_path / 'bench'}\n"
        process.stdin.write("open r1\n")
        process.stdin.flush()
        assert process.stdout.readline() == "r1 door open\n"
    finally:
        process.terminate()
        process.communicate()
    assert process.wait(WAIT_S) == 0
