"""The thread of the whole house: a scan at a serial port reaches central's ledger over a real broker.

The edge is the real program on a pseudo-terminal, the broker a process; central's ingest runs here on a real file.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from central.clock import Clock
from central.services.ingest import Running, start_ingest
from central.services.verify import verify
from central.store.chains import enrol
from central.store.engine import Store, open_store
from central.store.migrate import migrate
from central.store.tables.ledger import BALANCE, BINDING, DEVICE, EVENT, LEDGER
from protocols.codes.label import make_badge
from protocols.readers.scanner import Beep
from protocols.sync.codec import Signing
from protocols.values.ids import ActorId, DeviceId, HospitalId, PlaceId
from tests.system.brokers import BrokerProcess, broker
from tests.system.edge_ward import CONFIG, PIECES, Ward, label

pytestmark = pytest.mark.needs_linux

BADGE = make_badge(ActorId("1001"))
MAIN, WARD = HospitalId("main"), PlaceId("ward-01")
LINK = "unsigned = true\nhello_s = 0.5\nresend_s = 1\nbackoff_max_s = 0.5\nspread_s = 0.1"
LIMIT_S = 60.0
POLL_S = 0.02
KINDS = ["amqtt", pytest.param("mosquitto", marks=pytest.mark.needs_mosquitto)]


def eventually(true: Callable[[], bool]) -> None:
    until = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < until, "it did not come to pass in time"
        time.sleep(POLL_S)


class Central:
    """Central's store and ingest."""

    def __init__(self, folder: Path, url: str) -> None:
        self.store: Store = open_store("sqlite:///central.db", base=folder)
        migrate(self.store)
        with self.store.write() as connection:
            enrol(connection, MAIN, DeviceId("ward-01"), WARD)
        self._url = url
        self.running = self.start()

    def start(self) -> Running:
        self.running = start_ingest(
            self.store,
            Clock(),
            hospital=MAIN,
            urls=[self._url],
            signing=Signing(unsigned=True),
            on_committed=lambda _hospital, _places: None,
        )
        return self.running

    def kinds(self) -> list[str]:
        with self.store.read() as connection:
            return list(connection.scalars(select(LEDGER.c.kind).order_by(LEDGER.c.seq)))

    def actors(self, kind: str) -> list[str]:
        with self.store.read() as connection:
            return list(connection.scalars(select(EVENT.c.actor).where(EVENT.c.kind == kind)))

    def held(self, place: str) -> int:
        with self.store.read() as connection:
            return sum(connection.scalars(select(BALANCE.c.qty).where(BALANCE.c.place == place)))

    def count(self, table: object) -> int:
        with self.store.read() as connection:
            return len(connection.execute(select(table)).all())  # type: ignore[call-overload] # any table

    def status(self) -> tuple[str, int]:
        with self.store.read() as connection:
            row = connection.execute(select(DEVICE)).one()
        return row.status, row.said_seq


@pytest.fixture(params=KINDS)
def pipe(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BrokerProcess]:
    with broker(request.param, tmp_path) as process:
        yield process


@pytest.fixture
def ward(tmp_path: Path, pipe: BrokerProcess) -> Iterator[Ward]:
    with closing(Ward(tmp_path)) as made:
        made.config.write_text(CONFIG.replace("mqtt://127.0.0.1:9", pipe.url).replace("unsigned = true", LINK))
        yield made


@pytest.fixture
def central(tmp_path: Path, pipe: BrokerProcess) -> Iterator[Central]:
    made = Central(tmp_path, pipe.url)
    yield made
    made.running.stop()
    made.store.close()


def test_a_scan_reaches_centrals_ledger_and_moves_its_book(ward: Ward, central: Central) -> None:
    ward.start_ready()
    assert ward.plug.scan(BADGE, label(1), label(2)) == [Beep.OK] * 3
    eventually(lambda: len(central.kinds()) == 5)
    assert central.kinds() == ["bind_tag", "opening", "visit", "issue", "issue"]
    assert (central.held("ward-01"), central.held("issued@ward-01")) == (PIECES - 2, 2)
    assert (central.actors("issue"), central.count(BINDING)) == (["1001", "1001"], PIECES)
    assert central.status() == ("live", 4)
    assert verify(central.store).faults == []


def test_nothing_is_lost_or_doubled_when_edge_broker_and_central_are_killed_in_turn(
    ward: Ward, central: Central, pipe: BrokerProcess
) -> None:
    agent = ward.start_ready()
    oks = ward.plug.scan(BADGE, label(0)).count(Beep.OK)
    central.running.stop()
    oks += ward.plug.scan(label(1), label(2)).count(Beep.OK)
    os.kill(agent.pid, signal.SIGKILL)
    agent.wait(LIMIT_S)
    central.start()
    ward.start_ready()
    pipe.kill()
    oks += ward.plug.scan(label(3), label(4)).count(Beep.OK)
    pipe.start()
    oks += ward.plug.scan(label(5)).count(Beep.OK)
    assert oks == 7
    eventually(lambda: len(central.kinds()) == oks + 2)
    assert central.kinds() == ward.kinds()
    assert central.held("issued@ward-01") == 6
    assert verify(central.store).faults == []
    assert ward.tool("verify", str(ward.ledger)).returncode == 0
