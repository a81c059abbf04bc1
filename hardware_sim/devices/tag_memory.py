"""One Gen2 tag's memory: four banks of words, an access password, a lock. It knows no reader and no wire.

Rules of the EPC Gen2 air interface: the EPC stands in its bank behind CRC and PC, and the PC says how long it is; the
TID is written by its maker only; a locked tag wants its access password. The rule that must not be broken: what was
refused changed nothing.
"""

from collections.abc import Iterable, Mapping
from enum import Enum, auto

RESERVED, EPC, TID, USER = 0, 1, 2, 3
WORD_BYTES = 2
EPC_START = 4
"""Bytes before the EPC in its bank: CRC and PC."""

PASSWORD_START = 4
"""Bytes before the access password in the reserved bank: the kill password."""


class Refused(Enum):
    """Why a tag did not do it."""

    PASSWORD = auto()
    LOCKED = auto()
    OVERRUN = auto()


class TagMemory:
    """One Gen2 tag's four banks. `locked`: written only with the access password, and its reserved bank hidden."""

    def __init__(
        self, epc: str, tid: str, *, user_words: int = 4, access_password: int = 0, locked: bool = False
    ) -> None:
        code = bytes.fromhex(epc)
        pc = (len(code) // WORD_BYTES) << 11
        self.locked = locked
        self.banks = {
            RESERVED: bytearray(PASSWORD_START) + access_password.to_bytes(4, "big"),
            EPC: bytearray(2) + pc.to_bytes(2, "big") + code,
            TID: bytearray.fromhex(tid),
            USER: bytearray(user_words * WORD_BYTES),
        }

    @property
    def epc(self) -> str:
        """Return the EPC as the tag says it now: as many words as its PC tells."""
        bank = self.banks[EPC]
        words = bank[2] >> 3
        return bytes(bank[EPC_START : EPC_START + words * WORD_BYTES]).hex().upper()

    @property
    def pc(self) -> str:
        """Return the PC word."""
        return bytes(self.banks[EPC][2:EPC_START]).hex().upper()

    @property
    def tid(self) -> str:
        """Return the TID."""
        return bytes(self.banks[TID]).hex().upper()

    @property
    def password(self) -> int:
        """Return the access password."""
        return int.from_bytes(self.banks[RESERVED][PASSWORD_START : PASSWORD_START + 4], "big")

    def bits(self, bank: int) -> str:
        """Return a bank as ones and zeros."""
        return "".join(f"{byte:08b}" for byte in self.banks[bank])

    def read(self, bank: int, word: int, words: int, password: int = 0) -> bytes | Refused:
        """Return words of a bank."""
        stop = WORD_BYTES * (word + words)
        if password and password != self.password:
            return Refused.PASSWORD
        if self.locked and bank == RESERVED and password != self.password:
            return Refused.LOCKED
        if bank not in self.banks or stop > len(self.banks[bank]):
            return Refused.OVERRUN
        return bytes(self.banks[bank][WORD_BYTES * word : stop])

    def write(self, bank: int, word: int, data: bytes, password: int = 0) -> Refused | None:
        """Write words of a bank; None when it is done."""
        at = WORD_BYTES * word
        if password and password != self.password:
            return Refused.PASSWORD
        if bank == TID or (self.locked and password != self.password):
            return Refused.LOCKED
        if bank not in self.banks or at + len(data) > len(self.banks[bank]):
            return Refused.OVERRUN
        self.banks[bank][at : at + len(data)] = data
        return None

    def matches(self, bank: int, bit: int, mask: str) -> bool:
        """Tell whether a bank holds these ones and zeros from a bit on."""
        return bank in self.banks and self.bits(bank)[bit : bit + len(mask)] == mask


def as_heard(code: str, tags: Mapping[str, TagMemory]) -> str:
    """Return what a tag says as its EPC now; one without a memory says what it always said."""
    memory = tags.get(code)
    return code if memory is None else memory.epc


def in_field(heard: Iterable[tuple[str, int, int, int]], tags: Mapping[str, TagMemory]) -> list[TagMemory]:
    """Return the memories of the tags that were heard, each once."""
    return [tags[code] for code in dict.fromkeys(each[0] for each in heard) if code in tags]


def mask_bits(data: str, count: int) -> str:
    """Return the first bits of a mask given as hex."""
    return "".join(f"{byte:08b}" for byte in bytes.fromhex(data))[:count]
