"""A scan on a real pseudo-terminal reaches central's ledger over a real broker, whoever restarts on the way."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from central.clock import Clock
from central.services.ingest import Running, start_ingest
from central.store.chains import enrol
from central.store.engine import Store, open_store
from central.store.migrate import migrate
from central.store.tables.ledger import LEDGER
from protocols.codes.label import make_badge
from protocols.readers.scanner import Beep
from protocols.sync.codec import Signing
from protocols.values.ids import ActorId, DeviceId, PlaceId, hospital_id
from tests.system.edge_ward import CONFIG, ROOT, WAIT_S, Ward, label

pytestmark = pytest.mark.needs_linux

BADGE = make_badge(ActorId("1001"))
HOSPITAL = hospital_id("main")
QUICK = "hello_s = 0.5\nresend_s = 1\nbackoff_max_s = 0.5\nspread_s = 0.1\n"


@contextmanager
def broker(port: int) -> Iterator[int]:
    command = [sys.executable, "-m", "hardware_sim.broker", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline().rsplit(":", 1)[1])
        finally:
            process.kill()


@contextmanager
def central(store: Store, port: int) -> Iterator[Running]:
    running = start_ingest(
        store,
        Clock(),
        hospital=HOSPITAL,
        urls=[f"mqtt://127.0.0.1:{port}"],
        signing=Signing(unsigned=True),
        on_committed=lambda _hospital, _places: None,
    )
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = open_store(f"sqlite:///{tmp_path / 'central.db'}")
    migrate(made)
    with made.write() as connection:
        enrol(connection, HOSPITAL, DeviceId("ward-01"), PlaceId("ward-01"))
    return made


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    (tmp_path / "edge").mkdir()
    with closing(Ward(tmp_path / "edge")) as made:
        yield made


def arrives(store: Store, ward: Ward) -> bool:
    """Wait until central holds everything the edge's ledger holds, once."""
    limit = time.monotonic() + WAIT_S
    held: list[str] = []
    while time.monotonic() < limit:
        with store.read() as connection:
            held = list(connection.scalars(select(LEDGER.c.kind).order_by(LEDGER.c.seq)))
            events = connection.scalar(select(func.count(func.distinct(LEDGER.c.event_id))))
        if held == ward.kinds() and events == len(held):
            return True
        time.sleep(0.1)
    return False


def test_scans_reach_centrals_ledger_through_restarts_of_everyone(store: Store, ward: Ward) -> None:
    with broker(0) as port:
        text = CONFIG.replace("unsigned = true\n", "unsigned = true\n" + QUICK).replace(":9", f":{port}")
        ward.config.write_text(text.replace("[sync]", "keepalive_s = 2\n[sync]"))
        with central(store, port):
            edge = ward.start_ready()
            assert ward.plug.scan(BADGE, label(1)) == [Beep.OK, Beep.OK]
            assert arrives(store, ward), ward.log()
        assert ward.plug.scan(label(2)) == [Beep.OK]  # central is away
        edge.kill()
        edge.wait(WAIT_S)
        edge = ward.start_ready()
        assert ward.plug.scan(label(3)) == [Beep.OK]
        with central(store, port):
            assert arrives(store, ward), ward.log()
    assert ward.plug.scan(label(4)) == [Beep.OK]  # the broker is away
    with broker(port) as port, central(store, port):
        assert arrives(store, ward), ward.log()
        edge.terminate()
        assert edge.wait(WAIT_S) == 0
    assert ward.kinds().count("issue") == 4
