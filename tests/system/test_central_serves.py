"""`wardstock-central serve` as a process: it says where it listens, answers, and ends kindly whatever ends it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

END_S_MAX = 60
PROGRAM = [sys.executable, "-c", "from central.cli import main; main()"]
CONFIG = '[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[sync]\nunsigned = true\n[people]\neveryone_is = "page"\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "central.toml"
    path.write_text(CONFIG, "utf-8")
    subprocess.run([*PROGRAM, "migrate", "--config", str(path)], check=True, timeout=END_S_MAX, capture_output=True)
    return path


@contextmanager
def served(config: Path, *more: str, pass_fds: tuple[int, ...] = ()) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [*PROGRAM, "serve", "--config", str(config), *more]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, pass_fds=pass_fds
    ) as process:
        try:
            assert process.stdout is not None
            word, address = process.stdout.readline().split()
            assert word == "listening"
            yield process, f"http://{address}"
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_server_without_a_word(config: Path, number: signal.Signals) -> None:
    with served(config) as (process, address):
        assert httpx.get(f"{address}/api/v1/health").json()["ok"] is True
        assert httpx.get(f"{address}/?lang=en").status_code == 200
        process.send_signal(number)
        _, errors = process.communicate(timeout=END_S_MAX)
    assert process.returncode == 0
    assert "Traceback" not in errors


def test_the_end_of_the_parents_pipe_ends_the_server(config: Path) -> None:
    reading, writing = os.pipe()
    with served(config, "--parent-pipe", str(reading), pass_fds=(reading,)) as (process, _):
        os.close(reading)
        os.close(writing)
        assert process.wait(END_S_MAX) == 0
