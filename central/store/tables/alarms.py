"""The table of alarms: what had to be heard at once, who took it and what became of it.

Forms only. The rule that must not be broken: one row a matter while it stands, which the partial index holds to.
"""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, Text, text
from sqlmodel import Field, SQLModel


class AlarmRow(SQLModel, table=True):
    """One alarm; `over_at` is NULL while its matter stands, `told_at` until messages were made of it."""

    __tablename__: ClassVar[str] = "alarm"
    __table_args__: ClassVar[Any] = (
        Index("alarm_newest", "hospital", text("raised_at DESC"), "alarm"),
        Index(
            "alarm_one_standing",
            *("hospital", "kind", "subject"),
            unique=True,
            sqlite_where=text("over_at IS NULL"),
            postgresql_where=text("over_at IS NULL"),
        ),
    )

    hospital: str = Field(primary_key=True)
    alarm: str = Field(primary_key=True)
    kind: str
    subject: str
    place: str
    item: str
    lot: str
    state: str
    raised_at: int = Field(sa_type=BigInteger)
    told_at: int | None = Field(sa_type=BigInteger, default=None, nullable=True)
    acknowledged_at: int | None = Field(sa_type=BigInteger, default=None, nullable=True)
    acknowledged_by: str = ""
    closed_at: int | None = Field(sa_type=BigInteger, default=None, nullable=True)
    closed_by: str = ""
    words: str = Field(sa_type=Text, default="")
    over_at: int | None = Field(sa_type=BigInteger, default=None, nullable=True)


_tables = SQLModel.metadata.tables
ALARM = _tables["alarm"]
