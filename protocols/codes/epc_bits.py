"""One EPC between its bits and its named parts, by the row of its scheme.

It knows no text form but hex. The rule that must not be broken: behind the last field stand zeros or, where the
scheme's flag says so, further data; anything else means that this is no EPC of that scheme.
"""

import re
from collections.abc import Mapping

from protocols.codes.bits import WORD_BITS, BitReader, BitWriter
from protocols.codes.epc_aidc import Aidc, read_aidc
from protocols.codes.epc_fields import Parts
from protocols.codes.epc_form import Scheme
from protocols.codes.epc_schemes import BY_HEADER
from protocols.errors import BadValue, PeerBroke
from protocols.values import ids
from protocols.values.ids import Epc

HEADER_BITS = 8
HEX_DIGITS_A_WORD = WORD_BITS // 4

_HEX = re.compile(r"[0-9A-Fa-f]+")


def whole_words(text: str) -> Epc:
    """Return hex as an EPC id, zeros behind up to a whole word. Raises `BadValue`."""
    if not isinstance(text, str) or len(text) > ids.EPC_HEX_MAX or _HEX.fullmatch(text) is None:
        raise BadValue(f"EPC: expected 1..{ids.EPC_HEX_MAX} hex digits, got {text!r:.140}")
    return ids.epc(text + "0" * (-len(text) % HEX_DIGITS_A_WORD))


def read_bits(epc: Epc) -> tuple[Scheme, Parts, Aidc]:
    """Return scheme, parts and the data behind. Raises `BadValue` or `PeerBroke`.

    Zeros may go on for any number of words: many readers report the whole memory bank.
    """
    bits = BitReader(int(epc, 16), len(epc) * 4)
    header = bits.take(HEADER_BITS)
    scheme = BY_HEADER.get(header)
    if scheme is None:
        raise BadValue(f"EPC header {header:02X}: no scheme built here; the EPC is kept as an id")
    parts: Parts = {}
    for field in scheme.fields:
        field.read(bits, parts)
    if scheme.tagged and parts["aidc"] == "1":
        return scheme, parts, read_aidc(bits)
    if bits.take(bits.left):
        raise PeerBroke(f"EPC: expected only zeros after the bits of {scheme.name}, got more")
    return scheme, parts, Aidc((), "")


def write_bits(scheme: Scheme, parts: Mapping[str, str]) -> Epc:
    """Return the EPC of all its parts. Raises `BadValue`."""
    bits = BitWriter()
    bits.put(scheme.header, HEADER_BITS)
    for field in scheme.fields:
        field.write(bits, parts)
    text = bits.hex()
    if len(text) > ids.EPC_HEX_MAX:
        raise BadValue(f"EPC: expected at most {ids.EPC_HEX_MAX * 4} bits, got {len(text) * 4} for {scheme.name}")
    return Epc(text)
