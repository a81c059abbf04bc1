"""The two wires a simulated device can hang on: a TCP port with room for one client, and a pseudo-terminal with a link.

A wire carries bytes and says who came and went. It knows neither devices nor faults, but can be unplugged, and can
leave a client alone without a word. The rule that must not be broken: port and name stay ours while they are unplugged.
"""

import contextlib
import os
import select
import socket
import tty
from dataclasses import dataclass
from pathlib import Path

from hardware_sim.clock import pause
from hardware_sim.errors import WrongUse

HOST = "127.0.0.1"
CHUNK = 64 * 1024
SEND_TIMEOUT_S = 5.0
"""A client that takes nothing for so long is gone."""

PTY_CHUNK = 1024
"""Bytes a pseudo-terminal surely takes at once when it takes any."""

ROOM_WAIT_S = 0.2
"""A host that reads nothing for so long is not there: what was said falls into the void, as on a wire."""

NOBODY_S = 0.02
"""How soon a host is noticed that opens the port."""

ABANDONED_MAX = 16


@dataclass(frozen=True, slots=True)
class Joined:
    """A client is there."""


@dataclass(frozen=True, slots=True)
class Left:
    """The client is gone."""


@dataclass(frozen=True, slots=True)
class Said:
    """Bytes of the client."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Knocked:
    """A second client stands at the door: speak to it and close it."""

    end: socket.socket


Happened = Joined | Left | Said | Knocked


def bound_socket(port: int) -> socket.socket:
    """Return a bound socket that does not listen: it keeps the port, and whoever connects is refused."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
    except OSError:
        bound.close()
        raise
    return bound


class TcpWire:
    """A listening port; one client at a time."""

    def __init__(self, port: int = 0) -> None:
        try:
            self._holder = bound_socket(port)
            self.port: int = self._holder.getsockname()[1]
            self._listener: socket.socket | None = None
            self.resume()
        except OSError as error:
            raise WrongUse(f"port {port}: expected a free port on {HOST}; {error.strerror}; choose another") from error
        self._client: socket.socket | None = None
        self._abandoned: list[socket.socket] = []

    @property
    def where(self) -> str:
        """Return the address a client connects to."""
        return f"{HOST}:{self.port}"

    def wait(self, wait_s: float) -> list[Happened]:
        """Return what happened, at the latest after so many seconds."""
        ends = [end for end in (self._client, self._listener) if end is not None]
        if not ends:
            pause(wait_s)
            return []
        ready, _, _ = select.select(ends, [], [], wait_s)
        # a client that goes is seen off first: the next one may stand at the door already
        out = [self._receive(self._client)] if self._client is not None and self._client in ready else []
        if self._listener is not None and self._listener in ready:
            out += self._accept(self._listener)
        return out

    def write(self, data: bytes) -> bool:
        """Send bytes; False when the client is gone."""
        if self._client is None:
            return False
        try:
            self._client.sendall(data)
        except OSError:
            self.close()
            return False
        return True

    def close(self) -> None:
        """End the connection."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def abandon(self) -> None:
        """Leave the client with an open connection on which nothing will ever happen, until `resume`."""
        client, self._client = self._client, None
        if client is not None:
            self._abandoned.append(client)
            for old in self._abandoned[:-ABANDONED_MAX]:
                old.close()
            del self._abandoned[:-ABANDONED_MAX]

    def unplug(self) -> None:
        """Refuse whoever connects."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()

    def resume(self) -> None:
        """Listen again, and end what was abandoned. Raises `OSError`."""
        if self._listener is None:
            self._listener = bound_socket(self.port)
            self._listener.listen()
        for client in getattr(self, "_abandoned", ()):
            client.close()
        self._abandoned = []

    def shut(self) -> None:
        """Give everything away."""
        self.unplug()
        self.close()
        for client in self._abandoned:
            client.close()
        self._holder.close()

    def _accept(self, listener: socket.socket) -> list[Happened]:
        try:
            end, _ = listener.accept()
        except OSError:
            return []  # it went away at the door
        end.settimeout(SEND_TIMEOUT_S)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._client is not None:
            return [Knocked(end)]
        self._client = end
        return [Joined()]

    def _receive(self, client: socket.socket) -> Happened:
        try:
            data = client.recv(CHUNK)
        except OSError:
            data = b""
        if data:
            return Said(data)
        self.close()
        return Left()


class PtyWire:
    """A raw pseudo-terminal; `link` always points to it.

    The kernel says when a host opens and closes it. Not so with `ever`: then a host counts as there all the time, and
    what is said while it is not waits for it in the terminal, as for a scanner.
    """

    def __init__(self, link: Path, *, ever: bool = False) -> None:
        self._link, self._ever = link, ever
        self._master, self._slave = -1, -1
        self._there = self._deaf = False
        self.resume()

    @property
    def where(self) -> str:
        """Return the link."""
        return str(self._link)

    def wait(self, wait_s: float) -> list[Happened]:
        """Return what happened, at the latest after so many seconds."""
        if self._master < 0:
            pause(wait_s)
            return []
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        told = dict(poll.poll(wait_s * 1000)).get(self._master, 0)
        gone = bool(told & select.POLLHUP)
        out: list[Happened] = []
        if self._there == gone:
            self._there = not gone
            out = [] if self._deaf else [Left() if gone else Joined()]
        if told & select.POLLIN:
            data = self._read()
            return [*out, Said(data)] if data and not self._deaf else out
        if gone:
            pause(min(wait_s, NOBODY_S))
        return out

    def write(self, data: bytes) -> bool:
        """Write what a host has room for; False when it takes nothing."""
        while data:
            if self._master < 0 or not select.select([], [self._master], [], ROOM_WAIT_S)[1]:
                self._there = False  # a host that takes again counts as new
                return False
            data = data[os.write(self._master, data[:PTY_CHUNK]) :]
        return True

    def close(self) -> None:
        """A serial line has no connection to end: its port goes and comes back with `resume`."""
        self.unplug()

    def abandon(self) -> None:
        """Neither hear nor tell of the host until `resume`."""
        self._deaf = True

    def unplug(self) -> None:
        """The port is gone, and its name with it."""
        with contextlib.suppress(FileNotFoundError):
            self._link.unlink()
        for end in (self._master, self._slave):
            if end >= 0:
                os.close(end)
        self._master = self._slave = -1
        self._there = False

    def resume(self) -> None:
        """Be a port again under the same name; a host that is there counts as new."""
        self._deaf = self._there = False
        if self._master < 0:
            self._master, self._slave = open_pty(self._link)
            if not self._ever:
                os.close(self._slave)
                self._slave = -1

    def _read(self) -> bytes:
        try:
            return os.read(self._master, CHUNK)
        except OSError:
            return b""  # the host closed between two looks

    def shut(self) -> None:
        """Pull the plug."""
        self.unplug()


def open_pty(link: Path) -> tuple[int, int]:
    """Return both ends of a raw pseudo-terminal, with `link` pointing to it."""
    master, slave = os.openpty()
    tty.setraw(slave)
    with contextlib.suppress(FileNotFoundError):
        link.unlink()
    link.symlink_to(os.ttyname(slave))
    return master, slave
