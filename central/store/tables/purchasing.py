"""The tables of what happens to orders and invoices after the approval; and of what was inspected when goods came.

Forms only. Every key starts with `hospital`; money is whole 1e-4 yuan, instants are microseconds UTC. A document's
state is that of its last step. An order that was never amended has no row of a version. The rule that must not be
broken: steps, versions, receipts and invoices are only ever added.
"""

from datetime import date
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, LargeBinary, Text
from sqlmodel import Field, SQLModel


class DocumentStepRow(SQLModel, table=True):
    """One step of a document: who did what to it when, and the state it led to."""

    __tablename__: ClassVar[str] = "document_step"

    hospital: str = Field(primary_key=True)
    document: str = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    kind: str
    step: str
    state: str
    at: int = Field(sa_type=BigInteger)
    actor: str
    detail: str = Field(sa_type=Text)


class OrderVersionRow(SQLModel, table=True):
    """One line of one version of an order that was amended; the newest one's is what `order_line` says."""

    __tablename__: ClassVar[str] = "order_version"

    hospital: str = Field(primary_key=True)
    order_no: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    line_no: int = Field(primary_key=True)
    item: str
    qty: int = Field(sa_type=BigInteger)
    price: int = Field(sa_type=BigInteger)
    wanted: date | None = None
    made_at: int = Field(sa_type=BigInteger)
    made_by: str
    reason: str = Field(sa_type=Text)


class ReceiptLineRow(SQLModel, table=True):
    """What came of one order line in one delivery: base units delivered, accepted and refused, with lot and expiry."""

    __tablename__: ClassVar[str] = "receipt_line"
    __table_args__: ClassVar[Any] = (Index("receipt_line_item", "hospital", "item"),)

    hospital: str = Field(primary_key=True)
    receipt: str = Field(primary_key=True)
    line_no: int = Field(primary_key=True)
    order_no: str
    order_line: int
    delivery_note: str
    item: str
    lot: str
    expiry: date | None = None
    delivered: int = Field(sa_type=BigInteger)
    accepted: int = Field(sa_type=BigInteger)
    refused: int = Field(sa_type=BigInteger)
    refused_why: str = ""
    at: int = Field(sa_type=BigInteger)
    actor: str
    event_id: bytes | None = Field(sa_type=LargeBinary, default=None, nullable=True)


class InvoiceRow(SQLModel, table=True):
    """One version of a supplier's invoice, with the number printed on it; due some days after the last acceptance.

    A version after the first is a corrected invoice with the number of one that was withdrawn.
    """

    __tablename__: ClassVar[str] = "invoice"

    hospital: str = Field(primary_key=True)
    document: str = Field(primary_key=True)
    supplier: str
    invoice: str
    version: int
    dated: date
    due: date
    amount: int = Field(sa_type=BigInteger)
    entered_at: int = Field(sa_type=BigInteger)
    entered_by: str


class InvoiceLineRow(SQLModel, table=True):
    """One line of an invoice: base units of an order line at a price a base unit."""

    __tablename__: ClassVar[str] = "invoice_line"

    hospital: str = Field(primary_key=True)
    document: str = Field(primary_key=True)
    line_no: int = Field(primary_key=True)
    order_no: str
    order_line: int
    qty: int = Field(sa_type=BigInteger)
    price: int = Field(sa_type=BigInteger)


_tables = SQLModel.metadata.tables
DOCUMENT_STEP = _tables["document_step"]
ORDER_VERSION = _tables["order_version"]
RECEIPT_LINE = _tables["receipt_line"]
INVOICE = _tables["invoice"]
INVOICE_LINE = _tables["invoice_line"]
