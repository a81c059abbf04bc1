"""The tables of the hospital information system's side: what it charged patients for, and the uses that go with that.

Forms only; no rule lives here. Every key starts with `hospital`; instants are microseconds UTC, quantities whole base
units. The rule that must not be broken: a charge stands as it came; what undoes it is a row of its own that names it.
"""

from datetime import date
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field, SQLModel


class ChargeRow(SQLModel, table=True):
    """One charge or refund as it came: a refund's `qty` is below zero, and `refunds` names the charge.

    `unit` is empty for loose pieces; `patient` is a keyed hash and never the id; `source` is `api`, `view` or `csv`.
    """

    __tablename__: ClassVar[str] = "charge"
    __table_args__: ClassVar[Any] = (
        Index("charge_unit", "hospital", "unit"),
        Index("charge_place", "hospital", "place", "at"),
        Index("charge_refunds", "hospital", "refunds"),
    )

    hospital: str = Field(primary_key=True)
    charge: str = Field(primary_key=True)
    refunds: str = ""
    at: int = Field(sa_type=BigInteger)
    place: str
    item: str
    lot: str = ""
    unit: str = ""
    qty: int = Field(sa_type=BigInteger)
    code: str = ""
    """The charge item of the other system."""
    patient: str = ""
    source: str
    reason: str = ""
    person: str
    received_at: int = Field(sa_type=BigInteger)


class ChargeUseRow(SQLModel, table=True):
    """A use in the ledger that goes with a charge: `made` tells that central wrote it because the other side scanned.

    `undone` is the event that reversed it, empty while it stands.
    """

    __tablename__: ClassVar[str] = "charge_use"
    __table_args__: ClassVar[Any] = (
        Index("charge_use_charge", "hospital", "charge"),
        Index("charge_use_place", "hospital", "place", "at"),
    )

    hospital: str = Field(primary_key=True)
    event: str = Field(primary_key=True)
    charge: str = Field(primary_key=True)
    place: str
    unit: str
    made: bool
    undone: str = ""
    at: int = Field(sa_type=BigInteger)


class ChargeItemRow(SQLModel, table=True):
    """What a charge item of the other system is here: so many base units of an item for one of it, from day to day."""

    __tablename__: ClassVar[str] = "charge_item"

    hospital: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    item: str = Field(primary_key=True)
    effective_from: date = Field(primary_key=True)
    effective_to: date | None = None
    ratio: int


class ChargeMarkRow(SQLModel, table=True):
    """Up to where a source of charges was read."""

    __tablename__: ClassVar[str] = "charge_mark"

    hospital: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    mark: str = ""
    at: int = Field(sa_type=BigInteger)


class ChargeFaultRow(SQLModel, table=True):
    """A row of a source that does not fit: where it stands there, what was expected, and what came."""

    __tablename__: ClassVar[str] = "charge_fault"

    hospital: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    row: str = Field(primary_key=True)
    fault: str = Field(sa_type=Text)
    at: int = Field(sa_type=BigInteger)


_tables = SQLModel.metadata.tables
CHARGE = _tables["charge"]
CHARGE_USE = _tables["charge_use"]
CHARGE_ITEM = _tables["charge_item"]
CHARGE_MARK = _tables["charge_mark"]
CHARGE_FAULT = _tables["charge_fault"]
