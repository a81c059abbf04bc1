"""What one connection to a reader leaves to the next: reads already taken, antennas known to be lost, and its version.

A session lives as long as its connection; a reader that held its reports while the link was down hands some of them
out twice. It holds no rule about connections, and nothing in it grows without a limit.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from protocols.readers.reads import BadFrame, TagRead

RECENT_READS_MAX = 10_000
"""Reads remembered: as many as a reader's buffer usually holds."""


@dataclass(slots=True)
class ReaderMemory:
    """One reader's memory across connections; give it to each session in turn."""

    speaks_old: bool = False
    lost_antennas: set[int] = field(default_factory=set)
    _recent: deque[TagRead] = field(default_factory=lambda: deque(maxlen=RECENT_READS_MAX))
    _taken: frozenset[TagRead] = frozenset()
    _newest: int = 0

    def reconnected(self) -> None:
        """From now on, and until newer ones come, reads may be repeated ones."""
        self._taken = frozenset(self._recent)
        self._newest = max((each.last_seen for each in self._taken), default=0)

    def new(self, reads: Sequence[TagRead | BadFrame]) -> Sequence[TagRead | BadFrame]:
        """Return the reads that were not taken before a reconnect, and remember them."""
        fresh = reads if not self._taken else [each for each in reads if each not in self._taken]
        taken = [each for each in fresh if isinstance(each, TagRead)]
        if self._taken and taken and len(fresh) == len(reads) and all(each.last_seen > self._newest for each in taken):
            self._taken = frozenset()
        self._recent.extend(taken)
        return fresh
