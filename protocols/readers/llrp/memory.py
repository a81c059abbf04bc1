"""What one connection to a reader leaves to the next: reads taken, antennas lost, version, patience.

A session lives as long as its connection; a reader that held its reports while the link was down hands some of them
out twice. It holds no rule about connections, and nothing in it grows without a limit.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from protocols.readers.reads import BadFrame, TagRead
from protocols.values.ids import Epc
from protocols.values.instant import Instant, plus

RECENT_READS_MAX = 10_000
"""Reads remembered: as many as a reader's buffer usually holds."""

OLD_FOR_S = 3_600.0
"""How long a reader that broke off over a question of version 1.1 is spoken to in 1.0.1 before it is asked again: the
link may have been cut by chance, and a reader may be given new firmware."""

BUSY_PAUSES = (0.5, 1, 2, 4)
"""Keepalive intervals to wait while another client has the reader, time after time: the other may be our own dead
connection, which the reader forgets only when left in peace."""

Told: TypeAlias = tuple[Epc, int, Instant, Instant]
"""What makes a read the same one, told again: EPC, antenna, first and last seen. Level and count may have grown."""


def told(read: TagRead) -> Told:
    """Return what makes a read the same one."""
    return read.epc, read.antenna, read.first_seen, read.last_seen


@dataclass(slots=True)
class ReaderMemory:
    """One reader's memory across connections; give it to each session in turn."""

    lost_antennas: set[int] = field(default_factory=set)
    _old_until: Instant | None = None
    _busy_times: int = 0
    _recent: deque[TagRead] = field(default_factory=lambda: deque(maxlen=RECENT_READS_MAX))
    _taken: frozenset[Told] = frozenset()
    _newest: int = 0

    def speaks_old(self, now: Instant) -> bool:
        """Tell whether the reader is to be spoken to in 1.0.1, at this link time."""
        return self._old_until is not None and now < self._old_until

    def broke_off(self, now: Instant) -> None:
        """It broke off, or fell silent, over a question of 1.1."""
        self._old_until = plus(now, OLD_FOR_S)

    def busy(self, keepalive_s: float) -> float:
        """Another client has the reader: return the seconds to leave it in peace, longer each time up to a limit."""
        pause = BUSY_PAUSES[min(self._busy_times, len(BUSY_PAUSES) - 1)]
        self._busy_times = min(self._busy_times + 1, len(BUSY_PAUSES))
        return pause * keepalive_s

    def connected(self, antenna: int, *, there: bool) -> None:
        """Take that an antenna is plugged in, or lost."""
        (self.lost_antennas.discard if there else self.lost_antennas.add)(antenna)

    def reconnected(self) -> None:
        """From now on, and until newer ones come, reads may be repeated ones."""
        self._busy_times = 0
        self._taken = frozenset(map(told, self._recent))
        self._newest = max((each.last_seen for each in self._recent), default=0)

    def new(self, reads: Sequence[TagRead | BadFrame]) -> Sequence[TagRead | BadFrame]:
        """Return the reads that were not taken before a reconnect, and remember them."""
        if not self._taken:
            self._recent.extend(each for each in reads if isinstance(each, TagRead))
            return reads
        fresh = [each for each in reads if isinstance(each, BadFrame) or told(each) not in self._taken]
        taken = [each for each in fresh if isinstance(each, TagRead)]
        if taken and len(fresh) == len(reads) and all(each.last_seen > self._newest for each in taken):
            self._taken = frozenset()
        self._recent.extend(taken)
        return fresh
