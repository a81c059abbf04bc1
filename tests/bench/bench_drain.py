"""A backlog of many wards drains through a real broker into central on SQLite, beside a plain executemany.

All wards connect in the same instant, each with days of signed entries; sessions, frames, window and acknowledgements
are real, and the edges run in a process of their own. The plain way writes the finished rows of every table with the
same indexes and commits. A hundred wards with 20,000 entries by default; `--full` is a thousand wards with 500,000.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from central.clock import Clock
from central.services.ingest import Running, start_ingest
from central.store.chains import enrol
from central.store.engine import open_store
from central.store.migrate import migrate
from protocols.values.ids import HOSPITAL_DEFAULT, DeviceId, PlaceId
from tests.bench.bench_ingest import TABLES, plain, rows_of
from tests.bench.live import some_broker
from tests.bench.measure import ROUNDS, report_bar
from tests.bench.wards import signing

SMALL, FULL = (100, 20_000), (1_000, 500_000)
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


def main() -> None:
    """Measure and print."""
    wards, entries = FULL if "--full" in sys.argv else SMALL
    command = [sys.executable, "-m", "tests.bench.drain", str(wards), str(entries)]
    taken, all_tables, messages = [], [], []
    commits = 0
    with (
        tempfile.TemporaryDirectory() as name,
        some_broker(Path(name)) as pipe,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as people,
    ):
        assert people.stdout is not None
        assert people.stdout.readline() == "drawn\n"
        for turn in range(ROUNDS):
            folder = Path(name) / str(turn)
            folder.mkdir()
            said, commits = drained(people, pipe.url, folder / "central.db", wards)
            rows = rows_of(folder / "central.db")
            taken.append(len(rows["ledger"]) / said["seconds"])
            messages.append(said["messages"])
            all_tables.append(len(rows["ledger"]) / plain(rows, folder / "all.db", commits, TABLES))
    report_bar(
        "drain_through_broker",
        ratio=median(taken) / median(all_tables),
        bar=BAR,
        what="ours over executemany of the same rows with the same indexes and commits; entries a second",
        at_least=True,
        ours_per_s=median(taken),
        plain_per_s=median(all_tables),
        wards=wards,
        entries=entries,
        commits=commits,
        messages=median(messages),
    )


if __name__ == "__main__":
    main()
