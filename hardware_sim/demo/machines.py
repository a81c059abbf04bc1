"""Everything that stands still in a demo: folders, central, broker, proxies, readers, scanners, edges; up and down.

The order is fixed: central's store is filled first under a slow clock, for nobody waits for it; then the story's clock
gets its anchor, and from there on broker, proxies and readers stand before the edges that need them. The rule that must
not be broken: every port and file of the running demo is named here and nowhere else.
"""

import random
import sys
from pathlib import Path

from hardware_sim.clock import Clock, any_key, monotonic_ns
from hardware_sim.config import PATIENT_KEY, Ports, scanner_link, write_central, write_edge
from hardware_sim.demo.brokers import BROKER, start_broker
from hardware_sim.demo.options import Options, program
from hardware_sim.devices.llrp import LlrpReaderDevice
from hardware_sim.devices.scanner import ScannerDevice
from hardware_sim.evidence.truth import Deliveries
from hardware_sim.noise import Radio
from hardware_sim.proxy import HOST, Proxy
from hardware_sim.sample.files import write_office, write_sample
from hardware_sim.sample.messy import write_messy
from hardware_sim.scenario.plan import Plan, Ward
from hardware_sim.serve import ReaderPort, ScannerPort
from hardware_sim.supervisor import Part, Supervisor
from hardware_sim.world import ANTENNAS, DOOR_ANTENNAS, Storeroom, write_room
from protocols.values.ids import PlaceId
from protocols.values.instant import Instant, StoryTime, business_day, plus

LEAD_S = 5.0
"""Real seconds between the anchor of the clock and the story's first minute: what starting everything takes."""

LINGER_S = 1800.0
"""Story seconds after the evening before the clock slows down: central compares once more what it knows."""

AFTERWARDS_S = 12 * 3600.0
"""The same after one that ends by itself: time for its last words, and who asks what it left is in the day after it."""

BEFORE_S = 24 * 3600.0
"""Central's store is filled so long before the story, in story time, whatever the rate."""

CENTRAL = "central"

MESSY = "sheet-to-import.xlsx"
"""In the state folder, for a person who tries the import."""


class DeliveryLog:
    """What one reader delivered, counted by the reader's own thread."""

    def __init__(self) -> None:
        self.reads = 0
        self.rounds = 0

    def note(self, at: Instant, tags: int) -> None:
        """Count one report."""
        del at
        self.reads += tags
        self.rounds += 1

    def so_far(self) -> Deliveries:
        """Return the counts."""
        return Deliveries(self.reads, self.rounds)


class Machines:
    """The machines of one demo in one state folder."""

    def __init__(self, options: Options, plan: Plan, state: Path, supervisor: Supervisor) -> None:
        self._options = options
        self._plan = plan
        self._state = state
        self._supervisor = supervisor
        self._bin = Path(sys.executable).parent
        self._readers: list[ReaderPort] = []
        self._broker_port = 0
        self.rooms = {ward.place: Storeroom(ward.place, ward.tags) for ward in plan.wards}
        self.deliveries = {ward.place: DeliveryLog() for ward in plan.wards}
        self.proxies: dict[PlaceId, Proxy] = {}
        self.scanners: dict[PlaceId, ScannerPort] = {}

    def prepare(self) -> None:
        """Make the folders, and fill central's store with the sample. Raises `PartFailed`."""
        for ward in self._plan.wards:
            folder = self._state / "sim" / ward.place
            folder.mkdir(parents=True)
            (folder / "world.json").write_bytes(write_room(ward.place, ward.tags))
        central = self._state / "central"
        central.mkdir()
        filling = StoryTime(plus(self._plan.start, -BEFORE_S), 1.0, monotonic_ns())
        path = str(write_central(central, Ports(broker=1), filling))
        command = program("wardstock-central", self._bin)
        log = central / "log"
        self._supervisor.run("central migrate", [command, "migrate", "--config", path], log)
        for folder in self._files(central):
            self._supervisor.run("central import", [command, "import", "--config", path, str(folder)], log)

    def _files(self, central: Path) -> list[Path]:
        """Write what central imports; returns the folders. A person who looks around finds an office there too."""
        sample, office = self._state / "sim" / "sample", self._state / "sim" / "office"
        today = business_day(self._plan.start)
        write_sample(sample, wards=len(self._plan.wards), until=today)
        if self._options.ends:
            return [sample]
        write_office(office, until=today)
        write_messy(self._state / MESSY)
        (central / PATIENT_KEY).write_text(any_key(), encoding="utf-8")
        return [sample, office]

    def state_day(self) -> Path:
        """Let central sign what it knows of every storeroom; returns where it stands. Raises `PartFailed`.

        It is of the evening's day, or of that day so far where the story ends before midnight.
        """
        folder, out = self._state / "central", self._state / "statements"
        command = [program("wardstock-central", self._bin), "statement", "--config", str(folder / "central.toml")]
        day_over = business_day(self._plan.end) > business_day(self._plan.start)
        command += [] if day_over else ["--so-far"]
        self._supervisor.run("central statement", [*command, "--out", str(out)], folder / "log")
        return out

    def start(self) -> tuple[Clock, str]:
        """Start everything; returns the story's clock and the address of the page. Raises `PartFailed`."""
        self._start_broker()
        real_from = plus(self._plan.end, AFTERWARDS_S if self._options.ends else LINGER_S)
        since_ns = monotonic_ns() + round(LEAD_S * 1e9)
        story = StoryTime(self._plan.start, self._options.rate, since_ns, real_from)
        clock = Clock(story)
        edges = [self._ward(ward, clock) for ward in self._plan.wards]
        folder = self._state / "central"
        config = write_central(folder, Ports(self._broker_port, http=self._options.http_port), story)
        command = [program("wardstock-central", self._bin), "serve", "--config", str(config)]
        central = Part(CENTRAL, lambda: command, folder / "log", "listening ")
        said = self._supervisor.start_all([central, *edges])[0]
        port = int(said.rpartition(":")[2])
        write_central(folder, Ports(self._broker_port, http=port), story)  # the same port after a restart
        return clock, f"http://{said}/"

    def how_to_check(self, folder: Path) -> tuple[str, Path, Path]:
        """Return the program that checks a statement, one of the statements of a folder, and the public key."""
        shown = min(folder.glob("ward-*.json"))
        return program("wardstock-central", self._bin), shown, self._state / "central" / "statement.pub"

    def stop(self) -> None:
        """End everything, in the order in which nothing is missed."""
        self._supervisor.stop([f"edge-{ward.place}" for ward in self._plan.wards])
        for reader in self._readers:
            reader.close()
        for scanner in self.scanners.values():
            scanner.close()
        self._supervisor.stop([CENTRAL])
        for proxy in self.proxies.values():
            proxy.close()
        self._supervisor.stop([BROKER])

    def _ward(self, ward: Ward, clock: Clock) -> Part:
        proxy = self.proxies[ward.place] = Proxy((HOST, self._broker_port))
        radio = Radio(self.rooms[ward.place], random.Random(f"{self._plan.seed} radio {ward.place}"))
        antennas = len(ANTENNAS + DOOR_ANTENNAS)
        device = LlrpReaderDevice(radio.inventory, self.deliveries[ward.place].note, antennas=antennas)
        reader = ReaderPort(device, clock)
        reader.start()
        self._readers.append(reader)
        config = write_edge(self._state, ward, Ports(broker=proxy.port, reader=reader.port), clock.story)
        self.scanners[ward.place] = ScannerPort(ScannerDevice(), scanner_link(self._state, ward.place))
        command = [program("wardstock-edge", self._bin), "run", "--config", str(config)]
        return Part(f"edge-{ward.place}", lambda: command, config.parent / "log", "ready ")

    def _start_broker(self) -> None:
        self._broker_port = start_broker(self._options.broker, self._state / "sim", self._supervisor)
