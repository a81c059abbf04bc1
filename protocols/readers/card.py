"""An HF card reader on a serial line: each card laid on it is one line with the card's UID as hex.

Such readers speak by themselves and are asked nothing; whose card it is, the master data know. Some say the same card
again and again while it lies there: that is for whoever listens to judge. The rule that must not be broken: a UID is
whole bytes of a length that cards have, or it is no card.

Source: ISO/IEC 14443-3 section 6.5.4 (UIDs of 4, 7 or 10 bytes), ISO/IEC 15693-3 section 4.1 (8 bytes).
"""

import re
from dataclasses import dataclass

from protocols.errors import BadValue
from protocols.readers.reads import BadFrame
from protocols.readers.scanner import ScanFrame, ScannerDecoder

UID_BYTES = (4, 7, 8, 10)

_GAPS = re.compile(r"(?<=[0-9A-Fa-f]{2})[ :-](?=[0-9A-Fa-f]{2})")
_MARKS = "\x02\x03 "
"""What readers set around a UID: STX, ETX, spaces."""


@dataclass(frozen=True, slots=True)
class CardFrame:
    """One card laid on the reader: its UID as upper-case hex without gaps."""

    uid: str

    def __post_init__(self) -> None:
        lengths = ", ".join(map(str, UID_BYTES))
        if re.fullmatch(r"(?:[0-9A-F]{2})+", self.uid) is None or len(self.uid) // 2 not in UID_BYTES:
            raise BadValue(f"card: expected a UID of {lengths} bytes as hex, got {self.uid!r:.60}")


class CardDecoder:
    """Cuts the bytes of a card reader into cards."""

    __slots__ = ("_lines",)

    def __init__(self) -> None:
        self._lines = ScannerDecoder()

    def receive(self, data: bytes) -> list[CardFrame | BadFrame]:
        """Take bytes in any pieces and return the cards they complete. Never raises for what the bytes hold."""
        return [each if isinstance(each, BadFrame) else _card(each) for each in self._lines.receive(data)]

    def reset(self) -> None:
        """Forget half a line, as after an unplugged port."""
        self._lines.reset()


def _card(line: ScanFrame) -> CardFrame | BadFrame:
    try:
        return CardFrame(_GAPS.sub("", line.text.strip(_MARKS)).upper())
    except BadValue as error:
        return BadFrame(str(error), line.text.encode())


def frame_card(uid: str) -> bytes:
    """Return what a card reader sends for a card. Raises `BadValue`."""
    return f"{CardFrame(uid).uid}\r\n".encode()
