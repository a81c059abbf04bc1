"""The hospital of the benches of pages: a real PostgreSQL, the sample's catalogue, wards, people, and real programs.

What stands in the store came the ways it comes in a hospital: files imported, entries signed and sent through a broker,
proposals made and approved. Only people's passwords are set at once instead of by fifty invitations.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from central.cli import start
from central.core.rights import WARD_ROLES, Grant, Role
from central.services.orders import approve
from central.services.replenish import replenish
from central.services.secrets_kept import hash_password
from central.store import queries_people as people
from central.store.engine import Store, open_store
from central.store.queries_work import open_proposals
from hardware_sim.config import toml
from hardware_sim.demo.brokers import free_port
from hardware_sim.sample.files import ward_name, write_sample
from protocols.values.ids import HOSPITAL_DEFAULT, ActorId, PlaceId
from protocols.values.instant import Instant

PASSWORD = "a sentence of 2026"
PROGRAM = [sys.executable, "-c", "from central.cli import main; main()"]
BUYER = ActorId("page")
APPROVED = 150


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who signs in; `place` is the storeroom of a ward's person."""

    staff: str
    role: Role
    place: str


@dataclass(slots=True)
class Hospital:
    """A folder with central's configuration, and the store it names."""

    folder: Path
    store_url: str
    broker_url: str
    wards: int
    enrolment_port: int = field(default_factory=free_port)
    processes: dict[str, psutil.Process] = field(default_factory=dict)
    """Central's processes that run, by their command."""

    @property
    def config(self) -> Path:
        """Return where the configuration is."""
        return self.folder / "central.toml"

    def now(self) -> Instant:
        """Return the time."""
        return Instant(int(datetime.now(UTC).timestamp() * 1_000_000))

    def found(self) -> None:
        """Make keys and store, and import the sample."""
        self.configure(everyone_is=BUYER)
        write_sample(self.folder / "sample", wards=self.wards, until=datetime.now(UTC).date())
        config = ["--config", str(self.config)]
        with redirect_stdout(sys.stderr):
            assert start(["keys", "init", *config, "--root", str(self.folder / "root")]) == 0
            assert start(["migrate", *config]) == 0
            assert start(["import", *config, str(self.folder / "sample")]) == 0

    def configure(self, *, everyone_is: str = "") -> None:
        """Write the configuration: with people who sign in, or everyone as one."""
        told: dict[str, Any] = {
            "broker": {"urls": [self.broker_url]},
            "store": {"url": self.store_url},
            "enrolment": {"port": self.enrolment_port},
        }
        if everyone_is:
            told["people"] = {"everyone_is": everyone_is}
        self.config.write_text(toml(told), "utf-8")

    def worked_s(self) -> dict[str, float]:
        """Return the processor seconds that each of central's processes has used."""
        spent = {name: process.cpu_times() for name, process in self.processes.items()}
        return {name: times.user + times.system for name, times in spent.items()}

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Run `wardstock-central serve` with a process that takes in beside it, and give the server's address."""
        with self._running("ingest"), self._running("serve", "--no-ingest") as said:
            yield said.split()[1]

    @contextmanager
    def _running(self, *words: str) -> Iterator[str]:
        """Run one command of central until it is told to end, and give the first line it says."""
        log = self.folder / "central.log"
        command = [*PROGRAM, *words, "--config", str(self.config)]
        with (
            log.open("ab") as heard,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=heard, text=True) as process,
        ):
            assert process.stdout is not None
            try:
                said = process.stdout.readline()
                assert said, log.read_text("utf-8")
                self.processes[words[0]] = psutil.Process(process.pid)
                yield said
            finally:
                process.terminate()
                process.wait()

    @contextmanager
    def opened(self) -> Iterator[Store]:
        """Give the store."""
        store = open_store(self.store_url)
        try:
            yield store
        finally:
            store.close()

    def order(self) -> int:
        """Make proposals and approve some; returns the orders made."""
        with self.opened() as store:
            replenish(store, HOSPITAL_DEFAULT, self.now(), policy="3x", run="bench")
            with store.read() as connection:
                made = open_proposals(connection, HOSPITAL_DEFAULT)
            for one in made[:APPROVED]:
                approve(store, HOSPITAL_DEFAULT, one.id, BUYER, self.now())
            return len(made[:APPROVED])

    def admit(self, roles: Sequence[Role]) -> list[Visitor]:
        """Make an account for each role, ward people by turns in the wards; everybody has one password."""
        kept, made = hash_password(PASSWORD), []
        with self.opened() as store, store.write() as connection:
            for number, role in enumerate(roles, 1):
                place = ward_name(1 + number % self.wards)
                one = Visitor(f"9{number:04d}", role, place if role in WARD_ROLES else "")
                grant = Grant(role, frozenset([PlaceId(place)] if one.place else []))
                people.add_person(connection, HOSPITAL_DEFAULT, ActorId(one.staff), one.staff, self.now())
                people.set_grants(connection, HOSPITAL_DEFAULT, ActorId(one.staff), [grant])
                people.change_person(connection, HOSPITAL_DEFAULT, ActorId(one.staff), password_hash=kept)
                made.append(one)
        return made


class Errands:
    """The process of the edges; each errand is a line to it and one JSON line back."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def say(self, *words: object) -> None:
        """Begin an errand."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, float]:
        """Wait for an errand's end."""
        assert self._process.stdout is not None
        answer: dict[str, float] = json.loads(self._process.stdout.readline())
        return answer

    def do(self, *words: object) -> dict[str, float]:
        """Do an errand."""
        self.say(*words)
        return self.answer()


@contextmanager
def town(wards: int) -> Iterator[Errands]:
    """Run the edges' process."""
    command = [sys.executable, "-m", "tests.bench.pages_town", str(wards)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Errands(process)
        finally:
            process.terminate()
