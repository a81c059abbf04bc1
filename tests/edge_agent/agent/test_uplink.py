"""The ledger reaches central through the uplink: real session, real ledger, real ingest; only the pipe is a list."""

import io
import random
import sqlite3
from itertools import count
from pathlib import Path

import pytest

from edge_agent.agent.uplink import Uplink
from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock
from edge_agent.config import SyncConfig
from edge_agent.store.ledger import Ledger
from protocols.values.ids import hospital_id
from protocols.values.instant import StoryTime
from tests.central.services.parties import Central, VirtualClock
from tests.central.stores import migrated_store
from tests.edge_agent.conftest import START, Scribe

SYNC = SyncConfig(("mqtt://127.0.0.1:1",), 2, unsigned=True, hello_s=1, resend_s=2, backoff_max_s=1, spread_s=0.5)
UNITS = [f"30340242201D8D40000000{number:02X}" for number in range(20)]
STEP_NS = 100_000_000


class Pipe:
    """What was published and not yet carried; a pipe that is cut drops."""

    def __init__(self) -> None:
        self.up: list[bytes] = []
        self.cut = False
        self.moved = 0

    def publish(self, data: bytes) -> None:
        if not self.cut:
            self.up.append(data)

    def move_on(self) -> None:
        self.moved += 1


class Line:
    """One edge, one central, and a pipe; time is a value."""

    def __init__(self, ledger: Ledger, central: Central | None) -> None:
        self.ns = 1_000_000_000
        self.ledger, self.central, self.pipe, self.log = ledger, central, Pipe(), io.StringIO()
        self.clock = Clock(StoryTime(START, 1, self.ns), lambda: self.ns)
        self.boot()

    def boot(self) -> None:
        voice = Voice(self.clock, self.log)
        nonce = random.Random(self.ns).randbytes(16)
        self.uplink = Uplink(
            self.ledger, SYNC, self.pipe, boot_nonce=nonce, version="0.1.0", clock=self.clock, voice=voice
        )
        self.uplink.up()

    def run(self, seconds: float, *, loss: float = 0.0) -> None:
        chance = random.Random(5)
        for _ in range(round(seconds * 1e9 / STEP_NS)):
            self.ns += STEP_NS
            self.uplink.tick(now=self.clock.now(), free_bytes=1)
            said, self.pipe.up = self.pipe.up, []
            answers = [answer for data in said if chance.random() >= loss for answer in self.ask(data)]
            for answer in answers:
                if chance.random() >= loss:
                    self.uplink.said(answer)

    def ask(self, data: bytes) -> list[bytes]:
        if self.central is None:
            return []
        self.central.clock.at = self.ns / 1e9
        return self.central.hear(data)

    def append(self, scribe: Scribe, many: int) -> None:
        for _ in range(many):
            self.ledger.append([scribe.visit()])
        self.uplink.committed()


names = count()


@pytest.fixture
def central() -> Central:
    made = Central(migrated_store(), VirtualClock(), hospital_id(f"h{next(names)}"))
    made.enrol()
    return made


def test_what_is_in_the_ledger_is_acknowledged_and_what_comes_later_follows_at_once(
    ledger: Ledger, central: Central, scribe: Scribe
) -> None:
    ledger.append([scribe.bind(*UNITS), scribe.opening(*UNITS)])
    line = Line(ledger, central)
    line.run(3)
    assert ledger.acked() == 1
    line.append(scribe, 3)
    line.run(0.2)
    assert ledger.acked() == 4
    assert "central listens" in line.log.getvalue()


def test_a_restart_and_a_cut_lose_and_double_nothing(ledger: Ledger, central: Central, scribe: Scribe) -> None:
    line = Line(ledger, central)
    line.append(scribe, 5)
    line.run(3)
    line.uplink.down("the broker is gone")
    line.pipe.cut = True
    line.append(scribe, 700)
    line.run(5)
    line.pipe.cut = False
    line.boot()
    line.run(30, loss=0.3)
    line.run(10)
    assert ledger.acked() == ledger.head().seq == 704
    assert "the broker is gone; entries wait in the ledger" in line.log.getvalue()


def test_an_unknown_device_is_told_why(ledger: Ledger, central: Central, scribe: Scribe) -> None:
    del scribe
    stranger = Central(central.store, VirtualClock(), hospital_id(f"h{next(names)}"))
    line = Line(ledger, stranger)
    line.run(10)
    assert "central refuses:" in line.log.getvalue()
    assert ledger.acked() == -1


def test_a_central_that_never_answers_makes_it_try_the_next_broker(ledger: Ledger, scribe: Scribe) -> None:
    line = Line(ledger, None)
    line.append(scribe, 1)
    line.run(50)
    assert line.pipe.moved == 2


def test_the_mark_survives_a_restart(ledger: Ledger, ledger_path: Path, central: Central, scribe: Scribe) -> None:
    line = Line(ledger, central)
    line.append(scribe, 2)
    line.run(3)
    assert ledger_path.exists()
    line.boot()
    line.run(3)
    assert ledger.acked() == 1


def test_a_ledger_that_another_program_holds_delays_the_mark_and_ends_nothing(
    ledger: Ledger, ledger_path: Path, central: Central, scribe: Scribe
) -> None:
    line = Line(ledger, central)
    line.run(3)
    line.append(scribe, 2)
    ledger.connection.execute("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(ledger_path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    line.run(1)
    assert ledger.acked() == -1
    assert "mark:" in line.log.getvalue()
    other.close()
    line.append(scribe, 1)
    line.run(5)
    assert ledger.acked() == 2
