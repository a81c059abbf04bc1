"""One scanned text in, one meaning out: a product's label, a person's badge, a command, or a refusal with its reason.

The symbology identifier decides first (ISO/IEC 15424: three characters such as `]d2` that a scanner puts before the
data when told so), then what the text itself shows: an FNC1, brackets, a namespace of ours. A bare text is never
guessed to be GS1: the lot `10D9T` would read as identifier 10 with lot `D9T`. The rule that must not be broken: nothing
is stripped or mended here, for a HIBC check character may be a space.

    PeerBroke
    └── UnreadableLabel       `reason` says what was expected
        └── IssuerNotBuilt    the code is well known, its reader is not built; `issuer` names it
"""

import re
from dataclasses import dataclass
from datetime import date

from protocols.codes.gs1 import FNC1, Gs1Message, read_bracketed, read_message
from protocols.codes.gtin import Gtin14, gtin14
from protocols.codes.own import SPACES, Badge, Command, CommandName, make_badge, make_command, read_own
from protocols.errors import BadValue, PeerBroke
from protocols.values.ids import LotNo

__all__ = [
    "Badge",
    "Command",
    "CommandName",
    "IssuerNotBuilt",
    "Label",
    "UnreadableLabel",
    "make_badge",
    "make_command",
    "read_label",
]

GS1 = "GS1"
LABEL_MAX = 512
"""Longest text of one scan, in characters."""

GS1_SYMBOLS = frozenset({"]C1", "]d2", "]Q3", "]e0", "]J1"})
"""GS1-128, DataMatrix, QR, DataBar and DotCode that carry element strings (General Specifications section 5.1.2)."""

GTIN_SYMBOLS = frozenset({"]E0", "]E4", "]I1"})
"""EAN-13 with UPC, EAN-8 and ITF-14: a GTIN and nothing else (the same table)."""

_SYMBOLOGY = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_BRACKETED = re.compile(r" *\([0-9]{2,4}\)")
_NOT_BUILT = (
    (re.compile(r"\+[A-Z0-9$]"), "HIBC"),
    (re.compile(r"MA\.[0-9]"), "MA"),
    (re.compile(r"AHM"), "AHM"),
    (re.compile(r"https?://", re.IGNORECASE), "GS1 Digital Link"),
)


class UnreadableLabel(PeerBroke):
    """A scanned text that means nothing to us. `reason` is for the person who holds the label."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class IssuerNotBuilt(UnreadableLabel):
    """A label of an issuing agency whose codes this version does not read. `issuer` names the agency."""

    def __init__(self, issuer: str) -> None:
        super().__init__(
            f"{issuer} labels are not built yet: use the GS1 code of this product, or ask for a printed label"
        )
        self.issuer = issuer


@dataclass(frozen=True, slots=True)
class Label:
    """What a product's label says; None where it says nothing, which never blanks what is known already.

    `issuer` the agency of the code; `product` the GTIN; `elements` every (identifier, value) in the label's order.
    """

    issuer: str
    product: Gtin14 | None
    lot: LotNo | None
    expiry: date | None
    made: date | None
    serial: str | None
    elements: tuple[tuple[str, str], ...]


def read_label(text: str) -> Label | Badge | Command:
    """Read the text of one scan, its suffix already gone. Raises `UnreadableLabel`, never anything else."""
    if not text or len(text) > LABEL_MAX:
        raise UnreadableLabel(f"label: expected 1..{LABEL_MAX} characters, got {len(text)}")
    match = _SYMBOLOGY.match(text)
    symbology = match[0] if match else ""
    try:
        return _read(symbology, text[len(symbology) :])
    except BadValue as error:
        raise UnreadableLabel(str(error)) from error


def _read(symbology: str, content: str) -> Label | Badge | Command:
    if symbology in GS1_SYMBOLS:
        return _label(read_message(content))
    if symbology in GTIN_SYMBOLS:
        number = gtin14(content)
        return Label(GS1, number, None, None, None, None, (("01", number),))
    if content.startswith(SPACES):
        return read_own(content)
    if FNC1 in content:
        return _label(read_message(content))
    if _BRACKETED.match(content):
        return _label(read_bracketed(content))
    for pattern, issuer in _NOT_BUILT:
        if pattern.match(content):
            raise IssuerNotBuilt(issuer)
    advice = "" if symbology else "; if this is a GS1 label, switch on the scanner's AIM identifier"
    raise UnreadableLabel(f"label: expected a GS1 label, a badge or a command, got {content!r:.120}{advice}")


def _label(message: Gs1Message) -> Label:
    return Label(
        issuer=GS1,
        product=message.gtin,
        lot=message.lot,
        expiry=message.expiry,
        made=message.made,
        serial=message.serial,
        elements=message.elements,
    )
