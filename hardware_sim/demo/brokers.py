"""The broker of a demo or a load: amqtt from this package or mosquitto of this machine, as one part of a supervisor.

The rule that must not be broken: it keeps its port over a restart, for whoever was connected comes back to it.
"""

import getpass
import os
import socket
import sys
from collections.abc import Callable, Sequence
from itertools import count, islice
from pathlib import Path

from hardware_sim.config import write_mosquitto
from hardware_sim.demo.options import BrokerKind, mosquitto_program
from hardware_sim.errors import PartFailed
from hardware_sim.proxy import HOST
from hardware_sim.supervisor import Part, Supervisor

BROKER = "broker"
PORT_TRIES = 5
"""Ports tried for mosquitto, which cannot be told to take any free one."""

CONNECT_TIMEOUT_S = 1.0

FIRST_PORT, PORTS = 20_000, 12_000
"""Where a free port is looked for, each process from a place of its own."""

_turns = count(os.getpid() * 331)


def start_broker(kind: BrokerKind, folder: Path, supervisor: Supervisor) -> int:
    """Start a broker whose log is in a folder; returns its port. Raises `PartFailed`, `WrongUse` without mosquitto."""
    if kind is BrokerKind.MOSQUITTO:
        return _start_mosquitto(folder, supervisor)
    port = 0

    def command() -> Sequence[str]:
        return [sys.executable, "-m", "hardware_sim.broker", "--port", str(port)]

    said = supervisor.start(Part(BROKER, command, folder / "broker.log", "listening "))
    port = int(said.rpartition(":")[2])
    return port


def _start_mosquitto(folder: Path, supervisor: Supervisor) -> int:
    config, log = folder / "mosquitto.conf", folder / "broker.log"
    command = [mosquitto_program(), "-c", str(config)]
    for _ in range(PORT_TRIES):
        port = free_port()
        write_mosquitto(config, port=port, user=getpass.getuser())
        try:
            supervisor.start(Part(BROKER, lambda: command, log, is_ready=_listens_at(port)))
        except PartFailed:
            continue  # somebody took the port in between
        return port
    raise PartFailed(f"mosquitto did not start on any of {PORT_TRIES} ports (log: {log})")


def free_port() -> int:
    """Return a port of this machine that nobody listens on now; none twice in a round of them. Raises `PartFailed`.

    It lies below those that Linux gives to outgoing connections (32768 on: ip_local_port_range), one of which could
    take it before its server listens.
    """
    for turn in islice(_turns, PORTS):
        port = FIRST_PORT + turn % PORTS
        try:
            socket.create_server((HOST, port)).close()
        except OSError:
            continue
        return port
    raise PartFailed(f"expected a free port from {FIRST_PORT} to {FIRST_PORT + PORTS - 1}, all are taken")


def _listens_at(port: int) -> Callable[[], bool]:
    def listens() -> bool:
        try:
            socket.create_connection((HOST, port), timeout=CONNECT_TIMEOUT_S).close()
        except OSError:
            return False
        return True

    return listens
