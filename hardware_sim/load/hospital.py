"""`wardstock-sim hospital`: many wards' days through a broker into central, and what came of it in figures.

Without the address of a broker it brings a broker and a central of its own, and has central's store verified at the
end. The rule that must not be broken: a summary says what was acknowledged by hash, never what was sent.
"""

import queue
import random
import sqlite3
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from hardware_sim.clock import monotonic_ns
from hardware_sim.config import Ports, write_central
from hardware_sim.demo.brokers import BROKER, free_port, start_broker
from hardware_sim.demo.options import BrokerKind, program
from hardware_sim.errors import PartFailed, WrongUse
from hardware_sim.hospital.acts import Book, acts_of
from hardware_sim.load.drive import Drive, Pace
from hardware_sim.load.edge import Edge, share_of
from hardware_sim.load.enrolling import enrol_all, make_signing
from hardware_sim.load.pipes import INBOX_MAX, News, Pipe, address_of
from hardware_sim.proxy import HOST
from hardware_sim.sample.catalogue import MAIN_STORE
from hardware_sim.sample.files import WARDS_MAX as SAMPLE_WARDS
from hardware_sim.sample.files import ward_name, write_rows, write_sample
from hardware_sim.storeroom.rates import NOMINAL
from hardware_sim.storeroom.ward import START, draw_ward
from hardware_sim.storeroom.ward import Plan as Days
from hardware_sim.supervisor import Part, Supervisor
from protocols.sync.codec import Signing
from protocols.sync.machine import Timing
from protocols.sync.topics import SHARD_MAX, Topics
from protocols.values.ids import HOSPITAL_DEFAULT, DeviceId, PlaceId
from protocols.values.instant import RATE_MAX, Instant, StoryTime, business_day, from_iso, plus

WARDS_MAX, DAYS_MAX, TAGS_MAX = 2_000, 60, 2_000
WARD_DAYS_MAX = 7_000
"""Wards times days of one load: their ledgers stand in memory, some hundred entries a ward-day."""

CONNECTIONS_MAX = 16
SETTLE_S_MAX = 3_600.0
LEAD_S = 2.0
STORE = "central.db"
VERIFY_S, VERIFY_S_A_WARD_DAY = 60.0, 0.6
"""What central may take to verify: a busy machine reads some 400 entries a second, a ward writes some 100 a day."""
TIMING = Timing(hello_s=15, resend_s=15, backoff_max_s=30, spread_s=2, idle_hello_s=600, refused_retry_s=60)

Summary = dict[str, object]
Said = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked for. `speed` is story seconds a real second; 0 makes every day a backlog that drains."""

    wards: int
    days: int
    speed: float
    tags: int
    seed: int
    broker: str
    settle_s: float

    def __post_init__(self) -> None:
        if not 1 <= self.wards <= WARDS_MAX:
            raise WrongUse(f"--wards: expected 1..{WARDS_MAX}, got {self.wards}")
        if not 1 <= self.days <= DAYS_MAX or self.wards * self.days > WARD_DAYS_MAX:
            raise WrongUse(
                f"--days: expected 1..{DAYS_MAX} and wards x days at most {WARD_DAYS_MAX}, got {self.days} days"
            )
        if not 1 <= self.tags <= TAGS_MAX:
            raise WrongUse(f"--tags: expected 1..{TAGS_MAX}, got {self.tags}")
        if not (self.speed == 0 or 1 <= self.speed <= RATE_MAX):
            raise WrongUse(f"--speed: expected 0 or 1..{RATE_MAX} story seconds a second, got {self.speed:g}")
        if not 0 < self.settle_s <= SETTLE_S_MAX:
            raise WrongUse(f"--settle: expected above 0 and at most {SETTLE_S_MAX:g} seconds, got {self.settle_s:g}")
        if self.broker not in set(BrokerKind):
            address_of(self.broker)

    @property
    def start(self) -> Instant:
        """Return the instant at which the days begin."""
        return from_iso(START)


def run_load(load: Load, state: Path, said: Said) -> Summary:
    """Carry a load through a broker; returns the figures. Raises `PartFailed`, `WrongUse`."""
    if load.broker not in set(BrokerKind):
        return _through(load, load.broker, {}, said)
    supervisor = Supervisor(state / "pids.json", said)
    try:
        port = start_broker(BrokerKind(load.broker), state, supervisor)
        config, address = _start_central(load, port, state, supervisor)
        said(f"{load.wards} devices enrol")
        keys = enrol_all(address, [DeviceId(ward_name(number)) for number in range(1, load.wards + 1)])
        summary = _through(load, f"mqtt://{HOST}:{port}", keys, said)
        supervisor.stop(["central"])
        said(f"central verifies {summary['entries']} entries")
        fault = _fault_of_store(load, config, state, supervisor)
        return summary | {
            "verified": not fault,
            "verify_fault": fault,
            "quarantined": _quarantined(config.parent),
        }
    finally:
        supervisor.stop(["central", BROKER])
        supervisor.close()


def write_places(folder: Path, load: Load) -> None:
    """Write what `wardstock-central import` must know before the load comes: items, lots, and every ward's device."""
    write_sample(folder, wards=min(load.wards, SAMPLE_WARDS), until=business_day(load.start))
    for name in ("use.csv", "stock.csv"):
        (folder / name).unlink()
    wards = [ward_name(number) for number in range(1, load.wards + 1)]
    rows = [(MAIN_STORE, 1, "中心耗材库", "Central consumables store", "", "central")]
    rows += [(ward, 2, f"{number}病区", f"Ward {number}", MAIN_STORE, ward) for number, ward in enumerate(wards, 1)]
    write_rows(folder / "places.csv", ("place", "level", "name_zh", "name_en", "parent", "device"), rows)


def _start_central(load: Load, port: int, state: Path, supervisor: Supervisor) -> tuple[Path, str]:
    """Start a central that knows the wards and signs; returns its configuration and the address of its API."""
    folder = state / "central"
    folder.mkdir(parents=True)
    write_places(state / "sample", load)
    rate = max(1.0, load.speed)
    before = StoryTime(plus(load.start, -LEAD_S), 1.0, monotonic_ns())
    path = write_central(folder, Ports(port), before, jobs_rate=rate)
    command = program("wardstock-central", Path(sys.executable).parent)
    making = [command, "keys", "init", "--config", str(path), "--root", str(state / "root")]
    supervisor.run("central keys", making, folder / "log")
    supervisor.run("central migrate", [command, "migrate", "--config", str(path)], folder / "log")
    importing = [command, "import", "--config", str(path), str(state / "sample")]
    supervisor.run("central import", importing, folder / "log")
    write_central(folder, Ports(port), StoryTime(load.start, rate, monotonic_ns()), jobs_rate=rate)
    make_signing(path, HOST, free_port())
    serving = [command, "serve", "--config", str(path)]
    return path, supervisor.start(Part("central", lambda: serving, folder / "log", "listening ")).strip()


def _fault_of_store(load: Load, config: Path, state: Path, supervisor: Supervisor) -> str:
    """Have central verify its store; returns why it is not right or not done in time, empty when it is right."""
    command = program("wardstock-central", Path(sys.executable).parent)
    limit_s = VERIFY_S + VERIFY_S_A_WARD_DAY * load.wards * load.days
    verifying = [command, "verify", "--config", str(config)]
    try:
        supervisor.run("central verify", verifying, state / "verify.log", limit_s=limit_s)
    except PartFailed as error:
        return str(error)
    return ""


def _quarantined(folder: Path) -> int:
    """Return how many entries central has set aside, from its store."""
    with closing(sqlite3.connect(f"file:{quote(str(folder / STORE))}?mode=ro", uri=True)) as connection:
        count: int = connection.execute("SELECT count(*) FROM quarantine").fetchone()[0]
    return count


def _through(load: Load, url: str, keys: Mapping[DeviceId, Signing], said: Said) -> Summary:
    """Carry the load through a broker that is there; a device without keys does not sign."""
    inbox: queue.Queue[News] = queue.Queue(INBOX_MAX)
    edges = [_edge(load, number, keys) for number in range(1, load.wards + 1)]
    shares = [edges[first::CONNECTIONS_MAX] for first in range(min(CONNECTIONS_MAX, len(edges)))]
    pipes = [(Pipe([edge.topics for edge in share], inbox), share) for share in shares]
    by_device = {edge.topics.device: pipe for pipe, share in pipes for edge in share}
    acts = {
        edge.topics.device: acts_of(draw_ward(_days(load, number)), _book(load, edge))
        for number, edge in enumerate(edges, 1)
    }
    drive = Drive(edges, acts, by_device, inbox, Pace(load.start, load.speed, load.settle_s))
    if load.speed == 0:
        drive.write_all()
    try:
        for pipe, _ in pipes:
            pipe.open(url)
        seconds = drive.run(lambda entries, waiting: said(f"{entries} entries, {waiting} not yet acknowledged"))
    finally:
        for pipe, _ in pipes:
            pipe.close()
    return _summary(load, drive, edges, [pipe for pipe, _ in pipes], seconds)


def _edge(load: Load, number: int, keys: Mapping[DeviceId, Signing]) -> Edge:
    device = DeviceId(ward_name(number))
    topics = Topics(HOSPITAL_DEFAULT, (number - 1) % (SHARD_MAX + 1), device)
    signing = keys.get(device) or Signing(unsigned=True)
    return Edge(topics, timing=TIMING, signing=signing, rng=random.Random(f"load {load.seed} {device}"))


def _days(load: Load, number: int) -> Days:
    return Days(seed=load.seed * WARDS_MAX + number, days=load.days, tags=load.tags, rates=NOMINAL)


def _book(load: Load, edge: Edge) -> Book:
    return Book(PlaceId(edge.topics.device), business_day(load.start), load.start)


def _summary(load: Load, drive: Drive, edges: list[Edge], pipes: list[Pipe], seconds: float) -> Summary:
    lags = [lag for edge in edges for lag in edge.lags_s]
    acked = sum(edge.ledger.acked + 1 for edge in edges)
    frames, sent = sum(edge.frames for edge in edges), sum(edge.bytes_up for edge in edges)
    return {
        "wards": load.wards,
        "days": load.days,
        "speed": load.speed,
        "entries": drive.entries,
        "acknowledged": acked,
        "waiting": drive.waiting,
        "seconds": round(seconds, 3),
        "entries_a_second": round(acked / seconds, 1) if seconds else 0.0,
        "frames": frames,
        "bytes_up": sent,
        "bytes_an_entry": round(sent / acked, 1) if acked else 0.0,
        "lag_s": {name: round(share_of(lags, share), 4) for name, share in LAGS.items()} if lags else {},
        "dropped": sum(pipe.dropped for pipe in pipes),
        "signed": all(edge.signs for edge in edges),
        "connections": len(pipes),
        "connections_lost": sum(pipe.lost for pipe in pipes),
        "unbelieved": sum(edge.unbelieved for edge in edges),
        "refused": sorted({edge.refusal for edge in edges if edge.refusal})[:10],
    }


LAGS = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
"""From an entry's place in its ledger to the acknowledgement that covers it, in seconds."""
