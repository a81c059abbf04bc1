"""edge.toml as checked values. Paths in it are relative to it.

Every fault is told at once, by its key, with what was expected and what came. The rule that must not be broken: a value
that is wrong or a key that is unknown stops the start; nothing is guessed.
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from edge_agent.config import forms
from edge_agent.config.forms import Address, Section
from edge_agent.config.readers import AUTO, LLRP, ReaderConfig, read_reader
from edge_agent.config.scanners import LIGHT, ScannerConfig, read_scanner
from edge_agent.config.upkeep import DiskConfig, MetricsConfig, read_disk, read_metrics
from edge_agent.core.presence.window import WINDOW_S
from edge_agent.core.recognise import VISIT_IDLE_S
from edge_agent.core.work.scene import Mode
from edge_agent.errors import BadConfig
from protocols.errors import BadValue
from protocols.values import ids
from protocols.values.ids import DeviceId, HospitalId, PlaceId
from protocols.values.instant import StoryTime, from_iso

__all__ = ["LLRP", "Config", "DeviceConfig", "ReaderConfig", "ScannerConfig", "SyncConfig", "load_config"]

T = TypeVar("T")

SECTIONS = (
    "device",
    "clock",
    "store",
    "broker",
    "sync",
    "keys",
    "reader",
    "scanner",
    "presence",
    "visit",
    "master",
    "ports",
    "panel",
    "metrics",
)
LOOPBACK = ("127.0.0.1", "localhost", "::1")
MODES = tuple(mode.value for mode in Mode)
READERS_MAX = 16
SCANNERS_MAX = 16


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """Who this edge is. `fit` 1 has a scanner, 2 has readers too; `mode` is a word of `Mode`.

    `shard` is None where the file leaves it to the enrolment.
    """

    id: DeviceId
    hospital: HospitalId
    shard: int | None
    place: PlaceId
    fit: int
    mode: str


@dataclass(frozen=True, slots=True)
class SyncConfig:
    """Brokers and link time-outs in seconds. No broker: those that the enrolment gave.

    `idle_hello_s` is how often an idle link greets, None for a multiple of `hello_s`.
    """

    brokers: tuple[str, ...]
    keepalive_s: float
    unsigned: bool
    hello_s: float
    resend_s: float
    backoff_max_s: float
    spread_s: float
    idle_hello_s: float | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """Everything the agent is told."""

    path: Path
    device: DeviceConfig
    story: StoryTime | None
    ledger: Path
    max_pages: int | None
    sync: SyncConfig
    readers: tuple[ReaderConfig, ...]
    scanners: tuple[ScannerConfig, ...]
    window_s: float
    visit_idle_s: float
    items: Path | None
    opening: Path | None
    serial: Path = Path("/dev/serial")
    """Where the system lists its serial ports."""
    cards: Path | None = None
    bins: Path | None = None
    patient_key: Path | None = None
    blind_counts: bool = False
    claims: bool = True
    """Whether what left without a scan waits to be claimed until the shift ends."""
    panel: Address | None = None
    disk: DiskConfig = field(default_factory=DiskConfig)
    metrics: MetricsConfig = field(default_factory=MetricsConfig)
    keys: Path = Path("keys")
    """The folder of this device's key and of what it was given at enrolment."""
    presence: str = "window"
    """The model of presence: `window` or `filter`."""


def load_config(path: Path) -> Config:
    """Read and check a whole file. Raises `BadConfig` with every fault in it."""
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadConfig(f"{path}: expected a configuration file, {error.strerror}; name it with --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path}: expected TOML; {error}") from error
    file = _File(raw)
    config = _config(path, file)
    faults = file.faults or _crosscheck(config)
    if faults:
        raise BadConfig("\n".join(f"{path}: {fault}" for fault in faults))
    return config


class _File:
    """The file's tables, read one by one; keeps the faults."""

    def __init__(self, raw: dict[str, object]) -> None:
        self._raw = raw
        unknown = [name for name in raw if name not in SECTIONS]
        self.faults = [f"{name}: this section is unknown; look at its spelling" for name in unknown]

    def one(self, name: str, read: Callable[[Section], T]) -> T:
        table = Section(name, self._raw.get(name, {}), self.faults)
        value = read(table)
        table.end()
        return value

    def many(self, name: str, most: int, read: Callable[[Section], T]) -> tuple[T, ...]:
        rows = self._raw.get(name, [])
        if not isinstance(rows, list) or len(rows) > most:
            self.faults.append(f"{name}: expected at most {most} tables written [[{name}]], got {rows!r:.60}")
            return ()
        tables = [Section(f"{name}[{number}]", row, self.faults) for number, row in enumerate(rows)]
        values = tuple(map(read, tables))
        for table in tables:
            table.end()
        return values

    def has(self, name: str) -> bool:
        return name in self._raw


def _config(path: Path, file: _File) -> Config:
    root = path.parent
    ledger, max_pages, disk = file.one("store", lambda table: _store(table, root))
    items, opening, cards, bins = file.one("master", lambda table: _master(table, root))
    brokers, keepalive_s = file.one("broker", _broker)
    model, window_s, claims = file.one("presence", _presence)
    idle_s, patient_key, blind_counts = file.one("visit", lambda table: _visit(table, root))
    return Config(
        path=path,
        device=file.one("device", _device),
        story=file.one("clock", _clock) if file.has("clock") else None,
        ledger=ledger,
        max_pages=max_pages,
        sync=file.one("sync", lambda table: _sync(table, brokers, keepalive_s)),
        readers=file.many("reader", READERS_MAX, lambda table: read_reader(table, root)),
        scanners=file.many("scanner", SCANNERS_MAX, lambda table: read_scanner(table, root)),
        presence=model,
        window_s=window_s,
        visit_idle_s=idle_s,
        items=items,
        opening=opening,
        cards=cards,
        bins=bins,
        patient_key=patient_key,
        blind_counts=blind_counts,
        claims=claims,
        disk=disk,
        metrics=file.one("metrics", lambda table: read_metrics(table, root)),
        panel=file.one("panel", lambda table: table.maybe("listen", forms.LISTEN)),
        keys=file.one("keys", lambda table: table.take("folder", forms.path_under(root), root / "keys")),
        serial=file.one("ports", lambda table: table.take("serial", forms.path_under(root), Path("/dev/serial"))),
    )


def _crosscheck(config: Config) -> list[str]:
    names = [reader.name for reader in config.readers] + [scanner.name for scanner in config.scanners]
    doubles = sorted({name for name in names if names.count(name) > 1})
    faults = [f"{name}: two readers or scanners have this name; give each its own" for name in doubles]
    if not config.scanners:
        faults.append("scanner: expected at least one, for a person must hear that a scan is kept; add [[scanner]]")
    if any(each.feedback == LIGHT for each in config.scanners) and not any(each.lights for each in config.readers):
        faults.append("scanner.feedback: expected a reader with `lights` to show the answer; give one, or a host-beep")
    if (config.device.fit == 2) != bool(config.readers):
        said = f"{config.device.fit} with {len(config.readers)} readers"
        faults.append(f"device.fit: expected 2 with [[reader]], 1 without, got {said}")
    faults += _unsafe_brokers(config.sync)
    faults += [
        f"{where}: two readers or scanners stand there; give each a line of its own" for where in _shared(config)
    ]
    found = [(each.kind, each.bus_address) for each in config.readers if each.port == AUTO]
    faults += [
        f"reader {kind}: two of them are searched for and nothing tells them apart; give each its port"
        for kind, address in sorted(set(found))
        if found.count((kind, address)) > 1
    ]
    return faults


def _unsafe_brokers(sync: SyncConfig) -> list[str]:
    """Return what is wrong with the brokers: anybody may listen at a plain one, so it is for unsigned messages."""
    if sync.unsigned:
        return [] if sync.brokers else [f"broker.urls: it is missing; expected {forms.BROKERS.expected}"]
    return [
        f"broker.urls: expected mqtts:// for a broker on another machine where messages are signed, got {url}"
        for url in sync.brokers
        if urlsplit(url).scheme == "mqtt" and urlsplit(url).hostname not in LOOPBACK
    ]


def _shared(config: Config) -> list[str]:
    """Return the ports and addresses that stand more than once."""
    lines: list[object] = [each.port for each in config.scanners]
    lines += [each.port for each in config.readers if each.port not in {None, AUTO}]
    lines += [f"{each.address.host}:{each.address.port}" for each in config.readers if each.address is not None]
    return sorted({str(line) for line in lines if lines.count(line) > 1})


def _device(table: Section) -> DeviceConfig:
    identity = table.need("id", forms.named(ids.device_id, "a lower-case name such as 'ward-01'"))
    return DeviceConfig(
        id=identity,
        hospital=table.take("hospital", forms.named(ids.hospital_id, "a lower-case name"), ids.HOSPITAL_DEFAULT),
        shard=table.maybe("shard", forms.whole(0, 255)),
        place=table.take("place", forms.STOREROOM, PlaceId(identity)),
        fit=table.need("fit", forms.whole(1, 2)),
        mode=table.take("mode", forms.word_of(*MODES), Mode.LIVE.value),
    )


def _clock(table: Section) -> StoryTime | None:
    instant = forms.named(from_iso, "a time with its zone such as '2026-03-02T16:00:00+08:00'")
    start = table.need("start", instant)
    rate = table.need("rate", forms.number(0.001, 10_000.0))
    since = table.need("since_monotonic_ns", forms.whole(0, 2**63 - 1))
    real_from = table.maybe("real_from", instant)
    if table.refused:
        return None
    try:
        return StoryTime(start, rate, since, real_from)
    except BadValue as error:
        table.note("", str(error))
        return None


def _store(table: Section, root: Path) -> tuple[Path, int | None, DiskConfig]:
    path = table.take("path", forms.path_under(root), root / "ledger.db")
    return path, table.maybe("max_pages", forms.whole(1, 2**31)), read_disk(table)


def _broker(table: Section) -> tuple[tuple[str, ...], float]:
    return table.take("urls", forms.BROKERS, ()), table.take("keepalive_s", forms.number(0.5, 3600.0), 30.0)


def _sync(table: Section, brokers: tuple[str, ...], keepalive_s: float) -> SyncConfig:
    seconds = forms.number(0.001, forms.DAY_S)
    return SyncConfig(
        brokers=brokers,
        keepalive_s=keepalive_s,
        unsigned=table.take("unsigned", forms.TRUTH, False),
        hello_s=table.take("hello_s", seconds, 15.0),
        resend_s=table.take("resend_s", seconds, 15.0),
        backoff_max_s=table.take("backoff_max_s", seconds, 300.0),
        spread_s=table.take("spread_s", forms.number(0.0, forms.DAY_S), 60.0),
        idle_hello_s=table.maybe("idle_hello_s", seconds),
    )


def _visit(table: Section, root: Path) -> tuple[float, Path | None, bool]:
    return (
        table.take("idle_s", forms.SECONDS, VISIT_IDLE_S),
        table.maybe("patient_key", forms.path_under(root)),
        table.take("blind_counts", forms.TRUTH, False),
    )


def _presence(table: Section) -> tuple[str, float, bool]:
    claims = table.maybe("claim_wait_s", forms.whole(0, 0)) is None
    model = table.take("model", forms.word_of("window", "filter"), "window")
    return model, table.take("window_s", forms.number(1.0, forms.DAY_S), WINDOW_S), claims


def _master(table: Section, root: Path) -> tuple[Path | None, Path | None, Path | None, Path | None]:
    path = forms.path_under(root)
    items, opening = table.maybe("items", path), table.maybe("opening", path)
    return items, opening, table.maybe("cards", path), table.maybe("bins", path)
