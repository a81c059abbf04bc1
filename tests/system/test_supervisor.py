"""Programs on a leash: none outlives its parent, one that dies is started again, one that fails says why."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from hardware_sim.errors import PartFailed
from hardware_sim.supervisor import Part, Supervisor

LIMIT_S = 60.0
SLEEPER = [sys.executable, "-c", "import time; print('ready sleeper', flush=True); time.sleep(600)"]

pytestmark = pytest.mark.needs_linux


def eventually(true: Callable[[], bool]) -> bool:
    until = time.monotonic() + LIMIT_S
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path / "pids.json", lambda _name: None)
    yield supervisor
    supervisor.close()


def _pids(tmp_path: Path) -> dict[str, int]:
    pids: dict[str, int] = json.loads((tmp_path / "pids.json").read_text())
    return pids


def test_a_program_killed_is_started_again_under_its_name(supervisor: Supervisor, tmp_path: Path) -> None:
    said = supervisor.start(Part("sleeper", lambda: SLEEPER, tmp_path / "log", "ready "))
    assert said == "sleeper"
    first = _pids(tmp_path)["sleeper"]
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: not psutil.pid_exists(first) or psutil.Process(first).status() == "zombie")
    supervisor.mend()
    assert _pids(tmp_path)["sleeper"] != first
    supervisor.stop(["sleeper"])
    assert _pids(tmp_path) == {}


def test_a_program_that_does_not_start_says_its_last_words(supervisor: Supervisor, tmp_path: Path) -> None:
    words = [sys.executable, "-c", "import sys; sys.exit('expected a config, got none')"]
    with pytest.raises(PartFailed, match="x did not start: expected a config, got none"):
        supervisor.start(Part("x", lambda: words, tmp_path / "log", "ready "))
    with pytest.raises(PartFailed, match="y failed: expected a config, got none"):
        supervisor.run("y", words, tmp_path / "log-y")


def test_a_program_that_is_not_there_is_one_clear_line(supervisor: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(PartFailed, match="expected a program that runs"):
        supervisor.start(Part("x", lambda: ["/no/such/program"], tmp_path / "log", "ready "))


def test_a_program_that_dies_again_and_again_is_not_started_for_ever(supervisor: Supervisor, tmp_path: Path) -> None:
    part = Part("x", lambda: [sys.executable, "-S", "-c", "print('ready x')"], tmp_path / "log", "ready ")
    supervisor.start(part)
    part.restarts = 10
    assert part.process is not None
    part.process.wait(LIMIT_S)
    with pytest.raises(PartFailed, match="x died 11 times"):
        supervisor.mend()


PARENT = """
import subprocess, sys, time
from pathlib import Path
from hardware_sim.supervisor import Part, Supervisor
folder = Path(sys.argv[1])
supervisor = Supervisor(folder / "pids.json", print)
sleeper = [sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(600)"]
supervisor.start(Part("straight", lambda: sleeper, folder / "log", "ready"))
fd = supervisor._leash_end
watch = [sys.executable, "-m", "hardware_sim.leash", "--watch", str(fd), "--", *sleeper]
watched = subprocess.Popen(watch, pass_fds=(fd,), stdout=subprocess.PIPE, start_new_session=True)
watched.stdout.readline()
print("up", flush=True)
time.sleep(600)
"""


def test_nothing_outlives_a_parent_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"up\n"
        family = psutil.Process(parent.pid).children(recursive=True)
        assert len(family) >= 3
        parent.kill()
    assert eventually(lambda: not any(child.is_running() for child in family))


def test_the_embedded_broker_keeps_its_port_over_a_restart_and_names_a_port_in_use(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    port = "0"
    command = [sys.executable, "-m", "hardware_sim.broker", "--port"]
    port = supervisor.start(Part("broker", lambda: [*command, port], tmp_path / "log", "listening ")).rpartition(":")[2]
    with socket.create_connection(("127.0.0.1", int(port)), timeout=LIMIT_S):
        pass
    with pytest.raises(PartFailed, match=f"expected to listen on 127.0.0.1:{port}"):
        supervisor.start(Part("second", lambda: [*command, port], tmp_path / "log2", "listening "))
    supervisor.stop(["second"])
    os.kill(_pids(tmp_path)["broker"], signal.SIGKILL)
    assert eventually(lambda: "broker" in _mended(supervisor, tmp_path) and _answers(int(port)))


def _mended(supervisor: Supervisor, tmp_path: Path) -> dict[str, int]:
    supervisor.mend()
    return _pids(tmp_path)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S).close()
    except OSError:
        return False
    return True
