"""Five hundred agents say HELLO in the same instant: how long until each is welcomed, and how many messages it takes.

The worst case: no spread at the start. Real sessions, signed messages, one real broker, central on a SQLite file. A
storm would show as messages a device; two are allowed, one is enough.
"""

import tempfile
import time
from pathlib import Path
from statistics import median

from central.clock import Clock
from central.services.ingest import start_ingest
from central.store.engine import open_store
from central.store.migrate import migrate
from protocols.values.ids import HOSPITAL_DEFAULT
from tests.bench.live import Town, edges, enrol_all, some_broker
from tests.bench.measure import ROUNDS, report_bar
from tests.bench.wards import signing

AGENTS = 500
MESSAGES_BAR = 2.0
LIMIT_S = 120.0


def storm(url: str, folder: Path) -> tuple[float, float]:
    """Return the seconds until everybody is live and the messages a device."""
    store = open_store(f"sqlite:///{folder / 'central.db'}")
    migrate(store)
    town = Town(edges(AGENTS, signing()))
    enrol_all(store, town.edges)
    running = start_ingest(
        store,
        Clock(),
        hospital=HOSPITAL_DEFAULT,
        urls=[url],
        signing=signing(),
        on_committed=lambda _hospital, _places: None,
    )
    while not all(running.broker.connected().values()):
        time.sleep(0.01)
    began = time.monotonic()
    town.open(url)
    calm = town.until(lambda: all(edge.is_live for edge in town.edges), LIMIT_S)
    took = time.monotonic() - began
    town.close()
    running.stop()
    store.close()
    return (took if calm else LIMIT_S), town.sent / AGENTS


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name, some_broker(Path(name)) as pipe:
        rounds = []
        for turn in range(ROUNDS):
            folder = Path(name) / str(turn)
            folder.mkdir()
            rounds.append(storm(pipe.url, folder))
    said = median(messages for _, messages in rounds)
    report_bar(
        "hello_storm",
        ratio=said / MESSAGES_BAR,
        bar=1.0,
        what="messages a device until all 500 are live, over 2",
        agents=AGENTS,
        messages_a_device=said,
        settled_s=median(took for took, _ in rounds),
    )


if __name__ == "__main__":
    main()
