"""The history of master data: who changed what of a thing, when, and from which day on; and the shelves of storerooms.

Forms only. Every key starts with `hospital`. The rule that must not be broken: a change stands as it was entered; only
that it took effect is added to it.
"""

from datetime import date
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field, SQLModel


class MasterChangeRow(SQLModel, table=True):
    """One change: what stood before and after, as JSON of the fields that differ; `applied_at` when it took effect."""

    __tablename__: ClassVar[str] = "master_change"
    __table_args__: ClassVar[Any] = (Index("master_change_due", "hospital", "applied_at", "effective_from"),)

    hospital: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    at: int = Field(sa_type=BigInteger)
    person: str
    effective_from: date
    before: str = Field(sa_type=Text)
    after: str = Field(sa_type=Text)
    applied_at: int | None = Field(sa_type=BigInteger, default=None, nullable=True)


class PositionRow(SQLModel, table=True):
    """A shelf or drawer of a storeroom, by the name that stands on it."""

    __tablename__: ClassVar[str] = "position"

    hospital: str = Field(primary_key=True)
    place: str = Field(primary_key=True)
    position: str = Field(primary_key=True)
    name_zh: str
    name_en: str
    in_use: bool = True


_tables = SQLModel.metadata.tables
MASTER_CHANGE = _tables["master_change"]
POSITION = _tables["position"]
