"""Frames of a serial module found in a stream with noise: by claimed length, then by check, then from the next byte on.

A serial line has no connection to break off: bytes get lost, come doubled or come from another board of the bus. So a
place where no right frame begins costs one byte, never the stream. It knows no format: `claim` and `parse` do. The rule
that must not be broken: the frames are the same however the bytes are cut.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from protocols.errors import PeerBroke
from protocols.readers.reads import BadFrame

F = TypeVar("F")

NOISE_MAX = 512
"""Bytes of one kept piece of noise: two of the longest frames; a longer run of it is told in pieces."""

NO_FRAME = "expected the beginning of a frame"

Claim = Callable[[bytearray, int], int]
"""Bytes of the frame that begins at a position; 0 = more bytes are needed to tell; -n = none begins in n bytes."""


class FrameSeeker(Generic[F]):
    """Cuts one stream. `parse` makes a frame of the bytes claimed, or raises `PeerBroke` when they are none."""

    __slots__ = ("_claim", "_noise", "_parse", "_waiting", "_why")

    def __init__(self, claim: Claim, parse: Callable[[bytes], F | BadFrame]) -> None:
        self._claim, self._parse = claim, parse
        self._waiting, self._noise = bytearray(), bytearray()
        self._why = ""

    def receive(self, data: bytes) -> list[F | BadFrame]:
        """Take bytes in any pieces; return the frames they complete. Never raises for what the bytes hold."""
        self._waiting += data
        out: list[F | BadFrame] = []
        at = 0
        while at < len(self._waiting):
            size = self._claim(self._waiting, at)
            if size == 0 or at + size > len(self._waiting):
                break
            at += self._skip(at, -size, "", out) if size < 0 else self._try(at, size, out)
        del self._waiting[:at]
        return out

    def give_up(self) -> list[F | BadFrame]:
        """No more bytes come for what waits: find what frames stand in it, and forget the rest as noise."""
        out: list[F | BadFrame] = []
        while self._waiting:
            head, rest = self._waiting[:1], bytes(self._waiting[1:])
            self._waiting = head
            self._skip(0, 1, "expected the rest of a frame", out)
            self._waiting = bytearray()
            out += self.receive(rest)
        self._tell_noise(out)
        return out

    def _try(self, at: int, size: int, out: list[F | BadFrame]) -> int:
        try:
            frame = self._parse(bytes(self._waiting[at : at + size]))
        except PeerBroke as error:
            return self._skip(at, 1, str(error), out)
        self._tell_noise(out)
        out.append(frame)
        return size

    def _skip(self, at: int, count: int, why: str, out: list[F | BadFrame]) -> int:
        for number in range(at, at + count):
            self._why = self._why or why
            self._noise.append(self._waiting[number])
            if len(self._noise) == NOISE_MAX:
                self._tell_noise(out)
        return count

    def _tell_noise(self, out: list[F | BadFrame]) -> None:
        if self._noise:
            out.append(BadFrame(self._why or NO_FRAME, bytes(self._noise)))
        self._noise.clear()
        self._why = ""
