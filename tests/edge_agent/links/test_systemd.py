"""The notification socket as systemd has it: datagrams on a real socket, by path and by abstract name."""

import os
import socket
from pathlib import Path

import pytest

from edge_agent.links.systemd import Systemd


def listen(address: str) -> socket.socket:
    found = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    found.bind(address)
    found.settimeout(5)
    return found


@pytest.mark.parametrize("abstract", [False, True])
def test_ready_life_and_end_reach_systemd(tmp_path: Path, abstract: bool) -> None:
    name = f"@wardstock-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with listen("\0" + name[1:] if abstract else name) as there:
        environ = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}
        here = Systemd(environ)
        assert environ == {}, "no child may speak in our name"
        here.ready("serves ward-01")
        for link_s in (10.0, 10.5, 10.9, 11.0):
            here.beat(link_s)
        here.stopping()
        here.stopping()
        heard = [there.recv(256) for _ in range(4)]
        assert heard == [b"READY=1\nSTATUS=serves ward-01", b"WATCHDOG=1", b"WATCHDOG=1", b"STOPPING=1"]


def test_without_systemd_and_with_a_deaf_one_nothing_happens(tmp_path: Path) -> None:
    for environ in ({}, {"NOTIFY_SOCKET": str(tmp_path / "nobody"), "WATCHDOG_USEC": "1"}):
        here = Systemd(environ)
        here.ready("works")
        here.beat(1.0)
        here.stopping()


def test_the_watchdog_of_another_process_is_not_ours(tmp_path: Path) -> None:
    environ = {"NOTIFY_SOCKET": str(tmp_path / "n"), "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}
    here = Systemd(environ)
    assert here.beat_every_s is None
    here.stopping()
