"""A serial barcode scanner: texts that end in CR, LF, CRLF or as the scanner was set come in, beeps go out.

It is only the framing, for both ends: the simulated scanner writes with `frame_scan` and hears with `BeepDecoder`. What
a text means is read in `protocols.codes.label`. The rule that must not be broken: only the suffix is removed from a
scan, for the last character of a label may be a space.

Beeps: 1, 2 or 3 BEL say ok, look, no; one NUL ends each group, so that a listener that reads byte by byte need not
guess from timing. BEL sounds a scanner's beeper; NUL is the filler of ASCII (ECMA-48 section 8.3.88), which means
nothing to it.
"""

from dataclasses import dataclass
from enum import IntEnum

from protocols.errors import BadValue, WeBroke
from protocols.readers.reads import BadFrame

SCAN_MAX = 512
"""Longest scan in bytes without its suffix: twice the largest label in use here; more is noise or a missing suffix."""

BEEP_MAX = 16
"""Longest group of beeps kept, in bytes; a right one has at most four."""

CR, LF, BEL, NUL = b"\r\n\x07\x00"
SUFFIX = b"\r"


SUFFIXES = {"CR": b"\r", "LF": b"\n", "CRLF": b"\r\n", "TAB": b"\t", "ETX": b"\x03"}
"""Suffixes a scanner may be set to; CR and LF end a scan whatever it was set to."""

PREFIX_MAX = 8
AIM_MARK = "]"
"""First character of every symbology identifier (ISO/IEC 15424)."""


@dataclass(frozen=True, slots=True)
class ScanForm:
    """How one scanner is set: what stands before and behind each scan, and whether identifiers must stand in front.

    With `aim_required` a scan without a symbology identifier is refused, because without one a bare text may not be
    read as GS1: it tells at once that the scanner lost its settings.
    """

    prefix: str = ""
    suffix: str = "CR"
    aim_required: bool = False

    def __post_init__(self) -> None:
        if self.suffix not in SUFFIXES:
            raise BadValue(f"scanner suffix: expected one of {', '.join(SUFFIXES)}, got {self.suffix!r:.20}")
        if len(self.prefix) > PREFIX_MAX or not self.prefix.isascii() or set(self.prefix) & set("\r\n\0"):
            raise BadValue(f"scanner prefix: expected at most {PREFIX_MAX} ASCII characters, got {self.prefix!r:.40}")


@dataclass(frozen=True, slots=True)
class ScanFrame:
    """One scan as text, prefix and suffix removed and nothing else."""

    text: str


def frame_of(text: str, form: ScanForm) -> ScanFrame | BadFrame:
    """Return the scan of a text whose suffix is gone, or why it does not come from a scanner set so."""
    if not text.startswith(form.prefix):
        return BadFrame(f"scan: expected the prefix {form.prefix!r}; set the scanner by its sheet", _raw(text))
    text = text.removeprefix(form.prefix)
    if form.aim_required and not text.startswith(AIM_MARK):
        return BadFrame(
            "scan: expected a symbology identifier (AIM id) in front; set the scanner by its sheet", _raw(text)
        )
    return ScanFrame(text)


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


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

    __slots__ = ("_end", "_form", "_line", "_overflow")

    def __init__(self, form: ScanForm | None = None) -> None:
        self._form = form or ScanForm()
        self._end = SUFFIXES[self._form.suffix][-1:]
        self._line = bytearray()
        self._overflow = False

    def receive(self, data: bytes) -> list[ScanFrame | BadFrame]:
        """Take bytes in any pieces and return the scans they complete. Never raises for what the bytes hold."""
        frames: list[ScanFrame | BadFrame] = []
        *ended, rest = data.replace(b"\n", b"\r").replace(self._end, b"\r").split(b"\r")
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
            return frame_of(raw.decode("utf-8"), self._form)
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
