"""A TCP proxy in front of a broker, so that a ward can be cut off without stopping anything.

Cut, it closes every connection and refuses new ones, as a network does whose cable is out; restored, it listens on the
same port. Its `weather` may hold bytes back, cut them into slices or swallow them, and it can reset what is connected.
It looks into nothing. The rule that must not be broken: the port is never given away during a cut, so a second socket
stays bound to it all the time without listening.
"""

import contextlib
import socket
import struct
import threading
from dataclasses import dataclass

HOST = "127.0.0.1"
CHUNK = 64 * 1024
CONNECTIONS_MAX = 16
"""Connections at a time; an edge has one, and one that is just dying."""

CONNECT_TIMEOUT_S = 3.0


RESET = struct.pack("ii", 1, 0)
"""SO_LINGER on and zero seconds: closing says RST instead of FIN (tcp(7), socket(7))."""


@dataclass(frozen=True, slots=True)
class Weather:
    """How bytes go through: each piece `delay_s` later, `slice_bytes` at a time where that is not 0, or not at all."""

    delay_s: float = 0.0
    slice_bytes: int = 0
    swallows: bool = False


CLEAR = Weather()


class Proxy:
    """Forwards `127.0.0.1:port` to another address of this machine until it is cut or closed."""

    def __init__(self, target: tuple[str, int], *, port: int = 0) -> None:
        self.weather = CLEAR
        self._target = target
        self._lock = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener: socket.socket | None = None
        self._stopping = threading.Event()
        self._holder = _bound(port)
        self.port: int = self._holder.getsockname()[1]
        self.restore()

    def restore(self) -> None:
        """Listen, again after a cut."""
        with self._lock:
            if self._listener is not None:
                return
            self._listener = _bound(self.port)
            self._listener.listen(CONNECTIONS_MAX)
            threading.Thread(target=self._accept, args=(self._listener,), name="proxy", daemon=True).start()

    def cut(self) -> None:
        """Close every connection and refuse new ones."""
        with self._lock:
            listener, self._listener = self._listener, None
            pairs, self._pairs = self._pairs, []
        if listener is not None:
            _end(listener)
        for pair in pairs:
            for end in pair:
                _end(end)

    def reset(self) -> None:
        """Break every connection without a word, as a firewall does that forgot it; new ones are let in."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        ends = [end for pair in pairs for end in pair]
        for end in ends:
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RD)  # wakes whoever waits in it and tells the peer nothing

    def close(self) -> None:
        """Cut, and give the port away."""
        self._stopping.set()
        self.cut()
        self._holder.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return  # cut
            try:
                far = socket.create_connection(self._target, timeout=CONNECT_TIMEOUT_S)
            except OSError:
                near.close()  # the broker is away: so are we
                continue
            self._join(listener, near, far)

    def _join(self, listener: socket.socket, near: socket.socket, far: socket.socket) -> None:
        far.settimeout(None)
        with self._lock:
            self._pairs = [pair for pair in self._pairs if pair[0].fileno() >= 0]
            if listener is not self._listener or len(self._pairs) >= CONNECTIONS_MAX:
                near.close()
                far.close()
                return
            self._pairs.append((near, far))
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._pump, args=(source, sink), name="proxy", daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(CHUNK):
                self._pass(piece, sink)
        _end(source)
        _end(sink)

    def _pass(self, piece: bytes, sink: socket.socket) -> None:
        weather = self.weather
        if weather.swallows:
            return
        size = weather.slice_bytes or len(piece)
        for start in range(0, len(piece), size):
            if weather.delay_s:
                self._stopping.wait(weather.delay_s)
            sink.sendall(piece[start : start + size])


def _bound(port: int) -> socket.socket:
    """Return a bound socket that does not listen: it keeps the port, and whoever connects is refused."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((HOST, port))
    return bound


def _end(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        if end.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, len(RESET)) != RESET:
            end.shutdown(socket.SHUT_RDWR)  # wakes whoever waits in it
    with contextlib.suppress(OSError):
        end.close()
