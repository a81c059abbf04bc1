"""An order to read or write one tag's memory, whatever reader carries it out, and how its outcome is judged.

A tag is named by its TID, which nobody can write: an EPC may be a copy, and it changes when it is written. It says
nothing about how a reader is asked. The rule that must not be broken: only words that were read back are written words.
"""

import re
from dataclasses import dataclass

from protocols.errors import BadValue
from protocols.readers.reads import AccessDone

TID_BANK = 2
WORDS_MAX = 32
"""Words in one order: what common readers take in one operation."""

TID_WORDS_MAX = 12
EPC_WORDS_MAX = 15
"""Longest EPC that a UHFReader18 board can be told."""

_WORDS = re.compile(r"(?:[0-9A-F]{4})+")


@dataclass(frozen=True, slots=True)
class AccessOrder:
    """Read `words` words from `word` on of bank 0..3 (reserved, EPC, TID, user) of the tag whose TID begins with `tid`.

    With `data` (hex of whole words) it writes these first. `password` is the tag's access password, 0 for none. `epc`
    helps boards that can only be told an EPC: they are asked for its TID first, and do nothing where that is another.
    """

    tid: str
    bank: int
    word: int
    words: int = 0
    data: str = ""
    password: int = 0
    epc: str = ""

    def __post_init__(self) -> None:
        if not _WORDS.fullmatch(self.tid) or len(self.tid) > 4 * TID_WORDS_MAX:
            raise BadValue(f"tag access: expected a TID of 1..{TID_WORDS_MAX} words, got {self.tid!r:.60}")
        if (self.data and not _WORDS.fullmatch(self.data)) or (self.epc and not _WORDS.fullmatch(self.epc)):
            raise BadValue(
                f"tag access: expected upper-case hex of whole words, got {self.data!r:.40}, {self.epc!r:.40}"
            )
        if not 0 <= self.bank <= 3 or not 0 <= self.word <= 0xFFFF or not 0 <= self.password <= 0xFFFF_FFFF:
            raise BadValue(
                f"tag access: expected bank 0..3, a 16-bit word and a 32-bit password, got {self.bank}, {self.word}"
            )
        if not 1 <= self.count <= WORDS_MAX or (self.data and self.bank == TID_BANK):
            raise BadValue(f"tag access: expected 1..{WORDS_MAX} words, none written to the TID, got {self.count}")
        if len(self.epc) > 4 * EPC_WORDS_MAX:
            raise BadValue(f"tag access: expected an EPC of at most {EPC_WORDS_MAX} words, got {self.epc!r:.80}")

    @property
    def count(self) -> int:
        """Return how many words are read."""
        return len(self.data) // 4 or self.words

    def failed(self, reason: str, data: str = "") -> AccessDone:
        """Return the end of this order when it could not be done."""
        return AccessDone(self.tid, ok=False, data=data, reason=reason)

    def read_back(self, words: str) -> AccessDone:
        """Return the end of this order from the words that the tag says it holds."""
        if len(words) != 4 * self.count:
            return self.failed(f"asked for {self.count} words, got {len(words) // 4}", words)
        if self.data and words != self.data:
            return self.failed(f"wrote {self.data}, read back {words}", words)
        return AccessDone(self.tid, ok=True, data=words)
