"""The way down: what the hospital decides at central, a real edge obeys within seconds, and after a restart alone.

The edge is the real program on a pseudo-terminal, the broker a process; central's ingest and worker run here on a file.
"""

import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from central.clock import Clock
from central.core.rights import Caller, Grant, Role
from central.services.documents import Documents
from central.services.feed.answers import offers
from central.services.feed.hints import hinter
from central.services.feed.keeper import FeedKeeper, Seals, Times
from central.services.imports import import_folder
from central.services.ingest import Running, start_ingest
from central.services.permits import Permits
from central.services.policy import seed_policy
from central.services.recalls import Recalls
from central.services.verify import verify
from central.services.worker import Duties, Worker
from central.store.engine import open_store
from central.store.feeds import held_by
from central.store.migrate import migrate
from protocols.codes.label import make_badge
from protocols.permits import Audit
from protocols.readers.scanner import Beep
from protocols.sync.codec import Signing
from protocols.values.ids import ActorId, DeviceId, HospitalId, PlaceId
from tests.central.hospital import FILES, write_files
from tests.system.brokers import BrokerProcess, broker
from tests.system.edge_ward import CONFIG, GTIN, Ward, label
from tests.system.test_scan_reaches_central import KINDS, LIMIT_S, LINK, eventually

pytestmark = pytest.mark.needs_linux

BADGE = make_badge(ActorId("1001"))
MAIN, DEVICE = HospitalId("main"), DeviceId("ward-01")
ITEM = f"C001,缝合线,Suture,3-0,{GTIN},根,piece,1,high,vital,1,room\n"
SEEN_WITHIN_S = 600.0
"""The edge greets no sooner than this when it is idle: what it learns within the test, a hint has told it."""


def person(role: Role) -> Caller:
    return Caller(ActorId(f"{role}-1"), role, (Grant(role),))


class Central:
    """Central's store, ingest and worker, as `serve` puts them together."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self._url, clock = folder, url, Clock()
        self.store = open_store("sqlite:///central.db", base=folder)
        migrate(self.store)
        seed_policy(self.store, MAIN)
        self.clock = clock
        self.import_items("Suture")
        documents = Documents(self.store, MAIN, clock)
        self.feed = FeedKeeper(self.store, MAIN, Times(clock.now, clock.link_s), Seals())
        self.permits, self.recalls = Permits(documents, self.feed.changed), Recalls(documents, self.feed.changed)
        duties = Duties("3x", 86_400, 86_400, feed=self.feed.round)
        self.worker = Worker(self.store, MAIN, clock.now, duties)
        self.feed.wake_by(self.worker.ring)
        self.running: Running | None = None
        self.start()
        self.worker.start()

    def import_items(self, name: str) -> None:
        files = {**FILES, "items.csv": FILES["items.csv"] + ITEM.replace("Suture", name)}
        import_folder(self.store, MAIN, write_files(self.folder / "import", files), self.clock)

    def start(self) -> None:
        signing = Signing(unsigned=True)
        self.running = start_ingest(
            self.store, self.clock, hospital=MAIN, urls=[self._url], signing=signing, on_committed=self.worker.committed
        )
        self.feed.speak_by(hinter(self.running.broker.keep, MAIN, signing))

    def stop(self) -> None:
        if self.running is not None:
            self.running.stop()
        self.running = None

    def close(self) -> None:
        self.worker.stop()
        self.stop()
        self.store.close()

    def suspend(self) -> None:
        auditor, nursing = person(Role.AUDITOR), person(Role.NURSING_DEPARTMENT)
        for _ in range(2):
            self.permits.move(auditor, "ward-01", Audit.FAILED, "shelves in disorder")
        self.permits.decide(nursing, "ward-01", "confirmed")

    def knows_what_it_has_said(self) -> bool:
        """Tell whether the ward has told that it holds the newest version of everything."""
        with self.store.read() as connection:
            held = {scope: version for (_, scope), (version, _) in held_by(connection, MAIN).items()}
            newest = {offer.scope: offer.version for offer in offers(connection, MAIN, DEVICE, PlaceId("ward-01"))}
        return held == newest


@pytest.fixture(params=KINDS)
def pipe(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BrokerProcess]:
    with broker(request.param, tmp_path) as process:
        yield process


@pytest.fixture
def ward(tmp_path: Path, pipe: BrokerProcess) -> Iterator[Ward]:
    with closing(Ward(tmp_path)) as made:
        link = f"{LINK}\nidle_hello_s = {SEEN_WITHIN_S}"
        made.config.write_text(CONFIG.replace("mqtt://127.0.0.1:9", pipe.url).replace("unsigned = true", link))
        opening = made.folder / "opening.csv"
        lines = opening.read_text().splitlines(keepends=True)
        opening.write_text("".join(lines[:11]) + "".join(line.replace(",L1,", ",L2,") for line in lines[11:]))
        yield made


@pytest.fixture
def central(tmp_path: Path, pipe: BrokerProcess) -> Iterator[Central]:
    with closing(Central(tmp_path, pipe.url)) as made:
        yield made


def row(ward: Ward, kind: str, key: str) -> dict[str, Any]:
    """Return a row of the master data at the edge, empty where there is none."""
    with closing(sqlite3.connect(ward.ledger)) as connection:
        found = connection.execute("SELECT body FROM master WHERE kind = ? AND key = ?", (kind, key)).fetchone()
    return dict(json.loads(found[0])) if found else {}


def bodies(ward: Ward, kind: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(ward.ledger)) as connection:
        return [json.loads(raw) for (raw,) in connection.execute(
            "SELECT json(CAST(body AS TEXT)) FROM ledger WHERE kind = ? ORDER BY seq", (kind,)
        )]  # fmt: skip


def test_what_central_decides_a_ward_obeys_within_seconds_and_alone_after_a_restart(
    ward: Ward, central: Central, pipe: BrokerProcess
) -> None:
    agent = ward.start_ready()
    eventually(lambda: row(ward, "item", "C001").get("name_en") == "Suture")
    eventually(lambda: bool(row(ward, "policy", "permit")))
    assert ward.plug.scan(BADGE, label(1)) == [Beep.OK, Beep.OK]

    central.import_items("Suture 3-0")  # nobody says so: the feed looks by itself
    eventually(lambda: row(ward, "item", "C001").get("name_en") == "Suture 3-0")

    central.suspend()
    eventually(lambda: '"suspended"' in row(ward, "policy", "permit").get("text", ""))
    assert ward.plug.scan(label(2)) == [Beep.LOOK]  # a take for a patient: recorded, with a red light

    central.recalls.recall(person(Role.STOREKEEPER), "C001", "L1", "the maker's letter of today")
    eventually(lambda: bool(row(ward, "recall", "C001 L1")))
    assert ward.plug.scan(label(3)) == [Beep.NO]
    eventually(lambda: "hold_recall" in ward.kinds())
    eventually(central.knows_what_it_has_said)

    central.stop()
    pipe.kill()
    os.kill(agent.pid, signal.SIGKILL)
    agent.wait(LIMIT_S)
    ward.start_ready()
    assert ward.plug.scan(BADGE, label(4), label(15)) == [Beep.OK, Beep.NO, Beep.LOOK]
    versions = [(body["policy"], body.get("flags", [])) for body in bodies(ward, "issue")]
    assert versions == [("0", []), ("3", ["suspended"]), ("3", ["suspended"])]
    assert ward.tool("verify", str(ward.ledger)).returncode == 0


def test_a_ward_that_was_away_and_a_broker_that_forgot_are_told_when_they_are_back(
    ward: Ward, central: Central, pipe: BrokerProcess
) -> None:
    agent = ward.start_ready()
    eventually(lambda: bool(row(ward, "item", "C001")))
    os.kill(agent.pid, signal.SIGKILL)
    agent.wait(LIMIT_S)
    central.suspend()
    pipe.kill()
    pipe.start()
    ward.start_ready()
    eventually(lambda: '"suspended"' in row(ward, "policy", "permit").get("text", ""))
    central.permits.move(person(Role.NURSING_DEPARTMENT), "ward-01", Audit.PLAN, "the plan of today")
    eventually(lambda: '"rectifying"' in row(ward, "policy", "permit").get("text", ""))
    assert verify(central.store).faults == []
