"""The kinds of field an EPC is made of. Each reads and writes named parts, so one table serves both directions.

It holds no scheme: those are rows in `epc_schemes`. Sections are those of the GS1 EPC Tag Data Standard 2.3. The rule
that must not be broken: a field reads only what it would write back, so that one identity has one bit string.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, assert_never

from protocols.codes.bits import BitReader, BitWriter
from protocols.codes.gtin import is_digits
from protocols.errors import BadValue, PeerBroke

SET_82 = re.compile(r"""[!"%-?A-Z_a-z]+""")
"""Characters of most values (General Specifications section 7.11, character set 82)."""

CAGE = re.compile(r"[0-9A-HJ-NP-Z]{5,6}")

Parts = dict[str, str]
"""The named parts of one EPC as text: `filter`, `prefix`, `reference`, `serial`, …"""


class Field(Protocol):
    """One field of a scheme. `read` raises `PeerBroke`, `write` raises `BadValue`."""

    def read(self, bits: BitReader, parts: Parts) -> None:
        """Take this field's bits and add its parts."""

    def write(self, bits: BitWriter, parts: Mapping[str, str]) -> None:
        """Append this field's bits for its parts."""


def number(text: str, below: int, what: str) -> int:
    """Parse a whole number without leading zeros, under a bound. Raises `BadValue`."""
    if not is_digits(text) or (len(text) > 1 and text[0] == "0") or len(text) > len(str(below)) or int(text) >= below:
        raise BadValue(f"EPC {what}: expected a whole number below {below} without leading zeros, got {text!r:.40}")
    return int(text)


def padded_number(text: str, digits: int, what: str) -> int:
    """Parse exactly so many digits, none meaning 0. Raises `BadValue`."""
    if len(text) != digits or (digits and not is_digits(text)):
        raise BadValue(f"EPC {what}: expected {digits} digits, got {text!r:.40}")
    return int(text or "0")


def _padded(value: int, digits: int, what: str) -> str:
    if value >= 10**digits:
        raise PeerBroke(f"EPC {what}: expected at most {digits} digits, got {value}")
    return str(value).zfill(digits) if digits else ""


@dataclass(frozen=True, slots=True)
class Integer:
    """An unsigned integer without leading zeros (section 14.3.1)."""

    name: str
    bits: int

    def read(self, bits: BitReader, parts: Parts) -> None:
        """Take the bits as a decimal number."""
        parts[self.name] = str(bits.take(self.bits))

    def write(self, bits: BitWriter, parts: Mapping[str, str]) -> None:
        """Append the number. Raises `BadValue` when it does not fit or has leading zeros."""
        bits.put(number(parts[self.name], 1 << self.bits, self.name), self.bits)


@dataclass(frozen=True, slots=True)
class Digits:
    """A number of fixed width, leading zeros kept (section 14.3.10)."""

    name: str
    bits: int
    digits: int

    def read(self, bits: BitReader, parts: Parts) -> None:
        """Take the bits. Raises `PeerBroke` for a number with too many digits."""
        parts[self.name] = _padded(bits.take(self.bits), self.digits, self.name)

    def write(self, bits: BitWriter, parts: Mapping[str, str]) -> None:
        """Append the number. Raises `BadValue` unless it has exactly so many digits."""
        bits.put(padded_number(parts[self.name], self.digits, self.name), self.bits)


@dataclass(frozen=True, slots=True)
class DigitText:
    """Digits of any number with leading zeros kept, as the number that has a 1 before them (section 14.3.5)."""

    name: str
    bits: int
    digits_max: int

    def read(self, bits: BitReader, parts: Parts) -> None:
        """Take the bits. Raises `PeerBroke` without the leading 1 or without digits."""
        number_text = str(bits.take(self.bits))
        if number_text[0] != "1" or not 2 <= len(number_text) <= self.digits_max + 1:
            raise PeerBroke(f"EPC {self.name}: expected 1 and up to {self.digits_max} digits, got {number_text}")
        parts[self.name] = number_text[1:]

    def write(self, bits: BitWriter, parts: Mapping[str, str]) -> None:
        """Append the digits. Raises `BadValue` for anything but 1..`digits_max` digits."""
        text = parts[self.name]
        if len(text) > self.digits_max or not is_digits(text):
            raise BadValue(f"EPC {self.name}: expected 1..{self.digits_max} digits, got {text!r:.40}")
        bits.put(int("1" + text), self.bits)


@dataclass(frozen=True, slots=True)
class Text:
    """Characters of set 82 in seven bits each, zeros behind them (section 14.3.2)."""

    name: str
    bits: int
    length_max: int

    def read(self, bits: BitReader, parts: Parts) -> None:
        """Take the bits. Raises `PeerBroke` for an empty text, a foreign character or bits behind the end."""
        value = bits.take(self.bits)
        codes = [value >> shift & 0x7F for shift in range(self.bits - 7, -1, -7)]
        text = "".join(map(chr, codes)).rstrip("\0")
        if self._to_bits(text) != value:
            raise PeerBroke(f"EPC {self.name}: expected characters of set 82 and zeros behind, got {text!r:.40}")
        parts[self.name] = text

    def write(self, bits: BitWriter, parts: Mapping[str, str]) -> None:
        """Append the characters. Raises `BadValue`."""
        value = self._to_bits(parts[self.name])
        if value is None:
            raise BadValue(
                f"EPC {self.name}: expected 1..{self.length_max} characters of set 82, got {parts[self.name]!r:.40}"
            )
        bits.put(value, self.bits)

    def _to_bits(self, text: str) -> int | None:
        if len(text) > self.length_max or SET_82.fullmatch(text) is None:
            return None
        return int("".join(f"{ord(character):07b}" for character in text), 2) << self.bits - 7 * len(text)


@dataclass(frozen=True, slots=True)
class Cage:
    """A CAGE code or DoDAAC: five or six ASCII characters in 48 bits, a space before five (section 14.3.6)."""

    name: str

    def read(self, bits: BitReader, parts: Parts) -> None:
        """Take the bits. Raises `PeerBroke` for any other characters."""
        text = bits.take(48).to_bytes(6, "big").decode("latin-1").removeprefix(" ")
        if CAGE.fullmatch(text) is None:
            raise PeerBroke(f"EPC {self.name}: expected a CAGE code or DoDAAC, got {text!r}")
        parts[self.name] = text

    def write(self, bits: BitWriter, parts: Mapping[str, str]) -> None:
        """Append the characters. Raises `BadValue`."""
        text = parts[self.name]
        if CAGE.fullmatch(text) is None:
            raise BadValue(f"EPC {self.name}: expected a CAGE code or DoDAAC, got {text!r:.40}")
        bits.put(int.from_bytes(text.rjust(6).encode("ascii"), "big"), 48)


@dataclass(frozen=True, slots=True)
class Spare:
    """Bits that must be zero."""

    bits: int

    def read(self, bits: BitReader, parts: Parts) -> None:
        """Take the bits. Raises `PeerBroke` unless all are zero."""
        del parts
        if bits.take(self.bits):
            raise PeerBroke(f"EPC: expected {self.bits} zero bits at the reserved place")

    def write(self, bits: BitWriter, parts: Mapping[str, str]) -> None:
        """Append zeros."""
        del parts
        bits.put(0, self.bits)


@dataclass(frozen=True, slots=True)
class Split:
    """One row of a partition table: how bits and digits are shared between company prefix and reference."""

    prefix_bits: int
    prefix_digits: int
    reference_bits: int
    reference_digits: int


class Reference(Enum):
    """How the reference behind a company prefix is written."""

    FIXED = "so many digits, leading zeros kept (section 14.3.3)"
    UNPADDED = "at most so many digits, no leading zeros (section 14.3.4)"
    TEXT = "at most so many characters of set 82 (section 14.3.7)"


@dataclass(frozen=True, slots=True)
class Partition:
    """Partition value, company prefix and reference; `rows[p]` is the split for partition value p.

    Parts: `prefix`, `reference`.
    """

    rows: tuple[Split, ...]
    reference: Reference = Reference.FIXED

    def read(self, bits: BitReader, parts: Parts) -> None:
        """Take both numbers. Raises `PeerBroke` for an unknown partition or a number with too many digits."""
        partition = bits.take(3)
        if partition >= len(self.rows):
            raise PeerBroke(f"EPC partition: expected 0..{len(self.rows) - 1}, got {partition}")
        row = self.rows[partition]
        parts["prefix"] = _padded(bits.take(row.prefix_bits), row.prefix_digits, "company prefix")
        if self.reference is Reference.TEXT:
            Text("reference", row.reference_bits, row.reference_digits).read(bits, parts)
            return
        reference = _padded(bits.take(row.reference_bits), row.reference_digits, "reference")
        parts["reference"] = reference if self.reference is Reference.FIXED else reference.lstrip("0") or "0"

    def write(self, bits: BitWriter, parts: Mapping[str, str]) -> None:
        """Append the partition its prefix asks for, and both numbers. Raises `BadValue`."""
        prefix, reference = parts["prefix"], parts["reference"]
        partition, row = self._row_for(prefix)
        bits.put(partition, 3)
        bits.put(padded_number(prefix, row.prefix_digits, "company prefix"), row.prefix_bits)
        match self.reference:
            case Reference.FIXED:
                bits.put(padded_number(reference, row.reference_digits, "reference"), row.reference_bits)
            case Reference.UNPADDED:
                below = min(1 << row.reference_bits, 10**row.reference_digits)
                bits.put(number(reference, below, "reference"), row.reference_bits)
            case Reference.TEXT:
                Text("reference", row.reference_bits, row.reference_digits).write(bits, parts)
            case _:
                assert_never(self.reference)

    def _row_for(self, prefix: str) -> tuple[int, Split]:
        for partition, row in enumerate(self.rows):
            if row.prefix_digits == len(prefix):
                return partition, row
        lengths = sorted(row.prefix_digits for row in self.rows)
        raise BadValue(f"EPC company prefix: expected {lengths[0]}..{lengths[-1]} digits, got {prefix!r:.40}")
