"""The tables of requisitions: what people of a storeroom asked for.

Forms only. Every key starts with `hospital`; instants are microseconds UTC. A requisition's state is that of its last
step among the documents' steps; what became of a line stands with the order line that names it. The rule that must not
be broken: what was asked for stands as it was asked.
"""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, Text, text
from sqlmodel import Field, SQLModel


class RequisitionRow(SQLModel, table=True):
    """One requisition: for which storeroom, by whom, when and why, and whether it is an emergency."""

    __tablename__: ClassVar[str] = "requisition"
    __table_args__: ClassVar[Any] = (Index("requisition_newest", "hospital", text("asked_at DESC"), "requisition"),)

    hospital: str = Field(primary_key=True)
    requisition: str = Field(primary_key=True)
    place: str
    asked_by: str
    asked_at: int = Field(sa_type=BigInteger)
    emergency: bool
    reason: str = Field(sa_type=Text)


class RequisitionLineRow(SQLModel, table=True):
    """One line of a requisition: base units of an item."""

    __tablename__: ClassVar[str] = "requisition_line"

    hospital: str = Field(primary_key=True)
    requisition: str = Field(primary_key=True)
    line_no: int = Field(primary_key=True)
    item: str
    qty: int = Field(sa_type=BigInteger)


_tables = SQLModel.metadata.tables
REQUISITION = _tables["requisition"]
REQUISITION_LINE = _tables["requisition_line"]
