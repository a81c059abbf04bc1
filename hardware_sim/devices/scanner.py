"""A simulated barcode scanner without a port: a label becomes the bytes it sends, beeps come back as values.

It speaks through `protocols.readers.scanner` and knows no time: who waits how long for a beep is a person's matter. Its
own beeper is off, as the printed set-up sheet says; the only beep is the host's.
"""

from protocols.codes.gs1 import FNC1
from protocols.codes.own import make_badge
from protocols.readers.reads import BadFrame
from protocols.readers.scanner import Beep, BeepDecoder, frame_scan
from protocols.values.ids import ActorId

GS1_DATA_MATRIX = "]d2"
"""ISO/IEC 15424: a DataMatrix that carries GS1 element strings."""


class ScannerDevice:
    """One scanner: `scan` gives bytes for the host, `receive` takes the host's."""

    def __init__(self) -> None:
        self._beeps = BeepDecoder()

    def scan(self, text: str) -> bytes:
        """Return what goes down the line for one label. Raises `WeBroke` for a text no scan can carry."""
        return frame_scan(text)

    def receive(self, data: bytes) -> list[Beep | BadFrame]:
        """Take the host's bytes in any pieces; return the beeps they complete."""
        return [frame if isinstance(frame, BadFrame) else frame.beep for frame in self._beeps.receive(data)]


def piece_label(*, gtin: str, expiry: str, lot: str, serial: str) -> str:
    """Return the text of a piece's GS1 label: (01) product, (17) expiry from an ISO date, (10) lot, (21) serial."""
    return f"{GS1_DATA_MATRIX}01{gtin}17{expiry[2:4]}{expiry[5:7]}{expiry[8:10]}10{lot}{FNC1}21{serial}"


def badge_label(staff: ActorId) -> str:
    """Return the text of a person's badge."""
    return make_badge(staff)
