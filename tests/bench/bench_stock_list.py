"""The stock list of fifty rows over the API, beside a bare sqlite3 and orjson endpoint on the same server and store.

A program with a token asks `/api/v1/lines?limit=50` of a ward with readers, as `wardstock-central serve` answers it;
the bare endpoint answers the same page without people, rights and readers. Requests over one connection each, rounds
interleaved in one run; the median round counts.
"""

import http.client
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from central.clock import new_secret
from central.core.rights import Grant, Role
from central.services.accounts import OPERATOR, Accounts
from central.store.engine import Store
from protocols.values.ids import HOSPITAL_DEFAULT, ActorId
from protocols.values.instant import plus
from tests.bench.long_lists import founded, receive_lots
from tests.bench.measure import ROUNDS, report_bar
from tests.central.hospital import KIT, START, Ward, tags

LOTS, UNITS, ROWS, REQUESTS, WARM, COUNTED = 400, 60, 50, 200, 50, 20
BAR = 0.5
PLACE = "ward-01"


def furnish(store: Store) -> str:
    """Fill a ward: loose lots, tagged kits of which readers believe something; returns a program's token."""
    ward, units = Ward(store), tags(UNITS)
    receive_lots(ward, LOTS)
    ward.open(KIT, "K1", units)
    for number, unit in enumerate(units):
        ward.observe(unit, 0.03 if number % 20 == 0 else 0.99, 900)
    accounts = Accounts(store, HOSPITAL_DEFAULT, lambda: plus(START, 1_000), new_secret)
    auditor = ActorId("90001")
    accounts.add(OPERATOR, auditor, "auditor", [Grant(Role.AUDITOR)])
    return accounts.add_token(OPERATOR, auditor, "bench", read_only=True, days=300)


def asked(port: int, path: str, token: str, count: int) -> float:
    """Ask so often; returns answers a second."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    body, began = b"", time.perf_counter()
    for _ in range(count):
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == http.client.OK, body
    took = time.perf_counter() - began
    assert len(json.loads(body)["items"]) == ROWS
    connection.close()
    return count / took


def worked(port: int, *, count: bool = False) -> dict[str, float]:
    """Return what the server has worked until now, which counts statements from now on or no longer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", f"/worked?count={int(count)}")
    told: dict[str, float] = json.loads(connection.getresponse().read())
    connection.close()
    return told


def a_round(port: int, path: str, token: str) -> tuple[float, float]:
    """Return answers a second of one round, and processor milliseconds of one answer."""
    before = worked(port)["cpu_s"]
    rate = asked(port, path, token, REQUESTS)
    return rate, 1_000 * (worked(port)["cpu_s"] - before) / REQUESTS


def statements(port: int, path: str, token: str) -> float:
    """Return the statements of one answer."""
    before = worked(port, count=True)["statements"]
    asked(port, path, token, COUNTED)
    return (worked(port)["statements"] - before) / COUNTED


@contextmanager
def serving(folder: Path) -> Iterator[tuple[int, str]]:
    """Furnish a hospital and serve it; gives the port and a program's token."""
    config, store = founded(folder)
    token = furnish(store)
    store.close()
    command = [sys.executable, "-m", "tests.bench.stock_server", str(config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline()), token
        finally:
            server.terminate()


def main() -> None:
    """Measure and print."""
    ours, bare = f"/api/v1/lines?place={PLACE}&limit={ROWS}", f"/bare?place={PLACE}&limit={ROWS}"
    with tempfile.TemporaryDirectory() as name, serving(Path(name)) as (port, token):
        for path in (ours, bare):
            asked(port, path, token, WARM)
        rounds = [(a_round(port, ours, token), a_round(port, bare, token)) for _ in range(ROUNDS)]
        counted = statements(port, ours, token)
    report_bar(
        "stock_list_50_rows",
        ratio=median(one / two for (one, _), (two, _) in rounds),
        bar=BAR,
        what="answers a second over those of a bare sqlite3 and orjson endpoint on the same server",
        at_least=True,
        ours_per_s=median(one for (one, _), _ in rounds),
        plain_per_s=median(two for _, (two, _) in rounds),
        cpu_ratio=median(two / one for (_, one), (_, two) in rounds),
        ours_cpu_ms=median(one for (_, one), _ in rounds),
        plain_cpu_ms=median(two for _, (_, two) in rounds),
        ours_statements=counted,
        rows=ROWS,
    )


if __name__ == "__main__":
    main()
