"""The kinds of field an EPC is made of. Each reads and writes named parts, so one table serves both directions.

It holds no scheme: those are rows in `epc_schemes`. Sections are those of the GS1 EPC Tag Data Standard 2.3. The rule
that must not be broken: a field reads only what it would write back, so that one identity has one bit string.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from protocols.codes.bits import BitReader, BitWriter
from protocols.codes.gtin import is_digits
from protocols.errors import BadValue, PeerBroke

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


@dataclass(frozen=True, slots=True)
class Partition:
    """Partition value, company prefix and a reference of fixed digits (section 14.3.3).

    `rows[p]` is the split for partition value p. With `unpadded` the reference is a number without leading zeros of at
    most so many digits (section 14.3.4). Parts: `prefix`, `reference`.
    """

    rows: tuple[Split, ...]
    unpadded: bool = False

    def read(self, bits: BitReader, parts: Parts) -> None:
        """Take both numbers. Raises `PeerBroke` for an unknown partition or a number with too many digits."""
        partition = bits.take(3)
        if partition >= len(self.rows):
            raise PeerBroke(f"EPC partition: expected 0..{len(self.rows) - 1}, got {partition}")
        row = self.rows[partition]
        parts["prefix"] = _padded(bits.take(row.prefix_bits), row.prefix_digits, "company prefix")
        reference = _padded(bits.take(row.reference_bits), row.reference_digits, "reference")
        parts["reference"] = (reference.lstrip("0") or "0") if self.unpadded else reference

    def write(self, bits: BitWriter, parts: Mapping[str, str]) -> None:
        """Append the partition its prefix asks for, and both numbers. Raises `BadValue`."""
        prefix, reference = parts["prefix"], parts["reference"]
        partition, row = self._row_for(prefix)
        bits.put(partition, 3)
        bits.put(padded_number(prefix, row.prefix_digits, "company prefix"), row.prefix_bits)
        bits.put(self._reference(reference, row), row.reference_bits)

    def _row_for(self, prefix: str) -> tuple[int, Split]:
        for partition, row in enumerate(self.rows):
            if row.prefix_digits == len(prefix):
                return partition, row
        lengths = sorted(row.prefix_digits for row in self.rows)
        raise BadValue(f"EPC company prefix: expected {lengths[0]}..{lengths[-1]} digits, got {prefix!r:.40}")

    def _reference(self, reference: str, row: Split) -> int:
        if self.unpadded:
            return number(reference, min(1 << row.reference_bits, 10**row.reference_digits), "reference")
        return padded_number(reference, row.reference_digits, "reference")
