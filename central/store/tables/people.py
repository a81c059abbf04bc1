"""The tables of people: accounts, their roles, sessions, tokens, invitations, and the record of who did and saw what.

Forms only. Every key starts with `hospital`; instants are microseconds UTC of real time. Secrets are never kept: of a
password an argon2 hash, of a session, token or invitation the SHA-256 of what the holder has. The rule that must not be
broken: the record of acts is only ever added to, and each row's hash covers the row before it.
"""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, LargeBinary, Text
from sqlmodel import Field, SQLModel


class PersonRow(SQLModel, table=True):
    """One account by staff number; without a password nobody can sign in with it yet."""

    __tablename__: ClassVar[str] = "person"

    hospital: str = Field(primary_key=True)
    person: str = Field(primary_key=True)
    name: str
    password_hash: str = ""
    totp_secret: str = ""
    totp_step: int = Field(sa_type=BigInteger, default=0)
    """The period of the last one-time code that was accepted; none of it or before it counts again."""
    source: str = ""
    """Where the account is kept: here (empty), `ldap` or `oidc`; with `-gone` the source knows the person no more."""
    active: bool = True
    failures: int = 0
    locked_until: int | None = Field(sa_type=BigInteger, default=None, nullable=True)
    made_at: int = Field(sa_type=BigInteger)


class PersonRoleRow(SQLModel, table=True):
    """A role for one storeroom, or for the whole hospital when `place` is empty."""

    __tablename__: ClassVar[str] = "person_role"

    hospital: str = Field(primary_key=True)
    person: str = Field(primary_key=True)
    role: str = Field(primary_key=True)
    place: str = Field(primary_key=True)


class SessionRow(SQLModel, table=True):
    """Somebody signed in at a browser."""

    __tablename__: ClassVar[str] = "session"

    hospital: str = Field(primary_key=True)
    secret_hash: bytes = Field(sa_type=LargeBinary, primary_key=True)
    person: str
    made_at: int = Field(sa_type=BigInteger)
    seen_at: int = Field(sa_type=BigInteger)


class ApiTokenRow(SQLModel, table=True):
    """A program that acts for a person: `read` only, or with all of the person's rights."""

    __tablename__: ClassVar[str] = "api_token"

    hospital: str = Field(primary_key=True)
    secret_hash: bytes = Field(sa_type=LargeBinary, primary_key=True)
    person: str
    name: str
    read_only: bool
    made_at: int = Field(sa_type=BigInteger)
    ends_at: int = Field(sa_type=BigInteger)
    revoked: bool = False


class RecoveryCodeRow(SQLModel, table=True):
    """A code that stands for a one-time code, once."""

    __tablename__: ClassVar[str] = "recovery_code"

    hospital: str = Field(primary_key=True)
    person: str = Field(primary_key=True)
    code_hash: bytes = Field(sa_type=LargeBinary, primary_key=True)
    used_at: int | None = Field(sa_type=BigInteger, default=None, nullable=True)


class InvitationRow(SQLModel, table=True):
    """A link by which a person sets a password, once."""

    __tablename__: ClassVar[str] = "invitation"

    hospital: str = Field(primary_key=True)
    secret_hash: bytes = Field(sa_type=LargeBinary, primary_key=True)
    person: str
    ends_at: int = Field(sa_type=BigInteger)
    used: bool = False


class AuditRow(SQLModel, table=True):
    """One act or look: who, what, of what, with its details as JSON text with sorted keys."""

    __tablename__: ClassVar[str] = "audit"
    __table_args__: ClassVar[Any] = (Index("audit_person", "hospital", "person", "seq"),)

    hospital: str = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger, primary_key=True)
    at: int = Field(sa_type=BigInteger)
    person: str
    act: str
    subject: str
    detail: str = Field(sa_type=Text)
    prev_hash: bytes = Field(sa_type=LargeBinary)
    hash: bytes = Field(sa_type=LargeBinary)


class AuditCheckpointRow(SQLModel, table=True):
    """Where the record of acts was let go behind: the last row that went, its hash, and when that was."""

    __tablename__: ClassVar[str] = "audit_checkpoint"

    hospital: str = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger, primary_key=True)
    hash: bytes = Field(sa_type=LargeBinary)
    at: int = Field(sa_type=BigInteger)


_tables = SQLModel.metadata.tables
PERSON = _tables["person"]
PERSON_ROLE = _tables["person_role"]
SESSION = _tables["session"]
API_TOKEN = _tables["api_token"]
INVITATION = _tables["invitation"]
RECOVERY_CODE = _tables["recovery_code"]
AUDIT = _tables["audit"]
AUDIT_CHECKPOINT = _tables["audit_checkpoint"]
