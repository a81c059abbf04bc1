"""What is connected to this storeroom's edge and what is wrong with it: every part is tried, none is guessed.

A reader is tried with its own session until a round is proven, a scanner by opening it, a broker by connecting, a port
that nobody uses by asking which module answers there. It writes nothing to the ledger. The rule that must not be
broken: what was not tried is not called right.
"""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_agent.agent.links import named_ports
from edge_agent.agent.machine import (
    look_at_clock,
    look_at_disk,
    look_at_files,
    look_at_health,
    look_at_ledger,
    look_at_trim,
)
from edge_agent.agent.trial import probe, try_reader
from edge_agent.agent.trust import check_keys, enrolled_config, signing_said
from edge_agent.clock import Clock
from edge_agent.config import Config, ScannerConfig
from edge_agent.config.readers import AUTO
from edge_agent.config.scanners import HOST_BEEP, KEYBOARD
from edge_agent.errors import BadConfig, LinkFault, StoreFault
from edge_agent.links.broker import broker_address
from edge_agent.links.evdev import open_device
from edge_agent.links.ports import Port, Search, lasting_name, list_ports
from edge_agent.links.serial import try_port
from edge_agent.links.tcp import connect, say
from edge_agent.store.lock import hold_alone


@dataclass(frozen=True, slots=True)
class Finding:
    """What one part is and whether it is right; `said` is one line, with what to do if not. `right` None: not tried."""

    part: str
    right: bool | None
    said: str


def examine(config: Config, enumeration: Path | None = None) -> Iterator[Finding]:
    """Try everything a configuration names, one finding each. `enumeration` lists ports in place of the configured."""
    listed = config.serial if enumeration is None else enumeration
    yield Finding("disk", *look_at_disk(config.ledger.parent, config.disk.alarm_share))
    yield Finding("ledger", *look_at_ledger(config.ledger))
    yield Finding("files", *look_at_files(config))
    yield Finding("trim", *look_at_trim(config))
    yield Finding("clock", *look_at_clock(config))
    yield Finding("health", *look_at_health(config.ledger))
    signing, brokers = _signing(config)
    yield signing
    yield _feedback(config)
    yield from (_broker(url) for url in brokers)
    yield from _names(config, listed)
    try:
        with hold_alone(config.ledger):
            yield from _devices(config, listed)
    except StoreFault as fault:
        yield Finding("agent", None, f"{fault}; its readers and scanners were not tried")


def _devices(config: Config, listed: Path) -> Iterator[Finding]:
    yield from (_scanner(each) for each in config.scanners)
    search = Search(listed, named_ports(config))
    found: set[Path] = set()
    for reader in config.readers:
        part = f"reader {reader.name} ({reader.kind})"
        right, said = try_reader(reader, search)
        if reader.port == AUTO and right:
            found.add(search.last.resolve())
            said = f"{said}; found on serial:{search.last}"
        yield Finding(part, right, said)
    taken = {port.resolve() for port in named_ports(config)} | found
    yield from (_unused(port) for port in list_ports(listed) if port.device not in taken)


def _scanner(config: ScannerConfig) -> Finding:
    part = f"{'card reader' if config.kind == 'card' else 'scanner'} {config.name}"
    try:
        if config.kind == KEYBOARD:
            os.close(open_device(config.port))
        else:
            try_port(config.port, config.baud)
    except LinkFault as fault:
        return Finding(part, False, str(fault))
    return Finding(part, True, f"{config.port} opens; a scan was not tried, doctor --scan does")


def _unused(port: Port) -> Finding:
    """Tell what answers on a port that the configuration does not name."""
    try:
        kind, address = probe(port.name)
    except LinkFault as fault:
        return Finding("port", None, f"{port.url} is plugged in and nobody uses it: {fault}")
    if not kind:
        return Finding("port", None, f"{port.url} is plugged in and nobody uses it ({port.device}); no module answers")
    said = f'kind = "{kind}", url = "{port.url}"' + (f", bus_address = {address}" if address else "")
    return Finding("port", None, f"{port.url}: a module answers and nobody uses it; add a [[reader]] with {said}")


def _feedback(config: Config) -> Finding:
    """Tell how people learn that a scan was kept."""
    beeps = [each.name for each in config.scanners if each.feedback == HOST_BEEP]
    lit = [each.name for each in config.readers if each.lights is not None]
    ways = [f"host-beep of {', '.join(beeps)}"] * bool(beeps) + [f"lights of {', '.join(lit)}"] * bool(lit)
    if not ways:
        return Finding("feedback", False, "nobody would learn whether a scan was kept; give a host-beep or lights")
    return Finding("feedback", True, f"{' and '.join(ways)}; scan something to hear or see it")


def _broker(url: str) -> Finding:
    host, port, _ = broker_address(url)
    try:
        connect((host, port)).close()
    except OSError as error:
        return Finding(f"broker {url}", False, say(error, f"{host}:{port}"))
    return Finding(f"broker {url}", True, "takes a connection; its rights were not tried")


def _signing(config: Config) -> tuple[Finding, tuple[str, ...]]:
    """Tell how this device signs, and which brokers it would use."""
    if config.sync.unsigned:
        return Finding("signing", True, "off, as the configuration says"), config.sync.brokers
    try:
        brokers = enrolled_config(config)[0].sync.brokers
        check_keys(config, Clock().real_now())
    except BadConfig as error:
        return Finding("signing", False, str(error)), config.sync.brokers
    return Finding("signing", True, signing_said(config)), brokers


def _names(config: Config, enumeration: Path) -> Iterator[Finding]:
    """Tell of names that the next plug may change."""
    ports = list_ports(enumeration)
    used = {each.name: each.port for each in config.scanners if each.kind != KEYBOARD}
    used |= {each.name: each.port for each in config.readers if each.port is not None and each.port != AUTO}
    for name, port in used.items():
        better = lasting_name(port, ports)
        if better is not None and _is_device(port):
            yield Finding(f"port of {name}", False, f"{port} may change at the next plug; say serial:{better}")


def _is_device(port: Path) -> bool:
    """Tell whether a name is the device itself, not a link that somebody chose."""
    try:
        return not stat.S_ISLNK(port.lstat().st_mode)
    except OSError as error:
        return error.errno != errno.ENOENT
