"""The table of messages: one digest for each role and shift, one for each role and moment of alarms.

Forms only. The rule that must not be broken: no address stands here; what was sent where is known by digests.
"""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field, SQLModel


class NoticeRow(SQLModel, table=True):
    """One message: to whom, about what, of which shift or moment, its words, its tries, and which addresses took it."""

    __tablename__: ClassVar[str] = "notice"
    __table_args__: ClassVar[Any] = (Index("notice_waiting", "hospital", "state"),)

    hospital: str = Field(primary_key=True)
    recipient: str = Field(primary_key=True)
    shift: int = Field(sa_type=BigInteger, primary_key=True)
    about: str = Field(primary_key=True)
    title: str
    body: str = Field(sa_type=Text)
    state: str
    tries: int
    next_at: int = Field(sa_type=BigInteger)
    taken_by: str = Field(sa_type=Text)
    fault: str
    made_at: int = Field(sa_type=BigInteger)
    ended_at: int | None = Field(sa_type=BigInteger, default=None, nullable=True)


_tables = SQLModel.metadata.tables
NOTICE = _tables["notice"]
