"""A serial barcode scanner: texts that end in CR, LF or CRLF come in, beeps go out.

It is only the framing, for both ends: the simulated scanner writes with `frame_scan` and hears with `BeepDecoder`. What
a text means is read in `protocols.codes.label`. The rule that must not be broken: only the suffix is removed from a
scan, for the last character of a label may be a space.

Beeps: 1, 2 or 3 BEL say ok, look, no; one NUL ends each group, so that a listener that reads byte by byte need not
guess from timing. BEL sounds a scanner's beeper; NUL is the filler of ASCII (ECMA-48 section 8.3.88), which means
nothing to it.
"""

from dataclasses import dataclass
from enum import IntEnum

from protocols.errors import WeBroke
from protocols.readers.reads import BadFrame

SCAN_MAX = 512
"""Longest scan in bytes without its suffix: twice the largest label in use here; more is noise or a missing suffix."""

BEEP_MAX = 16
"""Longest group of beeps kept, in bytes; a right one has at most four."""

CR, LF, BEL, NUL = b"\r\n\x07\x00"
SUFFIX = b"\r"


@dataclass(frozen=True, slots=True)
class ScanFrame:
    """One scan as text, suffix removed and nothing else."""

    text: str


class Beep(IntEnum):
    """What the host answers to one scan; the value is the number of beeps."""

    OK = 1
    LOOK = 2
    NO = 3

    @property
    def wire(self) -> bytes:
        """Return the bytes that make a scanner beep so."""
        return bytes([BEL] * self.value + [NUL])


@dataclass(frozen=True, slots=True)
class BeepFrame:
    """One answer heard by a scanner."""

    beep: Beep


class ScannerDecoder:
    """Cuts the bytes of a scanner into scans. An empty line is nothing: CRLF and repeated suffixes give one scan."""

    __slots__ = ("_line", "_overflow")

    def __init__(self) -> None:
        self._line = bytearray()
        self._overflow = False

    def receive(self, data: bytes) -> list[ScanFrame | BadFrame]:
        """Take bytes in any pieces and return the scans they complete. Never raises for what the bytes hold."""
        frames: list[ScanFrame | BadFrame] = []
        *ended, rest = data.replace(b"\n", b"\r").split(b"\r")
        for piece in ended:
            self._keep(piece)
            if self._line:
                frames.append(self._frame())
            self.reset()
        self._keep(rest)
        return frames

    def reset(self) -> None:
        """Forget a half scan, as after an unplugged port."""
        self._line.clear()
        self._overflow = False

    @property
    def waiting(self) -> int:
        """Return how many bytes wait for a suffix; a number that stays above 0 means the scanner sends none."""
        return len(self._line)

    def _keep(self, piece: bytes) -> None:
        room = SCAN_MAX - len(self._line)
        self._overflow = self._overflow or len(piece) > room
        self._line += piece[:room]

    def _frame(self) -> ScanFrame | BadFrame:
        raw = bytes(self._line)
        if self._overflow:
            return BadFrame(f"scan: expected a CR or LF within {SCAN_MAX} bytes; set the scanner's suffix to CR", raw)
        try:
            return ScanFrame(raw.decode("utf-8"))
        except UnicodeDecodeError:
            return BadFrame("scan: expected UTF-8 text; check the cable and the scanner's character set", raw)


class BeepDecoder:
    """Hears what the host answers, for the simulated scanner."""

    __slots__ = ("_group",)

    def __init__(self) -> None:
        self._group = bytearray()

    def receive(self, data: bytes) -> list[BeepFrame | BadFrame]:
        """Take bytes in any pieces and return the answers they complete. Never raises for what the bytes hold."""
        frames: list[BeepFrame | BadFrame] = []
        *ended, rest = data.split(bytes([NUL]))
        for piece in ended:
            self._keep(piece)
            frames.append(self._frame())
            self._group.clear()
        self._keep(rest)
        return frames

    def _keep(self, piece: bytes) -> None:
        self._group += piece[: BEEP_MAX - len(self._group)]

    def _frame(self) -> BeepFrame | BadFrame:
        count = len(self._group)
        if self._group.count(BEL) != count or not Beep.OK <= count <= Beep.NO:
            return BadFrame("beep: expected 1..3 BEL before NUL", bytes(self._group))
        return BeepFrame(Beep(count))


def frame_scan(text: str) -> bytes:
    """Return the bytes a scanner sends for a text. Raises `WeBroke` for a text no scan can carry."""
    try:
        raw = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise WeBroke(f"scan: expected a text that UTF-8 can carry, got {text!r:.60}") from error
    if not 1 <= len(raw) <= SCAN_MAX or CR in raw or LF in raw:
        raise WeBroke(f"scan: expected 1..{SCAN_MAX} bytes without CR and LF, got {len(raw)}")
    return raw + SUFFIX
