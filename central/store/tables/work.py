"""The tables of what needs a person: discrepancies, proposals, orders; and the rules and runs behind them.

Forms only; no rule lives here. Every key starts with `hospital`; instants are microseconds UTC; reasons and evidence
are JSON text with sorted keys. The rule that must not be broken: nothing is removed; a thing that is over says so in
`status`.
"""

from datetime import date
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, LargeBinary, Text, literal_column, text
from sqlmodel import Field, SQLModel


class DiscrepancyRow(SQLModel, table=True):
    """One difference of book and shelf: `opened_at` when central opened it, `found_at` when the reader's belief was
    entered, `since` when it began."""

    __tablename__: ClassVar[str] = "discrepancy"
    __table_args__: ClassVar[Any] = (
        Index("discrepancy_standing", "hospital", "status", "place"),
        Index("discrepancy_newest", "hospital", text("opened_at DESC"), "discrepancy"),
        Index("discrepancy_newest_of", "hospital", "status", text("opened_at DESC"), "discrepancy"),
    )

    hospital: str = Field(primary_key=True)
    discrepancy: str = Field(primary_key=True)
    kind: str
    device: str
    place: str
    item: str
    lot: str
    unit: str
    opened_at: int = Field(sa_type=BigInteger)
    found_at: int = Field(sa_type=BigInteger)
    since: int = Field(sa_type=BigInteger)
    found_event_id: bytes = Field(sa_type=LargeBinary)
    status: str
    closed_at: int | None = Field(sa_type=BigInteger, default=None, nullable=True)
    cause: str = ""
    closed_event_id: bytes | None = Field(sa_type=LargeBinary, default=None, nullable=True)
    evidence: str = Field(sa_type=Text)


class StoreroomMatchRow(SQLModel, table=True):
    """How far record and physical agreed in one storeroom when it was last looked at, over lines that were observed."""

    __tablename__: ClassVar[str] = "storeroom_match"

    hospital: str = Field(primary_key=True)
    place: str = Field(primary_key=True)
    at: int = Field(sa_type=BigInteger)
    lines: int
    lines_right: int
    book: int = Field(sa_type=BigInteger)
    differing: int = Field(sa_type=BigInteger)
    unobserved: int


class ProposalRow(SQLModel, table=True):
    """What to order for one item at one place, whence and why; at most one stands open for an item at a place."""

    __tablename__: ClassVar[str] = "proposal"
    __table_args__: ClassVar[Any] = (
        Index("proposal_newest", "hospital", text("made_at DESC"), "place", "item", "proposal"),
        Index(
            "proposal_one_open",
            "hospital",
            "place",
            "item",
            unique=True,
            sqlite_where=text("status = 'open'"),
            postgresql_where=text("status = 'open'"),
        ),
    )

    hospital: str = Field(primary_key=True)
    proposal: str = Field(primary_key=True)
    run: str
    place: str
    item: str
    source: str
    internal: bool
    qty: int = Field(sa_type=BigInteger)
    reason: str = Field(sa_type=Text)
    policy: str
    policy_version: str
    status: str
    made_at: int = Field(sa_type=BigInteger)
    renewed_at: int = Field(sa_type=BigInteger)
    closed_at: int | None = Field(sa_type=BigInteger, default=None, nullable=True)
    order_no: str = ""
    refusal: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """Code of why it was refused; empty where it was not."""
    refusal_text: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    price: int = Field(sa_type=BigInteger)
    """At which a base unit is proposed, and ordered when that is approved; 0 between the hospital's own stores."""


class PurchaseOrderRow(SQLModel, table=True):
    """One approved order; `supplier` is empty when `source` is the hospital's own store (an internal requisition)."""

    __tablename__: ClassVar[str] = "purchase_order"
    __table_args__: ClassVar[Any] = (
        Index("purchase_order_place", "hospital", "place"),
        Index("purchase_order_newest", "hospital", text("created_at DESC"), "order_no"),
    )

    hospital: str = Field(primary_key=True)
    order_no: str = Field(primary_key=True)
    supplier: str
    source: str
    place: str
    status: str
    created_at: int = Field(sa_type=BigInteger)
    approved_by: str


class OrderLineRow(SQLModel, table=True):
    """One line of an order: base units, price a base unit (0 between the hospital's own stores), and why.

    `requisition` is what a person asked for that it fills, empty where a proposal of the engine's was approved.
    """

    __tablename__: ClassVar[str] = "order_line"
    __table_args__: ClassVar[Any] = (
        Index("order_line_item", "hospital", "item"),
        Index("order_line_requisition", "hospital", "requisition"),
    )

    hospital: str = Field(primary_key=True)
    order_no: str = Field(primary_key=True)
    line_no: int = Field(primary_key=True)
    item: str
    qty: int = Field(sa_type=BigInteger)
    price: int = Field(sa_type=BigInteger)
    proposal: str
    reason: str = Field(sa_type=Text)
    requisition: str = ""


class JobRunRow(SQLModel, table=True):
    """One run of a job in one of its periods, so that no period is run twice; another length is another counting."""

    __tablename__: ClassVar[str] = "job_run"

    hospital: str = Field(primary_key=True)
    job: str = Field(primary_key=True)
    period_s: int = Field(primary_key=True)
    period: int = Field(sa_type=BigInteger, primary_key=True)
    started_at: int = Field(sa_type=BigInteger)
    outcome: str = ""


class PolicyRuleRow(SQLModel, table=True):
    """One threshold in force from a day to a day (exclusive), and the text it was taken from."""

    __tablename__: ClassVar[str] = "policy_rule"

    hospital: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    scope: str = Field(primary_key=True)
    effective_from: date = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_column_kwargs={"server_default": "0"})
    """Which of the rows from that day: the last one stands."""
    effective_to: date | None = None
    value: str
    source_doc: str
    change: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """The `policy_change` it came by; empty: with the product."""


class PolicyChangeRow(SQLModel, table=True):
    """What a person set a rule to, from a day; its steps are in `document_step`, kind `policy`."""

    __tablename__: ClassVar[str] = "policy_change"
    __table_args__: ClassVar[Any] = (Index("policy_change_code", "hospital", "code", "scope"),)

    hospital: str = Field(primary_key=True)
    change: str = Field(primary_key=True)
    code: str
    scope: str
    effective_from: date
    effective_to: date | None = None
    value: str
    source_doc: str
    reason: str = Field(sa_type=Text)
    loosens: bool
    proposed_at: int = Field(sa_type=BigInteger)
    proposed_by: str


_tables = SQLModel.metadata.tables
DISCREPANCY = _tables["discrepancy"]
STOREROOM_MATCH = _tables["storeroom_match"]
PROPOSAL = _tables["proposal"]
IS_OPEN = PROPOSAL.c.status == literal_column("'open'")
"""By which a query of open proposals finds their index: a parameter would not."""
PURCHASE_ORDER = _tables["purchase_order"]
ORDER_LINE = _tables["order_line"]
JOB_RUN = _tables["job_run"]
POLICY_RULE = _tables["policy_rule"]
POLICY_CHANGE = _tables["policy_change"]
