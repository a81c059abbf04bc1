"""The tables of agreements: batches of volume-based procurement, framework prices, the platform's list, bargaining.

Forms only. Every key starts with `hospital`; money is whole 1e-4 yuan a base unit, days are ISO dates, a period holds
on its last day. What was reported, waived and alerted is only ever added to. The rule that must not be broken: no row
here says what was bought or used; orders and the ledger do.
"""

from datetime import date
from typing import ClassVar

from sqlalchemy import BigInteger, Text
from sqlmodel import Field, SQLModel


class AgreementRow(SQLModel, table=True):
    """One agreement: a batch (`vbp`) or yearly prices with a supplier (`framework`), from a day to a day."""

    __tablename__: ClassVar[str] = "agreement"

    hospital: str = Field(primary_key=True)
    agreement: str = Field(primary_key=True)
    kind: str
    name_zh: str
    name_en: str
    supplier: str
    group_id: str
    parties: str
    first: date
    last: date
    freight: str


class AgreementPriceRow(SQLModel, table=True):
    """What an item costs under an agreement, from a day; `valid_to` is its last day."""

    __tablename__: ClassVar[str] = "agreement_price"

    hospital: str = Field(primary_key=True)
    agreement: str = Field(primary_key=True)
    item: str = Field(primary_key=True)
    valid_from: date = Field(primary_key=True)
    valid_to: date | None = None
    price: int = Field(sa_type=BigInteger)


class VbpGroupRow(SQLModel, table=True):
    """One product group of a batch: base units bought the year before (0: to be summed), and agreed."""

    __tablename__: ClassVar[str] = "vbp_group"

    hospital: str = Field(primary_key=True)
    agreement: str = Field(primary_key=True)
    product_group: str = Field(primary_key=True)
    name_zh: str
    name_en: str
    unit: str
    last_year: int = Field(sa_type=BigInteger)
    agreed: int = Field(sa_type=BigInteger)


class VbpProductRow(SQLModel, table=True):
    """An item of a product group; its winning price where it was selected, NULL where it was not."""

    __tablename__: ClassVar[str] = "vbp_product"

    hospital: str = Field(primary_key=True)
    agreement: str = Field(primary_key=True)
    product_group: str = Field(primary_key=True)
    item: str = Field(primary_key=True)
    winning_price: int | None = Field(sa_type=BigInteger, default=None, nullable=True)


class VbpReportRow(SQLModel, table=True):
    """What the hospital reported it will need of a group; the last one stands."""

    __tablename__: ClassVar[str] = "vbp_report"

    hospital: str = Field(primary_key=True)
    agreement: str = Field(primary_key=True)
    product_group: str = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    qty: int = Field(sa_type=BigInteger)
    last_year: int = Field(sa_type=BigInteger)
    reason: str = Field(sa_type=Text)
    evidence: str = Field(sa_type=Text)
    person: str
    at: int = Field(sa_type=BigInteger)


class PlatformItemRow(SQLModel, table=True):
    """A code of the purchasing platform, for an item (of a supplier), its list price and its insurance code, by day."""

    __tablename__: ClassVar[str] = "platform_item"

    hospital: str = Field(primary_key=True)
    platform_code: str = Field(primary_key=True)
    valid_from: date = Field(primary_key=True)
    valid_to: date | None = None
    item: str
    supplier: str
    list_price: int = Field(sa_type=BigInteger)
    insurance_code: str


class PurchaseDayRow(SQLModel, table=True):
    """Base units of an item bought of a supplier on one day before the first order here, and what was paid."""

    __tablename__: ClassVar[str] = "purchase_day"

    hospital: str = Field(primary_key=True)
    item: str = Field(primary_key=True)
    supplier: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    qty: int = Field(sa_type=BigInteger)
    amount: int = Field(sa_type=BigInteger)


class BargainLineRow(SQLModel, table=True):
    """One item of a half-yearly bargaining list: the year's purchases and price before, and the price reached."""

    __tablename__: ClassVar[str] = "bargain_line"

    hospital: str = Field(primary_key=True)
    half_year: str = Field(primary_key=True)
    item: str = Field(primary_key=True)
    qty: int = Field(sa_type=BigInteger)
    spent: int = Field(sa_type=BigInteger)
    price_before: int = Field(sa_type=BigInteger)
    price_after: int | None = Field(sa_type=BigInteger, default=None, nullable=True)
    settled_on: date | None = None
    person: str
    made_at: int = Field(sa_type=BigInteger)


class OrderWaiverRow(SQLModel, table=True):
    """Why what a check says of an item of a supplier may be ordered all the same, until a day."""

    __tablename__: ClassVar[str] = "order_waiver"

    hospital: str = Field(primary_key=True)
    waiver: str = Field(primary_key=True)
    finding: str
    item: str
    supplier: str
    reason: str
    remark: str = Field(sa_type=Text)
    first: date
    last: date
    person: str
    at: int = Field(sa_type=BigInteger)


class OrderAlertRow(SQLModel, table=True):
    """What a check said of an order line when it was ordered, and the waiver it was ordered under."""

    __tablename__: ClassVar[str] = "order_alert"

    hospital: str = Field(primary_key=True)
    order_no: str = Field(primary_key=True)
    line_no: int = Field(primary_key=True)
    finding: str = Field(primary_key=True)
    mode: str
    waiver: str
    detail: str = Field(sa_type=Text)
    at: int = Field(sa_type=BigInteger)


_tables = SQLModel.metadata.tables
AGREEMENT = _tables["agreement"]
AGREEMENT_PRICE = _tables["agreement_price"]
VBP_GROUP = _tables["vbp_group"]
VBP_PRODUCT = _tables["vbp_product"]
VBP_REPORT = _tables["vbp_report"]
PLATFORM_ITEM = _tables["platform_item"]
PURCHASE_DAY = _tables["purchase_day"]
BARGAIN_LINE = _tables["bargain_line"]
ORDER_WAIVER = _tables["order_waiver"]
ORDER_ALERT = _tables["order_alert"]
