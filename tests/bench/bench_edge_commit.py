"""The edge's append (a new ledger opened, chain, balances, groups of 64, synced) against plain rows in one table."""

import sqlite3
import tempfile
from pathlib import Path

from edge_agent.store.ledger import open_ledger
from edge_agent.store.rows import INSERT, row_of
from migrations.edge.steps import STEPS
from protocols.entry import GENESIS, Entry, chain
from protocols.values.ids import device_id, incarnation
from tests.bench.entries import START, issues
from tests.bench.measure import best_rate, report

GROUP = 64
GROUPS = 8
DEVICE = device_id("ward-01")
NEWBORN = incarnation(bytes(16))


def ours(folder: Path, entries: list[Entry]) -> int:
    """Append in groups to a new ledger."""
    with tempfile.TemporaryDirectory(dir=folder) as state:
        ledger = open_ledger(Path(state) / "ledger.db", DEVICE, newborn=NEWBORN, now=START)
        for start in range(0, len(entries), GROUP):
            ledger.append(entries[start : start + GROUP])
        ledger.close()
    return len(entries)


def plain(folder: Path, rows: list[tuple[object, ...]]) -> int:
    """Insert ready rows into the same table, one synced transaction a group."""
    with tempfile.TemporaryDirectory(dir=folder) as state:
        connection = sqlite3.connect(Path(state) / "plain.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        for statement in STEPS[0].statements:
            if "TRIGGER" not in statement:
                connection.execute(statement)
        for start in range(0, len(rows), GROUP):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(INSERT, rows[start : start + GROUP])
            connection.execute("COMMIT")
        connection.close()
    return len(rows)


def main() -> None:
    """Measure and print."""
    entries = issues(GROUP * GROUPS)
    rows = [row_of(each) for each in chain(DEVICE, NEWBORN, from_seq=0, prev_hash=GENESIS, entries=entries)]
    with tempfile.TemporaryDirectory() as folder:
        report(
            "edge_commit",
            unit="entries",
            ours_per_s=best_rate(lambda: ours(Path(folder), entries)),
            plain="executemany of ready rows, same table, same commits",
            plain_per_s=best_rate(lambda: plain(Path(folder), rows)),
        )


main()
