"""Every EPC scheme this product knows, as data: header, fields, and how its parts stand in URIs and element strings.

It holds no procedure: `epc` runs the rows both ways. The rule that must not be broken: a scheme is one row here and
nothing elsewhere. Sections and tables are those of the GS1 EPC Tag Data Standard 2.3.
"""

from dataclasses import dataclass

from protocols.codes.epc_fields import Field, Integer, Partition, Split


@dataclass(frozen=True, slots=True)
class Key:
    """How a GS1 key is built from company prefix and reference, and where its element string carries it.

    `ai` application identifier; `lead` digits before everything; `indicator_first` the reference's first digit moves to
    the front; `checked` a check digit follows; `tail` parts that follow inside the same element string.
    """

    ai: str
    lead: str = ""
    indicator_first: bool = False
    checked: bool = True
    tail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Qualifier:
    """A part with an element string of its own after the key; `absent` is the value that means there is none."""

    ai: str
    part: str
    absent: str | None = None


@dataclass(frozen=True, slots=True)
class Scheme:
    """One scheme. `identity` is its word in URIs, `uri` the parts there in order; `key` None has no element string."""

    name: str
    identity: str
    header: int
    fields: tuple[Field, ...]
    uri: tuple[str, ...]
    key: Key | None = None
    qualifiers: tuple[Qualifier, ...] = ()
    filtered: bool = True

    @property
    def tag_word(self) -> str:
        """Return the scheme's word in a tag URI, e.g. `sgtin-96`."""
        return self.name.lower()


_PREFIX_BITS = (40, 37, 34, 30, 27, 24, 20)
"""Bits of a GS1 company prefix of 12, 11, … 6 digits: partition values 0..6 of every partition table (section 14.3)."""


def _rows(reference_bits: tuple[int, ...], digits_at_12: int) -> tuple[Split, ...]:
    """Return a partition table: the company prefix loses a digit a row, the reference gains one."""
    return tuple(
        Split(prefix_bits, 12 - row, bits, digits_at_12 + row)
        for row, (prefix_bits, bits) in enumerate(zip(_PREFIX_BITS, reference_bits, strict=True))
    )


_FILTER = Integer("filter", 3)
_ITEM = Partition(_rows((4, 7, 10, 14, 17, 20, 24), 1))
_PLACE = Partition(_rows((1, 4, 7, 11, 14, 17, 21), 0))
_SERVICE = Partition(_rows((18, 21, 24, 28, 31, 34, 38), 5))

SGTIN_96 = Scheme(
    name="SGTIN-96",
    identity="sgtin",
    header=0x30,
    fields=(_FILTER, _ITEM, Integer("serial", 38)),
    uri=("prefix", "reference", "serial"),
    key=Key("01", indicator_first=True),
    qualifiers=(Qualifier("21", "serial"),),
)

SCHEMES: tuple[Scheme, ...] = (SGTIN_96,)

BY_HEADER: dict[int, Scheme] = {scheme.header: scheme for scheme in SCHEMES}
BY_TAG_WORD: dict[str, Scheme] = {scheme.tag_word: scheme for scheme in SCHEMES}
