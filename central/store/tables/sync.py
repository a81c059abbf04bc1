"""The tables of what the sync cannot carry: entries that are nowhere any more, and what is safe besides here.

Forms only; no rule lives here. Every key starts with `hospital`; instants are microseconds UTC.
"""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, LargeBinary
from sqlmodel import Field, SQLModel


class LedgerGapRow(SQLModel, table=True):
    """One page of what a device said of entries `first_seq`..`last_seq` of a chain that nobody holds any more.

    `hash` is that of the last; the chain goes on behind it once all `pages` are here.
    """

    __tablename__: ClassVar[str] = "ledger_gap"

    hospital: str = Field(primary_key=True)
    incarnation: bytes = Field(sa_type=LargeBinary, primary_key=True)
    last_seq: int = Field(sa_type=BigInteger, primary_key=True)
    page: int = Field(primary_key=True)
    first_seq: int = Field(sa_type=BigInteger)
    hash: bytes = Field(sa_type=LargeBinary)
    pages: int
    events: bytes = Field(sa_type=LargeBinary, default=b"")
    """The `gap` entries by which central's book was put right, 16 bytes each."""
    at: int = Field(sa_type=BigInteger)


class SafePointRow(SQLModel, table=True):
    """Up to where a chain also stands elsewhere: at a standby, or in a backup that was restored and verified."""

    __tablename__: ClassVar[str] = "safe_point"
    __table_args__: ClassVar[Any] = (Index("safe_point_source", "hospital", "source"),)

    hospital: str = Field(primary_key=True)
    incarnation: bytes = Field(sa_type=LargeBinary, primary_key=True)
    source: str = Field(primary_key=True)
    """`standby` or the name of a proven backup."""
    seq: int = Field(sa_type=BigInteger)
    at: int = Field(sa_type=BigInteger)


_tables = SQLModel.metadata.tables
LEDGER_GAP = _tables["ledger_gap"]
SAFE_POINT = _tables["safe_point"]
