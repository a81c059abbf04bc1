"""The table of what a budget cut from what was due: by run, storeroom and item.

Forms only; no rule lives here. Prices are 1e-4 yuan; instants are microseconds UTC. The rule that must not be broken:
nothing is removed; a cut that a later run did not repeat has `closed_at`.
"""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, Text, text
from sqlmodel import Field, SQLModel


class BudgetCutRow(SQLModel, table=True):
    """One line that a run found due and that a budget left less than it wanted, nothing perhaps."""

    __tablename__: ClassVar[str] = "budget_cut"
    __table_args__: ClassVar[Any] = (
        Index(
            "budget_cut_standing",
            "hospital",
            "place",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("budget_cut_newest", "hospital", text("made_at DESC"), "run", "place", "item"),
    )

    hospital: str = Field(primary_key=True)
    run: str = Field(primary_key=True)
    place: str = Field(primary_key=True)
    item: str = Field(primary_key=True)
    source: str
    budget: int = Field(sa_type=BigInteger)
    wanted: int = Field(sa_type=BigInteger)
    given: int = Field(sa_type=BigInteger)
    price: int = Field(sa_type=BigInteger)
    reason: str = Field(sa_type=Text)
    made_at: int = Field(sa_type=BigInteger)
    closed_at: int | None = Field(sa_type=BigInteger, default=None, nullable=True)


BUDGET_CUT = SQLModel.metadata.tables["budget_cut"]
