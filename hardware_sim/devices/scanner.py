"""A simulated barcode scanner without a port: a label becomes the bytes it sends, beeps come back as values.

It speaks through `protocols.readers.scanner` and says nothing by itself: who scans, and how long somebody waits for a
beep, is a person's matter. Its own beeper is off, as the printed set-up sheet says; the only beep is the host's.
"""

from collections.abc import Callable

from protocols.codes.gs1 import FNC1
from protocols.codes.own import make_badge
from protocols.readers.scanner import Beep, BeepDecoder, BeepFrame, frame_scan
from protocols.values.ids import ActorId
from protocols.values.instant import Instant

GS1_DATA_MATRIX = "]d2"
"""ISO/IEC 15424: a DataMatrix that carries GS1 element strings."""


def overhear(beep: Beep) -> None:
    """Nobody listens."""


class ScannerDevice:
    """One scanner: `scan` gives bytes for the host, `receive` takes the host's; `hear` is told every beep."""

    closing = False

    def __init__(self, hear: Callable[[Beep], None] = overhear) -> None:
        self.hear = hear
        self._beeps = BeepDecoder()

    def scan(self, text: str) -> bytes:
        """Return what goes down the line for one label. Raises `WeBroke` for a text no scan can carry."""
        return frame_scan(text)

    def connected(self, link_now: Instant, reader_now: Instant) -> bytes:
        """A host is there; a scanner says nothing for that."""
        del link_now, reader_now
        return b""

    def refuse(self, reader_now: Instant) -> tuple[bytes, bytes]:
        """Turn a second host away: a line has one, and nothing is said."""
        del reader_now
        return b"", b""

    def disconnected(self) -> None:
        """The host is gone; a scanner does not notice."""

    def receive(self, data: bytes, link_now: Instant, reader_now: Instant) -> bytes:
        """Take the host's bytes in any pieces; tell the beeps they complete."""
        del link_now, reader_now
        for frame in self._beeps.receive(data):
            if isinstance(frame, BeepFrame):
                self.hear(frame.beep)
        return b""

    def due(self) -> tuple[Instant | None, Instant | None]:
        """Return that nothing is due: a scanner waits for a person."""
        return None, None

    def tick(self, link_now: Instant, reader_now: Instant) -> bytes:
        """Do nothing."""
        del link_now, reader_now
        return b""

    def reboot(self, reader_now: Instant) -> None:
        """Forget half a beep."""
        del reader_now
        self._beeps = BeepDecoder()


def piece_label(*, gtin: str, expiry: str, lot: str, serial: str) -> str:
    """Return the text of a piece's GS1 label: (01) product, (17) expiry from an ISO date, (10) lot, (21) serial."""
    return f"{GS1_DATA_MATRIX}01{gtin}17{expiry[2:4]}{expiry[5:7]}{expiry[8:10]}10{lot}{FNC1}21{serial}"


def badge_label(staff: ActorId) -> str:
    """Return the text of a person's badge."""
    return make_badge(staff)
