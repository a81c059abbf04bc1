"""Lists of a hundred thousand rows over HTTP: pages near and far, filtered and not, on the server as it is.

A storeroom of a hundred thousand lines, as many orders and discrepancies, on SQLite; whoever comes is one person. Each
question is asked of random pages; what counts is its p95, beside the p95 of the same questions of a store of a hundred
rows in the same run, for a shared machine says nothing absolute.
"""

import http.client
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles

from central.store.paging import write_cursor
from tests.bench.bench_stock_list import worked
from tests.bench.long_lists import CONFIG, at, differ_much, founded, order_much, receive_lots
from tests.bench.measure import report_bar
from tests.central.hospital import GAUZE, KIT, Ward, tags

LONG, SHORT, ASKED, UNITS, COUNTED = 100_000, 100, 40, 200, 3
BAR_S = 0.3
PLACE = "ward-01"

Question = Callable[[random.Random, int], str]
QUESTIONS: Mapping[str, Question] = {
    "stock": lambda rng, rows: f"/stock?place={PLACE}&page={rng.randrange(1, max(2, rows // 100))}",
    "stock_filtered": lambda rng, rows: f"/stock?place={PLACE}&q=L{rng.randrange(rows) // 10:05d}",
    "stock_differing": lambda _rng, _rows: f"/stock?place={PLACE}&differing=1",
    "lines": lambda rng, rows: f"/api/v1/lines?place={PLACE}&limit=50&cursor={_line(rng.randrange(rows))}",
    "trace_of_lot": lambda rng, rows: f"/trace?q=L{rng.randrange(rows):06d}",
    "trace_of_item": lambda _rng, _rows: f"/trace?q={GAUZE}",
    "orders": lambda rng, rows: f"/api/v1/orders?limit=50&cursor={_order(rng.randrange(rows), rows)}",
    "orders_page": lambda rng, _rows: f"/orders?page={rng.randrange(1, 6)}",
    "discrepancies": lambda rng, rows: (
        f"/api/v1/discrepancies?status=all&limit=50&cursor={_discrepancy(rng.randrange(rows), rows)}"
    ),
    "discrepancies_open_here": lambda _rng, _rows: f"/api/v1/discrepancies?place={PLACE}&limit=50",
}


def _line(number: int) -> str:
    return write_cursor("lines", (GAUZE, f"L{number:06d}"))


def _order(number: int, rows: int) -> str:
    return write_cursor("orders", (at(number, rows), f"PO-{number:07d}"))


def _discrepancy(number: int, rows: int) -> str:
    return write_cursor("discrepancies", (at(number, rows), f"d{number:07d}"))


@contextmanager
def serving(folder: Path, rows: int) -> Iterator[int]:
    """Found a hospital with lists of so many rows and serve it; gives the port."""
    folder.mkdir()
    config, store = founded(folder)
    config.write_text(CONFIG + '[people]\neveryone_is = "page"\n', "utf-8")
    ward, units = Ward(store), tags(UNITS)
    receive_lots(ward, rows)
    ward.open(KIT, "K1", units)
    for number, unit in enumerate(units):
        ward.observe(unit, 0.03 if number % 20 == 0 else 0.99, 900)
    order_much(store, rows)
    differ_much(store, rows)
    store.close()
    command = [sys.executable, "-m", "tests.bench.stock_server", str(config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.terminate()


def asked(port: int, path: str) -> float:
    """Ask once; returns the seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    began = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    took = time.perf_counter() - began
    connection.close()
    assert answer.status == http.client.OK, (path, body[:500])
    return took


def p95(seconds: list[float]) -> float:
    """Return the value below which 95 of 100 lie."""
    return quantiles(seconds, n=20)[18]


def measured(question: str, rows_at: Mapping[int, int]) -> list[float]:
    """Ask a question of both servers by turns; returns the p95 of each in their order."""
    rng, taken = random.Random(question), {port: list[float]() for port in rows_at}
    for _ in range(ASKED):
        for port, rows in rows_at.items():
            taken[port].append(asked(port, QUESTIONS[question](rng, rows)))
    return [p95(seconds) for seconds in taken.values()]


def costs(port: int, question: str) -> dict[str, float]:
    """Return processor milliseconds and statements of one answer of the long lists."""
    rng, before = random.Random(question), worked(port)
    for _ in range(COUNTED):
        asked(port, QUESTIONS[question](rng, LONG))
    spent = worked(port, count=True)["cpu_s"] - before["cpu_s"]
    asked(port, QUESTIONS[question](rng, LONG))
    counted = worked(port)["statements"] - before["statements"]
    return {f"{question}_cpu_ms": 1_000 * spent / COUNTED, f"{question}_statements": counted}


def main() -> None:
    """Measure and print."""
    figures: dict[str, float] = {}
    with (
        tempfile.TemporaryDirectory() as name,
        serving(Path(name) / "long", LONG) as long,
        serving(Path(name) / "short", SHORT) as short,
    ):
        for question in QUESTIONS:
            of_long, of_short = measured(question, {long: LONG, short: SHORT})
            figures |= {f"{question}_p95_s": of_long, f"{question}_to_short": of_long / of_short}
            figures |= (spent := costs(long, question))
            sys.stderr.write(f"{question}: {of_long:.3f} s, {of_short:.3f} s, {spent[f'{question}_cpu_ms']:.1f} ms\n")
    worst = max(value for name, value in figures.items() if name.endswith("_p95_s"))
    report_bar(
        "long_lists",
        ratio=worst / BAR_S,
        bar=1.0,
        what=f"the slowest list's p95 of {LONG} rows over 300 ms; *_to_short over the same of {SHORT} rows",
        at_least=False,
        rows=LONG,
        **figures,
    )


if __name__ == "__main__":
    main()
