"""What happens to the agent, as values in one bounded inbox: the only way from the links' threads to the one writer.

It has two lanes: people and brokers first, readers' bytes behind them, held to a budget of bytes, so that a reader that
floods us is held back by its own wire and keeps nobody's scan waiting. It decides nothing. The rule that must not be
broken: it never loses a scan or a reader's bytes; when a lane is full the link's thread waits, and the wire behind it.
What the broker says may be lost: central says it again.
"""

import threading
from collections import deque
from typing import Protocol

import msgspec

QUEUE_MAX = 1024
"""Happenings that wait in one lane; a full one is some seconds of work."""
READERS_BYTES_MAX = 256 * 1024
"""Readers' bytes that wait: some rounds of a thousand tags."""
TURN_MAX = 64
"""Happenings of one turn: the scans among them are one group, one sync of the disk."""
TURN_BYTES_MAX = 16 * 1024
"""Readers' bytes of one turn: some hundred reads, a few milliseconds that a scan may have to wait."""
PUT_WAIT_S = 0.5


class Wire(Protocol):
    """A connection one can answer on."""

    def send(self, data: bytes) -> object:
        """Send bytes; never raises."""


class Closable(Wire, Protocol):
    """A connection one can also end."""

    def close(self, reason: str, pause_s: float = 0.0) -> None:
        """End it, and connect again after `pause_s` at the earliest."""


class ScannerOpened(msgspec.Struct, frozen=True):
    """A scanner's port stands."""

    name: str
    wire: Wire


class ScannerSaid(msgspec.Struct, frozen=True):
    """Bytes of a scanner."""

    name: str
    data: bytes


class ScannerClosed(msgspec.Struct, frozen=True):
    """A scanner's port is gone or does not open."""

    name: str
    reason: str


class ReaderOpened(msgspec.Struct, frozen=True):
    """A reader took our connection."""

    name: str
    wire: Closable


class ReaderSaid(msgspec.Struct, frozen=True):
    """Bytes of a reader."""

    name: str
    data: bytes


class ReaderClosed(msgspec.Struct, frozen=True):
    """A reader's connection is gone or does not open."""

    name: str
    reason: str


class BrokerUp(msgspec.Struct, frozen=True):
    """The broker took us and our subscription stands."""


class BrokerDown(msgspec.Struct, frozen=True):
    """The broker is gone or does not answer."""

    reason: str


class BrokerSaid(msgspec.Struct, frozen=True):
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


class _Lane:
    """Happenings in order, and how many bytes of readers they carry."""

    def __init__(self, bytes_max: int) -> None:
        self._waiting: deque[Happening] = deque()
        self._size, self._bytes_max = 0, bytes_max

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def full(self) -> bool:
        return len(self._waiting) >= QUEUE_MAX or self._size >= self._bytes_max

    def add(self, happening: Happening) -> None:
        self._waiting.append(happening)
        self._size += _bytes_of(happening)

    def take(self) -> Happening:
        happening = self._waiting.popleft()
        self._size -= _bytes_of(happening)
        return happening


def _bytes_of(happening: Happening) -> int:
    return len(happening.data) if isinstance(happening, ReaderSaid) else 0


class Inbox:
    """The two lanes. `stop` may be called from any thread and from a signal's handler."""

    def __init__(self) -> None:
        self._people, self._readers = _Lane(READERS_BYTES_MAX), _Lane(READERS_BYTES_MAX)
        self._changed = threading.Condition()
        self.why_stopped = ""

    @property
    def stopped(self) -> bool:
        """Tell whether the agent should end."""
        return bool(self.why_stopped)

    def stop(self, why: str) -> None:
        """Ask the agent to end; the first reason is the one told."""
        self.why_stopped = self.why_stopped or why

    def put(self, happening: Happening) -> None:
        """Add a happening; wait while its lane is full, unless the agent is ending."""
        lane = self._lane(happening)
        with self._changed:
            while lane.full and not self.stopped:
                self._changed.wait(PUT_WAIT_S)
            if not self.stopped:
                lane.add(happening)
                self._changed.notify_all()

    def offer(self, happening: Happening) -> bool:
        """Add a happening if there is room."""
        lane = self._lane(happening)
        with self._changed:
            if lane.full:
                return False
            lane.add(happening)
            self._changed.notify_all()
            return True

    def gather(self, wait_s: float) -> list[Happening]:
        """Return what has come, people first, each lane in order: wait for the first, then take a turn's worth."""
        gathered: list[Happening] = []
        size = 0
        with self._changed:
            if not self._people and not self._readers:
                self._changed.wait(wait_s)
            while self._people and len(gathered) < TURN_MAX:
                gathered.append(self._people.take())
            while self._readers and len(gathered) < TURN_MAX and size < TURN_BYTES_MAX:
                gathered.append(self._readers.take())
                size += _bytes_of(gathered[-1])
            self._changed.notify_all()
        return gathered

    def _lane(self, happening: Happening) -> _Lane:
        return self._readers if isinstance(happening, ReaderOpened | ReaderSaid | ReaderClosed) else self._people
