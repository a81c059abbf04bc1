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
from contextlib import closing
from pathlib import Path
from statistics import median

from central.store.engine import Store, open_store
from central.store.migrate import migrate
from tests.bench.measure import ROUNDS, report_bar
from tests.bench.wards import draw, timed

WARDS, ENTRIES, FRAME = 40, 40_000, 500
BAR = 0.28
TABLES = ("ledger", "event", "posting_line", "balance", "belief", "binding")


def fresh(path: Path) -> Store:
    """Return a migrated store in a new file."""
    store = open_store(f"sqlite:///{path}")
    migrate(store)
    return store


def plain(finished: Path, path: Path, commits: int, tables: Sequence[str]) -> float:
    """Write the rows of a finished store into a fresh one; returns the seconds, without those of reading.

    Rows come in the order in which they were written, and one commit's stand in memory at a time.
    """
    fresh(path).close()
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
    took = 0.0
    with closing(sqlite3.connect(finished)) as source:
        lanes = [_lane(source, name, commits) for name in tables]
        for _ in range(commits):
            parts = [(statement, rows.fetchmany(size)) for statement, rows, size in lanes]
            began = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            for statement, part in parts:
                connection.executemany(statement, part)
            connection.execute("COMMIT")
            took += time.perf_counter() - began
    connection.close()
    return took


def _lane(source: sqlite3.Connection, name: str, commits: int) -> tuple[str, sqlite3.Cursor, int]:
    """Return how a table's rows are written, the rows, and how many of them at a time."""
    rows = source.execute(f"SELECT * FROM {name}")
    marks = ",".join("?" * len(rows.description))
    return f"INSERT INTO {name} VALUES ({marks})", rows, max(1, -(-count_of(source, name) // commits))


def count_of(source: sqlite3.Connection, name: str) -> int:
    """Return how many rows a table has."""
    count: int = source.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
    return count


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
            finished = folder / "central.db"
            ledger_alone.append(entries / plain(finished, folder / "plain.db", commits, ("ledger",)))
            all_tables.append(entries / plain(finished, folder / "all.db", commits, TABLES))
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
