"""The edge's line to its brokers: one at a time, the next of the list when asked or when one does not answer.

A broker is a lossy pipe that wakes people up; the ledger is the only queue. Each connection is a new client with a
clean session, so that nothing of the last one is said again; "connected" means that the subscription stands. `tls` is
asked before each connection, for certificates are renewed while the agent runs. The rule that must not be broken: a
message is published only while connected, and what the client does not take now is dropped, because the session will
send it again.

The callbacks are called on this link's threads; they must only put what happened into a queue. The MQTT client is
imported on that thread, when it first connects: an agent serves people before that.
"""

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from edge_agent.clock import chance as system_chance
from edge_agent.errors import LinkFault
from protocols.sync.topics import Topics

if TYPE_CHECKING:
    from ssl import SSLContext

    from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

IN_FLIGHT_MAX = 20
QUEUED_MAX = 20
"""Messages the client may hold behind those in flight; the session's window is smaller than both."""
CONNECT_S_MAX = 5.0
SUBSCRIBE_S_MAX = 10.0
BACKOFF_S_MIN = 0.1
BACKOFF_S_MAX = 30.0
DOUBLINGS_MAX = 16
STOP_S_MAX = 6.0
PORT_PLAIN, PORT_TLS = 1883, 8883


def broker_address(url: str) -> tuple[str, int, bool]:
    """Return host, port and whether TLS is meant. Raises `ValueError`."""
    parts = urlsplit(url)
    if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname or parts.path not in {"", "/"}:
        raise ValueError(f"broker: expected mqtt://HOST:PORT or mqtts://HOST:PORT, got {url!r:.80}")
    secure = parts.scheme == "mqtts"
    return parts.hostname, parts.port or (PORT_TLS if secure else PORT_PLAIN), secure


def _system_tls() -> "SSLContext":
    """Return a context that believes whom this machine's system believes."""
    import ssl

    return ssl.create_default_context()


class BrokerLink:
    """A thread that connects, stays until the connection is gone, and tries again with full jitter."""

    def __init__(  # noqa: PLR0913 # an address, three callbacks, and how to connect: each is named where it is made
        self,
        urls: Sequence[str],
        topics: Topics,
        *,
        on_connect: Callable[[], object],
        on_disconnect: Callable[[str], object],
        on_message: Callable[[bytes], object],
        keepalive_s: float = 30.0,
        backoff_max_s: float = BACKOFF_S_MAX,
        chance: Callable[[], float] = system_chance,
        tls: "Callable[[], SSLContext] | None" = None,
    ) -> None:
        self._urls = tuple(urls)
        self._addresses = [broker_address(url) for url in self._urls]
        self._topics, self._keepalive_s = topics, max(1, round(keepalive_s))
        self._on_connect, self._on_disconnect, self._on_message = on_connect, on_disconnect, on_message
        self._backoff_max_s, self._chance = backoff_max_s, chance
        self._stopping, self._gone, self._stands = threading.Event(), threading.Event(), threading.Event()
        self._tls, self._hurry = tls or _system_tls, threading.Event()
        self._why = ""
        self._client: Client | None = None
        self._thread = threading.Thread(target=self._run, name="broker", daemon=True)

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Leave the broker and end."""
        self._stopping.set()
        self._hurry.set()
        self._leave("the agent ends")
        if self._thread.is_alive():
            self._thread.join(STOP_S_MAX)

    def move_on(self) -> None:
        """Leave this broker for the next of the list."""
        self._leave("no answer from central; trying the next broker")

    def hurry(self) -> None:
        """Try again at once if this waits for its next try: what it shows or believes has changed."""
        self._hurry.set()

    def publish(self, data: bytes) -> bool:
        """Send one message up if the broker is there; tell whether the client took it. Never waits, never raises."""
        client = self._client
        if client is None or not self._stands.is_set() or not client.is_connected():
            return False
        from paho.mqtt.enums import MQTTErrorCode

        return client.publish(self._topics.up, data, qos=1).rc is MQTTErrorCode.MQTT_ERR_SUCCESS

    # --- the link's own thread --------------------------------------------------------------------------------------

    def _run(self) -> None:
        turn = attempt = 0
        while not self._stopping.is_set():
            stood = self._stay(turn % len(self._urls))
            turn += 1
            attempt = 0 if stood else attempt + 1
            most = min(self._backoff_max_s, BACKOFF_S_MIN * (1 << min(attempt, DOUBLINGS_MAX)))
            self._hurry.wait(BACKOFF_S_MIN + self._chance() * most)
            self._hurry.clear()

    def _stay(self, which: int) -> bool:
        """Hold one connection until it is gone; tell whether it ever stood."""
        host, port, secure = self._addresses[which]
        self._why = "connection lost"
        self._gone.clear()
        try:
            client = self._client = self._fresh_client(secure=secure)
            client.connect(host, port, self._keepalive_s)
        except (OSError, ValueError, LinkFault) as error:
            self._on_disconnect(f"broker {self._urls[which]} does not answer: {error}")
            return False
        client.loop_start()
        stood = self._wait_until_gone(secure=secure)
        self._stands.clear()
        client.disconnect()
        client.loop_stop()
        self._on_disconnect(f"broker {self._urls[which]}: {self._why}")
        return stood

    def _wait_until_gone(self, *, secure: bool) -> bool:
        if self._stopping.is_set():
            return False
        self._gone.wait(SUBSCRIBE_S_MAX)
        if not self._stands.is_set():
            self._why = self._why if self._gone.is_set() else f"no subscription within {SUBSCRIBE_S_MAX:.0f} s"
            self._why += "; is this device's certificate good, and is it not revoked?" * secure
            return False
        self._gone.wait()
        return True

    def _leave(self, why: str) -> None:
        self._why = why
        self._gone.set()

    def _fresh_client(self, *, secure: bool) -> "Client":
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

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
        if secure:
            client.tls_set_context(self._tls())
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_disconnect = self._disconnected
        client.on_message = self._message
        return client

    # --- on the client's thread -------------------------------------------------------------------------------------

    def _connected(
        self,
        client: "Client",
        _user: object,
        _flags: "ConnectFlags",
        reason: "ReasonCode",
        _props: "Properties | None",
    ) -> None:
        if reason.is_failure:
            self._leave(f"expected to be let in, got {reason}; check the broker's access list")
            return
        client.subscribe([(self._topics.down, 1), (self._topics.hint, 1)])

    def _subscribed(
        self, client: "Client", _user: object, _mid: int, codes: "list[ReasonCode]", _props: "Properties | None"
    ) -> None:
        if any(code.is_failure for code in codes):
            self._leave(f"may not listen on {self._topics.down}; check the broker's access list")
            return
        if client is self._client and not self._gone.is_set():
            self._stands.set()
            self._on_connect()

    def _disconnected(
        self,
        client: "Client",
        _user: object,
        _flags: "DisconnectFlags",
        _reason: "ReasonCode",
        _props: "Properties | None",
    ) -> None:
        if client is self._client:
            self._gone.set()

    def _message(self, client: "Client", _user: object, message: "MQTTMessage") -> None:
        if client is self._client:
            self._on_message(bytes(message.payload))
