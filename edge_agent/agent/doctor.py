"""What is connected to this storeroom's edge and what is wrong with it: every part is tried, none is guessed.

A reader is tried with its own session until a round is proven, a scanner's port by opening it, a broker by connecting.
It writes nothing to the ledger. The rule that must not be broken: what was not tried is not called right.
"""

import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from edge_agent.agent.inbox import Closable, Inbox, ReaderClosed, ReaderOpened, ReaderSaid
from edge_agent.agent.links import named_ports, reader_link
from edge_agent.agent.readers import session_maker
from edge_agent.clock import Clock
from edge_agent.config import Config, ReaderConfig, ScannerConfig
from edge_agent.config.scanners import KEYBOARD
from edge_agent.errors import LinkFault, StoreFault
from edge_agent.links.broker import broker_address
from edge_agent.links.evdev import open_device
from edge_agent.links.ports import SERIAL, Search, lasting_name, list_ports
from edge_agent.links.serial import try_port
from edge_agent.links.tcp import connect, say
from edge_agent.store.lock import hold_alone
from protocols.readers.outcomes import Close, Outcome, Send
from protocols.readers.reads import LinkDown, RoundEnded, TagRead
from protocols.readers.use import ReaderSession

ROUND_S = 1.0
"""Round of a trial, in the reader's time: long enough for some inventories."""
TRIAL_S_MAX = 20.0
"""Longest trial of one reader in link time: a connection, its set-up and two rounds."""
TURN_S = 0.1
FREE_BYTES_MIN = 200 * 1024 * 1024
"""Room below which a ledger should not go on: some years of one storeroom."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one part is and whether it is right; `said` is one line, with what to do if not. `right` None: not tried."""

    part: str
    right: bool | None
    said: str


def examine(config: Config, enumeration: Path = SERIAL) -> Iterator[Finding]:
    """Try everything a configuration names, one finding each."""
    yield _disk(config.ledger.parent)
    yield _signing(config)
    yield from (_broker(url) for url in config.sync.brokers)
    try:
        with hold_alone(config.ledger):
            yield from (_scanner(each) for each in config.scanners)
            search = Search(enumeration, named_ports(config))
            yield from (try_reader(each, search) for each in config.readers)
    except StoreFault as fault:
        yield Finding("agent", None, f"{fault}; its readers and scanners were not tried")
    yield from _names(config, enumeration)


def try_reader(config: ReaderConfig, search: Search) -> Finding:
    """Connect to a reader as the agent does and wait for a proven round."""
    part = f"reader {config.name} ({config.kind})"
    trial = _Trial(replace(config, round_s=min(config.round_s, ROUND_S)), search)
    reason = trial.run()
    if reason:
        return Finding(part, False, reason)
    return Finding(part, True, f"answers, {len(trial.epcs)} tags heard in one round")


@dataclass(slots=True)
class _Trial:
    """One reader's trial: a link, a session, and what was heard."""

    config: ReaderConfig
    search: Search
    epcs: set[str] = field(default_factory=set)
    _proven: bool = False
    _ended: str = ""
    _session: ReaderSession | None = None
    _wire: Closable | None = None

    def run(self) -> str:
        """Return why the reader is not right, empty when it proved a round."""
        clock, inbox = Clock(), Inbox()
        link = reader_link(self.config, inbox, self.search)
        begin = session_maker(self.config, lambda _link: clock.now(), 1.0)
        limit_s = clock.link_s() + TRIAL_S_MAX
        link.start()
        try:
            while not self._proven and not self._ended and clock.link_s() < limit_s:
                self._turn(inbox, clock, begin)
            if self._session is not None and self._proven:
                self._do(self._session.stop(clock.link_now()))
        finally:
            inbox.stop("done")
            link.stop()
        return "" if self._proven else self._ended or f"no round ended within {TRIAL_S_MAX:g} s; look at its antennas"

    def _turn(self, inbox: Inbox, clock: Clock, begin: Callable[[], ReaderSession]) -> None:
        for happening in inbox.gather(TURN_S):
            now = clock.link_now()
            match happening:
                case ReaderOpened():
                    self._session, self._wire = begin(), happening.wire
                    self._do(self._session.opened(now))
                case ReaderSaid() if self._session is not None:
                    self._do(self._session.receive(happening.data, now))
                case ReaderClosed():
                    self._ended = self._ended or happening.reason
        if self._session is not None and not self._ended:
            self._do(self._session.tick(clock.link_now()))

    def _do(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            match outcome:
                case Send() if self._wire is not None:
                    self._wire.send(outcome.data)
                case Close() | LinkDown():
                    self._ended = self._ended or outcome.reason
                case TagRead():
                    self.epcs.add(outcome.epc)
                case RoundEnded():
                    self._proven = True


def _scanner(config: ScannerConfig) -> Finding:
    part = f"scanner {config.name}"
    try:
        if config.kind == KEYBOARD:
            os.close(open_device(config.port))
        else:
            try_port(config.port, config.baud)
    except LinkFault as fault:
        return Finding(part, False, str(fault))
    return Finding(part, True, f"{config.port} opens; a scan was not tried")


def _broker(url: str) -> Finding:
    host, port, _ = broker_address(url)
    try:
        connect((host, port)).close()
    except OSError as error:
        return Finding(f"broker {url}", False, say(error, f"{host}:{port}"))
    return Finding(f"broker {url}", True, "takes a connection; its rights were not tried")


def _disk(folder: Path) -> Finding:
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding("disk", False, f"{folder}: {error.strerror}; make the folder of the ledger")
    if not os.access(folder, os.W_OK):
        return Finding("disk", False, f"{folder}: expected a folder this user may write to; look at its owner")
    if free < FREE_BYTES_MIN:
        return Finding("disk", False, f"{folder}: {free >> 20} MB free, expected {FREE_BYTES_MIN >> 20}; free some")
    return Finding("disk", True, f"{folder}: {free >> 20} MB free")


def _signing(config: Config) -> Finding:
    if config.sync.unsigned:
        return Finding("signing", True, "off, as the configuration says")
    return Finding("signing", False, "no keys in this version: say `unsigned = true` under [sync], here and at central")


def _names(config: Config, enumeration: Path) -> Iterator[Finding]:
    """Tell of ports that nobody uses, and of names that the next plug may change."""
    ports = list_ports(enumeration)
    used = {each.name: each.port for each in config.scanners}
    used |= {each.name: each.port for each in config.readers if each.port is not None}
    for name, port in used.items():
        better = lasting_name(port, ports)
        if better is not None and _is_device(port):
            yield Finding(f"port of {name}", False, f"{port} may change at the next plug; say serial:{better}")
    taken = {port.resolve() for port in used.values()}
    for each in ports:
        if each.device not in taken:
            yield Finding("port", None, f"{each.url} is plugged in and nobody uses it ({each.device})")


def _is_device(port: Path) -> bool:
    """Tell whether a name is the device itself, not a link that somebody chose."""
    try:
        return not stat.S_ISLNK(port.lstat().st_mode)
    except OSError as error:
        return error.errno != errno.ENOENT
