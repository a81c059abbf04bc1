"""The tables of returns and claims: what goes back to a supplier or is claimed, and the credit notes that answer it.

Forms only. Every key starts with `hospital`; money is whole 1e-4 yuan, instants are microseconds UTC. A return's and a
credit note's state is that of its last step among the documents' steps; the ledger entry that takes goods out stands in
the step `ship`. The rule that must not be broken: rows are only ever added.
"""

from datetime import date
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, Text, text
from sqlmodel import Field, SQLModel


class SupplierReturnRow(SQLModel, table=True):
    """One return or claim: of which supplier's goods, from which storeroom, why, and the money claimed beside."""

    __tablename__: ClassVar[str] = "supplier_return"
    __table_args__: ClassVar[Any] = (Index("supplier_return_newest", "hospital", text("asked_at DESC"), "return_no"),)

    hospital: str = Field(primary_key=True)
    return_no: str = Field(primary_key=True)
    kind: str
    supplier: str
    place: str
    why: str
    claim: int = Field(sa_type=BigInteger)
    said: str = Field(sa_type=Text)
    asked_at: int = Field(sa_type=BigInteger)
    asked_by: str


class SupplierReturnLineRow(SQLModel, table=True):
    """One line of it: base units of a receipt line, at the price they came at; 0 for goods on consignment."""

    __tablename__: ClassVar[str] = "supplier_return_line"
    __table_args__: ClassVar[Any] = (Index("supplier_return_line_receipt", "hospital", "receipt"),)

    hospital: str = Field(primary_key=True)
    return_no: str = Field(primary_key=True)
    line_no: int = Field(primary_key=True)
    receipt: str
    receipt_line: int
    order_no: str
    order_line: int
    item: str
    lot: str
    owner: str
    qty: int = Field(sa_type=BigInteger)
    price: int = Field(sa_type=BigInteger)


class CreditNoteRow(SQLModel, table=True):
    """One credit note of a supplier, by the number printed on it: so much for goods, so much for the claim."""

    __tablename__: ClassVar[str] = "credit_note"

    hospital: str = Field(primary_key=True)
    supplier: str = Field(primary_key=True)
    number: str = Field(primary_key=True)
    document: str
    return_no: str
    dated: date
    goods: int = Field(sa_type=BigInteger)
    claim: int = Field(sa_type=BigInteger)
    entered_at: int = Field(sa_type=BigInteger)
    entered_by: str


_tables = SQLModel.metadata.tables
SUPPLIER_RETURN = _tables["supplier_return"]
SUPPLIER_RETURN_LINE = _tables["supplier_return_line"]
CREDIT_NOTE = _tables["credit_note"]
