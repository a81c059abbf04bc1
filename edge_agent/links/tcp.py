"""A TCP link to one reader, in the clear or over TLS: connect, hand on bytes, send, close, and try again after a pause.

It knows no protocol and no rule about readers: what bytes mean is a session's business, on the agent's own thread. The
callbacks are called on the link's thread and should only put something into the agent's queue; a queue that is full
holds the link back, and TCP holds the reader back. Nothing a network does raises from here: it becomes a reason.

LLRP has no login: TLS (port 5085) with certificates on both ends is all that tells a reader from whoever answers at its
address. The certificates come in as a context; `tls_context` makes one that believes one authority and nobody else.
"""

import select
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

from edge_agent.links.backoff import BackOff
from protocols.errors import BadValue

RECEIVE_BYTES = 16_384
IO_TIMEOUT_S = 5.0
"""Longest wait for the other end to take bytes, and the beat at which an idle link looks whether it should stop."""


class TcpConnection:
    """One connection. When it is over, sending and closing do nothing: a late answer never reaches the next one."""

    def __init__(self, sock: socket.socket, where: str) -> None:
        self._socket = sock
        self._where = where
        self._lock = threading.Lock()
        self._reason = ""
        self.pause_s = 0.0

    def send(self, data: bytes) -> None:
        """Send bytes; a link that does not take them in time is closed."""
        with self._lock:
            if self._reason:
                return
            try:
                self._socket.sendall(data)
            except OSError as error:
                self._end(say(error, self._where))

    def close(self, reason: str, pause_s: float = 0.0) -> None:
        """End the connection; the first reason is the one told. The next one waits for `pause_s` at least."""
        with self._lock:
            self.pause_s = max(self.pause_s, pause_s)
            self._end(reason)

    def read(self, on_bytes: Callable[[bytes], None]) -> str:
        """Hand on bytes until the connection is over; returns why it is."""
        while not self._reason:
            try:
                data = self._receive()
            except (TimeoutError, ssl.SSLWantReadError):
                continue
            except OSError as error:
                self.close(say(error, self._where))
                break
            if not data:
                self.close(f"{self._where} closed the connection")
                break
            on_bytes(data)
        self._socket.close()
        return self._reason

    def _receive(self) -> bytes:
        """Return what came. A TLS connection is one state for both ways: only one thread at a time may touch it."""
        if not isinstance(self._socket, ssl.SSLSocket):
            return self._socket.recv(RECEIVE_BYTES)
        if not self._socket.pending() and not select.select([self._socket], [], [], IO_TIMEOUT_S)[0]:
            raise TimeoutError
        with self._lock:
            if self._reason:
                return b""  # once shut down, the socket would hand on what is still coming without opening it
            self._socket.settimeout(0)  # a record may hold no bytes for us: who waits for more must not hold the lock
            try:
                return self._socket.recv(RECEIVE_BYTES)
            finally:
                self._socket.settimeout(IO_TIMEOUT_S)

    def _end(self, reason: str) -> None:
        if self._reason:
            return
        self._reason = reason
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it was gone already: that is what was wanted


class TcpLink:
    """Keeps a connection to `host:port`, on a thread of its own, until stopped.

    `on_open(connection)`, `on_bytes(data)` and `on_close(reason)` come in that order; `on_close` alone when connecting
    failed. `chance()` gives a random number of 0..1 for the pause. Call `settled()` once the reader works, so that the
    next failure is retried soon.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        on_open: Callable[[TcpConnection], None],
        on_bytes: Callable[[bytes], None],
        on_close: Callable[[str], None],
        chance: Callable[[], float],
        back_off: BackOff | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._address = (host, port)
        self._where = f"{host}:{port}"
        self._on_open, self._on_bytes, self._on_close = on_open, on_bytes, on_close
        self._chance = chance
        self._back_off = back_off or BackOff()
        self._tls = tls
        self._failures = 0
        self._stopped = threading.Event()
        self._connection: TcpConnection | None = None
        self._thread = threading.Thread(target=self._run, name=f"tcp {self._where}", daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def settled(self) -> None:
        """The reader works: forget past failures."""
        self._failures = 0

    def stop(self, timeout_s: float = 2 * IO_TIMEOUT_S) -> None:
        """Close, and wait for the thread to end."""
        self._stopped.set()
        connection = self._connection
        if connection is not None:
            connection.close("stopped")
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._connection = None
            self._on_close(self._connect_and_read())
            asked_s = 0.0 if self._connection is None else self._connection.pause_s
            wait_s = max(asked_s, self._back_off.wait_s(self._failures, self._chance()))
            self._failures += 1
            self._stopped.wait(wait_s)

    def _connect_and_read(self) -> str:
        try:
            sock = connect(self._address, self._tls)
        except OSError as error:
            return say(error, self._where)
        connection = TcpConnection(sock, self._where)
        self._connection = connection
        if self._stopped.is_set():
            connection.close("stopped")
        self._on_open(connection)
        return connection.read(self._on_bytes)


def tls_context(authority: Path, *, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """Return a context that believes readers of this authority only, and shows our own certificate where one is given.

    Raises `BadValue` for files that are not what they should be.
    """
    try:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(authority))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if certificate is not None:
            context.load_cert_chain(certificate, key)
    except OSError as error:
        named = f"{authority}" + (f", {certificate}, {key or certificate}" if certificate else "")
        raise BadValue(
            f"TLS: expected PEM files of an authority, a certificate and its key, got {named}: "
            f"{error.strerror or error}"
        ) from error
    return context


def connect(address: tuple[str, int], tls: ssl.SSLContext | None = None) -> socket.socket:
    """Return a connected socket. Raises `OSError`, also where a port nobody serves connected to itself (Linux does)."""
    sock = socket.create_connection(address, IO_TIMEOUT_S)
    try:
        if sock.getsockname() == sock.getpeername():
            raise ConnectionRefusedError
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock if tls is None else tls.wrap_socket(sock, server_hostname=address[0])
    except OSError:
        sock.close()
        raise


def say(error: OSError, where: str) -> str:
    """Return what a person should know of a network error."""
    match error:
        case ssl.SSLCertVerificationError():
            return (
                f"{where} shows a certificate we do not believe: {error.verify_message}; correct its authority or name"
            )
        case ssl.SSLError():
            return f"{where} does not speak TLS as we do ({error.reason or error}): is this its TLS port, usually 5085?"
        case ConnectionRefusedError():
            return f"{where} refused the connection: is it on, and is this its port?"
        case ConnectionResetError() | BrokenPipeError() | ConnectionAbortedError():
            return f"{where} broke the connection off"
        case TimeoutError():
            return f"{where} did not answer within {IO_TIMEOUT_S:g} s: is it on, and on this network?"
        case socket.gaierror():
            return f"{where}: no such host name; correct it or use the address"
        case _:
            return f"{where}: {error.strerror or error}"
