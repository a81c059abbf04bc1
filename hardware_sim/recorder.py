"""Stands between a real reader and its host and writes down what both say, piece by piece, with the time of each.

It looks into nothing and changes nothing. The reader is on TCP or on a serial port; the host finds this in its place,
on a TCP port or behind a link. The rule that must not be broken: a piece is passed on before it is written down.
"""

import contextlib
import os
import select
import socket
import termios
import threading
import tty
from dataclasses import dataclass
from pathlib import Path

from hardware_sim.clock import Clock, real_time
from hardware_sim.devices.replay import HOST, JOINED, LEFT, READER
from hardware_sim.errors import PartFailed, WrongUse
from hardware_sim.ndjson import NdjsonFile
from hardware_sim.wires import HOST as LOOPBACK
from hardware_sim.wires import open_pty

CHUNK = 64 * 1024
LOOK_S = 0.2
CONNECT_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Source:
    """Where the real reader is: a TCP address, or a serial port and its rate."""

    address: tuple[str, int] | None
    port: Path | None = None
    baud: int = 115_200


def source_of(text: str, baud: int) -> Source:
    """Return where `tcp://HOST:PORT` or `serial:PATH` points. Raises `WrongUse`."""
    scheme, _, rest = text.partition(":")
    host, _, port = rest.removeprefix("//").rpartition(":")
    if scheme == "tcp" and host and port.isdecimal() and int(port) <= 65_535:
        return Source((host, int(port)))
    if scheme == "serial" and rest and hasattr(termios, f"B{baud}"):
        return Source(None, Path(rest), baud)
    raise WrongUse(f"--from: expected tcp://HOST:PORT, or serial:PATH at a usual --baud, got {text:.60} at {baud}")


class Tape:
    """The recording: lines of JSON with microseconds since it began."""

    def __init__(self, book: NdjsonFile) -> None:
        self._book, self._clock = book, Clock(real_time())
        self._began = self._clock.link_now()

    def note(self, way: str, data: bytes = b"") -> None:
        """Write one piece down."""
        row: dict[str, object] = {"at": self._clock.link_now() - self._began, "way": way}
        self._book.note(row | {"hex": data.hex()} if data else row)


class TcpRecorder:
    """Listens for the host, and connects to the reader once for each host that comes."""

    def __init__(self, address: tuple[str, int], port: int, tape: Tape) -> None:
        self._address, self._tape = address, tape
        try:
            self._listener = socket.create_server((LOOPBACK, port))
        except OSError as error:
            raise WrongUse(f"port {port}: expected a free port; {error.strerror}; choose another") from error
        self.where = f"{LOOPBACK}:{self._listener.getsockname()[1]}"

    def run(self, ended: threading.Event) -> None:
        """Record until ended."""
        while not ended.is_set():
            if select.select([self._listener], [], [], LOOK_S)[0]:
                host, _ = self._listener.accept()
                self._join(host, ended)
                host.close()
        self._listener.close()

    def _join(self, host: socket.socket, ended: threading.Event) -> None:
        try:
            reader = socket.create_connection(self._address, CONNECT_TIMEOUT_S)
        except OSError:
            return  # the reader is away: so are we
        with reader:
            self._tape.note(JOINED)
            pump(host.fileno(), reader.fileno(), self._tape, ended)
            self._tape.note(LEFT)


class SerialRecorder:
    """Opens the reader's port, and offers the host a pseudo-terminal in its place."""

    def __init__(self, source: Source, link: Path, tape: Tape) -> None:
        assert source.port is not None  # it is a serial source
        try:
            self._reader = os.open(source.port, os.O_RDWR | os.O_NOCTTY)
            tty.setraw(self._reader)
            modes = termios.tcgetattr(self._reader)
            modes[4] = modes[5] = getattr(termios, f"B{source.baud}")
            termios.tcsetattr(self._reader, termios.TCSANOW, modes)
        except (OSError, termios.error) as error:
            raise PartFailed(f"{source.port}: expected a serial port that opens; {error}") from error
        self._link, self._tape = link, tape
        self._host, self._slave = open_pty(link)
        self.where = str(link)

    def run(self, ended: threading.Event) -> None:
        """Record until ended, or until the reader's port is gone."""
        self._tape.note(JOINED)
        pump(self._host, self._reader, self._tape, ended)
        self._tape.note(LEFT)
        with contextlib.suppress(FileNotFoundError):
            self._link.unlink()
        for end in (self._reader, self._host, self._slave):
            os.close(end)


def pump(host: int, reader: int, tape: Tape, ended: threading.Event) -> None:
    """Carry bytes both ways until one side ends."""
    other = {host: (reader, HOST), reader: (host, READER)}
    while not ended.is_set():
        for end in select.select([host, reader], [], [], LOOK_S)[0]:
            sink, way = other[end]
            data = _carry(end, sink)
            if not data:
                return
            tape.note(way, data)


def _carry(source: int, sink: int) -> bytes:
    """Carry what one side said to the other; empty when either is gone."""
    try:
        data = left = os.read(source, CHUNK)
        while left:
            left = left[os.write(sink, left) :]
    except OSError:
        return b""
    return data
