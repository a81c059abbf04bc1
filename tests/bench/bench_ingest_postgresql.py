r"""Central's ingest of signed frames into PostgreSQL, beside `\copy` of the same rows with the same commits.

Ours does what bench_ingest says, over one connection. The plain way copies the finished rows of every table, in the
order in which they were written, with the same indexes and the same commits; `ledger_alone` copies only `ledger`.
The server waits for the disk. Rounds are interleaved in one run; the median counts.
"""

import sys
import time
from collections.abc import Sequence
from statistics import median

import psycopg

from central.store.engine import Store, open_store
from central.store.migrate import migrate
from tests.bench.bench_ingest import ENTRIES, FRAME, TABLES, WARDS
from tests.bench.measure import ROUNDS, report_bar
from tests.bench.wards import draw, timed
from tests.system.postgresql import cluster, programs

BAR, STRETCH = 0.25, 0.35
Copied = dict[str, list[bytes]]


def fresh(address: str) -> Store:
    """Return a migrated store in an empty schema."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS public CASCADE")
        connection.execute("CREATE SCHEMA public")
    store = open_store(address)
    migrate(store)
    return store


def copied(address: str) -> Copied:
    r"""Return each table's rows as `\copy` would have them in a file, in the order in which they were written."""
    rows = {}
    with psycopg.connect(address) as connection, connection.cursor() as cursor:
        for name in TABLES:
            query = f"COPY (SELECT * FROM {name} ORDER BY xmin::text::bigint) TO STDOUT"
            with cursor.copy(query.encode()) as copy:
                rows[name] = b"".join(bytes(part) for part in copy).splitlines(keepends=True)
    return rows


def plain(rows: Copied, address: str, commits: int, tables: Sequence[str]) -> float:
    """Copy the finished rows; returns the seconds."""
    fresh(address).close()
    parts = {
        name: [b"".join(rows[name][turn * size : (turn + 1) * size]) for turn in range(commits)]
        for name in tables
        for size in (-(-len(rows[name]) // commits),)
    }
    with psycopg.connect(address) as connection, connection.cursor() as cursor:
        began = time.perf_counter()
        for turn in range(commits):
            for name in tables:
                _copy(cursor, name, parts[name][turn])
            connection.commit()
        return time.perf_counter() - began


def _copy(cursor: psycopg.Cursor, name: str, rows: bytes) -> None:
    with cursor.copy(f"COPY {name} FROM STDIN".encode()) as copy:
        copy.write(rows)


def main() -> None:
    """Measure and print."""
    if programs() is None:
        sys.stderr.write("ingest_postgresql: not measured, this machine has no PostgreSQL\n")
        return
    wards = draw(WARDS, ENTRIES)
    entries = sum(ward.entries for ward in wards)
    taken, ledger_alone, all_tables = [], [], []
    commits = 0
    with cluster(durable=True) as address:
        for _ in range(ROUNDS):
            took, commits = timed(wards, fresh(address), FRAME)
            taken.append(entries / took)
            rows = copied(address)
            ledger_alone.append(entries / plain(rows, address, commits, ("ledger",)))
            all_tables.append(entries / plain(rows, address, commits, TABLES))
    report_bar(
        "ingest_postgresql",
        ratio=median(taken) / median(all_tables),
        bar=BAR,
        what=r"ours over \copy of the same rows with the same indexes and commits; entries a second",
        at_least=True,
        stretch=STRETCH,
        ours_per_s=median(taken),
        plain_per_s=median(all_tables),
        ledger_alone_per_s=median(ledger_alone),
        ledger_alone_ratio=median(taken) / median(ledger_alone),
        commits=commits,
        entries=entries,
    )


if __name__ == "__main__":
    main()
