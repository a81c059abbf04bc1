"""A serial port with a scanner or a reader on it: hand on bytes as they come, send, open again when it was unplugged.

The only file that knows pyserial. It knows no framing; what bytes mean is decided on the agent's own thread. Callbacks
are called on this link's thread and should only put something into the agent's queue. The rule that must not be broken:
nothing a port does raises from here: it becomes a reason, told once for each change.
"""

import errno
import threading
from collections.abc import Callable
from pathlib import Path

import serial

from edge_agent.errors import LinkFault
from edge_agent.links.backoff import BackOff
from edge_agent.links.ports import Search

READ_BYTES = 4096
READ_TIMEOUT_S = 0.5
"""The beat at which an idle port looks whether it should stop."""
WRITE_TIMEOUT_S = 1.0
"""A scanner that does not take four bytes in a second is gone."""
REOPEN = BackOff(first_s=0.2, max_s=5.0)
"""A plug is put back within seconds; a person stands there and waits for the beep."""


class SerialConnection:
    """One opened port. After a fault or its end, sending does nothing: a late beep never reaches the next plug."""

    def __init__(self, port: serial.Serial) -> None:
        self._port = port
        self._lock = threading.Lock()
        self._over = False
        self.why_closed = ""
        self.pause_s = 0.0

    def send(self, data: bytes) -> bool:
        """Send bytes; returns False when the port did not take them."""
        with self._lock:
            if self._over:
                return False
            try:
                self._port.write(data)
                return True
            except (serial.SerialException, OSError):
                self._over = True  # the reading side meets the same fault and says it
                return False

    def read(self) -> bytes:
        """Return what came; empty after the time-out. Raises `OSError` when the port is gone."""
        first = self._port.read(1)
        return first + self._port.read(min(READ_BYTES, self._port.in_waiting)) if first else b""

    def close(self, reason: str, pause_s: float = 0.0) -> None:
        """End it: the reading side gives the port back within a beat and tells the first reason."""
        with self._lock:
            self.pause_s = max(self.pause_s, pause_s)
            self._over = True
            self.why_closed = self.why_closed or reason

    def release(self) -> None:
        """Give the port back."""
        with self._lock:
            self._over = True
            self._port.close()


class SerialLink:
    """Keeps one port open, on a thread of its own, until stopped.

    `on_open(connection)`, `on_bytes(data)` and `on_close(reason)` come in that order; `on_close` alone when opening
    failed. `chance()` gives a random number of 0..1 for the pause. `what` is plugged in, for the advice in a reason.
    `port` may be a search: then one port after the other is tried until `settled()` says that this is the one.
    """

    def __init__(
        self,
        port: Path | Search,
        baud: int,
        *,
        on_open: Callable[[SerialConnection], None],
        on_bytes: Callable[[bytes], None],
        on_close: Callable[[str], None],
        chance: Callable[[], float],
        what: str = "scanner",
    ) -> None:
        self._search = port if isinstance(port, Search) else None
        self._path = Path() if isinstance(port, Search) else port
        self._baud, self._what = baud, what
        self._on_open, self._on_bytes, self._on_close = on_open, on_bytes, on_close
        self._chance = chance
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"serial {self._path.name or what}", daemon=True)

    def start(self) -> None:
        """Begin to open."""
        self._thread.start()

    def settled(self) -> None:
        """What is plugged in works: a search ends here. A port that opens is retried soon anyway."""
        if self._search is not None:
            self._search.settled()

    def stop(self, timeout_s: float = 4 * READ_TIMEOUT_S) -> None:
        """Close, and wait for the thread to end."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        failures = 0
        while not self._stopped.is_set():
            asked_s = 0.0
            if self._search is not None:
                self._path = self._search.next()
            try:
                connection = SerialConnection(_open(self._path, self._baud))
            except (OSError, ValueError) as error:  # SerialException is an OSError
                self._on_close(_say(error, self._path, self._what))
                failures += 1
            else:
                failures = 0
                self._on_open(connection)
                self._on_close(self._read(connection))
                asked_s = connection.pause_s
            self._stopped.wait(max(asked_s, REOPEN.wait_s(failures, self._chance())))

    def _read(self, connection: SerialConnection) -> str:
        try:
            while not self._stopped.is_set() and not connection.why_closed:
                data = connection.read()
                if data:
                    self._on_bytes(data)
        except (OSError, TypeError) as error:  # pyserial raises TypeError when a port is closed under a read
            why = errno.errorcode.get(getattr(error, "errno", None) or 0, "or another program reads it too")
            return f"{self._path}: the port is gone ({why}); plug the {self._what} in again"
        finally:
            connection.release()
        return connection.why_closed or "stopped"


def try_port(path: Path, baud: int, what: str = "scanner") -> None:
    """Open a port and give it back. Raises `LinkFault` that says what to do."""
    try:
        _open(path, baud).close()
    except (OSError, ValueError) as error:
        raise LinkFault(_say(error, path, what)) from error


def _open(path: Path, baud: int) -> serial.Serial:
    return serial.Serial(
        str(path), baudrate=baud, timeout=READ_TIMEOUT_S, write_timeout=WRITE_TIMEOUT_S, exclusive=True
    )


def _say(error: Exception, path: Path, what: str) -> str:
    match getattr(error, "errno", None):
        case errno.ENOENT | errno.ENXIO | errno.ENODEV:
            return f"{path}: expected a serial port, there is none; plug the {what} in or correct its url"
        case errno.EACCES | errno.EPERM:
            return f"{path}: expected a port this user may open; add the user to the port's group"
        case errno.EAGAIN | errno.EBUSY:
            return f"{path}: expected a free port, another program uses it; stop that program"
        case errno.ENOTTY:
            return f"{path}: expected a serial port, this is another kind of file; correct the {what}'s url"
        case _:
            return f"{path}: expected a serial port that opens; {_reason(error)}"


def _reason(error: Exception) -> str:
    number = getattr(error, "errno", None)
    return errno.errorcode.get(number, str(error)) if number else str(error)
