"""The form of one EPC scheme: what a row of the tables says, and how its key stands in an element string.

It holds no scheme; those are rows in `epc_schemes` and `epc_plus`. The rule that must not be broken: `join` and `split`
are each other's inverse, so a scheme goes both ways or not at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from protocols.codes.epc_fields import Field, Parts
from protocols.codes.gtin import gtin_check_digit, has_check_digit
from protocols.errors import BadValue

PREFIX_DIGITS = range(6, 13)
"""Lengths of a GS1 company prefix (TDS section 14.3)."""


class Shape(Enum):
    """How the number behind a key's identifier is made."""

    REFERENCE = "company prefix, then reference"
    INDICATOR = "the reference's first digit, company prefix, the rest of the reference"
    WHOLE = "kept whole in the part `key`; nobody needs to know the company prefix"


@dataclass(frozen=True, slots=True)
class Key:
    """How a GS1 key is built from its parts, and which element string carries it.

    `ai` application identifier; `digits` of company prefix and reference together, 0 where the length is free and no
    check digit follows; `lead` digits before everything; `tail` parts that follow inside the same element string, each
    with its length or 0 for all that is left.
    """

    ai: str
    digits: int
    shape: Shape = Shape.REFERENCE
    lead: str = ""
    tail: tuple[tuple[str, int], ...] = ()

    def join(self, parts: Mapping[str, str]) -> str:
        """Return the element string's value."""
        return self._number(parts) + "".join(parts[name] for name, _ in self.tail)

    def _number(self, parts: Mapping[str, str]) -> str:
        if self.shape is Shape.WHOLE:
            return parts["key"]
        prefix, reference = parts["prefix"], parts["reference"]
        first = reference[0] + prefix + reference[1:] if self.shape is Shape.INDICATOR else prefix + reference
        return self.lead + first + (gtin_check_digit(first) if self.digits else "")

    def split(self, value: str, prefix_length: int | None) -> Parts:
        """Take an element string's value apart. Raises `BadValue`."""
        end = len(self.lead) + self.digits + 1 if self.digits else len(value)
        number, rest = value[:end], value[end:]
        if len(number) != end or not number.startswith(self.lead) or (self.digits and not has_check_digit(number)):
            raise BadValue(f"({self.ai}): expected {end} digits with a right check digit first, got {value!r:.60}")
        parts = {"key": number} if self.shape is Shape.WHOLE else self._prefixed(number, prefix_length)
        for name, length in self.tail:
            parts[name], rest = rest[: length or None], rest[length:] if length else ""
        if rest:
            raise BadValue(f"({self.ai}): expected nothing after {number}, got {rest!r:.40}")
        return parts

    def _prefixed(self, number: str, prefix_length: int | None) -> Parts:
        if prefix_length is None or prefix_length not in PREFIX_DIGITS:
            raise BadValue(f"company prefix length: expected 6..12 digits, got {prefix_length}")
        body = number[len(self.lead) : -1] if self.digits else number
        if self.shape is Shape.INDICATOR:
            return {"prefix": body[1 : 1 + prefix_length], "reference": body[0] + body[1 + prefix_length :]}
        return {"prefix": body[:prefix_length], "reference": body[prefix_length:]}


@dataclass(frozen=True, slots=True)
class Qualifier:
    """A part with an element string of its own after the key; `absent` is the value that means there is none."""

    ai: str
    part: str
    absent: str | None = None


@dataclass(frozen=True, slots=True)
class Scheme:
    """One scheme. `identity` is its word in URIs, `uri` the parts there in order; `key` None has no element string.

    `uri` is empty where the standard gives no URI but the Digital Link. `dated` a date stands before the key, `hosted`
    a host name behind everything, `tagged` data that is no part of the EPC may follow when its flag is set.
    """

    name: str
    identity: str
    header: int
    fields: tuple[Field, ...]
    uri: tuple[str, ...]
    key: Key | None = None
    qualifiers: tuple[Qualifier, ...] = ()
    filtered: bool = True
    dated: bool = False
    hosted: bool = False
    tagged: bool = False

    @property
    def tag_word(self) -> str:
        """Return the scheme's word in a tag URI, e.g. `sgtin-96`."""
        return self.name.lower()
