"""The book at the last entry that was trimmed, and the book folded from there on. It reads only.

Own entries are posted in the order of their rows, facts of others where they came in, each event once.
"""

from collections.abc import Iterator
from heapq import merge
from operator import itemgetter

from edge_agent.core.book import as_fact, effect_of
from edge_agent.core.checkpoint import Cut, read_cut
from edge_agent.store.connection import Connection, Row
from protocols.errors import ProtocolsError

END = 2**63 - 1


def last_cut(connection: Connection) -> Cut:
    """Return the book that the newest checkpoint keeps, an empty one before the first. Raises `PeerBroke`."""
    rows = connection.query(
        "SELECT balances, upto_rowid FROM checkpoint WHERE length(balances) > 2 ORDER BY upto_rowid DESC LIMIT 1"
    )
    if not rows:
        return Cut()
    book, upto = rows[0]
    return read_cut(book.encode() if isinstance(book, str) else book, upto)


def fold_on(connection: Connection, cut: Cut, upto: int = END) -> Iterator[tuple[str, bytes, int]]:
    """Fold every event after a cut up to a row into it; yield what could not be read, with its chain and seq."""
    again = _several(connection, cut.upto_rowid)
    own = connection.stream(
        "SELECT rowid, 0, event_id, kind, body, incarnation, seq FROM ledger "
        "WHERE rowid > ? AND rowid <= ? ORDER BY rowid",
        (cut.upto_rowid, upto),
    )
    facts = connection.stream(
        "SELECT after_rowid, n, event_id, kind, body, x'', n FROM fact "
        "WHERE skipped = '' AND (after_rowid > ? OR ? = 0) AND after_rowid <= ? ORDER BY after_rowid, n",
        (cut.upto_rowid, cut.upto_rowid, upto),
    )
    for row in merge(own, facts, key=itemgetter(0, 1)):
        event_id = row[2]
        if again.get(event_id, False):
            continue
        if event_id in again:
            again[event_id] = True
        wrong = _post(cut, row)
        if wrong:
            yield wrong, row[5], row[6]


def _post(cut: Cut, row: Row) -> str:
    try:
        effect = effect_of(row[3], row[4])
        cut.fold.post(row[2], effect if row[1] == 0 else as_fact(effect))
        if row[1] == 0:
            cut.add_own(effect)
    except ProtocolsError as error:
        return str(error)
    return ""


def _several(connection: Connection, upto_rowid: int) -> dict[bytes, bool]:
    """Return the events that stand in more than one place and whether a cut holds them; there are few, if any."""
    rows = connection.stream(
        "SELECT event_id, 0 FROM ledger GROUP BY event_id HAVING COUNT(*) > 1 UNION ALL "
        "SELECT event_id, ? > 0 AND after_rowid <= ? FROM fact "
        "WHERE EXISTS (SELECT 1 FROM ledger WHERE ledger.event_id = fact.event_id)",
        (upto_rowid, upto_rowid),
    )
    found: dict[bytes, bool] = {}
    for event_id, known in rows:
        found[event_id] = found.get(event_id, False) or bool(known)
    return found
