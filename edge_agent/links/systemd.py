"""systemd's notification socket, sd_notify(3): a few datagrams that say ready, alive, stopping. Nothing without it.

The rule that must not be broken: whoever does not listen never holds the agent up; a datagram that is not taken is
left, and the socket never blocks.
"""

import os
import socket
from collections.abc import MutableMapping
from contextlib import suppress

BEATS_A_LIMIT = 3
"""Signs of life within the watchdog's limit: one that is late is not yet a death."""
STATUS_MAX = 200


class Systemd:
    """What stands in the environment of a service; taken out of it, so that no child speaks in our name."""

    def __init__(self, environ: MutableMapping[str, str] = os.environ) -> None:
        name = environ.pop("NOTIFY_SOCKET", "")
        self._address = "\0" + name[1:] if name.startswith("@") else name
        limit, whose = environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", "")
        ours = not whose or whose == str(os.getpid())
        limit_s = int(limit) / 1_000_000 if ours and limit.isdecimal() else 0.0
        self.beat_every_s = limit_s / BEATS_A_LIMIT if self._address and limit_s else None
        self._due_s = 0.0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) if self._address else None
        if self._socket is not None:
            self._socket.setblocking(False)

    def ready(self, status: str) -> None:
        """Say that the agent works."""
        self._say(f"READY=1\nSTATUS={status[:STATUS_MAX]}")

    def status(self, status: str) -> None:
        """Say how it goes, for `systemctl status`."""
        self._say(f"STATUS={status[:STATUS_MAX]}")

    def beat(self, link_s: float) -> None:
        """Say that the agent is alive, as often as the watchdog wants it."""
        if self.beat_every_s is not None and link_s >= self._due_s:
            self._due_s = link_s + self.beat_every_s
            self._say("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that the agent ends, and give the socket back."""
        self._say("STOPPING=1")
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _say(self, text: str) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.sendto(text.encode(), self._address)
