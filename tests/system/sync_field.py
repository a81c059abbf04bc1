"""A hospital's sync as real processes: a broker behind a proxy, central on its store, edges; what must hold at last.

Everything signs. The store is SQLite, where `serve` takes in, or PostgreSQL, where two processes by shard do. What must
hold: every entry of every edge stands at central once, in its chain; balances are the sums of the entries; `verify`
finds no fault.
"""

import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from central.cli import start as central_start
from central.store.chains import enrol
from central.store.engine import open_store
from central.store.tables.ledger import BALANCE, DEVICE, EVENT, LEDGER
from hardware_sim.proxy import Proxy
from protocols.sync.certified import KeyKind
from protocols.sync.enrolment import Enrolled
from protocols.values.ids import HOSPITAL_DEFAULT, DeviceId, PlaceId
from protocols.values.instant import Instant
from tests.central.services.fleet import Fleet
from tests.system.brokers import HOST, BrokerProcess
from tests.system.edge_process import OPENED, Spec, write_spec

ROOT = Path(__file__).resolve().parents[2]
CENTRAL = [sys.executable, "-c", "from central.cli import main; main()"]
EDGE = [sys.executable, "-m", "tests.system.edge_process"]
LIMIT_S = 60.0
POLL_S = 0.05
SHARDS = ("0-127", "128-255")
STORE = "central.db"


def eventually(true: Callable[[], bool], what: str | Callable[[], str]) -> None:
    until = time.monotonic() + LIMIT_S
    while not true():
        told = what if isinstance(what, str) else what()
        assert time.monotonic() < until, f"it did not come to pass in time: {told}"
        time.sleep(POLL_S)


Row = tuple[bytes, bytes, int, bytes, bytes]
"""Event id, incarnation, seq, hash, body."""


class Disk(Protocol):
    """What an entry may stand on."""

    spec: Spec

    def rows(self) -> list[Row]:
        """Return everything on it."""
        ...


class Program:
    """One process that says lines; its log is a file."""

    def __init__(self, command: Sequence[str], log: Path, ready: str = "") -> None:
        self._command, self._log, self._ready = list(command), log, ready
        self.lines: list[str] = []
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self.lines = []
        with self._log.open("a") as log:
            self.process = subprocess.Popen(
                self._command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()
        eventually(lambda: any(line.startswith(self._ready) for line in self.lines), f"{self._command}: {self.log()}")

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.lines.append(line)

    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process is None:
            return
        self.process.kill()
        self.process.wait(LIMIT_S)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self.process = None


class Edge(Program):
    """One edge and the folder of its disk."""

    def __init__(self, folder: Path, spec: Spec) -> None:
        folder.mkdir(exist_ok=True)
        super().__init__([*EDGE, str(write_spec(folder / "spec.json", spec))], folder / "log", "{")
        self.spec = spec

    def said(self) -> dict[str, Any]:
        lines = [line for line in self.lines[-2:] if line.endswith("\n")]
        told: dict[str, Any] = json.loads(lines[-1])
        return told

    @property
    def acked(self) -> int:
        return int(self.said()["acked"])

    def is_done(self) -> bool:
        told = self.said()
        return bool(told["acked"] == told["head"] >= self.spec.count - 1)

    def rows(self) -> list[Row]:
        """Return (event id, incarnation, seq, hash, body) of everything on its disk."""
        with closing(sqlite3.connect(self.spec.ledger)) as connection:
            return connection.execute("SELECT event_id, incarnation, seq, hash, body FROM ledger").fetchall()


class Field:
    """Everybody."""

    def __init__(self, folder: Path, pipe: BrokerProcess, store_url: str, wards: int, entries: int) -> None:
        self.folder, self.broker, self.store_url = folder, pipe, store_url
        self.proxy = Proxy((HOST, pipe.port))
        self.config = folder / "central.toml"
        self.config.write_text(
            f'[broker]\nurls = ["{pipe.url}"]\nkeepalive_s = 2\n[store]\nurl = "{store_url}"\n'
            '[people]\neveryone_is = "page"\n'
        )
        self.tool("keys", "init", "--root", str(folder / "medium"))
        self.tool("migrate")
        self.on_sqlite = store_url.startswith("sqlite")
        more = [] if self.on_sqlite else ["--no-ingest"]
        self.server = Program(self.command("serve", *more), folder / "serve.log", "listening ")
        self.takers = [] if self.on_sqlite else [self._taker(shards) for shards in SHARDS]
        self.edges = self._enrol(wards, entries)

    def command(self, name: str, *more: str) -> list[str]:
        return [*CENTRAL, name, "--config", str(self.config), *more]

    def tool(self, *words: str) -> None:
        name = 2 if words[0] == "keys" else 1
        assert central_start([*words[:name], "--config", str(self.config), *words[name:]]) == 0

    def _taker(self, shards: str) -> Program:
        return Program(self.command("ingest", "--shards", shards), self.folder / "ingest.log", "ingesting")

    @property
    def central(self) -> list[Program]:
        """The processes that take entries in."""
        return self.takers or [self.server]

    def start(self) -> None:
        for each in (self.server, *self.takers, *self.edges):
            each.start()

    def stop(self) -> None:
        for each in (*self.edges, *self.takers, self.server):
            each.kill()
        self.proxy.close()

    def _enrol(self, wards: int, entries: int) -> list[Edge]:
        now = Instant(time.time_ns() // 1000)
        with closing(open_store(self.store_url, base=self.folder)) as store:
            fleet = Fleet(self.folder, now, store, self.folder / "keys")
            edges = []
            for number in range(1, wards + 1):
                device, shard = DeviceId(f"ward-{number:02d}"), (number * 100) % 256
                with store.write() as connection:
                    enrol(connection, HOSPITAL_DEFAULT, device, PlaceId(device), shard)
                key = Ed25519PrivateKey.generate()
                edges.append(self._edge(device, shard, entries, key, fleet.let_in(key, device)))
            return edges

    def _edge(self, device: DeviceId, shard: int, entries: int, key: Ed25519PrivateKey, enrolled: Enrolled) -> Edge:
        folder = self.folder / device
        folder.mkdir()
        certified = tuple(
            (one.key_id, one.public.hex(), one.signature.hex(), int(one.until))
            for one in enrolled.keys
            if one.kind is KeyKind.SYNC
        )
        spec = Spec(
            device=device,
            shard=shard,
            url=f"mqtt://{HOST}:{self.proxy.port}",
            ledger=str(folder / "ledger.db"),
            count=entries,
            a_second=40.0,
            key=key.private_bytes_raw().hex(),
            key_id=enrolled.key_id,
            root=enrolled.root.hex(),
            sync_keys=certified,
        )
        return Edge(folder, spec)

    def copy_of(self, edge: Edge, name: str, entries: int) -> Edge:
        """Return a second machine with the same keys and a copy of the disk as it is."""
        folder = self.folder / name
        folder.mkdir()
        with (
            closing(sqlite3.connect(edge.spec.ledger)) as here,
            closing(sqlite3.connect(folder / "ledger.db")) as there,
        ):
            here.backup(there)
        copied = replace(edge.spec, ledger=str(folder / "ledger.db"), count=entries)
        made = Edge(folder, copied)
        self.edges.append(made)
        return made

    def settle(self, *edges: Edge) -> None:
        """Wait until everything of these edges, or of all, is acknowledged."""
        whose = edges or self.edges
        eventually(lambda: all(edge.is_done() for edge in whose), lambda: f"{[edge.said() for edge in whose]}")

    def standing(self, device: str) -> str:
        """Return how central says that a device stands."""
        with closing(open_store(self.store_url, base=self.folder)) as store, store.read() as connection:
            return str(connection.scalar(select(DEVICE.c.status).where(DEVICE.c.device == device)))

    def check(self, *more: Disk) -> None:
        """Hold central's store against the disks of all edges, and of `more`."""
        disks: list[Disk] = [*self.edges, *more]
        written: dict[bytes, bytes] = {}
        places: dict[bytes, set[tuple[bytes, int, bytes]]] = {}
        for event, incarnation, seq, digest, body in (row for disk in disks for row in disk.rows()):
            written[event] = body
            places.setdefault(event, set()).add((incarnation, seq, digest))
        with closing(open_store(self.store_url, base=self.folder)) as store, store.read() as connection:
            events = [bytes(event) for event in connection.scalars(select(EVENT.c.event_id))]
            held = {
                (bytes(row.incarnation), row.seq, bytes(row.hash))
                for row in connection.execute(select(LEDGER.c.incarnation, LEDGER.c.seq, LEDGER.c.hash))
            }
            balances = Counter({row.place: row.qty for row in connection.execute(select(BALANCE))})
        assert Counter(events) == Counter(written.keys())
        assert all(held & where for where in places.values()), "an entry stands where no disk of its device has it"
        wanted: Counter[str] = Counter()
        for body in written.values():
            for line in json.loads(body)["lines"]:
                wanted[line["source"]] -= line["qty"]
                wanted[line["target"]] += line["qty"]
        assert balances == wanted
        assert all(wanted[f"opening@{disk.spec.device}"] == -OPENED for disk in disks)
        done = subprocess.run(
            self.command("verify", "--json"), cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
        said = json.loads(done.stdout)
        assert (said["faults"], said["ok"], said["quarantined"]) == ([], True, 0), done.stderr


@contextmanager
def field(folder: Path, pipe: BrokerProcess, store_url: str, *, wards: int, entries: int) -> Iterator[Field]:
    made = Field(folder, pipe, store_url, wards, entries)
    try:
        made.start()
        yield made
    finally:
        made.stop()
