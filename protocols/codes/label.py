"""One scanned text in, one meaning out: a product's label, a person's badge, a card, or a refusal with its reason.

The symbology identifier decides first (ISO/IEC 15424: three characters such as `]d2` that a scanner puts before the
data when told so), then what the text itself shows: an FNC1, brackets, a web address, the marks of HIBC and MA, a
namespace of ours; last what the caller expects here. A bare text that nobody expects is never guessed to be GS1: the
lot `10D9T` would read as identifier 10 with lot `D9T`. The rule that must not be broken: nothing is stripped or mended
here, for a HIBC check character may be a space.

    PeerBroke
    └── UnreadableLabel       `reason` says what was expected
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import NewType

from protocols.codes.digital_link import read_link
from protocols.codes.foreign import refuse_foreign
from protocols.codes.gs1 import FNC1, Gs1Message, read_bracketed, read_elements, read_message
from protocols.codes.gtin import GTIN_LENGTHS, gtin14, has_check_digit
from protocols.codes.hibc import read_hibc
from protocols.codes.ma import read_ma
from protocols.codes.own import (
    SPACES,
    Badge,
    Command,
    CommandName,
    Ticket,
    TicketSort,
    make_badge,
    make_command,
    make_ticket,
    read_own,
)
from protocols.errors import BadValue, PeerBroke
from protocols.values import ids
from protocols.values.ids import LotNo

__all__ = [
    "Badge",
    "Command",
    "CommandName",
    "Label",
    "ProductCode",
    "Ticket",
    "TicketSort",
    "UnreadableLabel",
    "make_badge",
    "make_command",
    "make_ticket",
    "read_label",
]

ProductCode = NewType("ProductCode", str)
"""A product by its agency's rule: GTIN-14; HIBC labeler, catalogue number and unit; the whole MA identifier."""

GS1, HIBC, MA, AHM = "GS1", "HIBC", "MA", "AHM"
LABEL_MAX = 512
"""Longest text of one scan, in characters."""

GS1_SYMBOLS = frozenset({"]C1", "]d2", "]Q3", "]e0", "]J1"})
"""GS1-128, DataMatrix, QR, DataBar and DotCode that carry element strings (General Specifications section 5.1.2)."""

GTIN_SYMBOLS = frozenset({"]E0", "]E4", "]I1"})
"""EAN-13 with UPC, EAN-8 and ITF-14: a GTIN and nothing else (the same table)."""

FORMAT_05, ENVELOPE_END = "[)>\x1e05\x1d", "\x1e\x04"

AHM_UNREAD = "the fields of AHM codes are not published; the code is kept as it stands"

_SYMBOLOGY = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_BRACKETED = re.compile(r" *\([0-9]{2,4}\)")
_HIBC = re.compile(r"\+[A-Z0-9$]")
_MA = re.compile(r"MA\.[0-9]{3}\.")
_AHM = re.compile(r"AHM[!-~]+")
_LINK = re.compile(r"https?://", re.IGNORECASE)


class UnreadableLabel(PeerBroke):
    """A scanned text that means nothing to us. `reason` is for the person who holds the label."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Label:
    """What a product's label says; None where it says nothing, which never blanks what is known already.

    `issuer` the agency of the code; `product` its code there; `elements` every (identifier, value) in order.
    """

    issuer: str
    product: ProductCode | None
    lot: LotNo | None
    expiry: date | None
    made: date | None
    serial: str | None
    elements: tuple[tuple[str, str], ...]


def read_label(text: str, *, expected: frozenset[str] = frozenset()) -> Label | Badge | Command | Ticket:
    """Read the text of one scan, its suffix already gone. Raises `UnreadableLabel`, never anything else.

    `expected` are the issuers whose labels belong to this place or step; they are asked only about a bare text.
    """
    if not text or len(text) > LABEL_MAX:
        raise UnreadableLabel(f"label: expected 1..{LABEL_MAX} characters, got {len(text)}")
    match = _SYMBOLOGY.match(text)
    symbology = match[0] if match else ""
    try:
        return _read(symbology, text[len(symbology) :], expected)
    except BadValue as error:
        raise UnreadableLabel(str(error)) from error


def _read(symbology: str, content: str, expected: frozenset[str]) -> Label | Badge | Command | Ticket:
    if symbology in GS1_SYMBOLS:
        return _gs1(read_message(content))
    if symbology in GTIN_SYMBOLS:
        return _gtin(content)
    if content.startswith(SPACES):
        return read_own(content)
    refuse_foreign(content)
    for applies, read in _BY_TEXT:
        if applies(content):
            return read(content)
    if GS1 in expected:
        return _gtin(content) if _is_gtin(content) else _gs1(read_message(content))
    if AHM in expected:
        return _ahm(content)
    advice = "" if symbology else "; if this is a GS1 label, switch on the scanner's AIM identifier"
    raise UnreadableLabel(f"label: expected a product's label, a badge or a command, got {content!r:.120}{advice}")


def _is_gtin(content: str) -> bool:
    return len(content) in GTIN_LENGTHS and has_check_digit(content)


def _gtin(content: str) -> Label:
    number = gtin14(content)
    return Label(GS1, ProductCode(number), None, None, None, None, (("01", number),))


def _gs1(message: Gs1Message) -> Label:
    return Label(
        issuer=GS1,
        product=ProductCode(message.gtin) if message.gtin else None,
        lot=message.lot,
        expiry=message.expiry,
        made=message.made,
        serial=message.serial,
        elements=message.elements,
    )


def _link(content: str) -> Label:
    return _gs1(read_elements(read_link(content).elements))


def _format_05(content: str) -> Label:
    """Read GS1 element strings in an ISO/IEC 15434 envelope, as DataMatrix macro 05 gives them."""
    return _gs1(read_message(content.removeprefix(FORMAT_05).removesuffix(ENVELOPE_END)))


def _hibc(content: str) -> Label:
    said = read_hibc(content)
    product = ProductCode(said.product) if said.product else None
    check = (("check", said.check),) if said.check else ()
    return Label(HIBC, product, _lot(said.lot), said.expiry, said.made, said.serial, (*said.elements, *check))


def _ma(content: str) -> Label:
    said = read_ma(content)
    return Label(MA, ProductCode(said.product), _lot(said.lot), said.expiry, said.made, said.serial, said.elements)


def _ahm(content: str) -> Label:
    return Label(AHM, None, None, None, None, None, (("raw", content), ("unread", AHM_UNREAD)))


def _lot(text: str | None) -> LotNo | None:
    return ids.lot_no(text) if text else None


_BY_TEXT: tuple[tuple[Callable[[str], object], Callable[[str], Label]], ...] = (
    (_LINK.match, _link),
    (lambda content: content.startswith(FORMAT_05), _format_05),
    (lambda content: FNC1 in content, lambda content: _gs1(read_message(content))),
    (_BRACKETED.match, lambda content: _gs1(read_bracketed(content))),
    (_HIBC.match, _hibc),
    (_MA.match, _ma),
    (_AHM.fullmatch, _ahm),
)
"""How a text shows whose it is, in the order asked, and who reads it."""
