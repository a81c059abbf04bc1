"""A real edge ledger reaches central's ledger over a real broker, through kills and restarts of everyone.

The edge here is the ledger, the session and the link, without readers and scanners; time is real and only polled.
"""

import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from central.clock import Clock
from central.services.ingest import Running, start_ingest
from central.services.verify import verify
from central.store.chains import enrol
from central.store.engine import Store, open_store
from central.store.migrate import migrate
from central.store.tables.ledger import EVENT
from edge_agent.links.broker import BrokerLink
from edge_agent.store.ledger import Ledger, open_ledger
from protocols.entry import Entry
from protocols.sync.codec import Signing
from protocols.sync.machine import Action, MoveOn, Speaker, State, Timing, Transmit
from protocols.sync.session import EdgeSession
from protocols.sync.settle import settle
from protocols.sync.topics import Topics
from protocols.values.ids import DeviceId, HospitalId, PlaceId, incarnation
from tests.central.services.parties import START, issue, opening
from tests.system.brokers import BrokerProcess, broker

MAIN, WARD = HospitalId("main"), DeviceId("ward-01")
OPEN = Signing(unsigned=True)
TIMING = Timing(hello_s=0.5, resend_s=1, backoff_max_s=0.5, spread_s=0, welcome_wait_s=5)
LIMIT_S = 60.0
POLL_S = 0.02
TURN_S = 0.05


def eventually(true: Callable[[], bool]) -> None:
    until = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < until, "it did not come to pass in time"
        time.sleep(POLL_S)


class Edge:
    """One process run of an edge: its thread is the one writer of its ledger."""

    def __init__(self, path: Path, urls: list[str], chance: random.Random) -> None:
        self.acked, self.head, self.state, self.moves = -1, -1, State.OFFLINE, 0
        self._path, self._chance = path, chance
        self._inbox: queue.Queue[Callable[[float], list[Action]]] = queue.Queue()
        self._stopping = threading.Event()
        self._started = threading.Event()
        self._link = BrokerLink(
            urls,
            Topics(MAIN, 0, WARD),
            on_connect=lambda: self._inbox.put(self._session.connected),
            on_disconnect=lambda _why: self._inbox.put(lambda _now: self._session.disconnected()),
            on_message=lambda data: self._inbox.put(lambda now: self._session.receive(data, now)),
            keepalive_s=2,
            backoff_max_s=0.5,
        )
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._started.wait(LIMIT_S)
        self._link.start()

    def write(self, *entries: Entry) -> None:
        """Put entries into the ledger, as a scan would; returns after COMMIT."""
        done = threading.Event()
        self._inbox.put(lambda now: self._append(entries, now, done))
        assert done.wait(LIMIT_S)

    def stop(self) -> None:
        self._link.stop()
        self._stopping.set()
        self._thread.join()

    def _append(self, entries: tuple[Entry, ...], now: float, done: threading.Event) -> list[Action]:
        self._ledger.append(entries)
        self.head = self._ledger.head().seq
        done.set()
        return self._session.appended(self.head, self._ledger.head().hash, now)

    def _run(self) -> None:
        newborn = incarnation(self._chance.randbytes(16))
        self._ledger: Ledger = open_ledger(self._path, WARD, newborn=newborn, now=START)
        head = self._ledger.head()
        self.head = head.seq
        speaker = Speaker(WARD, self._chance.randbytes(16), "0.1.0")
        self._session = EdgeSession(
            speaker, self._ledger.way(), signing=OPEN, timing=TIMING, chance=self._chance.random
        )
        self._started.set()
        while not self._stopping.is_set():
            self._turn()
        self._ledger.close()

    def _turn(self) -> None:
        try:
            happening = self._inbox.get(timeout=TURN_S)
            actions = happening(time.monotonic())
        except queue.Empty:
            actions = []
        actions += self._session.tick(time.monotonic())
        for action in settle(self._session, actions, self._ledger, time.monotonic()):
            if isinstance(action, Transmit):
                self._link.publish(action.data)
            elif isinstance(action, MoveOn):
                self.moves += 1
                self._link.move_on()
        self.acked, self.state = self._session.acked, self._session.state


class Parties:
    """Central and one edge, each of which can be started again on what it left on its disk."""

    def __init__(self, folder: Path, urls: list[str]) -> None:
        self._folder, self._urls, self._chance = folder, urls, random.Random(1)
        self.store = open_store("sqlite:///central.db", base=folder)
        migrate(self.store)
        with self.store.write() as connection:
            enrol(connection, MAIN, WARD, PlaceId("ward-01"))
        self.touched: set[PlaceId] = set()
        self.central = self._start_central()
        self.edge = Edge(folder / "ledger.db", urls, self._chance)

    def _start_central(self) -> Running:
        return start_ingest(
            self.store,
            Clock(),
            hospital=MAIN,
            urls=self._urls,
            signing=OPEN,
            on_committed=lambda _hospital, places: self.touched.update(places),
            keepalive_s=2,
        )

    def restart_central(self) -> None:
        self.central.stop()
        self.central = self._start_central()

    def restart_edge(self) -> None:
        self.edge.stop()
        self.edge = Edge(self._folder / "ledger.db", self._urls, self._chance)

    def stop(self) -> None:
        self.edge.stop()
        self.central.stop()
        self.store.close()

    def all_acknowledged(self) -> bool:
        return self.edge.acked == self.edge.head

    def check(self, entries: int) -> None:
        assert self.edge.head == entries - 1
        assert _events(self.store) == entries
        report = verify(self.store)
        assert (report.faults, report.entries) == ([], entries)


def _events(store: Store) -> int:
    with store.read() as connection:
        return connection.scalar(select(func.count()).select_from(EVENT)) or 0


KINDS = ["amqtt", pytest.param("mosquitto", marks=pytest.mark.needs_mosquitto)]


@pytest.fixture(params=KINDS)
def pipe(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BrokerProcess]:
    with broker(request.param, tmp_path) as process:
        yield process


@pytest.fixture
def parties(pipe: BrokerProcess, tmp_path: Path) -> Iterator[Parties]:
    both = Parties(tmp_path, [pipe.url])
    yield both
    both.stop()


def test_what_stands_in_the_edges_ledger_reaches_centrals(parties: Parties) -> None:
    parties.edge.write(opening(0, qty=100))
    for number in range(1, 20):
        parties.edge.write(issue(number))
    eventually(parties.all_acknowledged)
    parties.check(20)
    assert parties.touched == {PlaceId("ward-01")}


def test_nothing_is_lost_or_doubled_when_the_broker_is_killed_and_comes_back(
    pipe: BrokerProcess, parties: Parties
) -> None:
    parties.edge.write(opening(0, qty=100))
    eventually(parties.all_acknowledged)
    pipe.kill()
    for number in range(1, 30):
        parties.edge.write(issue(number))
    assert parties.edge.acked == 0
    pipe.start()
    eventually(parties.all_acknowledged)
    parties.check(30)


def test_nothing_is_lost_or_doubled_when_either_end_starts_again(parties: Parties) -> None:
    parties.edge.write(opening(0, qty=100))
    eventually(parties.all_acknowledged)
    parties.central.stop()
    for number in range(1, 10):
        parties.edge.write(issue(number))
    parties.restart_edge()
    parties.edge.write(*(issue(number) for number in range(10, 700)))
    parties.restart_central()
    eventually(parties.all_acknowledged)
    parties.restart_edge()
    parties.edge.write(issue(700))
    eventually(parties.all_acknowledged)
    parties.check(701)


@pytest.mark.slow
def test_an_edge_finds_central_behind_the_second_broker_of_its_list(tmp_path: Path) -> None:
    with broker("amqtt", tmp_path) as deaf, broker("amqtt", tmp_path) as heard:
        both = Parties(tmp_path, [heard.url])
        both.edge.stop()
        both.edge = Edge(tmp_path / "ledger.db", [deaf.url, heard.url], random.Random(2))
        both.edge.write(opening(0))
        eventually(both.all_acknowledged)
        assert both.edge.moves >= 1
        both.check(1)
        both.stop()
