"""Central's ingest of signed frames into SQLite, beside a plain executemany of the same rows with the same commits.

Ours: signature, unpacking, chain, `event` once, posting lines, exact balances, beliefs, bindings, and answers. The
plain way writes the finished rows of every table, with the same indexes and the same commits; `ledger_alone` is
the same with the finished rows of `ledger` only, which no store that answers questions could do with. Rounds are
interleaved in one run; the median counts.
"""

import sqlite3
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from central.store.engine import Store, open_store
from central.store.migrate import migrate
from tests.bench.measure import ROUNDS, report_bar
from tests.bench.wards import draw, timed

WARDS, ENTRIES, FRAME = 40, 40_000, 500
BAR = 0.28
TABLES = ("ledger", "event", "posting_line", "balance", "belief", "binding")
Rows = dict[str, list[tuple[object, ...]]]


def fresh(path: Path) -> Store:
    """Return a migrated store in a new file."""
    store = open_store(f"sqlite:///{path}")
    migrate(store)
    return store


def plain(rows: Rows, path: Path, commits: int, tables: Sequence[str]) -> float:
    """Write the finished rows; returns the seconds."""
    fresh(path).close()
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
    statements = {
        name: f"INSERT INTO {name} VALUES ({','.join('?' * len(rows[name][0]))})" for name in tables if rows[name]
    }
    began = time.perf_counter()
    for turn in range(commits):
        connection.execute("BEGIN IMMEDIATE")
        for name, statement in statements.items():
            size = -(-len(rows[name]) // commits)
            connection.executemany(statement, rows[name][turn * size : (turn + 1) * size])
        connection.execute("COMMIT")
    took = time.perf_counter() - began
    connection.close()
    return took


def rows_of(path: Path) -> Rows:
    """Return the finished rows in the order in which they were written."""
    connection = sqlite3.connect(path)
    rows = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in TABLES}
    connection.close()
    return rows


def main() -> None:
    """Measure and print."""
    wards = draw(WARDS, ENTRIES)
    entries = sum(ward.entries for ward in wards)
    taken, ledger_alone, all_tables = [], [], []
    commits = 0
    with tempfile.TemporaryDirectory() as name:
        for turn in range(ROUNDS):
            folder = Path(name) / str(turn)
            folder.mkdir()
            took, commits = timed(wards, fresh(folder / "central.db"), FRAME)
            taken.append(entries / took)
            rows = rows_of(folder / "central.db")
            ledger_alone.append(entries / plain(rows, folder / "plain.db", commits, ("ledger",)))
            all_tables.append(entries / plain(rows, folder / "all.db", commits, TABLES))
    report_bar(
        "ingest_sqlite",
        ratio=median(taken) / median(all_tables),
        bar=BAR,
        what="ours over executemany of the same rows with the same indexes and commits; entries a second",
        at_least=True,
        ours_per_s=median(taken),
        plain_per_s=median(all_tables),
        ledger_alone_per_s=median(ledger_alone),
        ledger_alone_ratio=median(taken) / median(ledger_alone),
        commits=commits,
        entries=entries,
    )


if __name__ == "__main__":
    main()
