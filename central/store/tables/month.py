"""The tables of the stock book by month: closed months, what their lines are worth, what they closed with; price
changes, goods on consignment and what is settled of them, and the accounts finance books to.

Forms only. Every key starts with `hospital`; money is whole 1e-4 yuan, instants are microseconds UTC, a month is text
such as 2026-03. A document's state is that of its last step among the documents' steps. The rule that must not be
broken: what a closed month says is only ever added once; only `lot_cost` and `finance_account` are brought up to date.
"""

from datetime import date
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, LargeBinary, Text
from sqlmodel import Field, SQLModel


class MonthCloseRow(SQLModel, table=True):
    """One month that is closed: when and by whom, how many value lines it has, and what stock was worth at its end."""

    __tablename__: ClassVar[str] = "month_close"

    hospital: str = Field(primary_key=True)
    month: str = Field(primary_key=True)
    closed_at: int = Field(sa_type=BigInteger)
    closed_by: str
    lines: int
    late: int
    """Lines that come from months before it."""
    value: int = Field(sa_type=BigInteger)


class StockValueRow(SQLModel, table=True):
    """One value line of a closed month: a ledger line, or a part of one, at the price of one purchase."""

    __tablename__: ClassVar[str] = "stock_value"
    __table_args__: ClassVar[Any] = (Index("stock_value_month", "hospital", "month"),)

    hospital: str = Field(primary_key=True)
    event_id: bytes = Field(sa_type=LargeBinary, primary_key=True)
    line_no: int = Field(primary_key=True)
    part: int = Field(primary_key=True)
    month: str
    late_from: str
    at: int = Field(sa_type=BigInteger)
    kind: str
    item: str
    lot: str
    owner: str
    qty: int = Field(sa_type=BigInteger)
    source: str
    target: str
    price: int = Field(sa_type=BigInteger)
    value: int = Field(sa_type=BigInteger)
    document: str
    supplier: str


class StockLayerRow(SQLModel, table=True):
    """What a pool closed a month with, the oldest layer first; a quantity below 0 was taken before it came."""

    __tablename__: ClassVar[str] = "stock_layer"

    hospital: str = Field(primary_key=True)
    month: str = Field(primary_key=True)
    place: str = Field(primary_key=True)
    item: str = Field(primary_key=True)
    lot: str = Field(primary_key=True)
    layer: int = Field(primary_key=True)
    price: int = Field(sa_type=BigInteger)
    qty: int = Field(sa_type=BigInteger)
    document: str
    supplier: str


class MonthStockRow(SQLModel, table=True):
    """What an item in a place closed a month with: base units and their value."""

    __tablename__: ClassVar[str] = "month_stock"

    hospital: str = Field(primary_key=True)
    month: str = Field(primary_key=True)
    place: str = Field(primary_key=True)
    item: str = Field(primary_key=True)
    consigned: bool = Field(primary_key=True)
    qty: int = Field(sa_type=BigInteger)
    value: int = Field(sa_type=BigInteger)


class LotCostRow(SQLModel, table=True):
    """What a lot cost when it last came, as of the last closed month."""

    __tablename__: ClassVar[str] = "lot_cost"

    hospital: str = Field(primary_key=True)
    item: str = Field(primary_key=True)
    lot: str = Field(primary_key=True)
    price: int = Field(sa_type=BigInteger)
    document: str
    supplier: str


class PriceChangeRow(SQLModel, table=True):
    """A change of what stock of an item is worth: proposed by one person, approved by another, from that instant on."""

    __tablename__: ClassVar[str] = "price_change"

    hospital: str = Field(primary_key=True)
    change: str = Field(primary_key=True)
    item: str
    lot: str
    price: int = Field(sa_type=BigInteger)
    reason: str = Field(sa_type=Text)
    proposed_at: int = Field(sa_type=BigInteger)
    proposed_by: str


class ConsignmentTermRow(SQLModel, table=True):
    """An item that a supplier lays in: it stays the supplier's until it is used, at a price, up to a level."""

    __tablename__: ClassVar[str] = "consignment_term"

    hospital: str = Field(primary_key=True)
    item: str = Field(primary_key=True)
    supplier: str = Field(primary_key=True)
    first: date = Field(primary_key=True)
    last: date | None = None
    price: int = Field(sa_type=BigInteger)
    level: int = Field(sa_type=BigInteger)
    person: str
    at: int = Field(sa_type=BigInteger)


class ConsignmentNoteRow(SQLModel, table=True):
    """A supplier's settlement of one closed month: what of its goods was used."""

    __tablename__: ClassVar[str] = "consignment_note"

    hospital: str = Field(primary_key=True)
    note: str = Field(primary_key=True)
    supplier: str
    month: str
    made_at: int = Field(sa_type=BigInteger)
    made_by: str


class ConsignmentLineRow(SQLModel, table=True):
    """One item of a settlement: base units used by the ledger, charged by the HIS (NULL: not told), and the price."""

    __tablename__: ClassVar[str] = "consignment_line"

    hospital: str = Field(primary_key=True)
    note: str = Field(primary_key=True)
    line_no: int = Field(primary_key=True)
    item: str
    used: int = Field(sa_type=BigInteger)
    charged: int | None = Field(sa_type=BigInteger, default=None, nullable=True)
    price: int = Field(sa_type=BigInteger)


class FinanceAccountRow(SQLModel, table=True):
    """The code and name of the account that finance books a role to."""

    __tablename__: ClassVar[str] = "finance_account"

    hospital: str = Field(primary_key=True)
    role: str = Field(primary_key=True)
    code: str
    name: str


_tables = SQLModel.metadata.tables
MONTH_CLOSE = _tables["month_close"]
STOCK_VALUE = _tables["stock_value"]
STOCK_LAYER = _tables["stock_layer"]
MONTH_STOCK = _tables["month_stock"]
LOT_COST = _tables["lot_cost"]
PRICE_CHANGE = _tables["price_change"]
CONSIGNMENT_TERM = _tables["consignment_term"]
CONSIGNMENT_NOTE = _tables["consignment_note"]
CONSIGNMENT_LINE = _tables["consignment_line"]
FINANCE_ACCOUNT = _tables["finance_account"]
