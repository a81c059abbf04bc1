"""A backlog of many wards drains through a real broker into central on SQLite, beside a plain executemany.

All wards connect in the same instant, each with days of signed entries; sessions, frames, window and acknowledgements
are real, and the edges run in a process of their own. The plain way writes the finished rows of every table with the
same indexes and commits. A hundred wards with 20,000 entries by default; `--full` is a thousand wards with 500,000, or
`--wards`, `--entries`, `--rounds`. Neither side holds more rows in memory than one commit has; a round's files go
before the next begins.
"""

import argparse
import json
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from statistics import median

from central.clock import Clock
from central.services.ingest import Running, start_ingest
from central.store.chains import enrol
from central.store.engine import open_store
from central.store.migrate import migrate
from protocols.values.ids import HOSPITAL_DEFAULT, DeviceId, PlaceId
from tests.bench.bench_ingest import TABLES, count_of, plain
from tests.bench.live import some_broker
from tests.bench.measure import ROUNDS, report_bar
from tests.bench.wards import signing

SMALL, FULL = (100, 20_000), (1_000, 500_000)
KB_A_MB = 1024
BAR = 0.22


def drained(people: "subprocess.Popen[str]", url: str, path: Path, wards: int) -> tuple[dict[str, float], int]:
    """Let everybody drain into a fresh store; returns what the edges say and how many transactions it took."""
    store = open_store(f"sqlite:///{path}")
    migrate(store)
    with store.write() as connection:
        for number in range(1, wards + 1):
            device = DeviceId(f"ward-{number:04d}")
            enrol(connection, HOSPITAL_DEFAULT, device, PlaceId(device))
    running = start_ingest(
        store,
        Clock(),
        hospital=HOSPITAL_DEFAULT,
        urls=[url],
        signing=signing(),
        on_committed=lambda _hospital, _places: None,
    )
    _connected(running)
    assert people.stdin is not None
    assert people.stdout is not None
    people.stdin.write(f"{url}\n")
    people.stdin.flush()
    said: dict[str, float] = json.loads(people.stdout.readline())
    assert said["done"], said
    running.stop()
    store.close()
    return said, running.ingest.counts.transactions


def _connected(running: Running) -> None:
    while not all(running.broker.connected().values()):
        time.sleep(0.01)


def asked(words: Sequence[str]) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="bench_drain", description="A backlog of many wards drains into central.")
    parser.add_argument("--full", action="store_true", help=f"{FULL[0]} wards with {FULL[1]} entries; takes minutes")
    parser.add_argument("--wards", type=int, default=0)
    parser.add_argument("--entries", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    said = parser.parse_args(words)
    wards, entries = FULL if said.full else SMALL
    said.wards, said.entries = said.wards or wards, said.entries or entries
    return said


def main() -> None:
    """Measure and print."""
    said = asked(sys.argv[1:])
    command = [sys.executable, "-m", "tests.bench.drain", str(said.wards), str(said.entries)]
    ours, theirs, messages = [], [], []
    entries = commits = 0
    with (
        tempfile.TemporaryDirectory() as name,
        some_broker(Path(name)) as pipe,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as people,
    ):
        assert people.stdout is not None
        assert people.stdout.readline() == "drawn\n"
        for turn in range(said.rounds):
            folder = Path(name) / str(turn)
            folder.mkdir()
            told, commits = drained(people, pipe.url, folder / "central.db", said.wards)
            with closing(sqlite3.connect(folder / "central.db")) as finished:
                entries = count_of(finished, "ledger")
            ours.append(entries / told["seconds"])
            messages.append(told["messages"])
            theirs.append(entries / plain(folder / "central.db", folder / "all.db", commits, TABLES))
            shutil.rmtree(folder)
    report_bar(
        "drain_through_broker",
        ratio=median(ours) / median(theirs),
        bar=BAR,
        what="ours over executemany of the same rows with the same indexes and commits; entries a second",
        at_least=True,
        ours_per_s=median(ours),
        plain_per_s=median(theirs),
        wards=said.wards,
        entries=entries,
        rounds=said.rounds,
        commits=commits,
        messages=median(messages),
        central_memory_max_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KB_A_MB,
    )


if __name__ == "__main__":
    main()
