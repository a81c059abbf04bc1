"""The kinds of field that came with TDS 2.0: digits as they are, texts that say their coding and length, and dates.

It holds no scheme: those are rows in `epc_plus`. Sections are those of the GS1 EPC Tag Data Standard 2.3. The rule that
must not be broken: a text is written in the coding that takes fewest bits, and read in any coding that holds it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from protocols.codes.bits import BitReader, BitWriter
from protocols.codes.epc_fields import SET_82, Parts
from protocols.codes.gtin import has_check_digit, is_digits
from protocols.errors import BadValue, PeerBroke

CODING_BITS = 3
NIBBLE = 4
DELIMITER, TERMINATOR = 14, 15
"""Nibbles after the last digit: text follows, or nothing does (section 14.5.5)."""

BASE_64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
CODE_40 = "\0ABCDEFGHIJKLMNOPQRSTUVWXYZ-.:0123456789"
"""Values 0..39 of URN Code 40; 0 fills up the last group (ISO/IEC 15962 annex D, TDS table I.4)."""

CPI_TEXT = re.compile(r"[#/0-9A-Z-]+")
"""Characters of a component or part identifier (General Specifications section 7.11, character set 39)."""


def bits_for_digits(count: int) -> int:
    """Return how many bits hold any number of so many digits (TDS table B)."""
    largest: int = 10**count - 1
    return largest.bit_length()


@dataclass(frozen=True, slots=True)
class Alphabet:
    """A coding of so many bits a character, from the place of each in `characters`."""

    characters: str
    bits: int

    def length(self, text: str) -> int | None:
        """Return the bits a text takes, None where this coding cannot hold it."""
        return len(text) * self.bits if all(map(self.characters.__contains__, text)) else None

    def write(self, bits: BitWriter, text: str) -> None:
        """Append a text that this coding holds."""
        for character in text:
            bits.put(self.characters.index(character), self.bits)

    def read(self, bits: BitReader, count: int) -> str:
        """Take so many characters. Raises `PeerBroke`."""
        codes = [bits.take(self.bits) for _ in range(count)]
        if max(codes) >= len(self.characters):
            raise PeerBroke("EPC text: expected a character of its coding, got another code")
        return "".join(self.characters[code] for code in codes)


class Decimal:
    """Digits as one number (section 14.5.6.1)."""

    def length(self, text: str) -> int | None:
        """Return the bits a text takes, None where it is not digits."""
        return bits_for_digits(len(text)) if is_digits(text) else None

    def write(self, bits: BitWriter, text: str) -> None:
        """Append digits."""
        bits.put(int(text), bits_for_digits(len(text)))

    def read(self, bits: BitReader, count: int) -> str:
        """Take so many digits. Raises `PeerBroke`."""
        value = bits.take(bits_for_digits(count))
        if value >= 10**count:
            raise PeerBroke(f"EPC: expected a number of {count} digits, got {value}")
        return str(value).zfill(count)


class Code40:
    """Three characters in 16 bits (section 14.5.6.5)."""

    def length(self, text: str) -> int | None:
        """Return the bits a text takes, None where this coding cannot hold it."""
        return -(-len(text) // 3) * 16 if all(c in CODE_40 and c != "\0" for c in text) else None

    def write(self, bits: BitWriter, text: str) -> None:
        """Append a text that this coding holds."""
        for at in range(0, len(text), 3):
            first, second, third = (CODE_40.index(c) for c in text[at : at + 3].ljust(3, "\0"))
            bits.put(1600 * first + 40 * second + third + 1, 16)

    def read(self, bits: BitReader, count: int) -> str:
        """Take so many characters. Raises `PeerBroke`."""
        text = ""
        for _ in range(-(-count // 3)):
            value = bits.take(16) - 1
            if not 0 <= value < 64000:
                raise PeerBroke("EPC text: expected a group of URN Code 40, got another number")
            text += CODE_40[value // 1600] + CODE_40[value // 40 % 40] + CODE_40[value % 40]
        if text.rstrip("\0") != text[:count] or "\0" in text[:count]:
            raise PeerBroke(f"EPC text: expected {count} characters of URN Code 40, got {text!r:.60}")
        return text[:count]


Coding = Alphabet | Decimal | Code40

CODINGS: tuple[Coding, ...] = (
    Decimal(),
    Alphabet("0123456789ABCDEF", 4),
    Alphabet("0123456789abcdef", 4),
    Alphabet(BASE_64, 6),
    Alphabet("".join(map(chr, range(128))), 7),
    Code40(),
)
"""By coding indicator (TDS table E)."""


def write_coded(bits: BitWriter, text: str, length_bits: int) -> None:
    """Append indicator, length and text in the coding that takes fewest bits. The text is known to be ASCII."""
    lengths = [(length, at) for at, coding in enumerate(CODINGS) if (length := coding.length(text)) is not None]
    indicator = min(lengths)[1]
    bits.put(indicator, CODING_BITS)
    bits.put(len(text), length_bits)
    CODINGS[indicator].write(bits, text)


def read_coded(bits: BitReader, length_bits: int) -> str:
    """Take indicator, length and text. Raises `PeerBroke`."""
    indicator = bits.take(CODING_BITS)
    count = bits.take(length_bits)
    if indicator >= len(CODINGS) or not count:
        raise PeerBroke(f"EPC text: expected coding 0..5 and a length from 1, got {indicator} and {count}")
    return CODINGS[indicator].read(bits, count)


def _held(name: str, text: str, form: re.Pattern[str], longest: int) -> str:
    if len(text) > longest or form.fullmatch(text) is None:
        raise BadValue(f"EPC {name}: expected 1..{longest} characters {form.pattern}, got {text!r:.60}")
    return text


@dataclass(frozen=True, slots=True)
class Bcd:
    """Digits of four bits each (section 14.5.4); the first `checked` of them, if any, end in a check digit."""

    name: str
    digits: int
    checked: int = 0

    def read(self, bits: BitReader, parts: Parts) -> None:
        """Take the digits. Raises `PeerBroke` for a nibble that is none, `BadValue` for a wrong check digit."""
        parts[self.name] = self._held(f"{bits.take(NIBBLE * self.digits):0{self.digits}X}")

    def write(self, bits: BitWriter, parts: Mapping[str, str]) -> None:
        """Append the digits. Raises `BadValue`."""
        bits.put(int(self._held(parts[self.name]), 16), NIBBLE * self.digits)

    def _held(self, text: str) -> str:
        right = not self.checked or has_check_digit(text[: self.checked])
        if len(text) != self.digits or not is_digits(text) or not right:
            raise BadValue(f"EPC {self.name}: expected {self.digits} digits with a right check digit, got {text!r:.40}")
        return text


@dataclass(frozen=True, slots=True)
class CodedText:
    """A text that says its own coding and length (section 14.5.6)."""

    name: str
    length_max: int
    length_bits: int = 5

    def read(self, bits: BitReader, parts: Parts) -> None:
        """Take the text. Raises `PeerBroke` or `BadValue`."""
        parts[self.name] = _held(self.name, read_coded(bits, self.length_bits), SET_82, self.length_max)

    def write(self, bits: BitWriter, parts: Mapping[str, str]) -> None:
        """Append the text. Raises `BadValue`."""
        write_coded(bits, _held(self.name, parts[self.name], SET_82, self.length_max), self.length_bits)


@dataclass(frozen=True, slots=True)
class CountedDigits:
    """Digits that say their number, then stand as one number (section 14.5.13)."""

    name: str
    length_max: int
    length_bits: int = 4

    def read(self, bits: BitReader, parts: Parts) -> None:
        """Take the digits. Raises `PeerBroke`."""
        count = bits.take(self.length_bits)
        if not 1 <= count <= self.length_max:
            raise PeerBroke(f"EPC {self.name}: expected 1..{self.length_max} digits, got {count}")
        parts[self.name] = Decimal().read(bits, count)

    def write(self, bits: BitWriter, parts: Mapping[str, str]) -> None:
        """Append the digits. Raises `BadValue`."""
        text = parts[self.name]
        if len(text) > self.length_max or not is_digits(text):
            raise BadValue(f"EPC {self.name}: expected 1..{self.length_max} digits, got {text!r:.40}")
        bits.put(len(text), self.length_bits)
        Decimal().write(bits, text)


@dataclass(frozen=True, slots=True)
class Delimited:
    """Digits of four bits, then a delimiter and a coded text, or a terminator (section 14.5.5)."""

    name: str
    length_max: int = 30
    form: re.Pattern[str] = SET_82
    length_bits: int = 5

    def read(self, bits: BitReader, parts: Parts) -> None:
        """Take digits and text. Raises `PeerBroke` or `BadValue`."""
        text = ""
        while (nibble := bits.take(NIBBLE)) <= 9:
            text += str(nibble)
        if nibble == DELIMITER:
            text += read_coded(bits, self.length_bits)
        elif nibble != TERMINATOR:
            raise PeerBroke(f"EPC {self.name}: expected a digit, E or F, got {nibble:X}")
        parts[self.name] = _held(self.name, text, self.form, self.length_max)

    def write(self, bits: BitWriter, parts: Mapping[str, str]) -> None:
        """Append digits and text. Raises `BadValue`."""
        text = _held(self.name, parts[self.name], self.form, self.length_max)
        rest = text.lstrip("0123456789")
        for digit in text[: len(text) - len(rest)]:
            bits.put(int(digit), NIBBLE)
        bits.put(DELIMITER if rest else TERMINATOR, NIBBLE)
        if rest:
            write_coded(bits, rest, self.length_bits)
