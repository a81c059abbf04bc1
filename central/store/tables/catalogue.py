"""The tables of the catalogue: codes, packs, tiers, substitutes, evidence, the frozen baseline, reviews, ABC classes.

Forms only. Every key starts with `hospital`. An item's state is that of its last step among the documents' steps, under
`item/` and its code; one without steps is active. The rule that must not be broken: baseline, evidence and a review's
figures stand as they were made.
"""

from datetime import date
from typing import ClassVar

from sqlalchemy import BigInteger, LargeBinary, Text
from sqlmodel import Field, SQLModel


class CatalogueItemRow(SQLModel, table=True):
    """An item's codes, packs in base units, tier, how it is replenished, and whether reviews leave it out."""

    __tablename__: ClassVar[str] = "catalogue_item"

    hospital: str = Field(primary_key=True)
    item: str = Field(primary_key=True)
    tier: str
    registration: str
    udi_di: str
    insurance: str
    platform: str
    middle_unit: str
    middle: int
    purchase_unit: str
    purchase: int
    mode: str
    exempt: bool


class SubstituteRow(SQLModel, table=True):
    """An item that may stand for another."""

    __tablename__: ClassVar[str] = "substitute"

    hospital: str = Field(primary_key=True)
    item: str = Field(primary_key=True)
    instead: str = Field(primary_key=True)


class EvidenceRow(SQLModel, table=True):
    """What was given for a new item: its title, the number of the minutes, and the file, if there is one."""

    __tablename__: ClassVar[str] = "evidence"

    hospital: str = Field(primary_key=True)
    item: str = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    title: str
    number: str
    file: str
    sha256: str
    content: bytes = Field(sa_type=LargeBinary)
    person: str
    at: int = Field(sa_type=BigInteger)


class CatalogueBaselineRow(SQLModel, table=True):
    """An item that was active when the year's baseline was frozen, and its class."""

    __tablename__: ClassVar[str] = "catalogue_baseline"

    hospital: str = Field(primary_key=True)
    year: int = Field(primary_key=True)
    item: str = Field(primary_key=True)
    class_: str = Field(sa_column_kwargs={"name": "class"})


class CatalogueReviewRow(SQLModel, table=True):
    """An item that a quarter's review lists, with the figures it was listed for, and what was decided."""

    __tablename__: ClassVar[str] = "catalogue_review"

    hospital: str = Field(primary_key=True)
    quarter: str = Field(primary_key=True)
    item: str = Field(primary_key=True)
    months_used: int
    months: int
    spent: int = Field(sa_type=BigInteger)
    instead: str
    decision: str
    reason: str = Field(sa_type=Text)
    person: str
    made_at: int = Field(sa_type=BigInteger)
    decided_at: int | None = Field(sa_type=BigInteger, default=None, nullable=True)


class AbcClassRow(SQLModel, table=True):
    """The class an item has since a month, and the value of a year's use it was made of."""

    __tablename__: ClassVar[str] = "abc_class"

    hospital: str = Field(primary_key=True)
    month: date = Field(primary_key=True)
    item: str = Field(primary_key=True)
    class_: str = Field(sa_column_kwargs={"name": "class"})
    value: int = Field(sa_type=BigInteger)


_tables = SQLModel.metadata.tables
CATALOGUE_ITEM = _tables["catalogue_item"]
SUBSTITUTE = _tables["substitute"]
EVIDENCE = _tables["evidence"]
CATALOGUE_BASELINE = _tables["catalogue_baseline"]
CATALOGUE_REVIEW = _tables["catalogue_review"]
ABC_CLASS = _tables["abc_class"]
