"""Real brokers as processes for system tests: amqtt and mosquitto, on a port of their own, killed and started again."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hardware_sim.demo.brokers import free_port

HOST = "127.0.0.1"
START_LIMIT_S = 60.0
POLL_S = 0.02
SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"


class BrokerProcess:
    """One broker; `kind` is "amqtt" or "mosquitto"."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.port = free_port()
        self.url = f"mqtt://{HOST}:{self.port}"
        self._command = _amqtt(self.port) if kind == "amqtt" else _mosquitto(self.port, folder)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + START_LIMIT_S
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex((HOST, self.port)) == 0:
                    return
            time.sleep(POLL_S)
        raise AssertionError(f"{self._command[0]} does not listen on {self.port}")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def _amqtt(port: int) -> list[str]:
    return [sys.executable, "-m", "hardware_sim.broker", "--port", str(port)]


def _mosquitto(port: int, folder: Path) -> list[str]:
    program = shutil.which("mosquitto", path=SYSTEM_FOLDERS)
    assert program is not None
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} {HOST}\nallow_anonymous true\npersistence false\nuser root\n", encoding="utf-8")
    return [program, "-c", str(config)]


@contextmanager
def broker(kind: str, folder: Path) -> Iterator[BrokerProcess]:
    process = BrokerProcess(kind, folder)
    process.start()
    try:
        yield process
    finally:
        process.kill()
