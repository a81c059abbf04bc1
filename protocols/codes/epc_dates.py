"""Dates inside an EPC: 16 bits of year, month and day, and the date that comes first in a DSGTIN.

Sections are those of the GS1 EPC Tag Data Standard 2.3. The rule that must not be broken: a date that no calendar has
is refused, in either direction.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from protocols.codes.bits import BitReader, BitWriter
from protocols.codes.epc_fields import Parts
from protocols.codes.gs1 import gs1_date
from protocols.errors import BadValue, PeerBroke

DATE_AIS = ("11", "13", "15", "16", "17", "7006", "7007")
"""By date type of a DSGTIN: made, packed, best before, sell by, expiry, first frozen, harvested (section 14.6.1)."""

ZERO_DAY = ("11", "13", "15", "16", "17")
TYPE_BITS, YEAR_BITS, MONTH_BITS, DAY_BITS = 4, 7, 4, 5


def write_date(bits: BitWriter, ai: str, text: str) -> None:
    """Append a date YYMMDD (section 14.5.8). Raises `BadValue`."""
    gs1_date(text, zero_day=ai in ZERO_DAY)
    for digits, width in ((text[:2], YEAR_BITS), (text[2:4], MONTH_BITS), (text[4:], DAY_BITS)):
        bits.put(int(digits), width)


def read_date(bits: BitReader, ai: str) -> str:
    """Take a date as YYMMDD. Raises `BadValue` for one that no calendar has."""
    text = "".join(f"{bits.take(width):02}" for width in (YEAR_BITS, MONTH_BITS, DAY_BITS))
    gs1_date(text, zero_day=ai in ZERO_DAY)
    return text


@dataclass(frozen=True, slots=True)
class TypedDate:
    """Which date it is, and the date. Parts: `date_ai`, `date`."""

    def read(self, bits: BitReader, parts: Parts) -> None:
        """Take type and date. Raises `PeerBroke` or `BadValue`."""
        kind = bits.take(TYPE_BITS)
        if kind >= len(DATE_AIS):
            raise PeerBroke(f"EPC date: expected type 0..{len(DATE_AIS) - 1}, got {kind}")
        parts["date_ai"] = DATE_AIS[kind]
        parts["date"] = read_date(bits, DATE_AIS[kind])

    def write(self, bits: BitWriter, parts: Mapping[str, str]) -> None:
        """Append type and date. Raises `BadValue`."""
        ai = parts["date_ai"]
        if ai not in DATE_AIS:
            raise BadValue(f"EPC date: expected one of ({') ('.join(DATE_AIS)}), got ({ai})")
        bits.put(DATE_AIS.index(ai), TYPE_BITS)
        write_date(bits, ai, parts["date"])
