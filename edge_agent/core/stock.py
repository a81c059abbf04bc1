"""What an item is and what of it lies in the storeroom, and which of it should go first. Pure.

FEFO: first to expire, first out. What has no expiry goes last; what is expired or held is never proposed. The rule that
must not be broken: a proposal never refuses; whoever takes another lot is recorded with what was proposed.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum

import msgspec

from protocols.errors import BadValue
from protocols.values.ids import HOSPITAL_OWNED
from protocols.values.quantity import LINE_QTY_MAX


class ConsumeOn(StrEnum):
    """When an item counts as used: each unit for its patient, or a whole pack once it is opened."""

    UNIT = "unit"
    PACK = "pack"


class Content(msgspec.Struct, frozen=True):
    """What one quota pack holds: `qty` base units of an item."""

    item: str
    qty: int


class Item(msgspec.Struct, frozen=True):
    """One catalogue line as the storeroom needs it; `pack` base units are its middle pack."""

    code: str
    name_zh: str = ""
    name_en: str = ""
    pack: int = 1
    consume_on: ConsumeOn = ConsumeOn.UNIT
    scrap_before_months: int = 0
    content: Content | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.pack <= LINE_QTY_MAX:
            raise BadValue(f"item {self.code}: expected a pack of 1..{LINE_QTY_MAX} base units, got {self.pack}")
        if not 0 <= self.scrap_before_months <= 36:
            raise BadValue(f"item {self.code}: expected 0..36 months before expiry, got {self.scrap_before_months}")


class Stock(msgspec.Struct, frozen=True):
    """Base units of one lot on one shelf; `expiry` None when nobody said one, `held` the kind of hold."""

    item: str
    lot: str
    qty: int
    position: str = ""
    owner: str = HOSPITAL_OWNED
    expiry: date | None = None
    held: str = ""
    unit: str = ""


class Part(msgspec.Struct, frozen=True):
    """So many base units from one shelf; `known` says that the book has them there."""

    stock: Stock
    qty: int
    known: bool = True


def is_expired(expiry: date | None, today: date) -> bool:
    """Tell whether a product is past its date; on the day itself it may still be used."""
    return expiry is not None and expiry < today


def scrap_from(expiry: date, months: int) -> date:
    """Return the day from which goods must be scrapped: so many calendar months before expiry (F1)."""
    year, month = divmod(expiry.year * 12 + expiry.month - 1 - months, 12)
    day = expiry.day
    while True:
        try:
            return date(year, month + 1, day)
        except ValueError:
            day -= 1  # 31 May less three months is the last day of February


def in_order(stock: Iterable[Stock], today: date) -> list[Stock]:
    """Return what may be taken, first to expire first."""
    good = [one for one in stock if one.qty > 0 and not one.held and not is_expired(one.expiry, today)]
    return sorted(good, key=lambda one: (one.expiry is None, one.expiry or date.max, one.lot, one.position, one.unit))


def goes_first(stock: Iterable[Stock], today: date) -> Stock | None:
    """Return what should be taken first, None when there is nothing."""
    ordered = in_order(stock, today)
    return ordered[0] if ordered else None


def is_first(expiry: date | None, first: Stock | None) -> bool:
    """Tell whether a product's date is no later than that of what should go first."""
    if first is None or first.expiry is None:
        return True
    return expiry is not None and expiry <= first.expiry


def allocate(stock: Sequence[Stock], item: str, lot: str | None, qty: int, today: date) -> list[Part]:
    """Split a quantity over shelves, first to expire first; of one lot if one is named.

    What the book does not have is a part that is not known: taken all the same, from no shelf in particular.
    """
    parts: list[Part] = []
    those = [one for one in stock if not one.unit and one.qty > 0 and lot in (None, one.lot)]
    ranked = in_order(those, today)
    ranked += [one for one in those if one not in ranked]
    for one in ranked if lot is not None else in_order(those, today):
        if qty and one.qty:
            part = min(qty, one.qty)
            parts.append(Part(one, part))
            qty -= part
    if qty:
        shelf = parts[-1].stock if parts else next((one for one in those if lot == one.lot), Stock(item, lot or "", 0))
        parts.append(Part(shelf, qty, known=False))
    return parts
