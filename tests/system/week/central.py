"""Central of the scripted week: broker, store and ingest, started when the network comes at last."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select

from central.clock import Clock
from central.services.ingest import start_ingest
from central.services.verify import verify
from central.store.chains import enrol
from central.store.engine import Store, open_store
from central.store.migrate import migrate
from central.store.tables.ledger import BALANCE, EVENT
from protocols.sync.codec import Signing
from protocols.values.ids import DeviceId, HospitalId, PlaceId
from tests.system.brokers import BrokerProcess
from tests.system.week.hospital import WARD
from tests.system.week.room import WATCHED, Key

MAIN = HospitalId("main")


class Central:
    """What central has."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def events(self) -> int:
        """Return how many events it has, each once."""
        with self._store.read() as connection:
            return int(connection.scalar(select(func.count()).select_from(EVENT)) or 0)

    def book(self) -> dict[Key, int]:
        """Return its balances of the ward's places, item by lot by shelf."""
        found: Counter[Key] = Counter()
        with self._store.read() as connection:
            for row in connection.execute(select(BALANCE)):
                found[row.place, row.position, row.item, row.lot] += row.qty
        return {key: qty for key, qty in found.items() if qty and key[0] in WATCHED}

    def faults(self) -> list[object]:
        """Return what does not verify."""
        return list(verify(self._store).faults)


@contextmanager
def network(broker: BrokerProcess, folder: Path) -> Iterator[Central]:
    """Let the broker and a central that never heard of the week be there."""
    store = open_store("sqlite:///central.db", base=folder)
    migrate(store)
    with store.write() as connection:
        enrol(connection, MAIN, DeviceId(WARD), PlaceId(WARD))
    broker.start()
    running = start_ingest(
        store,
        Clock(),
        hospital=MAIN,
        urls=[broker.url],
        signing=Signing(unsigned=True),
        on_committed=lambda _hospital, _places: None,
    )
    try:
        yield Central(store)
    finally:
        running.stop()
        store.close()
        broker.kill()
