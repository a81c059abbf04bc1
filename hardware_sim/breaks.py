"""Breaks a played story's central database on purpose, so that anybody can see the checker notice it.

    lose     a ward's last entries never were: ledger, events, postings, balances, beliefs and head agree
    double   one event is posted twice: its lines and the balances agree
    hide     the open discrepancies are gone

`lose` leaves the file consistent with itself: central's own verification finds nothing. What betrays each is what the
other parties still hold: the edges' ledgers, the log of beeps, the truth. The rule that must not be broken: this is for
the demo's state folder only, after its processes have ended.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import MappingProxyType

from hardware_sim.errors import PartFailed, WrongUse
from hardware_sim.evidence.databases import HOSPITAL, central_path

ENTRIES_LOST = 5
"""Entries that `lose` takes from the end of one ward's chain."""

LINE = "item, lot, owner, unit, qty, source, target, source_position, target_position"


def apply_break(state: Path, what: str) -> str:
    """Break a state folder's central database and return what was done in one sentence.

    Raises `WrongUse` for an unknown break, a folder without a story or a story without what it needs, `PartFailed` for
    a database that is not as documented.
    """
    broken = BREAKS.get(what)
    if broken is None:
        raise WrongUse(f"break: expected one of {', '.join(BREAKS)}, got {what!r:.40}")
    path = central_path(state)
    if not path.is_file():
        raise WrongUse(f"{path}: expected a database a played story left, there is none; name its --state")
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection, _unsealed(connection):
            return broken(connection)
    except sqlite3.Error as error:
        raise PartFailed(f"{path}: expected the columns of docs/databases.md and nobody using it; {error}") from error


@contextmanager
def _unsealed(connection: sqlite3.Connection) -> Iterator[None]:
    """Do everything inside with the ledger's triggers away, and put them back, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f'DROP TRIGGER "{name}"')
    yield
    for _, sql in triggers:
        connection.execute(sql)
    connection.execute("COMMIT")


def _lose(connection: sqlite3.Connection) -> str:
    longest = connection.execute(
        "SELECT incarnation, device, head_seq FROM incarnation "
        "WHERE hospital = ? AND device <> 'central' AND head_seq > ? ORDER BY device LIMIT 1",
        (HOSPITAL, ENTRIES_LOST),
    ).fetchone()
    if longest is None:
        raise WrongUse(f"break lose: expected a ward with more than {ENTRIES_LOST} entries at central, there is none")
    incarnation, device, head = longest
    last_kept = head - ENTRIES_LOST
    where = "hospital = ? AND incarnation = ? AND seq > ?"
    chain = (HOSPITAL, incarnation, last_kept)
    events = [row[0] for row in connection.execute(f"SELECT event_id FROM event WHERE {where}", chain)]
    for event in events:
        _post(connection, event, -1)
        connection.execute("DELETE FROM posting_line WHERE hospital = ? AND event_id = ?", (HOSPITAL, event))
    connection.execute(f"DELETE FROM event WHERE {where}", chain)
    connection.execute(f"DELETE FROM ledger WHERE {where}", chain)
    for event in events:
        _believe_as_before(connection, event)
    ((kept_hash,),) = connection.execute(
        "SELECT hash FROM ledger WHERE hospital = ? AND incarnation = ? AND seq = ?", chain
    ).fetchall()
    connection.execute(
        "UPDATE incarnation SET head_seq = ?, head_hash = ? WHERE hospital = ? AND incarnation = ?",
        (last_kept, kept_hash, HOSPITAL, incarnation),
    )
    connection.execute(
        "UPDATE device SET said_seq = ? WHERE hospital = ? AND device = ?", (last_kept, HOSPITAL, device)
    )
    connection.execute(
        "DELETE FROM storeroom_match WHERE hospital = ? AND place = (SELECT place FROM device WHERE device = ?)",
        (HOSPITAL, device),
    )
    return f"central lost the last {ENTRIES_LOST} entries of {device} and believes it ends at {last_kept}"


def _double(connection: sqlite3.Connection) -> str:
    found = connection.execute(
        "SELECT event_id, device, seq, max(line_no) + 1 FROM event JOIN posting_line USING (hospital, event_id) "
        "WHERE hospital = ? AND kind = 'issue' GROUP BY event_id ORDER BY event.at DESC LIMIT 1",
        (HOSPITAL,),
    ).fetchone()
    if found is None:
        raise WrongUse("break double: expected an issue that central posted, there is none")
    event, device, seq, lines = found
    _post(connection, event, +1)
    connection.execute(
        f"INSERT INTO posting_line (hospital, event_id, line_no, at, {LINE}) "
        f"SELECT hospital, event_id, line_no + ?, at, {LINE} FROM posting_line WHERE hospital = ? AND event_id = ?",
        (lines, HOSPITAL, event),
    )
    return f"central posted entry {seq} of {device} a second time"


def _hide(connection: sqlite3.Connection) -> str:
    gone = connection.execute("DELETE FROM discrepancy WHERE hospital = ? AND status = 'open'", (HOSPITAL,)).rowcount
    if not gone:
        raise WrongUse("break hide: expected an open discrepancy, there is none; play a story with its take")
    return f"central forgot {gone} open discrepancy" if gone == 1 else f"central forgot {gone} open discrepancies"


def _post(connection: sqlite3.Connection, event: bytes, sign: int) -> None:
    """Add an event's lines to the balances once more, or take them off."""
    rows = connection.execute(
        f"SELECT {LINE} FROM posting_line WHERE hospital = ? AND event_id = ?", (HOSPITAL, event)
    ).fetchall()
    for item, lot, owner, unit, qty, source, target, source_position, target_position in rows:
        for place, position, change in ((source, source_position, -qty), (target, target_position, qty)):
            connection.execute(
                "INSERT INTO balance (hospital, place, position, item, lot, owner, unit, qty) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET qty = qty + excluded.qty",
                (HOSPITAL, place, position, item, lot, owner, unit, sign * change),
            )


def _believe_as_before(connection: sqlite3.Connection, event: bytes) -> None:
    """Put back what was believed of a tag before an event that is gone now."""
    rows = connection.execute(
        "SELECT device, epc FROM belief WHERE hospital = ? AND event_id = ?", (HOSPITAL, event)
    ).fetchall()
    for device, epc in rows:
        connection.execute("DELETE FROM belief WHERE hospital = ? AND device = ? AND epc = ?", (HOSPITAL, device, epc))
        connection.execute(
            "INSERT INTO belief (hospital, device, epc, place, p, model, since, event_id, at, position) "
            "SELECT hospital, device, ?, place, json_extract(said, '$.p'), json_extract(said, '$.model'), "
            "json_extract(said, '$.since'), event_id, wall, COALESCE(json_extract(said, '$.position'), '') FROM "
            "(SELECT *, CAST(body AS TEXT) AS said FROM ledger JOIN device USING (hospital, device)) "
            "WHERE hospital = ? AND device = ? AND kind = 'observe' AND json_extract(said, '$.epc') = ? "
            "ORDER BY seq DESC LIMIT 1",
            (epc, HOSPITAL, device, epc),
        )


BREAKS: Mapping[str, Callable[[sqlite3.Connection], str]] = MappingProxyType(
    {"lose": _lose, "double": _double, "hide": _hide}
)
"""Every break by the name the demo's `--break` takes."""
