"""The table of replays: which entries of the quarantine were posted after all, when and by whom.

Forms only; no rule lives here. The rule that must not be broken: the quarantine keeps what was set aside for ever; that
an entry counts now is a row here, and there is one row an entry.
"""

from typing import ClassVar

from sqlalchemy import BigInteger, LargeBinary, exists
from sqlmodel import Field, SQLModel

from central.store.tables.ledger import QUARANTINE


class QuarantineReplayRow(SQLModel, table=True):
    """One entry that was set aside and is posted now."""

    __tablename__: ClassVar[str] = "quarantine_replay"

    hospital: str = Field(primary_key=True)
    incarnation: bytes = Field(sa_type=LargeBinary, primary_key=True)
    seq: int = Field(sa_type=BigInteger, primary_key=True)
    at: int = Field(sa_type=BigInteger)
    person: str


QUARANTINE_REPLAY = SQLModel.metadata.tables["quarantine_replay"]
_replay, _kept = QUARANTINE_REPLAY.c, QUARANTINE.c
STILL_KEPT = ~exists().where(
    _replay.hospital == _kept.hospital, _replay.incarnation == _kept.incarnation, _replay.seq == _kept.seq
)
"""The condition by which a row of the quarantine was not replayed."""
