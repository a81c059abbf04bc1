"""Ask PostgreSQL how far its standbys have flushed, and let devices trim what stands there too.

It decides nothing itself; `core.standby` does. The store's role must be a member of `pg_monitor` to see it; else, and
on SQLite, no standby vouches for anything. The rule that must not be broken: the heads are read before the place in
the log that is compared.
"""

from sqlalchemy import Connection, select, text

from central.core.standby import Mark, hear
from central.services.safety import STANDBY
from central.store.engine import Store
from central.store.safety import vouch
from central.store.tables.ledger import INCARNATION
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant

STANDBY_S = 30
"""How often it is asked, in story seconds; what is safe moves as often at most."""
_END = text("SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint")
_FLUSHED = text(
    "SELECT (max(flush_lsn) - '0/0'::pg_lsn)::bigint FROM pg_stat_replication WHERE state = 'streaming' AND pid NOT IN"
    " (SELECT active_pid FROM pg_replication_slots WHERE slot_type = 'logical' AND active_pid IS NOT NULL)"
)
"""Who is told only rows of some tables is no standby."""


class StandbyWatch:
    """What one process knows of its store's standbys; used by one thread."""

    def __init__(self, store: Store, hospital: HospitalId) -> None:
        self._store, self._hospital = store, hospital
        self._waits: Mark | None = None

    def look(self, now: Instant) -> str:
        """Vouch for what a standby has flushed; return in words how it stands. Does nothing on SQLite."""
        if self._store.is_sqlite:
            return "SQLite has no standby"
        with self._store.read() as connection:
            mark = _mark(connection, self._hospital)
            flushed = connection.scalar(_FLUSHED)
        said = hear(self._waits, None if flushed is None else int(flushed), mark)
        self._waits = said.waits
        if said.vouched is not None:
            with self._store.write() as connection:
                vouch(connection, self._hospital, STANDBY, said.vouched, now)
        if flushed is None:
            return "no standby streams, or this role may not see it (pg_monitor)"
        return f"a standby is {max(0, mark.lsn - int(flushed))} bytes behind"


def _mark(connection: Connection, hospital: HospitalId) -> Mark:
    row = INCARNATION.c
    query = select(row.incarnation, row.head_seq).where(row.hospital == hospital).order_by(row.incarnation)
    heads = tuple((bytes(each.incarnation), int(each.head_seq)) for each in connection.execute(query))
    return Mark(int(connection.scalar(_END) or 0), heads)
