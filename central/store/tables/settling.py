"""The tables of settling: likely causes, closings by people, tasks for a storeroom, what was counted, figures by day.

Forms only; no rule lives here. Every key starts with `hospital`; instants are microseconds UTC. The rule that must not
be broken: what a person decided and what was counted is never rewritten; a task that is over says so in `status`.
"""

from datetime import date
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, LargeBinary, Text
from sqlmodel import Field, SQLModel


class DiscrepancyCauseRow(SQLModel, table=True):
    """The likely causes of one discrepancy as last weighed; `ranking` is JSON text."""

    __tablename__: ClassVar[str] = "discrepancy_cause"

    hospital: str = Field(primary_key=True)
    discrepancy: str = Field(primary_key=True)
    first: str
    ranking: str = Field(sa_type=Text)
    at: int = Field(sa_type=BigInteger)


class SettlementRow(SQLModel, table=True):
    """One step of closing a discrepancy by hand: `propose`, `approve`, `refuse` or, where one person may, `close`."""

    __tablename__: ClassVar[str] = "settlement"

    hospital: str = Field(primary_key=True)
    discrepancy: str = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    step: str
    person: str
    at: int = Field(sa_type=BigInteger)
    cause: str
    remark: str
    adjust: bool


class WardTaskRow(SQLModel, table=True):
    """Something a storeroom is asked to do: count a line, or put a new label on a piece; `reason` is JSON text."""

    __tablename__: ClassVar[str] = "ward_task"
    __table_args__: ClassVar[Any] = (Index("ward_task_place", "hospital", "place", "status"),)

    hospital: str = Field(primary_key=True)
    task: str = Field(primary_key=True)
    kind: str
    place: str
    item: str
    lot: str
    unit: str
    day: date
    reason: str = Field(sa_type=Text)
    status: str
    made_at: int = Field(sa_type=BigInteger)
    done_at: int | None = Field(sa_type=BigInteger, default=None, nullable=True)
    done_event_id: bytes | None = Field(sa_type=LargeBinary, default=None, nullable=True)


class CountedLineRow(SQLModel, table=True):
    """One line of one count entry, with the book of that line at the count's cut."""

    __tablename__: ClassVar[str] = "counted_line"
    __table_args__: ClassVar[Any] = (Index("counted_line_place", "hospital", "place", "item", "lot"),)

    hospital: str = Field(primary_key=True)
    event_id: bytes = Field(sa_type=LargeBinary, primary_key=True)
    line_no: int = Field(primary_key=True)
    place: str
    sheet: str
    actor: str
    at: int = Field(sa_type=BigInteger)
    item: str
    lot: str
    unit: str
    qty: int = Field(sa_type=BigInteger)
    book: int = Field(sa_type=BigInteger)


class FigureDayRow(SQLModel, table=True):
    """One figure of one storeroom at the last look of a business day, as the two whole numbers it is the ratio of."""

    __tablename__: ClassVar[str] = "figure_day"

    hospital: str = Field(primary_key=True)
    figure: str = Field(primary_key=True)
    place: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    above: int = Field(sa_type=BigInteger)
    below: int = Field(sa_type=BigInteger)
    at: int = Field(sa_type=BigInteger)


_tables = SQLModel.metadata.tables
DISCREPANCY_CAUSE = _tables["discrepancy_cause"]
SETTLEMENT = _tables["settlement"]
WARD_TASK = _tables["ward_task"]
COUNTED_LINE = _tables["counted_line"]
FIGURE_DAY = _tables["figure_day"]
