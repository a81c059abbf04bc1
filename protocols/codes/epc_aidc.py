"""Data that a tag carries behind its EPC: lot, dates and counts as GS1 element strings in bits.

It reads the identifiers a storeroom asks for; at the first other one the rest is kept as bits. The rule that must not
be broken: data that cannot be read never costs the EPC before it.

Source: GS1 EPC Tag Data Standard 2.3, section 15.3 (data behind the EPC), tables F and K.
"""

from dataclasses import dataclass

from protocols.codes.bits import BitReader
from protocols.codes.epc_dates import read_date
from protocols.codes.epc_text import CodedText, CountedDigits
from protocols.errors import ProtocolsError

DATES = ("11", "12", "13", "15", "16", "17")
TEXTS = {"10": 20, "21": 20, "22": 20, "240": 30, "241": 30, "250": 30, "251": 30}
COUNTS = {"30": 8, "37": 8}
THREE_DIGITS = ("23", "24", "25", "40", "41", "42", "71")
"""First two digits of the identifiers that have three (table K)."""


@dataclass(frozen=True, slots=True)
class Aidc:
    """What was read behind an EPC, and the bits that were not, as hex filled up at the front."""

    elements: tuple[tuple[str, str], ...]
    unread: str


def read_aidc(bits: BitReader) -> Aidc:
    """Read element strings until zeros, an unknown identifier or bits that break one. Never raises for the bits."""
    elements: list[tuple[str, str]] = []
    unread = _rest(bits)
    while unread:
        try:
            elements.append(_element(bits))
        except (ProtocolsError, LookupError):
            return Aidc(tuple(elements), unread)
        unread = _rest(bits)
    return Aidc(tuple(elements), "")


def _rest(bits: BitReader) -> str:
    """Return what is left as hex, empty for zeros only."""
    rest = bits.peek(bits.left)
    return f"{rest:0{-(-bits.left // 4)}X}" if rest else ""


def _element(bits: BitReader) -> tuple[str, str]:
    ai = f"{bits.take(8):02X}"
    if ai in THREE_DIGITS:
        ai += f"{bits.take(4):X}"
    if ai in DATES:
        return ai, read_date(bits, ai)
    parts: dict[str, str] = {}
    if ai in COUNTS:
        CountedDigits(ai, COUNTS[ai]).read(bits, parts)
    else:
        CodedText(ai, TEXTS[ai]).read(bits, parts)
    return ai, parts[ai]
