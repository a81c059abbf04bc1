"""The tables of suppliers: certificates, what they are and deliver for whom, cases, quarterly scores, work to do.

Forms only. Every key starts with `hospital`; instants are microseconds UTC, days are ISO dates, and a period holds on
its last day. A case's state is that of its last step among the documents' steps. The rule that must not be broken: a
score stands as it was made, with the documents it was made of.
"""

from datetime import date
from typing import ClassVar

from sqlalchemy import BigInteger, Text
from sqlmodel import Field, SQLModel


class CertificateRow(SQLModel, table=True):
    """One certificate: of an item (`registration`), or of a supplier (a licence, an authorisation)."""

    __tablename__: ClassVar[str] = "certificate"

    hospital: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    number: str = Field(primary_key=True)
    supplier: str
    item: str
    first: date
    last: date


class SupplierProfileRow(SQLModel, table=True):
    """What a supplier is besides its name: maker or distributor, its region, and whether it helps in an emergency."""

    __tablename__: ClassVar[str] = "supplier_profile"

    hospital: str = Field(primary_key=True)
    supplier: str = Field(primary_key=True)
    role: str
    region: str
    emergency: bool
    contact: str


class DeliveryRelationRow(SQLModel, table=True):
    """Who delivers a maker's item to which region, from a day; `last` is its last day."""

    __tablename__: ClassVar[str] = "delivery_relation"

    hospital: str = Field(primary_key=True)
    maker: str = Field(primary_key=True)
    distributor: str = Field(primary_key=True)
    item: str = Field(primary_key=True)
    first: date = Field(primary_key=True)
    last: date | None = None
    region: str


class SupplierCaseRow(SQLModel, table=True):
    """One matter with a supplier: an emergency request, a ticket, a disruption, an incident.

    `order_no` is the emergency order whose answer is awaited, empty where there is none.
    """

    __tablename__: ClassVar[str] = "supplier_case"

    hospital: str = Field(primary_key=True)
    case_no: str = Field(primary_key=True)
    kind: str
    supplier: str
    item: str
    said: str = Field(sa_type=Text)
    opened_at: int = Field(sa_type=BigInteger)
    opened_by: str
    order_no: str = ""


class SupplierScoreRow(SQLModel, table=True):
    """A supplier's quarter: what was done of what was asked in each dimension, score in 1e-4, grade, documents."""

    __tablename__: ClassVar[str] = "supplier_score"

    hospital: str = Field(primary_key=True)
    supplier: str = Field(primary_key=True)
    quarter: str = Field(primary_key=True)
    on_time_done: int
    on_time_all: int
    quality_done: int
    quality_all: int
    emergency_done: int
    emergency_all: int
    service_done: int
    service_all: int
    score: int
    grade: str
    effective_from: date
    policy_version: str
    documents: str = Field(sa_type=Text)
    made_at: int = Field(sa_type=BigInteger)


class PurchaseTaskRow(SQLModel, table=True):
    """Work that a grade or a check brings: find a substitute, offer pre-settlement, name a second source."""

    __tablename__: ClassVar[str] = "purchase_task"

    hospital: str = Field(primary_key=True)
    task: str = Field(primary_key=True)
    kind: str
    supplier: str
    item: str
    reason: str
    made_at: int = Field(sa_type=BigInteger)
    done_at: int | None = Field(sa_type=BigInteger, default=None, nullable=True)
    done_by: str


_tables = SQLModel.metadata.tables
CERTIFICATE = _tables["certificate"]
SUPPLIER_PROFILE = _tables["supplier_profile"]
DELIVERY_RELATION = _tables["delivery_relation"]
SUPPLIER_CASE = _tables["supplier_case"]
SUPPLIER_SCORE = _tables["supplier_score"]
PURCHASE_TASK = _tables["purchase_task"]
