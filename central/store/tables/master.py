"""The tables a person fills by import: items, lots, suppliers, storerooms, and the use of the days before the ledger.

Forms only; no rule lives here. Every key starts with `hospital`. Money is whole 1e-4 yuan, days are ISO dates. The
rule that must not be broken: nothing here says how much stock there is; only the ledger does.
"""

from datetime import date
from typing import ClassVar

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel


class ItemRow(SQLModel, table=True):
    """One catalogue line: a product in one specification; `pack` base units in the maker's pack."""

    __tablename__: ClassVar[str] = "item"

    hospital: str = Field(primary_key=True)
    item: str = Field(primary_key=True)
    name_zh: str
    name_en: str
    spec: str = ""
    gtin: str = ""
    unit_zh: str
    unit_en: str
    pack: int = 1
    class_: str = Field(sa_column_kwargs={"name": "class"})
    criticality: str
    chargeable: bool = False
    storage: str = ""


class LotRow(SQLModel, table=True):
    """One lot of one item, with the days it was made and expires, where known."""

    __tablename__: ClassVar[str] = "lot"

    hospital: str = Field(primary_key=True)
    item: str = Field(primary_key=True)
    lot: str = Field(primary_key=True)
    made: date | None = None
    expiry: date | None = None


class SupplierRow(SQLModel, table=True):
    """One supplier."""

    __tablename__: ClassVar[str] = "supplier"

    hospital: str = Field(primary_key=True)
    supplier: str = Field(primary_key=True)
    name_zh: str
    name_en: str


class ItemSupplierRow(SQLModel, table=True):
    """A supplier's terms for an item: rank 1 is the main one; price a base unit, pack and minimum in base units."""

    __tablename__: ClassVar[str] = "item_supplier"

    hospital: str = Field(primary_key=True)
    item: str = Field(primary_key=True)
    supplier: str = Field(primary_key=True)
    rank: int
    price: int = Field(sa_type=BigInteger)
    pack: int
    moq: int
    lead_days: int
    platform_code: str = ""


class PlaceRow(SQLModel, table=True):
    """One storeroom: level 1 is the hospital's, level 2 a ward's; `parent` is who fills it, `device` who watches it."""

    __tablename__: ClassVar[str] = "place"

    hospital: str = Field(primary_key=True)
    place: str = Field(primary_key=True)
    level: int
    name_zh: str
    name_en: str
    parent: str = ""
    device: str = ""


class UseDayRow(SQLModel, table=True):
    """Base units of an item used at a place on one day, from before the ledger began."""

    __tablename__: ClassVar[str] = "use_day"

    hospital: str = Field(primary_key=True)
    place: str = Field(primary_key=True)
    item: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    qty: int = Field(sa_type=BigInteger)


class CalendarDayRow(SQLModel, table=True):
    """A day of which the hospital says itself whether people work on it, where no library knows its year yet."""

    __tablename__: ClassVar[str] = "calendar_day"

    hospital: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    working: bool
    source_doc: str


_tables = SQLModel.metadata.tables
ITEM = _tables["item"]
LOT = _tables["lot"]
SUPPLIER = _tables["supplier"]
ITEM_SUPPLIER = _tables["item_supplier"]
PLACE = _tables["place"]
USE_DAY = _tables["use_day"]
CALENDAR_DAY = _tables["calendar_day"]
