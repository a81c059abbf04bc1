"""From an entry's place in an edge's ledger to the API that shows it, at two hundred entries a second.

Ten edges with real sessions write by turns through one real broker into `wardstock-central serve` on SQLite; a reader
asks the API for the devices' heads without a pause. What is measured includes the reader's own wait. Each round is some
seconds; the median round counts.
"""

import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from contextlib import redirect_stdout
from pathlib import Path
from statistics import median, quantiles

import httpx

from central.cli import start
from central.store.engine import open_store
from hardware_sim.hospital.acts import Act
from protocols.movements.bodies import write_body
from protocols.movements.reports import VisitBody
from protocols.sync.codec import Signing
from tests.bench.live import Town, edges, enrol_all, some_broker
from tests.bench.measure import ROUNDS, report_bar
from tests.bench.wards import AT

WARDS, A_SECOND, ROUND_S, LIMIT_S = 10, 200, 8.0, 60.0
P50_BAR_S, P99_BAR_S = 0.250, 2.0
PROGRAM = [sys.executable, "-c", "from central.cli import main; main()"]


class Reader:
    """Asks for the heads and notes when each entry is first shown."""

    def __init__(self, address: str) -> None:
        self.waits: dict[str, deque[tuple[int, float]]] = {}
        self.lags: list[float] = []
        self._address, self._ended = address, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._ended.set()
        self._thread.join(LIMIT_S)

    def _run(self) -> None:
        with httpx.Client(base_url=self._address, timeout=LIMIT_S) as client:
            while not self._ended.is_set():
                items = client.get("/api/v1/devices").json()["items"]
                now = time.monotonic()
                for item in items:
                    self._shown(item["device"], item["head_seq"], now)

    def _shown(self, device: str, head: int, now: float) -> None:
        waits = self.waits.get(device, deque())
        while waits and waits[0][0] <= head:
            self.lags.append(now - waits.popleft()[1])


def play(town: Town, reader: Reader) -> list[float]:
    """Write for one round and return every entry's lag, in seconds."""
    reader.lags = []
    began, written = time.monotonic(), 0

    def write(now: float) -> None:
        nonlocal written
        while written < min(now - began, ROUND_S) * A_SECOND:
            edge = town.edges[written % WARDS]
            written += 1
            act = Act(written / A_SECOND, "visit", write_body(VisitBody("begin")), "N1001")
            at = time.monotonic()
            messages = edge.write([act], AT, at)
            reader.waits.setdefault(edge.topics.device, deque()).append((edge.ledger.head_seq, at))
            town.send(edge, messages)

    town.until(lambda: time.monotonic() - began > ROUND_S, LIMIT_S, write)
    town.until(lambda: not any(reader.waits.values()), LIMIT_S)
    return list(reader.lags)


def measured(url: str, folder: Path) -> list[list[float]]:
    """Serve, and return the lags of every round."""
    config = folder / "central.toml"
    config.write_text(
        f'[broker]\nurls = ["{url}"]\n[sync]\nunsigned = true\n[people]\neveryone_is = "page"\n', encoding="utf-8"
    )
    with redirect_stdout(sys.stderr):
        assert start(["migrate", "--config", str(config)]) == 0
    store = open_store("sqlite:///central.db", base=folder)
    town = Town(edges(WARDS, Signing(unsigned=True)))
    enrol_all(store, town.edges)
    store.close()
    command = [*PROGRAM, "serve", "--config", str(config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        reader = Reader(f"http://{server.stdout.readline().split()[1]}")
        try:
            town.open(url)
            assert town.until(lambda: all(edge.is_live for edge in town.edges), LIMIT_S)
            return [play(town, reader) for _ in range(ROUNDS)]
        finally:
            reader.stop()
            town.close()
            server.kill()


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name, some_broker(Path(name)) as pipe:
        rounds = measured(pipe.url, Path(name))
    p50 = median(median(lags) for lags in rounds)
    p99 = median(quantiles(lags, n=100)[98] for lags in rounds)
    report_bar(
        "commit_to_visible",
        ratio=max(p50 / P50_BAR_S, p99 / P99_BAR_S),
        bar=1.0,
        what="from the edge's ledger to the API at 200 entries/s: p50 over 250 ms or p99 over 2 s, the worse",
        p50_s=p50,
        p99_s=p99,
        entries=sum(map(len, rounds)),
    )


if __name__ == "__main__":
    main()
