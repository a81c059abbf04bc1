"""A recorded reader as a device: what it said is said again, when it was said, and only after what it answered.

A recording is lines of JSON: `joined` and `left` of a host, and pieces of bytes either way, each `at` so many
microseconds after the recording began. The device goes through them in order: a piece of the reader waits as long as it
did then, a piece of the host waits until as many bytes have come. An LLRP answer bears the number of the request it
answers now, not then. The rule that must not be broken: a recording is played as it is, its faults and its times too.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from hardware_sim.errors import BadSample
from protocols.readers.llrp.codec import HEADER_BYTES, LlrpDecoder
from protocols.readers.llrp.messages import tables
from protocols.values.instant import Instant

JOINED, LEFT, HOST, READER = "joined", "left", "host", "reader"
PIECES_MAX = 2_000_000
LLRP = "llrp"
AWAY = Instant(2**62)


class Piece(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a recording: `way` is `host` or `reader` with bytes, `joined` or `left` without."""

    at: int
    way: str
    hex: str = ""

    @property
    def data(self) -> bytes:
        """Return its bytes."""
        return bytes.fromhex(self.hex)


def read_recording(raw: bytes) -> list[Piece]:
    """Return a recording's lines. Raises `BadSample` naming the first that is none."""
    pieces: list[Piece] = []
    for number, line in enumerate(raw.splitlines(), 1):
        try:
            piece = msgspec.json.decode(line, type=Piece)
            bytes.fromhex(piece.hex)
        except (msgspec.MsgspecError, ValueError) as error:
            if line == b'{"full":true}':
                break
            said = f"recording, line {number}: expected {{at, way, hex}} as `wardstock-sim record` writes"
            raise BadSample(f"{said}; {error}") from error
        pieces.append(piece)
        if len(pieces) > PIECES_MAX:
            raise BadSample(f"recording: expected at most {PIECES_MAX} lines; cut it in parts")
    if not any(each.way == READER and each.hex for each in pieces):
        raise BadSample("recording: expected bytes of a reader, there are none")
    return pieces


def conversations(pieces: Iterable[Piece]) -> list[list[Piece]]:
    """Return what was said to each host in turn; a host that heard nothing counts for nothing."""
    found: list[list[Piece]] = [[]]
    for each in pieces:
        if each.way == JOINED:
            found.append([])
        elif each.way in (HOST, READER):
            found[-1].append(each)
    return [each for each in found if any(piece.way == READER for piece in each)]


@dataclass(slots=True)
class _Numbers:
    """The numbers of a host's LLRP requests, in order."""

    seen: list[int] = field(default_factory=list)
    _decoder: LlrpDecoder = field(default_factory=LlrpDecoder)

    def hear(self, data: bytes) -> None:
        for each in self._decoder.cut(data):
            if isinstance(each, bytes):
                self.seen.append(int.from_bytes(each[6:10], "big"))


@dataclass(slots=True)
class ReplayDevice:
    """One recorded reader of a kind. Each host is told the next conversation; after the last, the first again."""

    kind: str
    talks: Sequence[Sequence[Piece]]
    closing: bool = False
    _turn: int = 0
    _left: deque[Piece] = field(default_factory=deque)
    _last_at: int = 0
    _since: Instant = AWAY
    _owed: int = 0
    _then: _Numbers = field(default_factory=_Numbers)
    _today: _Numbers = field(default_factory=_Numbers)
    _cutter: LlrpDecoder = field(default_factory=LlrpDecoder)

    def connected(self, link_now: Instant, reader_now: Instant) -> bytes:
        """A host is there: its conversation begins."""
        del reader_now
        talk = self.talks[self._turn % len(self.talks)]
        self._turn += 1
        self._left, self._last_at, self._since, self._owed = deque(talk), talk[0].at, link_now, 0
        self._then, self._today, self._cutter = _Numbers(), _Numbers(), LlrpDecoder()
        return self._play(link_now)

    def refuse(self, reader_now: Instant) -> tuple[bytes, bytes]:
        """Turn a second host away without a word."""
        del reader_now
        return b"", b""

    def disconnected(self) -> None:
        """The host is gone."""
        self._left.clear()

    def receive(self, data: bytes, link_now: Instant, reader_now: Instant) -> bytes:
        """Take the host's bytes: they count, what they say does not."""
        del reader_now
        self._owed += len(data)
        if self.kind == LLRP:
            self._today.hear(data)
        return self._play(link_now)

    def due(self) -> tuple[Instant | None, Instant | None]:
        """Return when the next piece is said, in link time."""
        if not self._left or self._left[0].way != READER:
            return None, None
        return Instant(self._since + max(0, self._left[0].at - self._last_at)), None

    def tick(self, link_now: Instant, reader_now: Instant) -> bytes:
        """Say what fell due."""
        del reader_now
        return self._play(link_now)

    def reboot(self, reader_now: Instant) -> None:
        """Forget the host; the recording goes on with the next."""
        del reader_now
        self._left.clear()

    def _play(self, link_now: Instant) -> bytes:
        out = b""
        while self._left:
            piece = self._left[0]
            due, _ = self.due()
            waits = self._owed < len(piece.data) if piece.way == HOST else due is None or link_now < due
            if waits:
                break
            self._left.popleft()
            if piece.way == HOST:
                self._owed -= len(piece.data)
                self._since = link_now
                self._then.hear(piece.data if self.kind == LLRP else b"")
            else:
                self._since = due or link_now
                out += self._numbered(piece.data) if self.kind == LLRP else piece.data
            self._last_at = piece.at
        return out

    def _numbered(self, data: bytes) -> bytes:
        """Give answers the numbers of today's requests; what is no message passes as it is."""
        out = b""
        for each in self._cutter.cut(data):
            out += self._renumber(each) if isinstance(each, bytes) else each.raw
        return out

    def _renumber(self, message: bytes) -> bytes:
        layout = tables().message_of.get((message[0] & 3) << 8 | message[1])
        answers = layout is not None and (layout.name.endswith("_RESPONSE") or layout.name == "ERROR_MESSAGE")
        number = int.from_bytes(message[6:HEADER_BYTES], "big")
        if not answers or number not in self._then.seen:
            return message
        place = self._then.seen.index(number)
        today = self._today.seen[place] if place < len(self._today.seen) else number
        return message[:6] + today.to_bytes(4, "big") + message[HEADER_BYTES:]
