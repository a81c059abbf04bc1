"""The readers and scanners of edge.toml: where each is, how its radio is used, what its antennas face.

It reads tables and decides nothing. The rule that must not be broken: a key that a kind cannot use is unknown to it, so
that nobody believes in a setting that does nothing.
"""

from dataclasses import dataclass, field
from pathlib import Path

from edge_agent.config import forms
from edge_agent.config.forms import Address, Section
from edge_agent.core.outages import BLIND_S
from protocols.readers.radio import POWER_MAX_DBM, REGIONS_KHZ, TAGS_MAX, TARGETS, Radio
from protocols.readers.registry import READERS
from protocols.readers.use import BUS_ADDRESS_MAX, POWER_DBM_MAX
from protocols.values.ids import Epc

LLRP = "llrp"
READER_KINDS = tuple(name for name, kind in READERS.items() if kind.session is not None)
BAUDS = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
NO_REGION = "none"
GPIO_MAX = 64
LIGHT_S = 2.0
LEVELS = ("high", "low")
AUTO = Path("auto")
"""Stands for the port on which a module of the kind answers."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Which authority's readers are believed, and what we show them; paths of PEM files."""

    authority: Path
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class Door:
    """A door's contact on one of the reader's inputs: `open_high` tells at which level it is open."""

    port: int
    open_high: bool


@dataclass(frozen=True, slots=True)
class Lights:
    """Outputs of the reader that show an answer for `seconds` of link time; None has no light."""

    ok: int | None = None
    look: int | None = None
    no: int | None = None
    seconds: float = LIGHT_S


@dataclass(frozen=True, slots=True)
class ReaderConfig:
    """One RFID reader: `round_s` in its own time, `keepalive_s` in link time.

    It is reached at `address` or, a serial module, at `port` and `baud`; `bus_address` is its place on an RS-485 line.
    A module without a clock has the story's time. `power_dbm` None leaves the module's own. `antennas` watch this
    storeroom's shelves, `door` its door, `next` look into the neighbour's, before `kanban` cards of empty bins are
    thrown; `reference` is a fixed tag an antenna.
    """

    name: str
    address: Address | None
    keepalive_s: float
    round_s: float
    antennas: tuple[int, ...]
    kind: str = "llrp"
    port: Path | None = None
    baud: int = 115_200
    bus_address: int = 0
    power_dbm: int | None = None
    active: bool = False
    reference: tuple[tuple[int, Epc], ...] = ()
    blind_s: float = BLIND_S
    door: tuple[int, ...] = ()
    next: tuple[int, ...] = ()
    kanban: tuple[int, ...] = ()
    answer_s: float = 1.0
    radio: Radio = field(default_factory=Radio)
    tls: Tls | None = None
    contact: Door | None = None
    lights: Lights | None = None

    @property
    def every(self) -> tuple[int, ...]:
        """Return every antenna that inventories."""
        return (*self.antennas, *self.door, *self.next, *self.kanban)


def read_reader(table: Section, root: Path) -> ReaderConfig:
    """Read one [[reader]]; faults stay with the table."""
    kind = table.need("kind", forms.word_of(*READER_KINDS))
    reader = _module(table, root, kind) if kind in READER_KINDS and kind != LLRP else _llrp(table, root)
    if not table.refused:
        _check_antennas(table, reader)
    return reader


def _llrp(table: Section, root: Path) -> ReaderConfig:
    url = table.need("url", forms.LLRP)
    where, secure = (None, False) if table.refused else url
    antennas = table.need("antennas", forms.ANTENNAS)
    door, beside = table.take("door", forms.ANTENNAS, ()), table.take("next", forms.ANTENNAS, ())
    kanban = table.take("kanban", forms.ANTENNAS, ())
    return ReaderConfig(
        name=table.need("name", forms.NAME),
        address=where,
        keepalive_s=table.take("keepalive_s", forms.number(0.1, 3600.0), 30.0),
        round_s=table.take("round_s", forms.number(0.01, 3600.0), 2.0),
        antennas=antennas,
        reference=table.take("reference", forms.REFERENCE, ()),
        blind_s=table.take("blind_s", forms.number(1.0, forms.DAY_S), BLIND_S),
        door=door,
        next=beside,
        kanban=kanban,
        radio=_radio(table, () if table.refused else (*antennas, *door, *beside, *kanban)),
        tls=_tls(table, root) if secure else None,
        contact=_door(table),
        lights=_lights(table),
    )


def _radio(table: Section, antennas: tuple[int, ...]) -> Radio:
    region = table.take("region", forms.word_of(*REGIONS_KHZ, NO_REGION), "CN")
    powers = table.take("power_dbm", forms.powers(POWER_MAX_DBM), ())
    foreign = [antenna for antenna, _ in powers if antenna and antenna not in antennas]
    if foreign:
        table.note(".power_dbm", f"expected antennas that this reader uses, got {', '.join(map(str, foreign))}")
    return Radio(
        region="" if region == NO_REGION else region,
        powers_dbm=tuple((each, power) for number, power in powers for each in ((number,) if number else antennas)),
        mode=table.maybe("mode", forms.whole(0, 65_535)),
        session=table.maybe("session", forms.whole(0, 3)),
        target=table.maybe("target", forms.word_of(*TARGETS)),
        population=table.maybe("population", forms.whole(1, TAGS_MAX)),
    )


def _tls(table: Section, root: Path) -> Tls:
    path = forms.path_under(root)
    certificate, key = table.maybe("certificate", path), table.maybe("key", path)
    if key is not None and certificate is None:
        table.note(".key", "expected a certificate beside it; name it with certificate")
    return Tls(table.need("authority", path), certificate, key)


def _door(table: Section) -> Door | None:
    level = table.take("door_open", forms.word_of(*LEVELS), "high")
    port = table.maybe("door_input", forms.whole(1, GPIO_MAX))
    return None if port is None else Door(port, level == "high")


def _lights(table: Section) -> Lights | None:
    seconds = table.take("light_s", forms.number(0.1, 60.0), LIGHT_S)
    outputs = table.maybe("lights", forms.outputs(GPIO_MAX))
    return None if outputs is None else Lights(outputs.get("ok"), outputs.get("look"), outputs.get("no"), seconds)


def _module(table: Section, root: Path, kind: str) -> ReaderConfig:
    """Read a serial module: what a kind cannot do is an unknown key."""
    several = READERS[kind].antennas_max > 1
    where = table.need("url", forms.module_under(root, AUTO))
    antennas = table.take("antennas", forms.ANTENNAS, (1,))
    door = table.take("door", forms.ANTENNAS, ()) if several else ()
    beside = table.take("next", forms.ANTENNAS, ()) if several else ()
    kanban = table.take("kanban", forms.ANTENNAS, ()) if several else ()
    if max((*antennas, *door, *beside, *kanban)) > READERS[kind].antennas_max:
        table.note(".antennas", f"expected numbers of 1..{READERS[kind].antennas_max} for {kind}, got {antennas}")
    return ReaderConfig(
        name=table.need("name", forms.NAME),
        address=where if isinstance(where, Address) else None,
        keepalive_s=table.take("keepalive_s", forms.number(0.1, 3600.0), 30.0),
        round_s=table.take("round_s", forms.number(0.01, 3600.0), 2.0),
        antennas=antennas,
        kind=kind,
        port=where if isinstance(where, Path) else None,
        baud=table.take("baud", forms.one_of(*BAUDS), READERS[kind].baud),
        bus_address=table.take("bus_address", forms.whole(0, BUS_ADDRESS_MAX), 0) if several else 0,
        power_dbm=table.maybe("power_dbm", forms.whole(0, POWER_DBM_MAX)),
        active=table.take("active", forms.TRUTH, False) if several else False,
        reference=table.take("reference", forms.REFERENCE, ()),
        blind_s=table.take("blind_s", forms.number(1.0, forms.DAY_S), BLIND_S),
        door=door,
        next=beside,
        kanban=kanban,
        answer_s=table.take("answer_s", forms.number(0.05, 60.0), 1.0),
    )


def _check_antennas(table: Section, reader: ReaderConfig) -> None:
    """Note an antenna that faces two ways, and a reference tag of none."""
    every = reader.every
    doubles = sorted({each for each in every if every.count(each) > 1})
    if doubles:
        said = ", ".join(map(str, doubles))
        table.note(".antennas", f"expected each antenna once in antennas, door, next and kanban, got {said} twice")
    foreign = [str(antenna) for antenna, _ in reader.reference if antenna not in every]
    if foreign:
        table.note(".reference", f"expected antennas that this reader uses, got {', '.join(foreign)}")
