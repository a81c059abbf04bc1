"""Every link of one agent, made from its configuration: what a link says becomes a happening in the inbox.

The rule that must not be broken: scanners come first, and what only readers or the broker need is loaded after them.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from edge_agent.agent.inbox import (
    BrokerDown,
    BrokerSaid,
    BrokerUp,
    Inbox,
    ReaderClosed,
    ReaderOpened,
    ReaderSaid,
    ScannerClosed,
    ScannerOpened,
    ScannerSaid,
)
from edge_agent.agent.trust import Trust
from edge_agent.clock import chance
from edge_agent.config import Config, ReaderConfig, ScannerConfig
from edge_agent.config.readers import AUTO
from edge_agent.config.scanners import KEYBOARD
from edge_agent.errors import BadConfig
from edge_agent.links.broker import BrokerLink
from edge_agent.links.ports import Search
from edge_agent.links.serial import SerialLink
from protocols.errors import BadValue
from protocols.sync.topics import Topics

if TYPE_CHECKING:
    from ssl import SSLContext

    from edge_agent.links.evdev import EvdevLink
    from edge_agent.links.tcp import TcpLink


class Links:
    """The links of one agent; scanners start first, all stop together."""

    def __init__(self, config: Config, inbox: Inbox, trust: Trust) -> None:
        self._trust = trust
        self._scanners = [scanner_link(each, inbox) for each in config.scanners]
        taken = named_ports(config)
        self._readers = {each.name: reader_link(each, inbox, Search(config.serial, taken)) for each in config.readers}
        self.broker = _broker(config, inbox, trust)
        trust.on_fresh = self.broker.hurry

    def open_scanners(self) -> None:
        """Begin to open what people scan with."""
        for scanner in self._scanners:
            scanner.start()

    def open_the_rest(self) -> None:
        """Begin to connect to readers and to the broker, and to keep the certificate for it fresh."""
        for reader in self._readers.values():
            reader.start()
        self.broker.start()
        self._trust.start()

    def stop(self) -> None:
        """Close everything."""
        stops: list[Callable[[], None]] = [each.stop for each in self._scanners]
        stops += [each.stop for each in self._readers.values()]
        for stop in (*stops, self.broker.stop, self._trust.stop):
            stop()

    def settled(self, reader: str) -> None:
        """A reader works: its next failure is retried soon."""
        self._readers[reader].settled()


def scanner_link(config: ScannerConfig, inbox: Inbox) -> "SerialLink | EvdevLink":
    """Return the link to a configured scanner; what it says goes into the inbox."""
    if config.kind == KEYBOARD:
        from edge_agent.links.evdev import EvdevLink

        return EvdevLink(
            config.port,
            on_open=lambda wire: inbox.put(ScannerOpened(config.name, wire)),
            on_bytes=lambda data: inbox.put(ScannerSaid(config.name, data)),
            on_close=lambda reason: inbox.put(ScannerClosed(config.name, reason)),
            chance=chance,
        )
    return SerialLink(
        config.port,
        config.baud,
        on_open=lambda wire: inbox.put(ScannerOpened(config.name, wire)),
        on_bytes=lambda data: inbox.put(ScannerSaid(config.name, data)),
        on_close=lambda reason: inbox.put(ScannerClosed(config.name, reason)),
        chance=chance,
    )


def named_ports(config: Config) -> list[Path]:
    """Return the serial ports that the configuration names, which no search may try."""
    ports = [each.port for each in config.scanners]
    return ports + [each.port for each in config.readers if each.port is not None and each.port != AUTO]


def reader_link(config: ReaderConfig, inbox: Inbox, search: Search) -> "TcpLink | SerialLink":
    """Return the link to a configured reader; what it says goes into the inbox. Raises `BadConfig` for TLS files."""
    if config.port is not None:
        return _module(config, search if config.port == AUTO else config.port, inbox)
    assert config.address is not None  # the configuration gives one or the other
    from edge_agent.links.tcp import TcpLink

    return TcpLink(
        config.address.host,
        config.address.port,
        on_open=lambda wire: inbox.put(ReaderOpened(config.name, wire)),
        on_bytes=lambda data: inbox.put(ReaderSaid(config.name, data)),
        on_close=lambda reason: inbox.put(ReaderClosed(config.name, reason)),
        chance=chance,
        tls=_tls(config),
    )


def _tls(config: ReaderConfig) -> "SSLContext | None":
    if config.tls is None:
        return None
    from edge_agent.links.tcp import tls_context

    try:
        return tls_context(config.tls.authority, certificate=config.tls.certificate, key=config.tls.key)
    except BadValue as error:
        raise BadConfig(f"reader {config.name}: {error}") from error


def _module(config: ReaderConfig, port: Path | Search, inbox: Inbox) -> SerialLink:
    return SerialLink(
        port,
        config.baud,
        on_open=lambda wire: inbox.put(ReaderOpened(config.name, wire)),
        on_bytes=lambda data: inbox.put(ReaderSaid(config.name, data)),
        on_close=lambda reason: inbox.put(ReaderClosed(config.name, reason)),
        chance=chance,
        what="reader",
    )


def _broker(config: Config, inbox: Inbox, trust: Trust) -> BrokerLink:
    return BrokerLink(
        config.sync.brokers,
        Topics(config.device.hospital, config.device.shard or 0, config.device.id),
        on_connect=lambda: inbox.put(BrokerUp()),
        on_disconnect=lambda reason: inbox.put(BrokerDown(reason)),
        on_message=lambda data: inbox.offer(BrokerSaid(data)),
        keepalive_s=config.sync.keepalive_s,
        backoff_max_s=config.sync.backoff_max_s,
        tls=trust.tls,
    )
