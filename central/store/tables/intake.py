"""The tables of spreadsheets brought in: the file with how it is read and what became of it, and plans kept by name.

Forms only. Every key starts with `hospital`; instants are microseconds UTC. The rule that must not be broken: a file
that was applied keeps its digest and how it was read; only its bytes are let go in time.
"""

from typing import ClassVar

from sqlalchemy import BigInteger, LargeBinary, Text
from sqlmodel import Field, SQLModel


class IntakeFileRow(SQLModel, table=True):
    """One uploaded file: which sheet of it, where its heads stand, by which plan it is read, and what was applied."""

    __tablename__: ClassVar[str] = "intake_file"

    hospital: str = Field(primary_key=True)
    file: str = Field(primary_key=True)
    kind: str
    name: str
    sha256: str
    content: bytes | None = Field(sa_type=LargeBinary, default=None, nullable=True)
    sheet: str
    first_head: int
    last_head: int
    plan: str = Field(sa_type=Text)
    state: str
    rows_applied: int
    rows_left: int
    person: str
    at: int = Field(sa_type=BigInteger)
    applied_at: int | None = Field(sa_type=BigInteger, default=None, nullable=True)


class IntakePlanRow(SQLModel, table=True):
    """One plan kept by name: which head is which column, found again by the digest of the heads."""

    __tablename__: ClassVar[str] = "intake_plan"

    hospital: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    fingerprint: str
    plan: str = Field(sa_type=Text)
    person: str
    at: int = Field(sa_type=BigInteger)


_tables = SQLModel.metadata.tables
INTAKE_FILE = _tables["intake_file"]
INTAKE_PLAN = _tables["intake_plan"]
