"""What stands in a Gen2 tag's memory: the protocol-control word before an EPC, and who made the chip.

It talks to no reader. The rule that must not be broken: the length of an EPC is what its protocol-control word says,
whatever else a reader sends after it.

Sources: GS1 EPC UHF Gen2 Air Interface 3.0, section 6.3.2.1.2 (protocol control); GS1 EPC Tag Data Standard 2.3,
sections 9.3 and 16 (TID and XTID).
"""

from dataclasses import dataclass

from protocols.codes.bits import WORD_BITS, BitReader
from protocols.errors import BadValue, PeerBroke
from protocols.values import ids
from protocols.values.ids import Epc

GEN2_CLASS = 0xE2
"""Allocation class of a TID whose maker is registered with GS1."""

BANK_BYTES_MAX = 512
"""Longest memory read, in bytes."""


@dataclass(frozen=True, slots=True)
class EpcBank:
    """An EPC with what its protocol-control word says.

    `user_memory` data stands in the user bank; `extended` an XPC word exists; `foreign` the bits are an ISO 15961
    application's, not GS1's; `attributes` are the last eight bits.
    """

    epc: Epc
    user_memory: bool
    extended: bool
    foreign: bool
    attributes: int


@dataclass(frozen=True, slots=True)
class Tid:
    """Who made a chip. `serial` is hex, None where the chip has none or does not say; `maker` and `model` numbers."""

    maker: int
    model: int
    secure: bool
    files: bool
    serial: str | None


def read_epc_bank(text: str) -> EpcBank:
    """Read the hex of an EPC bank from its protocol-control word on (word 1). Raises `BadValue` or `PeerBroke`."""
    raw = _bytes(text)
    bits = BitReader(int.from_bytes(raw, "big"), len(raw) * 8)
    words = bits.take(5)
    user_memory, extended, foreign = bool(bits.take(1)), bool(bits.take(1)), bool(bits.take(1))
    attributes = bits.take(8)
    if not words:
        raise PeerBroke("EPC bank: expected an EPC of 1..31 words, got a tag without one")
    epc = bits.take(words * WORD_BITS)
    return EpcBank(ids.epc(f"{epc:0{words * 4}X}"), user_memory, extended, foreign, attributes)


def read_tid(text: str) -> Tid:
    """Read the hex of a TID bank. Raises `BadValue` or `PeerBroke` for a class other than E2."""
    raw = _bytes(text)
    bits = BitReader(int.from_bytes(raw, "big"), len(raw) * 8)
    if bits.take(8) != GEN2_CLASS:
        raise PeerBroke(f"TID: expected class E2, got {raw[:1].hex().upper()}")
    extended, secure, files = bool(bits.take(1)), bool(bits.take(1)), bool(bits.take(1))
    maker, model = bits.take(9), bits.take(12)
    return Tid(maker, model, secure, files, _serial(bits) if extended else None)


def _serial(bits: BitReader) -> str | None:
    """Return the serial number an extended TID announces: 48 bits, and 16 more for each further step."""
    if bits.left < WORD_BITS:
        return None
    steps = bits.take(WORD_BITS) >> 13
    length = 48 + 16 * (steps - 1)
    if not steps or bits.left < length:
        return None
    return f"{bits.take(length):0{length // 4}X}"


def _bytes(text: str) -> bytes:
    try:
        raw = bytes.fromhex(text)
    except (ValueError, TypeError) as error:
        raise BadValue(f"tag memory: expected hex, got {text!r:.60}") from error
    if not 4 <= len(raw) <= BANK_BYTES_MAX:
        raise BadValue(f"tag memory: expected 4..{BANK_BYTES_MAX} bytes, got {len(raw)}")
    return raw
