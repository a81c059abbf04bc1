"""The table of reports: what was reported of a month or a quarter, as the signed text that is handed out.

Forms only. The rule that must not be broken: a report that was made is never made again differently.
"""

from typing import ClassVar

from sqlalchemy import BigInteger, Text
from sqlmodel import Field, SQLModel


class SupplyReportRow(SQLModel, table=True):
    """One report: of what, of which month or quarter, and its signed text."""

    __tablename__: ClassVar[str] = "supply_report"

    hospital: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    period: str = Field(primary_key=True)
    made_at: int = Field(sa_type=BigInteger)
    key_id: str
    text: str = Field(sa_type=Text)


SUPPLY_REPORT = SQLModel.metadata.tables["supply_report"]
