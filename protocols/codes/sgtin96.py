"""SGTIN-96, the scheme of nearly every tag on a shelf: four numbers in 96 bits, by a path of its own for speed.

It says the same as the row in `epc_schemes`, and a test holds the two together. The rule that must not be broken: it
accepts exactly what the row accepts.

Source: GS1 EPC Tag Data Standard 2.3, section 14.6.1.1 and its partition table.
"""

from dataclasses import dataclass
from functools import lru_cache

from protocols.codes.digital_link import RESOLVER_HOST
from protocols.codes.epc_form import PREFIX_DIGITS
from protocols.codes.gtin import Gtin14, gtin14
from protocols.errors import BadValue, PeerBroke
from protocols.values.ids import Epc

HEADER = 0x30
BYTES = 12
SERIAL_BITS = 38
SERIAL_BELOW = 1 << SERIAL_BITS
FILTER_BELOW = 8
ITEM_BITS = 44
ITEM_DIGITS = 13
"""Company prefix and item reference together, in bits and in digits."""

ITEMS_MAX = 1024
"""Items whose forms are remembered: thousands of tags of a storeroom are of some hundred items."""

_ITEM_MASK = (1 << ITEM_BITS) - 1
_SERIAL_MASK = SERIAL_BELOW - 1
_ZERO = ord("0")
_AHEAD = 10**ITEM_DIGITS
_PREFIX_BITS = (40, 37, 34, 30, 27, 24, 20)
_ROWS = tuple(
    (ITEM_BITS - width, (1 << ITEM_BITS - width) - 1, 12 - row, 10 ** (12 - row), 10 ** (row + 1))
    for row, width in enumerate(_PREFIX_BITS)
)
"""By partition value: bits and mask of the reference, digits of the prefix, and the bound of each."""


@dataclass(frozen=True, slots=True)
class Sgtin96:
    """One serialised trade item in 96 bits: a number from 0 to 2**38 - 1 is its serial.

    `item_reference` begins with the GTIN's indicator digit; with the company prefix it makes 13 digits.
    """

    filter: int
    company_prefix: str
    item_reference: str
    serial: int

    def __post_init__(self) -> None:
        item = self.company_prefix + self.item_reference
        if len(self.company_prefix) not in PREFIX_DIGITS or len(item) != ITEM_DIGITS:
            raise BadValue(f"SGTIN-96: expected 13 digits, 6..12 of them company prefix, got {item!r:.40}")
        if not (item.isascii() and item.isdecimal()):
            raise BadValue(f"SGTIN-96: expected digits, got {item!r:.40}")
        if not 0 <= self.filter < FILTER_BELOW:
            raise BadValue(f"SGTIN-96 filter: expected 0..{FILTER_BELOW - 1}, got {self.filter}")
        if not 0 <= self.serial < SERIAL_BELOW:
            raise BadValue(f"SGTIN-96 serial: expected 0..{SERIAL_BELOW - 1}, got {self.serial}")

    @property
    def epc(self) -> Epc:
        """Return the tag's bits as hex."""
        partition = 12 - len(self.company_prefix)
        head = (HEADER << 3 | self.filter) << 3 | partition
        item = int(self.company_prefix) << _ROWS[partition][0] | int(self.item_reference)
        return Epc(f"{(head << ITEM_BITS | item) << SERIAL_BITS | self.serial:024X}")

    @property
    def gtin14(self) -> Gtin14:
        """Return the item's GTIN with its check digit."""
        return gtin_of(self.company_prefix, self.item_reference)


def sgtin96(gtin: str, *, company_prefix_length: int, serial: int, filter: int) -> Sgtin96:
    """Build an SGTIN-96 from a GTIN of 8 to 14 digits; the length of its company prefix is known only to its owner.

    Raises `BadValue`.
    """
    if company_prefix_length not in PREFIX_DIGITS:
        raise BadValue(f"company prefix length: expected 6..12 digits, got {company_prefix_length}")
    number = gtin14(gtin)
    prefix = number[1 : 1 + company_prefix_length]
    return Sgtin96(filter, prefix, number[0] + number[1 + company_prefix_length : -1], serial)


def encode_sgtin96(gtin: str, *, company_prefix_length: int, serial: int, filter: int) -> Epc:
    """Return the EPC of one serialised trade item. Raises `BadValue`."""
    return sgtin96(gtin, company_prefix_length=company_prefix_length, serial=serial, filter=filter).epc


def decode_sgtin96(text: str) -> Sgtin96:
    """Parse the 24 hex digits of an SGTIN-96. Raises `BadValue` or `PeerBroke` for anything else."""
    return Sgtin96(*sgtin96_parts(text))


def sgtin96_parts(text: str) -> tuple[int, str, str, int]:
    """Return filter, company prefix, item reference and serial of 24 hex digits. Raises `BadValue` or `PeerBroke`."""
    try:
        raw = bytes.fromhex(text)
    except (ValueError, TypeError) as error:
        raise BadValue(f"SGTIN-96: expected {2 * BYTES} hex digits, got {text!r:.60}") from error
    if len(raw) != BYTES or len(text) != 2 * BYTES or raw[0] != HEADER:
        raise BadValue(f"SGTIN-96: expected {2 * BYTES} hex digits from {HEADER:02X}, got {text!r:.60}")
    value = int.from_bytes(raw, "big")
    filter_value, prefix, reference = _item(value >> SERIAL_BITS)
    return filter_value, prefix, reference, value & _SERIAL_MASK


def _item(head: int) -> tuple[int, str, str]:
    """Return filter, company prefix and item reference of the 58 bits before the serial. Raises `PeerBroke`."""
    partition = head >> ITEM_BITS & 7
    if partition >= len(_ROWS):
        raise PeerBroke(f"EPC partition: expected 0..{len(_ROWS) - 1}, got {partition}")
    shift, mask, digits, prefix_below, reference_below = _ROWS[partition]
    prefix, reference = (head & _ITEM_MASK) >> shift, head & mask
    if prefix >= prefix_below or reference >= reference_below:
        raise PeerBroke(
            f"SGTIN-96: expected at most {digits} and {ITEM_DIGITS - digits} digits, got {prefix} and {reference}"
        )
    item = str(_AHEAD + prefix * reference_below + reference)  # a digit ahead keeps the zeros
    return head >> ITEM_BITS + 3 & 7, item[1 : digits + 1], item[digits + 1 :]


ItemForms = tuple[str, str, str, str, Gtin14, int]
"""Tag URI, pure identity, element string and Digital Link before the serial, GTIN, filter: one item's tags share it."""


@lru_cache(maxsize=ITEMS_MAX)
def item_forms(head: int) -> ItemForms:
    """Return the forms of the 58 bits before a serial, without it. Raises `PeerBroke`."""
    filter_value, prefix, reference = _item(head)
    gtin = gtin_of(prefix, reference)
    item = f"{prefix}.{reference}."
    return (
        f"urn:epc:tag:sgtin-96:{filter_value}.{item}",
        f"urn:epc:id:sgtin:{item}",
        f"(01){gtin}(21)",
        f"https://{RESOLVER_HOST}/01/{gtin}/21/",
        gtin,
        filter_value,
    )


def gtin_of(prefix: str, reference: str) -> Gtin14:
    """Return the GTIN of a company prefix and an item reference of 13 digits together, which are known to be digits."""
    number = reference[0] + prefix + reference[1:]
    digits = number.encode()
    total = 3 * (sum(digits[::2]) - 7 * _ZERO) + sum(digits[1::2]) - 6 * _ZERO
    return Gtin14(f"{number}{-total % 10}")
