"""Giving back the room of old entries: the one function that removes rows of the ledger, and what stands for them.

Only what is safe elsewhere besides central and older than `KEPT_DAYS` goes, oldest first and never the last entry. A
checkpoint takes its place: seq, hash and the whole book there, so that the book is the checkpoint plus the fold of what
is kept. The rules that must not be broken: the trigger on DELETE is never lifted; an event that is written twice goes
as a whole or stays; everything is one transaction.
"""

from dataclasses import dataclass

from edge_agent.core.checkpoint import write_cut
from edge_agent.store.connection import Connection, transaction
from edge_agent.store.cuts import fold_on, last_cut
from protocols.errors import WeBroke
from protocols.values.instant import MICROS, Instant

KEPT_DAYS = 90
TRIMMED_AT_ONCE = 20_000
"""Entries of one transaction: a second or two of the disk's time."""
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Trimming:
    """What was done: how many entries went, or why none could, in words for a person."""

    entries: int
    why_not: str = ""


def trim(connection: Connection, now: Instant, *, kept_days: int = KEPT_DAYS, most: int = TRIMMED_AT_ONCE) -> Trimming:
    """Remove the oldest entries that may go, at most about `most`. Raises `StoreFault`."""
    why_not = why_nothing(connection, now, kept_days)
    if why_not:
        return Trimming(0, why_not)
    with transaction(connection):
        first_kept = _first_kept(connection, now, kept_days)
        upto = _without_halves(connection, min(first_kept - 1, _limit(connection, most)))
        if upto <= 0:
            upto = _without_halves(connection, first_kept - 1)
        if upto <= 0 or not connection.query("SELECT 1 FROM ledger WHERE rowid <= ? LIMIT 1", (upto,)):
            return Trimming(0, "the oldest entry was written again behind one that must stay")
        _keep_checkpoint(connection, upto)
        ((count,),) = connection.query("SELECT COUNT(*) FROM ledger WHERE rowid <= ?", (upto,))
        connection.execute("DELETE FROM ledger WHERE rowid <= ?", (upto,))
        connection.execute(
            "DELETE FROM checkpoint WHERE EXISTS (SELECT 1 FROM checkpoint later "
            "WHERE later.incarnation = checkpoint.incarnation AND later.seq > checkpoint.seq)"
        )
    return Trimming(count)


def why_nothing(connection: Connection, now: Instant, kept_days: int = KEPT_DAYS) -> str:
    """Return why no entry may go, empty when some may. Raises `StoreFault`."""
    rows = connection.query(
        "SELECT seq, safe, wall FROM ledger JOIN mark USING (incarnation) ORDER BY ledger.rowid LIMIT 2"
    )
    if len(rows) < 2:
        return "there is nothing to trim"
    seq, safe, wall = rows[0]
    if seq > safe:
        return (
            "nothing is known to be safe besides central: neither a standby nor a backup that was restored and "
            "verified holds the oldest entry"
        )
    return "" if wall < _before(now, kept_days) else f"the oldest entry is younger than {kept_days} days"


def _before(now: Instant, kept_days: int) -> int:
    return now - kept_days * DAY_S * MICROS


def _first_kept(connection: Connection, now: Instant, kept_days: int) -> int:
    """Return the first row that must stay: not safe yet, too young, or the last of all."""
    rows = connection.query(
        "SELECT ledger.rowid FROM ledger JOIN mark USING (incarnation) WHERE seq > safe OR wall >= ? "
        "ORDER BY ledger.rowid LIMIT 1",
        (_before(now, kept_days),),
    )
    ((last,),) = connection.query("SELECT MAX(rowid) FROM ledger")
    return min(int(last), int(rows[0][0])) if rows else int(last)


def _limit(connection: Connection, most: int) -> int:
    rows = connection.query("SELECT rowid FROM ledger ORDER BY rowid LIMIT 1 OFFSET ?", (most,))
    return int(rows[0][0]) - 1 if rows else 2**63 - 1


def _without_halves(connection: Connection, upto: int) -> int:
    """Return the last row up to which no event goes that also stands behind it."""
    while upto > 0:
        ((first,),) = connection.query(
            "SELECT MIN(old.rowid) FROM ledger old WHERE old.rowid <= ? AND EXISTS "
            "(SELECT 1 FROM ledger again WHERE again.event_id = old.event_id AND again.rowid > ?)",
            (upto, upto),
        )
        if first is None:
            return upto
        upto = int(first) - 1
    return 0


def _keep_checkpoint(connection: Connection, upto: int) -> None:
    cut = last_cut(connection)
    ((gone,),) = connection.query(
        "SELECT COUNT(DISTINCT event_id) FROM ledger WHERE rowid <= ? AND event_id NOT IN (SELECT event_id FROM fact)",
        (upto,),
    )
    for wrong, _, seq in fold_on(connection, cut, upto):
        raise WeBroke(f"trim: expected entry {seq} to be read as it was when it was posted; {wrong}")
    cut.events += gone
    book = write_cut(cut)
    rows = connection.query(
        "SELECT incarnation, MAX(seq), hash, MAX(rowid) FROM ledger WHERE rowid <= ? GROUP BY incarnation", (upto,)
    )
    newest = max(row[3] for row in rows)
    connection.executemany(
        "INSERT INTO checkpoint (incarnation, seq, hash, balances, upto_rowid) VALUES (?, ?, ?, ?, ?)",
        [(chain, seq, digest, book if at == newest else b"", upto) for chain, seq, digest, at in rows],
    )
