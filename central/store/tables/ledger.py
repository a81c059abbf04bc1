"""The tables that sync and ingest write: devices, their chains, facts once, postings, balances, beliefs.

These are the forms only; no rule lives here. Every key starts with `hospital`; instants are microseconds UTC; bytes are
bytes. The rule that must not be broken: `ledger` takes every entry and is never changed, `event` takes each event id
once, and `balance` moves only with a new row of `event`.
"""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, literal_column, text
from sqlmodel import Field, SQLModel

BALANCE_MAX = 2**62
"""Above it SQLite would go over to floating point on its own."""

OPAQUE_SCHEMA = 0
"""`schema` of a ledger row whose entry this version could not read: `body` then holds the entry's exact bytes."""


class Device(SQLModel, table=True):
    """One device that central knows: whom it speaks for and how it greeted last."""

    __tablename__: ClassVar[str] = "device"

    hospital: str = Field(primary_key=True)
    device: str = Field(primary_key=True)
    place: str = ""
    shard: int = 0
    incarnation: bytes | None = Field(sa_type=LargeBinary, default=None, nullable=True)
    boot_nonce: bytes | None = Field(sa_type=LargeBinary, default=None, nullable=True)
    token: bytes | None = Field(sa_type=LargeBinary, default=None, nullable=True)
    generation: int = 1
    last_hello_at: int | None = Field(sa_type=BigInteger, default=None, nullable=True)
    last_seen_at: int | None = Field(sa_type=BigInteger, default=None, nullable=True)
    agent_version: str = ""
    said_seq: int = Field(sa_type=BigInteger, default=-1)
    """The highest seq the device said it holds; what is above the chain's head is pending."""
    status: str = "enrolled"
    reason: str = ""
    former_nonces: bytes = Field(sa_type=LargeBinary, default=b"")
    """Boot nonces of before, 16 bytes each, newest first."""
    swaps: str = ""
    """Instants at which one of them came back, JSON."""


class IncarnationRow(SQLModel, table=True):
    """The head of one chain: the last entry that was committed, -1 and 32 zero bytes before the first.

    A chain that continues another names it and the entry behind which it begins. `told_from`..`told_to` are its entries
    that were given to its storeroom as facts, because the device no longer holds them.
    """

    __tablename__: ClassVar[str] = "incarnation"

    hospital: str = Field(primary_key=True)
    incarnation: bytes = Field(sa_type=LargeBinary, primary_key=True)
    device: str
    head_seq: int = Field(sa_type=BigInteger)
    head_hash: bytes = Field(sa_type=LargeBinary)
    first_at: int = Field(sa_type=BigInteger)
    parent: bytes | None = Field(sa_type=LargeBinary, default=None, nullable=True)
    parent_seq: int = Field(sa_type=BigInteger, default=-1)
    told_from: int = Field(sa_type=BigInteger, default=0)
    told_to: int = Field(sa_type=BigInteger, default=-1)


class LedgerRow(SQLModel, table=True):
    """One entry as it came, in its place in its chain. `hlc` fits 63 bits; an entry whose does not is kept opaque."""

    __tablename__: ClassVar[str] = "ledger"
    __table_args__: ClassVar[Any] = {"postgresql_partition_by": "RANGE (received_month)"}

    hospital: str = Field(primary_key=True)
    received_month: int = Field(primary_key=True)
    """Year x 100 + month of `received_at`, UTC: the partition."""
    incarnation: bytes = Field(sa_type=LargeBinary, primary_key=True)
    seq: int = Field(sa_type=BigInteger, primary_key=True)
    event_id: bytes = Field(sa_type=LargeBinary)
    device: str
    hlc: int = Field(sa_type=BigInteger)
    wall: int = Field(sa_type=BigInteger)
    mono: int = Field(sa_type=BigInteger)
    boot_id: bytes = Field(sa_type=LargeBinary)
    clock_quality: int
    kind: str
    schema_: int = Field(sa_column_kwargs={"name": "schema"})
    body: bytes = Field(sa_type=LargeBinary)
    actor: str
    content_hash: bytes = Field(sa_type=LargeBinary)
    prev_hash: bytes = Field(sa_type=LargeBinary)
    hash: bytes = Field(sa_type=LargeBinary)
    received_at: int = Field(sa_type=BigInteger)


class EventRow(SQLModel, table=True):
    """One fact, once: the first entry that carried this event id."""

    __tablename__: ClassVar[str] = "event"
    __table_args__: ClassVar[Any] = (
        Index("event_kind_at", "hospital", "kind", "at"),
        {"postgresql_partition_by": "HASH (event_id)"},
    )

    hospital: str = Field(primary_key=True)
    event_id: bytes = Field(sa_type=LargeBinary, primary_key=True)
    content_hash: bytes = Field(sa_type=LargeBinary)
    device: str
    incarnation: bytes = Field(sa_type=LargeBinary)
    seq: int = Field(sa_type=BigInteger)
    kind: str
    at: int = Field(sa_type=BigInteger)
    """When it happened: the body's `occurred_at`, else the entry's wall time."""
    actor: str


class PostingLineRow(SQLModel, table=True):
    """One line of one event: `qty` from one place to another."""

    __tablename__: ClassVar[str] = "posting_line"
    __table_args__: ClassVar[Any] = (
        Index("posting_line_target", "hospital", "target", "item", "at"),
        Index("posting_line_source", "hospital", "source", "item", "at"),
        Index("posting_line_unit", "hospital", "unit"),
        Index("posting_line_at", "hospital", "at"),
        Index("posting_line_item", "hospital", "item", "lot", "at"),
    )

    hospital: str = Field(primary_key=True)
    event_id: bytes = Field(sa_type=LargeBinary, primary_key=True)
    line_no: int = Field(primary_key=True)
    item: str
    lot: str
    owner: str
    unit: str
    qty: int = Field(sa_type=BigInteger)
    source: str
    target: str
    source_position: str
    target_position: str
    at: int = Field(sa_type=BigInteger)


class BalanceRow(SQLModel, table=True):
    """What the book says lies at one place: the fold of all posting lines. It may be negative; it is never rounded."""

    __tablename__: ClassVar[str] = "balance"
    __table_args__: ClassVar[Any] = (
        CheckConstraint(f"qty BETWEEN -{BALANCE_MAX} AND {BALANCE_MAX}", name="balance_whole"),
        Index("balance_lot", "hospital", "lot", "item"),
        Index("balance_unit", "hospital", "unit"),
        Index(
            "balance_held",
            *("hospital", "place", "item", "lot"),
            sqlite_where=text("qty <> 0"),
            postgresql_where=text("qty <> 0"),
        ),
        Index(
            "balance_tagged",
            *("hospital", "place", "unit", "qty"),
            sqlite_where=text("unit <> '' AND qty <> 0"),
            postgresql_where=text("unit <> '' AND qty <> 0"),
        ),
    )

    hospital: str = Field(primary_key=True)
    place: str = Field(primary_key=True)
    position: str = Field(primary_key=True)
    item: str = Field(primary_key=True)
    lot: str = Field(primary_key=True)
    owner: str = Field(primary_key=True)
    unit: str = Field(primary_key=True)
    qty: int = Field(sa_type=BigInteger)


class BeliefRow(SQLModel, table=True):
    """What one device last believed about one tag: probability `p` that it is at `place`, held by `model` since.

    `position` is another shelf than the book's on which it is heard.
    """

    __tablename__: ClassVar[str] = "belief"
    __table_args__: ClassVar[Any] = (Index("belief_place", "hospital", "place", "epc"),)

    hospital: str = Field(primary_key=True)
    device: str = Field(primary_key=True)
    epc: str = Field(primary_key=True)
    place: str
    p: float
    model: str
    since: int = Field(sa_type=BigInteger)
    event_id: bytes = Field(sa_type=LargeBinary)
    at: int = Field(sa_type=BigInteger)
    position: str


class BindingRow(SQLModel, table=True):
    """Which unit a tag is bound to, as last said by any device."""

    __tablename__: ClassVar[str] = "binding"
    __table_args__: ClassVar[Any] = (
        Index("binding_item", "hospital", "item", "lot", "epc"),
        Index("binding_serial", "hospital", "serial", "epc"),
    )

    hospital: str = Field(primary_key=True)
    epc: str = Field(primary_key=True)
    item: str
    gtin: str
    lot: str
    serial: str
    expiry: str


class QuarantineRow(SQLModel, table=True):
    """An entry that stands in the ledger and was not posted, why, and its exact bytes."""

    __tablename__: ClassVar[str] = "quarantine"

    hospital: str = Field(primary_key=True)
    incarnation: bytes = Field(sa_type=LargeBinary, primary_key=True)
    seq: int = Field(sa_type=BigInteger, primary_key=True)
    event_id: bytes = Field(sa_type=LargeBinary)
    reason: str
    raw: bytes = Field(sa_type=LargeBinary)
    at: int = Field(sa_type=BigInteger)


class WardFactRow(SQLModel, table=True):
    """One fact that a storeroom's device must know and does not hold itself, in the order in which it is told.

    `sum` is the digest of all event ids up to this version.
    """

    __tablename__: ClassVar[str] = "ward_fact"
    __table_args__: ClassVar[Any] = (Index("ward_fact_once", "hospital", "place", "event_id", unique=True),)

    hospital: str = Field(primary_key=True)
    place: str = Field(primary_key=True)
    version: int = Field(sa_type=BigInteger, primary_key=True)
    event_id: bytes = Field(sa_type=LargeBinary)
    sum: bytes = Field(sa_type=LargeBinary)


class LedgerLossRow(SQLModel, table=True):
    """Entries of a device's chain that one end had and lost, or another doubt about a device's ledger, for a person."""

    __tablename__: ClassVar[str] = "ledger_loss"

    hospital: str = Field(primary_key=True)
    loss: str = Field(primary_key=True)
    kind: str
    device: str
    incarnation: bytes = Field(sa_type=LargeBinary)
    first_seq: int = Field(sa_type=BigInteger)
    last_seq: int = Field(sa_type=BigInteger)
    opened_at: int = Field(sa_type=BigInteger)
    status: str = "open"
    closed_at: int | None = Field(sa_type=BigInteger, default=None, nullable=True)


_tables = SQLModel.metadata.tables
DEVICE = _tables["device"]
INCARNATION = _tables["incarnation"]
LEDGER = _tables["ledger"]
EVENT = _tables["event"]
POSTING_LINE = _tables["posting_line"]
BALANCE = _tables["balance"]
IS_HELD = BALANCE.c.qty != literal_column("0")
"""By which a query of what is held finds its index: a parameter in place of the nought would not."""
BELIEF = _tables["belief"]
BINDING = _tables["binding"]
QUARANTINE = _tables["quarantine"]
WARD_FACT = _tables["ward_fact"]
LEDGER_LOSS = _tables["ledger_loss"]
"""The same tables for SQLAlchemy Core: ingest and the read queries use no ORM."""
