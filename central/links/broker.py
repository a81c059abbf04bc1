"""Central's line to the brokers: it listens on every one of the list and answers on the one a message came by.

A broker is a lossy pipe that wakes people up; nothing is kept in it and nothing is queued here. Each connection is a
new client with a clean session, so that nothing of the last one is said again. The rule that must not be broken: a
message is published only while connected; what cannot be published now is dropped, because the device will ask again.
"""

import logging
import ssl
import threading
from collections.abc import Callable, Collection, Sequence
from urllib.parse import urlsplit

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from protocols.sync.topics import EVERY_SHARD, up_of
from protocols.values.ids import HospitalId

IN_FLIGHT_MAX = 20
QUEUED_MAX = 2_000
"""Answers the client may hold while twenty are on the way; more are dropped."""
KEPT_MAX = 1_900
"""Messages that brokers are to keep; told again at once, they must fit the client's queue."""
CONNECT_S_MAX = 5.0
BACKOFF_S_MIN = 0.2
BACKOFF_S_MAX = 30.0
STOP_S_MAX = 6.0
COMPLAIN_EVERY_S = 60.0
"""A broker that is not there is tried each few seconds and told of once in this time."""
PORT_PLAIN, PORT_TLS = 1883, 8883

OnMessage = Callable[[str, bytes, Callable[[str, bytes], None]], None]
"""(topic, bytes, answer(topic, bytes)); called on the client's thread, must not wait."""

log = logging.getLogger("wardstock.broker")


def broker_address(url: str) -> tuple[str, int, bool]:
    """Return host, port and whether TLS is meant. Raises `ValueError`."""
    parts = urlsplit(url)
    if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname or parts.path not in {"", "/"}:
        raise ValueError(f"broker: expected mqtt://HOST:PORT or mqtts://HOST:PORT, got {url!r:.80}")
    secure = parts.scheme == "mqtts"
    return parts.hostname, parts.port or (PORT_TLS if secure else PORT_PLAIN), secure


class _Kept:
    """What brokers are to keep, by topic; beyond the limit the newest are not, and devices hear of it by greeting."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._said: dict[str, bytes] = {}

    def put(self, topic: str, data: bytes) -> None:
        with self._lock:
            if topic in self._said or len(self._said) < KEPT_MAX:
                self._said[topic] = data

    def every(self) -> list[tuple[str, bytes]]:
        with self._lock:
            return list(self._said.items())


class CentralBroker:
    """The lines to all brokers of the list; without `tls`, those of `mqtts` are believed as this machine does."""

    def __init__(
        self,
        urls: Sequence[str],
        hospital: HospitalId,
        *,
        keepalive_s: int,
        chance: Callable[[], float],
        on_message: OnMessage,
        tls: ssl.SSLContext | None = None,
        shards: Collection[int] = EVERY_SHARD,
    ) -> None:
        topics = up_of(hospital, shards)
        self._kept = _Kept()
        self._lines = [_Line(url, topics, keepalive_s, chance, on_message, tls, self._kept) for url in urls]

    def start(self) -> None:
        """Begin to connect; returns at once."""
        for line in self._lines:
            line.start()

    def stop(self) -> None:
        """Leave every broker."""
        for line in self._lines:
            line.leave()
        for line in self._lines:
            line.join()

    def keep(self, topic: str, data: bytes) -> None:
        """Let every broker keep a message for who listens later; one that forgot it is told again when it is back."""
        self._kept.put(topic, data)
        for line in self._lines:
            line.keep(topic, data)

    def connected(self) -> dict[str, bool]:
        """Tell for each address whether its subscription stands."""
        return {line.url: line.subscribed.is_set() for line in self._lines}


class _Line:
    """One broker: a thread that connects, waits until the connection is gone, and tries again with full jitter."""

    def __init__(
        self,
        url: str,
        topics: Sequence[str],
        keepalive_s: int,
        chance: Callable[[], float],
        on_message: OnMessage,
        tls: ssl.SSLContext | None,
        kept: _Kept,
    ) -> None:
        self.url, self._kept = url, kept
        self.subscribed = threading.Event()
        self._host, self._port, self._secure = broker_address(url)
        self._topics, self._keepalive_s, self._chance, self._on_message = topics, keepalive_s, chance, on_message
        self._tls = tls
        self._stopping, self._gone = threading.Event(), threading.Event()
        self._quiet_s = 0.0
        self._client: Client | None = None
        self._thread = threading.Thread(target=self._run, name=f"broker-{self._host}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def keep(self, topic: str, data: bytes) -> None:
        client = self._client
        if client is not None and self.subscribed.is_set():
            _publish(client, topic, data, keep=True)

    def leave(self) -> None:
        self._stopping.set()
        self._gone.set()

    def join(self) -> None:
        if self._thread.is_alive():
            self._thread.join(STOP_S_MAX)

    def _run(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            attempt = 0 if self._stay() else attempt + 1
            most = min(BACKOFF_S_MAX, BACKOFF_S_MIN * (1 << min(attempt, 16)))
            wait_s = BACKOFF_S_MIN + self._chance() * most
            self._quiet_s = max(0.0, self._quiet_s - wait_s)
            self._stopping.wait(wait_s)

    def _complain(self, error: OSError) -> None:
        """Say that the broker cannot be reached, unless that was said within the last minute of waiting."""
        if self._quiet_s > 0:
            return
        self._quiet_s = COMPLAIN_EVERY_S
        log.warning("broker %s: %s; trying again, said once a minute", self.url, error)

    def _stay(self) -> bool:
        """Hold one connection until it is gone; tell whether there was one."""
        self._gone.clear()
        if self._stopping.is_set():
            return False
        client = self._client = self._fresh_client()
        try:
            client.connect(self._host, self._port, self._keepalive_s)
        except OSError as error:
            self._complain(error)
            return False
        self._quiet_s = 0.0
        client.loop_start()
        self._gone.wait()
        stood = self.subscribed.is_set()
        self.subscribed.clear()
        client.disconnect()
        client.loop_stop()
        if stood and not self._stopping.is_set():
            log.warning("broker %s: connection lost; trying again", self.url)
        return stood

    def _fresh_client(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id="",
            clean_session=True,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_S_MAX
        client.max_inflight_messages_set(IN_FLIGHT_MAX)
        client.max_queued_messages_set(QUEUED_MAX)
        if self._secure:
            client.tls_set_context(self._tls or ssl.create_default_context())
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_disconnect = self._disconnected
        client.on_message = self._message
        return client

    def _connected(
        self, client: Client, _user: object, _flags: ConnectFlags, reason: ReasonCode, _props: Properties | None
    ) -> None:
        if reason.is_failure:
            log.warning("broker %s: expected to be let in, got %s; check its access list", self.url, reason)
            self._gone.set()
            return
        if not self._topics:
            self._stands(client)
            return
        client.subscribe([(topic, 1) for topic in self._topics])

    def _subscribed(
        self, client: Client, _user: object, _mid: int, codes: list[ReasonCode], _props: Properties | None
    ) -> None:
        if any(code.is_failure for code in codes):
            log.warning("broker %s: may not listen on %s; check its access list", self.url, self._topics[0])
            self._gone.set()
            return
        self._stands(client)

    def _stands(self, client: Client) -> None:
        """Begin to speak on this connection: first what the broker is to keep, which it may have forgotten."""
        self.subscribed.set()
        for topic, data in self._kept.every():
            _publish(client, topic, data, keep=True)

    def _disconnected(
        self, _client: Client, _user: object, _flags: DisconnectFlags, _reason: ReasonCode, _props: Properties | None
    ) -> None:
        self._gone.set()

    def _message(self, client: Client, _user: object, message: MQTTMessage) -> None:
        self._on_message(message.topic, bytes(message.payload), lambda topic, data: _publish(client, topic, data))


def _publish(client: Client, topic: str, data: bytes, *, keep: bool = False) -> None:
    if not client.is_connected():
        return
    if client.publish(topic, data, qos=1, retain=keep).rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
        log.debug("an answer on %s was dropped", topic)
