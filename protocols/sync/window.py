"""The frames on the way: how far the edge has sent, how far central has acknowledged, and where to begin again.

It holds places in the chain, never entries: the ledger is the only queue. The rule that must not be broken: what is
sent next always continues `acked` or the last frame sent, so that a frame's `prev_hash` is known without asking.
"""

from dataclasses import dataclass

from protocols.entry import Digest
from protocols.sync.frames import FRAME_ENTRIES_MAX, FRAME_RAW_BYTES_MAX, WINDOW_FRAMES
from protocols.sync.machine import WantEntries
from protocols.values.ids import Incarnation


@dataclass(frozen=True, slots=True)
class _InFlight:
    last_seq: int
    sent_at: float


class Window:
    """At most `WINDOW_FRAMES` frames, each of at most `chunk` entries, between `acked` and the end of one chain."""

    def __init__(self, incarnation: Incarnation, acked: int, acked_hash: Digest) -> None:
        self.incarnation = incarnation
        self.acked = acked
        self.chunk = self._most = FRAME_ENTRIES_MAX
        self._frames = WINDOW_FRAMES
        self._acked_hash = acked_hash
        self._next_seq, self._next_prev = acked + 1, acked_hash
        self._wanted: int | None = None
        self._alone: int | None = None
        self._flight: list[_InFlight] = []
        self._refused: set[int] = set()
        """Where frames on their way begin that central had no use for yet."""
        self.answers_for_mark = False
        """Whether the frame right behind the mark was sent since the mark came there."""

    def advance(self, seq: int, digest: Digest) -> None:
        """Note that central has committed up to `seq`, above the mark."""
        self.acked, self._acked_hash = seq, digest
        self.answers_for_mark = False
        self.chunk, self._frames = min(self._most, self.chunk * 2), WINDOW_FRAMES
        self._flight = [sent for sent in self._flight if sent.last_seq > seq]
        if self._next_seq <= seq or seq + 1 in self._refused:
            self.rewind()
        self._refused = {begins for begins in self._refused if begins > seq}

    def refuse(self, from_seq: int) -> None:
        """Note that central had no use for a frame before what it misses: it is sent again when its turn comes."""
        if any(sent.last_seq == from_seq - 1 for sent in self._flight):
            self._refused.add(from_seq)

    def rewind(self) -> None:
        """Begin again right behind the mark."""
        self._flight, self._wanted = [], None
        self._refused.clear()
        self._next_seq, self._next_prev = self.acked + 1, self._acked_hash

    def halve(self) -> None:
        """Begin again with frames half as long as the first on its way."""
        sent = self._flight[0].last_seq - self.acked if self._flight else self.chunk
        self.chunk = max(1, min(self.chunk, sent) // 2)
        self.rewind()

    def ease(self) -> None:
        """Begin again with one frame at a time, until it is acknowledged."""
        self._frames = 1
        self.rewind()

    def split(self) -> None:
        """Begin again with frames half as long, and none longer from now on: central takes no more at once."""
        self.halve()
        self._most = self.chunk

    def ask(self, head_seq: int) -> WantEntries | None:
        """Return what to read for the next frame, None while the window is full or there is nothing to send."""
        if len(self._flight) >= self._frames or self._wanted is not None or self._next_seq > head_seq:
            return None
        if self._next_seq == self._alone and self._flight:
            return None
        self._wanted = self._next_seq
        return WantEntries(
            self.incarnation, self._next_seq, min(self.chunk, head_seq - self._next_seq + 1), FRAME_RAW_BYTES_MAX
        )

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is on its way."""
        return not self._flight

    def stop_at(self, seq: int) -> None:
        """Ask for this entry again only when everything before it is acknowledged."""
        self._wanted, self._alone = None, seq

    def awaits(self, from_seq: int) -> bool:
        """Tell whether the entries from this seq are the ones last asked for."""
        return self._wanted == from_seq

    def prev_hash(self) -> Digest:
        """Return the hash before the next frame."""
        return self._next_prev

    def sent(self, last_seq: int, last_hash: Digest, now: float) -> None:
        """Note the frame just sent."""
        self._wanted = None
        self.answers_for_mark = self.answers_for_mark or self._next_seq == self.acked + 1
        self._next_seq, self._next_prev = last_seq + 1, last_hash
        self._flight.append(_InFlight(last_seq, now))

    def oldest_sent_at(self) -> float | None:
        """Return when the oldest frame on the way was sent, None when none is."""
        return self._flight[0].sent_at if self._flight else None
