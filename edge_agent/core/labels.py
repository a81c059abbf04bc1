"""What stands on one label, twice: as GS1 DataMatrix for scanners and as SGTIN-96 in its inlay for readers. Pure.

Both are made from the same GTIN and serial, so that one EPC is one unit and either of them names it. Not here: which
serials were used (`store.labels`) and the printer's language (`links.printer`).
"""

import re
from dataclasses import dataclass
from datetime import date

from protocols.codes.gs1 import read_elements
from protocols.codes.gtin import Gtin14, gtin14
from protocols.codes.sgtin96 import SERIAL_BELOW, encode_sgtin96
from protocols.errors import BadValue
from protocols.values.ids import Epc

FILTER_UNIT = 1
"""TDS 2 section 10.2: a trade item at its point of sale, the piece a person takes."""
LABELS_MAX = 1_000
"""Labels of one job: a roll."""
TEXT_MAX = 40

_LOT = re.compile(r"[!\"%-?A-Z_a-z]{1,20}")
"""GS1 General Specifications, character set 82, 1 to 20 of them."""


@dataclass(frozen=True, slots=True)
class Label:
    """One piece's label; `prefix_digits` is the length of the GTIN's company prefix, known only to its owner."""

    gtin: Gtin14
    lot: str
    expiry: date | None
    serial: int
    prefix_digits: int
    text: str = ""

    def __post_init__(self) -> None:
        if not _LOT.fullmatch(self.lot):
            raise BadValue(f"lot: expected 1 to 20 characters of GS1's set 82, got {self.lot!r:.60}")
        if not 0 < self.serial < SERIAL_BELOW:
            raise BadValue(f"serial: expected a number from 1 to {SERIAL_BELOW - 1}, got {self.serial}")
        if len(self.text) > TEXT_MAX or not self.text.isprintable() or set(self.text) & set("^~"):
            raise BadValue(f"text: expected at most {TEXT_MAX} characters without ^ and ~, got {self.text!r:.60}")
        read_elements(self.elements)
        encode_sgtin96(self.gtin, company_prefix_length=self.prefix_digits, serial=self.serial, filter=FILTER_UNIT)

    @property
    def elements(self) -> tuple[tuple[str, str], ...]:
        """Return the element strings; those of fixed length first, so that one separator is enough."""
        expiry = (("17", f"{self.expiry:%y%m%d}"),) if self.expiry else ()
        return (("01", self.gtin), *expiry, ("10", self.lot), ("21", str(self.serial)))

    @property
    def printed(self) -> str:
        """Return what a person reads."""
        return "".join(f"({ai}){value}" for ai, value in self.elements)

    @property
    def epc(self) -> Epc:
        """Return what the inlay holds."""
        return encode_sgtin96(
            self.gtin, company_prefix_length=self.prefix_digits, serial=self.serial, filter=FILTER_UNIT
        )


def labels_of(first: Label, count: int) -> list[Label]:
    """Return labels with serials that follow each other. Raises `BadValue`."""
    if not 1 <= count <= LABELS_MAX:
        raise BadValue(f"count: expected 1 to {LABELS_MAX} labels, got {count}")
    serials = range(first.serial, first.serial + count)
    return [Label(first.gtin, first.lot, first.expiry, one, first.prefix_digits, first.text) for one in serials]


def label_of(gtin: str, lot: str, expiry: str | None, serial: int, prefix_digits: int, text: str = "") -> Label:
    """Return a checked label from what a person gave. Raises `BadValue`."""
    try:
        day = None if expiry is None else date.fromisoformat(expiry)
    except ValueError as error:
        raise BadValue(f"expiry: expected a date such as 2027-03-31, got {expiry!r:.40}") from error
    return Label(gtin14(gtin), lot, day, serial, prefix_digits, text)
