"""Fields of six bits a character: component and part identifiers, aircraft parts, and the CAGE code before them.

It holds no scheme: those are rows in `epc_schemes`. Sections are those of the GS1 EPC Tag Data Standard 2.3. The rule
that must not be broken: a field reads only what it would write back, so that one identity has one bit string.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from protocols.codes.bits import BitReader, BitWriter
from protocols.codes.epc_fields import CAGE, Parts, padded_number
from protocols.codes.epc_text import CPI_TEXT
from protocols.errors import BadValue, PeerBroke

CHARACTER_BITS = 6
CPI_LENGTH_MAX = 30
"""Longest component or part identifier with its company prefix, in characters."""

ADI_PART = re.compile(r"[/0-9A-Z-]*")
ADI_SERIAL = re.compile(r"#?[/0-9A-Z-]+")
"""A part number, which may be empty, and a serial number, with or without # before it (section 6.3.9)."""


def _character(code: int) -> str:
    """Return the character of six bits: the low six bits of its ASCII code (TDS table G)."""
    return chr(code if code >= 0x20 else code | 0x40)


def _put(bits: BitWriter, text: str) -> None:
    for character in text:
        bits.put(ord(character) & 0x3F, CHARACTER_BITS)


@dataclass(frozen=True, slots=True)
class SixBit:
    """A text with six zero bits behind it (section 14.3.8)."""

    name: str
    form: re.Pattern[str]
    shortest: int
    longest: int

    def read(self, bits: BitReader, parts: Parts) -> None:
        """Take the text and its end. Raises `PeerBroke` or `BadValue`."""
        text = ""
        while code := bits.take(CHARACTER_BITS):
            text += _character(code)
        parts[self.name] = self._held(text)

    def write(self, bits: BitWriter, parts: Mapping[str, str]) -> None:
        """Append the text and its end. Raises `BadValue`."""
        _put(bits, self._held(parts[self.name]))
        bits.put(0, CHARACTER_BITS)

    def _held(self, text: str) -> str:
        if not self.shortest <= len(text) <= self.longest or self.form.fullmatch(text) is None:
            span = f"{self.shortest}..{self.longest}"
            raise BadValue(f"EPC {self.name}: expected {span} characters {self.form.pattern}, got {text!r:.60}")
        return text


@dataclass(frozen=True, slots=True)
class AdiCage:
    """A CAGE code or DoDAAC in six characters of six bits, a space before five (section 14.3.9)."""

    name: str

    def read(self, bits: BitReader, parts: Parts) -> None:
        """Take the code. Raises `PeerBroke` for any other characters."""
        text = "".join(_character(bits.take(CHARACTER_BITS)) for _ in range(6)).removeprefix(" ")
        if CAGE.fullmatch(text) is None:
            raise PeerBroke(f"EPC {self.name}: expected a CAGE code or DoDAAC, got {text!r}")
        parts[self.name] = text

    def write(self, bits: BitWriter, parts: Mapping[str, str]) -> None:
        """Append the code. Raises `BadValue`."""
        text = parts[self.name]
        if CAGE.fullmatch(text) is None:
            raise BadValue(f"EPC {self.name}: expected a CAGE code or DoDAAC, got {text!r:.40}")
        _put(bits, text.rjust(6))


@dataclass(frozen=True, slots=True)
class PrefixedSixBit:
    """Partition, company prefix, then a component or part reference of six bits a character (section 14.3.8).

    `rows[p]` are bits and digits of the company prefix for partition value p. Parts: `prefix`, `reference`.
    """

    rows: tuple[tuple[int, int], ...]

    def read(self, bits: BitReader, parts: Parts) -> None:
        """Take prefix and reference. Raises `PeerBroke` or `BadValue`."""
        partition = bits.take(3)
        if partition >= len(self.rows):
            raise PeerBroke(f"EPC partition: expected 0..{len(self.rows) - 1}, got {partition}")
        width, digits = self.rows[partition]
        prefix = str(bits.take(width)).zfill(digits)
        if len(prefix) > digits:
            raise PeerBroke(f"EPC company prefix: expected {digits} digits, got {prefix}")
        parts["prefix"] = prefix
        self._reference(digits).read(bits, parts)

    def write(self, bits: BitWriter, parts: Mapping[str, str]) -> None:
        """Append the partition its prefix asks for, prefix and reference. Raises `BadValue`."""
        prefix = parts["prefix"]
        partition = next((at for at, row in enumerate(self.rows) if row[1] == len(prefix)), None)
        if partition is None:
            raise BadValue(f"EPC company prefix: expected 6..12 digits, got {prefix!r:.40}")
        width, digits = self.rows[partition]
        bits.put(partition, 3)
        bits.put(padded_number(prefix, digits, "company prefix"), width)
        self._reference(digits).write(bits, parts)

    def _reference(self, prefix_digits: int) -> SixBit:
        return SixBit("reference", CPI_TEXT, 1, CPI_LENGTH_MAX - prefix_digits)
