"""The table of daily signed statements: one text a storeroom and day, never changed.

Form only. The rule that must not be broken: what was stated of a day stays stated.
"""

from datetime import date
from typing import ClassVar

from sqlalchemy import BigInteger, Text
from sqlmodel import Field, SQLModel


class StatementRow(SQLModel, table=True):
    """One storeroom's statement of one business day, as the text of the file that is handed out."""

    __tablename__: ClassVar[str] = "statement"

    hospital: str = Field(primary_key=True)
    place: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    made_at: int = Field(sa_type=BigInteger)
    key_id: str
    text: str = Field(sa_type=Text)


STATEMENT = SQLModel.metadata.tables["statement"]
