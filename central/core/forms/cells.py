"""The cells of the files a hospital imports: what a column may hold, how it is read, and what is expected in words.

It reads one cell and knows no file. The rule that must not be broken: a parser returns a value that may be stored, or
raises; it never mends.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from central.core.purchasing import PRICE_MAX
from protocols.codes.gtin import gtin14
from protocols.values.ids import device_id, is_virtual, item_id, lot_no, place_id, supplier_id
from protocols.values.money import yuan
from protocols.values.quantity import LINE_QTY_MAX

TEXT_MAX = 200
COUNT_MAX = 1_000_000
"""Largest pack, minimum order or level of rank that is not a typing error."""

T = TypeVar("T")
Parse = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the name in the file and of the table's column, how it is read, and in words what is expected."""

    name: str
    parse: Parse
    meant: str
    kept_as: str = ""

    @property
    def target(self) -> str:
        """The name under which the value is kept."""
        return self.kept_as or self.name


def needed_text(text: str) -> str:
    """Read a text that must be there."""
    return admitted_if(0 < len(text) <= TEXT_MAX, text)


def any_text(text: str) -> str:
    """Read a text that may be empty."""
    return admitted_if(len(text) <= TEXT_MAX, text)


def admitted_if(admitted: bool, value: T) -> T:
    """Return a value that is admitted; raise where it is not."""
    if not admitted:
        raise ValueError
    return value


def whole_number(low: int, high: int) -> Parse:
    """Return the reading of a whole number between two others, both included."""

    def parse(text: str) -> int:
        return int(admitted_if(text.isascii() and text.isdigit() and low <= int(text) <= high, text))

    return parse


def one_of(*admitted: str) -> Parse:
    """Return the reading of one of a few words."""
    return lambda text: admitted_if(text in admitted, text)


def quarter(text: str) -> str:
    """Read a quarter such as 2025Q4."""
    return admitted_if(re.fullmatch(r"20\d\dQ[1-4]", text, re.ASCII) is not None, text)


def iso_day(text: str) -> date:
    """Read a day in the one form of a table; ISO 8601 knows weeks and forms without hyphens besides."""
    read = date.fromisoformat(text)
    return admitted_if(read.isoformat() == text, read)


def iso_day_or_none(text: str) -> date | None:
    """Read a day, or nothing."""
    return iso_day(text) if text else None


def gtin_or_none(text: str) -> str:
    """Read a GTIN as its 14 digits, or nothing."""
    return gtin14(text) if text else ""


def storeroom(text: str) -> str:
    """Read a storeroom."""
    return admitted_if(not is_virtual(place_id(text)), text)


def storeroom_or_none(text: str) -> str:
    """Read a storeroom, or nothing."""
    return storeroom(text) if text else ""


def device_or_none(text: str) -> str:
    """Read a device, or nothing."""
    return device_id(text) if text else ""


def yuan_price(text: str) -> int:
    """Read a price in yuan a base unit."""
    price = yuan_amount(text)
    return admitted_if(price <= PRICE_MAX, price)


def yuan_amount(text: str) -> int:
    """Read an amount in yuan."""
    return yuan(admitted_if(text.isascii() and text.replace(".", "", 1).isdigit(), text))


def yuan_or_none(text: str) -> int | None:
    """Read a price in yuan, or nothing."""
    return yuan_price(text) if text else None


def code(text: str) -> str:
    """Read a code of an agreement or a group."""
    return str(item_id(text))


def item_or_none(text: str) -> str:
    """Read an item, or nothing."""
    return item_id(text) if text else ""


def supplier_or_none(text: str) -> str:
    """Read a supplier, or nothing."""
    return supplier_id(text) if text else ""


ITEM = Column("item", item_id, "an item code of 1..64 ASCII characters without space")
SUPPLIER = Column("supplier", supplier_id, "a supplier code of 1..64 ASCII characters without space")
PLACE = Column("place", storeroom, "a storeroom such as ward-01")
NAME_ZH = Column("name_zh", needed_text, f"a name of 1..{TEXT_MAX} characters")
NAME_EN = Column("name_en", needed_text, f"a name of 1..{TEXT_MAX} characters")
PIECES_MEANT = f"a whole number from 1 to {COUNT_MAX}"
DAY_MEANT = "a day such as 2026-03-02"
QTY = Column("qty", whole_number(0, LINE_QTY_MAX), f"a whole number of base units from 0 to {LINE_QTY_MAX}")
LOT = Column("lot", lot_no, "a lot of at most 64 ASCII characters without space, or nothing")
