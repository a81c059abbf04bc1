"""What a ledger says about itself at a glance, read in one snapshot without disturbing the agent."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_agent.core.presence.window import GONE
from edge_agent.errors import NotALedger
from edge_agent.store.connection import Connection
from edge_agent.store.copies import RESTORED
from edge_agent.store.feed import versions
from protocols.movements.table import Custody
from protocols.values.instant import Instant

_OPEN = "SELECT sort, COUNT(*) FROM discrepancy WHERE closed_event_id = x'' GROUP BY sort ORDER BY sort"
_TO_CLAIM = """
    SELECT COUNT(*) FROM belief JOIN binding ON binding.epc = belief.epc
    JOIN custody ON custody.unit = CASE binding.unit WHEN '' THEN binding.epc ELSE binding.unit END
    WHERE belief.p < ? AND custody.state IN ('in_stock', 'held')
"""


@dataclass(frozen=True, slots=True)
class Status:
    """One ledger: its chain, what central has of it, what the book holds. `last_wall` None: nothing written yet."""

    device: str
    incarnation: str
    entries: int
    head_seq: int
    acked: int
    safe: int
    last_kind: str
    last_wall: Instant | None
    units_in_stock: int
    tags_bound: int
    believed_here: int
    believed_gone: int
    to_claim: int = 0
    """Pieces that the book has here and the readers say have left."""
    discrepancies: Mapping[str, int] = field(default_factory=dict)
    """Open ones by sort."""
    feed: Mapping[str, int] = field(default_factory=dict)
    """The version of the hospital's data by scope."""
    restored: str | None = None
    """When a backup was put in this ledger's place, ISO text."""

    @property
    def pending(self) -> int:
        """Return how many entries central has not acknowledged."""
        return self.head_seq - self.acked


def read_status(connection: Connection) -> Status:
    """Return the status of a ledger. Raises `StoreFault`."""
    connection.execute("BEGIN")
    try:
        return _read(connection)
    finally:
        connection.execute("ROLLBACK")


def _read(connection: Connection) -> Status:
    meta: dict[str, str] = dict(connection.query("SELECT key, value FROM meta"))
    if not meta.keys() >= {"device", "incarnation"}:
        raise NotALedger("expected a ledger of a device, no agent has finished its first start on it; run it once")
    incarnation = bytes.fromhex(meta["incarnation"])
    ((acked, safe),) = connection.query("SELECT acked, safe FROM mark WHERE incarnation = ?", (incarnation,))
    last = connection.query(
        "SELECT seq, kind, wall FROM ledger WHERE incarnation = ? ORDER BY seq DESC LIMIT 1", (incarnation,)
    )
    seq, kind, wall = last[0] if last else (-1, "", None)

    def count(sql: str, *values: object) -> int:
        return int(connection.query(sql, values)[0][0])

    return Status(
        device=meta["device"],
        incarnation=incarnation.hex(),
        entries=count("SELECT COUNT(*) FROM ledger"),
        head_seq=seq,
        acked=acked,
        safe=safe,
        last_kind=kind,
        last_wall=None if wall is None else Instant(wall),
        units_in_stock=count("SELECT COUNT(*) FROM custody WHERE state = ?", Custody.IN_STOCK.value),
        tags_bound=count("SELECT COUNT(*) FROM binding"),
        believed_here=count("SELECT COUNT(*) FROM belief WHERE p >= ?", GONE),
        believed_gone=count("SELECT COUNT(*) FROM belief WHERE p < ?", GONE),
        to_claim=count(_TO_CLAIM, GONE),
        discrepancies=dict(connection.query(_OPEN)),
        feed=versions(connection),
        restored=meta.get(RESTORED),
    )
