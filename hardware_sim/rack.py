"""Devices on ports as a command line asks for them: one reader, or a whole rack of every kind beside one edge.

It joins what others are: a field of tags, a device of a registry's kind, a wire, faults, a delivery log. What a person
does to a device (scans, opens the door) comes in as words. It decides nothing else.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from hardware_sim.clock import Clock, real_time
from hardware_sim.config import Value, toml
from hardware_sim.devices.card import CardReaderDevice
from hardware_sim.devices.deliveries import Deliveries
from hardware_sim.devices.device import Inventory
from hardware_sim.devices.faults import Fault, draw_faults, in_order
from hardware_sim.devices.llrp import LlrpReaderDevice
from hardware_sim.devices.m100 import M100Device
from hardware_sim.devices.printer import Printed, PrinterDevice
from hardware_sim.devices.replay import Piece, ReplayDevice, conversations
from hardware_sim.devices.scanner import ScannerDevice
from hardware_sim.devices.uhfreader18 import Uhf18Device
from hardware_sim.errors import WrongUse
from hardware_sim.ndjson import NdjsonFile
from hardware_sim.noise import Steady
from hardware_sim.serve import ModulePort, Port, ReaderPort, ScannerPort, Trouble
from hardware_sim.wires import PtyWire
from hardware_sim.world import ANTENNAS
from protocols.errors import ProtocolsError

BURST_TAGS, BURST_READS_A_S = 1_000, 1_000.0
"""What antennas hear beside their tags in a burst: a trolley of foreign tags goes by."""

EVERY_DEFAULT_S = 10.0
LLRP, M100, UHFREADER18, SCANNER, PRINTER, CARD = (
    "llrp", "m100", "uhfreader18", "scanner", "printer", "card",
)  # fmt: skip
DOOR = 1
"""The input that the door's contact is on: high is open."""

LIGHTS = "{ ok = 1, no = 2, look = 3 }"
"""The outputs that are lights, as edge.toml says it."""

EACH_MAX = 8
"""Devices of one kind in a rack: an edge takes sixteen readers."""

BEEP_S = 1.0
DELIVERIES = "deliveries.ndjson"
NO_BROKER = "mqtt://127.0.0.1:1883"
SAYS = "scan NAME TEXT | open NAME | close NAME | antenna NAME NUMBER in|out | card NAME UID | load NAME LABELS"
"""What a person can do to a rack."""


class Field(Protocol):
    """What the antennas of one device hear."""

    @property
    def inventory(self) -> Inventory:
        """Return what says it."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Said faults, the seed of drawn ones (None: none are drawn), and how often those come."""

    said: Sequence[Fault] = ()
    seed: int | None = None
    every_s: float = EVERY_DEFAULT_S

    def on(self, name: str) -> Trouble:
        """Return the trouble of one device: what was said first, then what is drawn for its name."""
        seed = f"{self.seed} {name}"
        burst = Steady(tags=BURST_TAGS, reads_a_s=BURST_READS_A_S, rng=random.Random(f"{seed} burst"))
        drawn: Iterator[Fault] = iter(()) if self.seed is None else draw_faults(seed, every_s=self.every_s)
        return Trouble(chain(in_order(self.said), drawn), seed, burst.inventory)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a device is found: a TCP port, or a pseudo-terminal behind a link; and how many antennas it has there."""

    port: int = 0
    link: Path | None = None
    antennas: int = len(ANTENNAS)


def hang_reader(
    name: str, kind: str, field: Field, place: Place, clock: Clock, *, faults: Faults, book: NdjsonFile | None = None
) -> Port:
    """Return the port of a new reader. Raises `WrongUse` for a place its kind cannot have."""
    log = Deliveries(name) if book is None else Deliveries(name, book.note)
    trouble = faults.on(name)
    if kind == LLRP:
        if place.link is not None:
            raise WrongUse("--link: expected a serial module, an LLRP reader is on TCP; say --kind m100")
        device = LlrpReaderDevice(field.inventory, antennas=place.antennas)
        return ReaderPort(device, clock, port=place.port, trouble=trouble, log=log)
    module = M100Device(field.inventory) if kind == M100 else Uhf18Device(field.inventory)
    if place.link is None:
        return ReaderPort(module, clock, port=place.port, trouble=trouble, log=log)
    return ModulePort(module, clock, place.link, trouble=trouble, log=log)


def hang_replay(kind: str, pieces: Sequence[Piece], place: Place, clock: Clock, *, faults: Faults) -> Port:
    """Return the port of a recorded reader."""
    device = ReplayDevice(kind, conversations(pieces))
    if place.link is None:
        return ReaderPort(device, clock, port=place.port, trouble=faults.on("r1"))
    return ModulePort(device, clock, place.link, trouble=faults.on("r1"))


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many of each kind, what the readers hear, and whether serial modules are behind a converter, on TCP."""

    llrp: int = 1
    m100: int = 1
    uhfreader18: int = 1
    scanners: int = 1
    tags: int = 40
    reads_a_s: float = 20.0
    seed: int = 1
    over_tcp: bool = False
    printers: int = 0
    duds: float = 0.0
    cards: int = 0

    def __post_init__(self) -> None:
        for name in ("llrp", "m100", "uhfreader18", "scanners", "printers", "cards"):
            if not 0 <= getattr(self, name) <= EACH_MAX:
                raise WrongUse(f"--{name}: expected 0..{EACH_MAX}, got {getattr(self, name)}")
        if not 0 <= self.duds <= 1:
            raise WrongUse(f"--duds: expected a chance of 0..1, got {self.duds:g}")

    @property
    def readers(self) -> Iterator[tuple[str, str]]:
        """Return the readers' names and kinds."""
        for kind, letter, count in (
            (LLRP, "r", self.llrp),
            (M100, "m", self.m100),
            (UHFREADER18, "u", self.uhfreader18),
        ):
            yield from ((f"{letter}{number}", kind) for number in range(1, count + 1))


class Rack:
    """Devices of all kinds beside one edge; links and the sample of its configuration are in `folder`."""

    def __init__(
        self, wanted: Wanted, folder: Path, faults: Faults, book: NdjsonFile, tell: Callable[[str], None]
    ) -> None:
        self._clock, self._tell = Clock(real_time()), tell
        self.kinds: dict[str, str] = dict(wanted.readers)
        self.ports: dict[str, Port] = {}
        self.doors: dict[str, LlrpReaderDevice] = {}
        self.scanners: dict[str, ScannerPort] = {}
        for name, kind in self.kinds.items():
            rng = random.Random(f"{wanted.seed} {name}")
            field = Steady(tags=wanted.tags, reads_a_s=wanted.reads_a_s, rng=rng)
            on_tcp = wanted.over_tcp or kind == LLRP
            place = Place() if on_tcp else Place(link=folder / name)
            port = hang_reader(name, kind, field, place, self._clock, faults=faults, book=book)
            self.ports[name] = port
            if isinstance(port.device, LlrpReaderDevice):
                self.doors[name] = port.device
                port.device.ports.show = self._show(name)
        for number in range(1, wanted.scanners + 1):
            self.scanners[f"s{number}"] = self._scanner(f"s{number}", folder, faults, book)
        self.cards = {f"c{each}": CardReaderDevice() for each in range(1, wanted.cards + 1)}
        for name, card in self.cards.items():
            self.kinds[name] = CARD
            wire, log = PtyWire(folder / name, ever=True), Deliveries(name, book.note)
            self.ports[name] = Port(card, self._clock, wire, trouble=faults.on(name), log=log)
        self.printers = {f"p{each}": self._printer(f"p{each}", wanted) for each in range(1, wanted.printers + 1)}
        for name, printer in self.printers.items():
            log = Deliveries(name, book.note)
            self.kinds[name] = PRINTER
            self.ports[name] = ReaderPort(printer, self._clock, trouble=faults.on(name), log=log)

    def start(self) -> None:
        """Serve from now on."""
        for port in self.ports.values():
            port.start()

    def close(self) -> None:
        """Pull every plug."""
        for reader in self.ports.values():
            reader.close()
        for scanner in self.scanners.values():
            scanner.close()

    @property
    def has_readers(self) -> bool:
        """Tell whether a reader is among them."""
        return bool(set(self.ports) - set(self.printers) - set(self.cards))

    def where(self) -> dict[str, tuple[str, str]]:
        """Return the kind of each device and where it is found."""
        scanners = {name: (SCANNER, port.where) for name, port in self.scanners.items()}
        return {name: (self.kinds[name], port.where) for name, port in self.ports.items()} | scanners

    def do(self, words: str) -> str:
        """Do what a person says; returns what came of it, or why no device can say that."""
        try:
            return self._do(words)
        except ProtocolsError as error:
            return str(error)

    def _do(self, words: str) -> str:
        match words.split(maxsplit=2):
            case ["scan", name, text] if name in self.scanners:
                beep = self.scanners[name].scan(text, wait_s=BEEP_S)
                return f"{name} {'no beep' if beep is None else beep.name.lower()}"
            case ["open" | "close" as verb, name] if name in self.doors:
                door = self.doors[name]
                self.ports[name].do(lambda now: door.switch_input(DOOR, now, high=verb == "open"))
                return f"{name} door {'open' if verb == 'open' else 'closed'}"
            case ["antenna", name, text] if name in self.doors and re.fullmatch(r"[1-4] (in|out)", text):
                number, plugged, reader = int(text[0]), text.endswith("in"), self.doors[name]
                self.ports[name].do(lambda now: reader.switch_antenna(number, now, connected=plugged))
                return f"{name} antenna {text}"
            case ["card", name, uid] if name in self.cards:
                said = self.cards[name].present(uid)
                self.ports[name].do(lambda _now: said)
                return f"{name} read {uid}"
            case ["load", name, text] if name in self.printers and text.isdecimal():
                self.printers[name].labels = int(text)
                return f"{name} {text} labels"
            case _:
                return f"expected {SAYS}, got {words:.60}"

    def _scanner(self, name: str, folder: Path, faults: Faults, book: NdjsonFile) -> ScannerPort:
        return ScannerPort(ScannerDevice(), folder / name, trouble=faults.on(name), log=Deliveries(name, book.note))

    def _printer(self, name: str, wanted: Wanted) -> PrinterDevice:
        def take(label: Printed) -> None:
            self._tell(f"{name} label {'VOID' if label.void else label.epc} {' '.join(label.texts)}")

        return PrinterDevice(take, dud=lambda tid: random.Random(f"{wanted.seed} {tid}").random() < wanted.duds)

    def _show(self, name: str) -> Callable[[int, bool], None]:
        return lambda port, lit: self._tell(f"{name} light {port} {'on' if lit else 'off'}")


def edge_sample(rack: Rack, *, keepalive_s: float = 1.0, round_s: float = 1.0, broker: str = NO_BROKER) -> str:
    """Return an edge.toml that fits a rack, to lie in its folder."""
    tables = [
        toml(
            {
                "device": {"id": "ward-01", "fit": 2 if rack.has_readers else 1},
                "store": {"path": "ledger.db"},
                "broker": {"urls": [broker]},
                "sync": {"unsigned": True},
            }
        )
    ]
    for name, (kind, where) in rack.where().items():
        url = f"tcp://{where}" if ":" in where else f"serial:{Path(where).name}"
        if kind == PRINTER:
            continue  # an edge does not print
        if kind == SCANNER:
            tables.append(toml({"[scanner]": {"name": name, "url": url, "feedback": "host-beep"}}))
            continue
        if kind == CARD:
            if rack.doors:  # only a light can answer a card
                tables.append(toml({"[scanner]": {"name": name, "kind": kind, "url": url, "feedback": "light"}}))
            continue
        table: dict[str, Value] = {"name": name, "kind": kind, "url": url, "keepalive_s": keepalive_s}
        table |= {"round_s": round_s, "antennas": list(ANTENNAS) if kind == LLRP else [1]}
        tables.append(toml({"[reader]": table | ({"door_input": DOOR} if kind == LLRP else {})}))
        if kind == LLRP:
            tables[-1] += f"lights = {LIGHTS}\n"
    return "\n".join(tables)


@contextmanager
def rack_in(
    folder: Path | None, wanted: Wanted, faults: Faults, tell: Callable[[str], None]
) -> Iterator[tuple[Rack, Path]]:
    """Run a rack inside a block, in a folder or a temporary one. Raises `WrongUse`."""
    with ExitStack() as ends:
        home = Path(ends.enter_context(TemporaryDirectory())) if folder is None else folder
        try:
            home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WrongUse(f"--state {home}: expected a folder one may write in; {error.strerror}") from error
        book = NdjsonFile(home / DELIVERIES)
        ends.callback(book.close)
        rack = Rack(wanted, home, faults, book, tell)
        ends.callback(rack.close)
        rack.start()
        (home / "edge.toml").write_text(edge_sample(rack), encoding="utf-8")
        yield rack, home
