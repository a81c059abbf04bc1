"""The tables of conflicts: facts that cannot all be the whole truth, and later versions of counts.

Forms only; no rule lives here. Every key starts with `hospital`; instants are microseconds UTC. The rule that must not
be broken: nothing is removed; a conflict that is over says so in `status`, and a version of a count is only ever added.
"""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, LargeBinary, Text
from sqlmodel import Field, SQLModel


class ConflictRow(SQLModel, table=True):
    """One conflict: its sort, the storeroom it is about and the other one, and the event that shows it."""

    __tablename__: ClassVar[str] = "conflict"
    __table_args__: ClassVar[Any] = (Index("conflict_standing", "hospital", "status", "sort"),)

    hospital: str = Field(primary_key=True)
    conflict: str = Field(primary_key=True)
    sort: str
    place: str
    other: str
    item: str
    lot: str
    unit: str
    event_id: bytes = Field(sa_type=LargeBinary)
    provisional: bool
    due_at: int | None = Field(sa_type=BigInteger, default=None, nullable=True)
    detail: str = Field(sa_type=Text)
    status: str
    opened_at: int = Field(sa_type=BigInteger)
    closed_at: int | None = Field(sa_type=BigInteger, default=None, nullable=True)
    closed_by: str = ""
    remark: str = ""


class CountVersionRow(SQLModel, table=True):
    """A later version of one counted line: the book at the count's cut once a late entry had come."""

    __tablename__: ClassVar[str] = "count_version"

    hospital: str = Field(primary_key=True)
    event_id: bytes = Field(sa_type=LargeBinary, primary_key=True)
    line_no: int = Field(primary_key=True)
    version: int = Field(primary_key=True)
    book: int = Field(sa_type=BigInteger)
    late_event_id: bytes = Field(sa_type=LargeBinary)
    at: int = Field(sa_type=BigInteger)


_tables = SQLModel.metadata.tables
CONFLICT = _tables["conflict"]
COUNT_VERSION = _tables["count_version"]
