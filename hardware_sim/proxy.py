"""A TCP proxy in front of a broker, so that a ward can be cut off without stopping anything.

Cut, it closes every connection and refuses new ones, as a network does whose cable is out; restored, it listens on the
same port. It looks into nothing. The rule that must not be broken: the port is never given away during a cut, so a
second socket stays bound to it all the time without listening.
"""

import contextlib
import socket
import threading

HOST = "127.0.0.1"
CHUNK = 64 * 1024
CONNECTIONS_MAX = 16
"""Connections at a time; an edge has one, and one that is just dying."""

CONNECT_TIMEOUT_S = 3.0


class Proxy:
    """Forwards `127.0.0.1:port` to another address of this machine until it is cut or closed."""

    def __init__(self, target: tuple[str, int], *, port: int = 0) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener: socket.socket | None = None
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

    def close(self) -> None:
        """Cut, and give the port away."""
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
            threading.Thread(target=_pump, args=(source, sink), name="proxy", daemon=True).start()


def _bound(port: int) -> socket.socket:
    """Return a bound socket that does not listen: it keeps the port, and whoever connects is refused."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((HOST, port))
    return bound


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(CHUNK):
            sink.sendall(piece)
    _end(source)
    _end(sink)


def _end(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)  # wakes whoever waits in it
    with contextlib.suppress(OSError):
        end.close()
