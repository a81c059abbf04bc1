"""What a ledger says about itself at a glance, read in one snapshot without disturbing the agent."""

from dataclasses import dataclass

from edge_agent.core.presence.window import GONE
from edge_agent.errors import NotALedger
from edge_agent.store.connection import Connection
from edge_agent.store.copies import RESTORED
from protocols.movements import Custody
from protocols.values.instant import Instant


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
        restored=meta.get(RESTORED),
    )
