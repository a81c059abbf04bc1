"""A string of bits, read from the front and written at the back, most significant bit first.

It knows nothing of EPCs. The rule that must not be broken: a read past the end is refused, never filled in.
"""

from protocols.errors import PeerBroke, WeBroke

WORD_BITS = 16
"""Gen2 memory is read and written in words of 16 bits (Gen2 v3 section 6.3.2.1)."""


class BitReader:
    """Reads unsigned integers from the front of a bit string."""

    __slots__ = ("_left", "_value")

    def __init__(self, value: int, length: int) -> None:
        self._value = value
        self._left = length

    @property
    def left(self) -> int:
        """How many bits are not read yet."""
        return self._left

    def take(self, count: int) -> int:
        """Return the next bits as an unsigned integer. Raises `PeerBroke` when fewer are left."""
        if count > self._left:
            raise PeerBroke(f"EPC: expected {count} more bits, only {self._left} are left")
        self._left -= count
        return self._value >> self._left & (1 << count) - 1

    def peek(self, count: int) -> int:
        """Return the next bits without moving on. Raises `PeerBroke` when fewer are left."""
        taken = self.take(count)
        self._left += count
        return taken


class BitWriter:
    """Collects unsigned integers into a bit string."""

    __slots__ = ("_length", "_value")

    def __init__(self) -> None:
        self._value = 0
        self._length = 0

    def put(self, value: int, count: int) -> None:
        """Append an unsigned integer in so many bits. Raises `WeBroke` when it does not fit."""
        if not 0 <= value < 1 << count:
            raise WeBroke(f"EPC: expected a number of {count} bits, got {value}")
        self._value = self._value << count | value
        self._length += count

    def hex(self) -> str:
        """Return all bits as upper-case hex, filled with zeros to whole 16-bit words."""
        spare = -self._length % WORD_BITS
        digits = (self._length + spare) // 4
        return f"{self._value << spare:0{digits}X}" if digits else ""
