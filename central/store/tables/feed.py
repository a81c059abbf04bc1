"""The tables of the way down: versions of the feed, what each device holds, permits, policies, recalls, daily heads.

Forms only; no rule lives here. Every key starts with `hospital`; instants are microseconds UTC. The rule that must not
be broken: a version, a step of a permit, a policy and the heads of a day are never rewritten.
"""

from datetime import date
from typing import ClassVar

from sqlalchemy import BigInteger, LargeBinary, Text
from sqlmodel import Field, SQLModel


class FeedVersionRow(SQLModel, table=True):
    """One version of a scope (`global`, `ward:PLACE`, `device:DEVICE`): the checksum of its rows, and they, packed."""

    __tablename__: ClassVar[str] = "feed_version"

    hospital: str = Field(primary_key=True)
    scope: str = Field(primary_key=True)
    version: int = Field(sa_type=BigInteger, primary_key=True)
    checksum: bytes = Field(sa_type=LargeBinary)
    packed: bytes = Field(sa_type=LargeBinary)
    made_at: int = Field(sa_type=BigInteger)


class DeviceFeedRow(SQLModel, table=True):
    """The version of a scope that a device last said it holds."""

    __tablename__: ClassVar[str] = "device_feed"

    hospital: str = Field(primary_key=True)
    device: str = Field(primary_key=True)
    scope: str = Field(primary_key=True)
    version: int = Field(sa_type=BigInteger)
    said_at: int = Field(sa_type=BigInteger)


class PermitStepRow(SQLModel, table=True):
    """One step of a storeroom's permit: what moved it, the permit it leads to, who did it and why.

    `phase` is `done`; where two people are needed `proposed`, then `confirmed` or `refused`.
    """

    __tablename__: ClassVar[str] = "permit_step"

    hospital: str = Field(primary_key=True)
    place: str = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    audit: str
    phase: str
    permit: str
    at: int = Field(sa_type=BigInteger)
    person: str
    why: str


class PermitPolicyRow(SQLModel, table=True):
    """One policy as it was issued to a storeroom, with its lease and its signature."""

    __tablename__: ClassVar[str] = "permit_policy"

    hospital: str = Field(primary_key=True)
    place: str = Field(primary_key=True)
    issued_at: int = Field(sa_type=BigInteger, primary_key=True)
    version: int
    lease_until: int = Field(sa_type=BigInteger)
    text: str = Field(sa_type=Text)
    key_id: str
    signature: bytes = Field(sa_type=LargeBinary)


class RecallRow(SQLModel, table=True):
    """A lot that nobody may take any more, until it is lifted."""

    __tablename__: ClassVar[str] = "recall"

    hospital: str = Field(primary_key=True)
    item: str = Field(primary_key=True)
    lot: str = Field(primary_key=True)
    at: int = Field(sa_type=BigInteger)
    person: str
    why: str
    lifted_at: int | None = Field(sa_type=BigInteger, default=None, nullable=True)
    lifted_by: str = ""


class DailyHeadsRow(SQLModel, table=True):
    """The end of every chain when a business day was over: `heads` lists them, `text` is their digest, signed."""

    __tablename__: ClassVar[str] = "daily_heads"

    hospital: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    heads: bytes = Field(sa_type=LargeBinary)
    text: str = Field(sa_type=Text)
    key_id: str
    signature: bytes = Field(sa_type=LargeBinary)


_tables = SQLModel.metadata.tables
FEED_VERSION = _tables["feed_version"]
DEVICE_FEED = _tables["device_feed"]
PERMIT_STEP = _tables["permit_step"]
PERMIT_POLICY = _tables["permit_policy"]
RECALL = _tables["recall"]
DAILY_HEADS = _tables["daily_heads"]
