"""The line of many simulated edges to one broker: a few MQTT clients, each for its share of the devices.

It carries bytes and says who is connected; it keeps nothing. The rule that must not be broken: what does not fit is
dropped and counted, for the ledgers are the queue.
"""

import queue
import threading
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from hardware_sim.errors import PartFailed, WrongUse
from protocols.sync.topics import Topics
from protocols.values.ids import DeviceId

INBOX_MAX = 50_000
"""Messages from central that wait: an acknowledgement is some hundred bytes."""

QUEUED_MAX = 2_000
"""Messages that one client holds back; a session sends again what is dropped."""

IN_FLIGHT_MAX = 200
CONNECT_S = 10.0
KEEPALIVE_S = 30
DEVICES_A_SUBSCRIBE = 100


class News(NamedTuple):
    """What a pipe tells: bytes for a device, or that its line stands (`up`) or not."""

    device: DeviceId
    data: bytes = b""
    up: bool | None = None


def address_of(url: str) -> tuple[str, int]:
    """Return host and port of `mqtt://HOST:PORT`. Raises `WrongUse`."""
    parts = urlsplit(url)
    if parts.scheme != "mqtt" or not parts.hostname or parts.path not in {"", "/"}:
        raise WrongUse(f"--broker: expected amqtt, mosquitto or mqtt://HOST:PORT, got {url!r:.80}")
    return parts.hostname, parts.port or 1883


class Pipe:
    """One client and its devices. News go into the inbox that was given, from the client's thread."""

    def __init__(self, devices: Sequence[Topics], inbox: "queue.Queue[News]") -> None:
        self._topics = {topics.down: topics for topics in devices}
        self._inbox = inbox
        self._stands = threading.Event()
        self.dropped = self.lost = 0
        self._leaving = False
        client = self._client = Client(
            CallbackAPIVersion.VERSION2, client_id="", clean_session=True, protocol=MQTTProtocolVersion.MQTTv311
        )
        client.max_inflight_messages_set(IN_FLIGHT_MAX)
        client.max_queued_messages_set(QUEUED_MAX)
        client.reconnect_delay_set(1, 5)
        client.on_connect, client.on_disconnect = self._connected, self._disconnected
        client.on_subscribe, client.on_message = self._subscribed, self._heard

    def open(self, url: str) -> None:
        """Connect and wait until the subscriptions stand. Raises `PartFailed`."""
        host, port = address_of(url)
        try:
            self._client.connect(host, port, KEEPALIVE_S)
        except (OSError, ValueError) as error:
            raise PartFailed(f"broker {url}: expected to be let in, got: {error}; is it there?") from error
        self._client.loop_start()
        if not self._stands.wait(CONNECT_S):
            raise PartFailed(f"broker {url}: expected a subscription within {CONNECT_S:g} s; look into its log")

    def close(self) -> None:
        """Leave."""
        self._leaving = True
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topics: Topics, data: bytes) -> bool:
        """Send one message of a device; tell whether the client took it."""
        taken = self._client.publish(topics.up, data, qos=1).rc is MQTTErrorCode.MQTT_ERR_SUCCESS
        self.dropped += not taken
        return taken

    def _connected(
        self, client: Client, _user: object, _flags: ConnectFlags, reason: ReasonCode, _props: Properties | None
    ) -> None:
        if reason.is_failure:
            return
        names = list(self._topics)
        for start in range(0, len(names), DEVICES_A_SUBSCRIBE):
            client.subscribe([(name, 1) for name in names[start : start + DEVICES_A_SUBSCRIBE]])

    def _subscribed(
        self, _client: Client, _user: object, _mid: int, codes: list[ReasonCode], _props: Properties | None
    ) -> None:
        if any(code.is_failure for code in codes):
            return
        self._stands.set()
        for topics in self._topics.values():
            self._tell(News(topics.device, up=True))

    def _disconnected(
        self, _client: Client, _user: object, _flags: DisconnectFlags, _reason: ReasonCode, _props: Properties | None
    ) -> None:
        if self._leaving:
            return
        self.lost += 1
        for topics in self._topics.values():
            self._tell(News(topics.device, up=False))

    def _heard(self, _client: Client, _user: object, message: MQTTMessage) -> None:
        topics = self._topics.get(message.topic)
        if topics is not None:
            self._tell(News(topics.device, bytes(message.payload)))

    def _tell(self, news: News) -> None:
        try:
            self._inbox.put_nowait(news)
        except queue.Full:
            self.dropped += 1
