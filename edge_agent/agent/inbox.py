"""What happens to the agent, as values in one bounded queue: the only way from the links' threads to the one writer.

It decides nothing. The rule that must not be broken: it never loses a scan or a reader's bytes; when it is full the
link's thread waits, and the wire behind it. What the broker says may be lost: central says it again.
"""

import queue
from dataclasses import dataclass
from typing import Protocol

QUEUE_MAX = 1024
"""Happenings that wait; a full queue is some seconds of work."""
TURN_MAX = 64
"""Happenings of one turn: the scans among them are one group, one sync of the disk."""
TURN_BYTES_MAX = 256 * 1024
"""Readers' bytes of one turn, so that a flood of reads does not keep a scan waiting."""
PUT_WAIT_S = 0.5


class Wire(Protocol):
    """A connection one can answer on."""

    def send(self, data: bytes) -> object:
        """Send bytes; never raises."""


class Closable(Wire, Protocol):
    """A connection one can also end."""

    def close(self, reason: str) -> None:
        """End it."""


@dataclass(frozen=True, slots=True)
class ScannerOpened:
    """A scanner's port stands."""

    name: str
    wire: Wire


@dataclass(frozen=True, slots=True)
class ScannerSaid:
    """Bytes of a scanner."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class ScannerClosed:
    """A scanner's port is gone or does not open."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReaderOpened:
    """A reader took our connection."""

    name: str
    wire: Closable


@dataclass(frozen=True, slots=True)
class ReaderSaid:
    """Bytes of a reader."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class ReaderClosed:
    """A reader's connection is gone or does not open."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class BrokerUp:
    """The broker took us and our subscription stands."""


@dataclass(frozen=True, slots=True)
class BrokerDown:
    """The broker is gone or does not answer."""

    reason: str


@dataclass(frozen=True, slots=True)
class BrokerSaid:
    """One message from central."""

    data: bytes


Happening = (
    ScannerOpened
    | ScannerSaid
    | ScannerClosed
    | ReaderOpened
    | ReaderSaid
    | ReaderClosed
    | BrokerUp
    | BrokerDown
    | BrokerSaid
)


class Inbox:
    """The queue. `stop` may be called from any thread and from a signal's handler."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Happening] = queue.Queue(QUEUE_MAX)
        self.why_stopped = ""

    @property
    def stopped(self) -> bool:
        """Tell whether the agent should end."""
        return bool(self.why_stopped)

    def stop(self, why: str) -> None:
        """Ask the agent to end; the first reason is the one told."""
        self.why_stopped = self.why_stopped or why

    def put(self, happening: Happening) -> None:
        """Add a happening; wait while the queue is full, unless the agent is ending."""
        while not self.stopped:
            try:
                self._queue.put(happening, timeout=PUT_WAIT_S)
                return
            except queue.Full:
                continue

    def offer(self, happening: Happening) -> bool:
        """Add a happening if there is room."""
        try:
            self._queue.put_nowait(happening)
            return True
        except queue.Full:
            return False

    def gather(self, wait_s: float) -> list[Happening]:
        """Return what has come, in order: wait for the first, take what is there already, up to a turn's limits."""
        gathered: list[Happening] = []
        size = 0
        try:
            gathered.append(self._queue.get(timeout=wait_s))
            while len(gathered) < TURN_MAX and size < TURN_BYTES_MAX:
                last = gathered[-1]
                size += len(last.data) if isinstance(last, ReaderSaid) else 0
                gathered.append(self._queue.get_nowait())
        except queue.Empty:
            pass
        return gathered
