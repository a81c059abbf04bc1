"""The table of requests that are to be done once: a program's own key, what it asked, and what it was answered.

Forms only. The rule that must not be broken: a row is found only by the person it belongs to.
"""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, LargeBinary
from sqlmodel import Field, SQLModel


class OnceRow(SQLModel, table=True):
    """One key of one person; `status` is 0 while the request is under way. Instants are real time."""

    __tablename__: ClassVar[str] = "once"
    __table_args__: ClassVar[Any] = (Index("once_old", "hospital", "made_at"),)

    hospital: str = Field(primary_key=True)
    person: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    fingerprint: bytes = Field(sa_type=LargeBinary)
    status: int
    media_type: str
    body: bytes = Field(sa_type=LargeBinary)
    made_at: int = Field(sa_type=BigInteger)


ONCE = SQLModel.metadata.tables["once"]
