"""The tables of enrolment: each device's key, the certificates it was given, and the tokens that let one in.

Forms only. Every key starts with `hospital`; instants are microseconds UTC of real time. Only public keys stand here,
and of a token its SHA-256. The rule that must not be broken: a row is never removed, so that who was let in, by whom,
and until when can be told for good.
"""

from typing import ClassVar

from sqlalchemy import BigInteger, LargeBinary
from sqlmodel import Field, SQLModel


class DeviceKeyRow(SQLModel, table=True):
    """One key a device signs with, until it is revoked or replaced by the next."""

    __tablename__: ClassVar[str] = "device_key"

    hospital: str = Field(primary_key=True)
    device: str = Field(primary_key=True)
    key_id: str = Field(primary_key=True)
    public: bytes = Field(sa_type=LargeBinary)
    enrolled_at: int = Field(sa_type=BigInteger)
    enrolled_by: str
    """Who made the token."""
    revoked_at: int | None = Field(sa_type=BigInteger, default=None, nullable=True)
    revoked_by: str = ""
    reason: str = ""


class DeviceCertificateRow(SQLModel, table=True):
    """One certificate given to a device's key."""

    __tablename__: ClassVar[str] = "device_certificate"

    hospital: str = Field(primary_key=True)
    serial: str = Field(primary_key=True)
    """Hex digits: a serial number has up to 159 bits."""
    device: str
    key_id: str
    begins_at: int = Field(sa_type=BigInteger)
    ends_at: int = Field(sa_type=BigInteger)


class EnrolTokenRow(SQLModel, table=True):
    """A token by which one device may be enrolled, once, soon."""

    __tablename__: ClassVar[str] = "enrol_token"

    hospital: str = Field(primary_key=True)
    token_hash: bytes = Field(sa_type=LargeBinary, primary_key=True)
    device: str
    made_at: int = Field(sa_type=BigInteger)
    made_by: str
    ends_at: int = Field(sa_type=BigInteger)
    key_id: str = ""
    """The key that it let in, empty until then."""


_tables = SQLModel.metadata.tables
DEVICE_KEY = _tables["device_key"]
DEVICE_CERTIFICATE = _tables["device_certificate"]
ENROL_TOKEN = _tables["enrol_token"]
