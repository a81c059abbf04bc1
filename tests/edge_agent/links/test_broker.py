"""The edge's line to a broker, without one: what it refuses, and that nothing is kept for later."""

import queue
import socket
import ssl

import pytest

from edge_agent.errors import LinkFault
from edge_agent.links.broker import BrokerLink, broker_address
from protocols.sync.topics import Topics
from protocols.values.ids import DeviceId, HospitalId

TOPICS = Topics(HospitalId("main"), 0, DeviceId("ward-01"))
LIMIT_S = 10.0


def a_link(url: str, said: "queue.Queue[str]") -> BrokerLink:
    return BrokerLink(
        [url],
        TOPICS,
        on_connect=lambda: said.put("up"),
        on_disconnect=said.put,
        on_message=lambda _data: said.put("message"),
        backoff_max_s=0.1,
        chance=lambda: 0.0,
    )


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://127.0.0.1:1884", ("127.0.0.1", 1884, False)),
        ("mqtt://broker", ("broker", 1883, False)),
        ("mqtts://broker/", ("broker", 8883, True)),
        ("mqtt://[::1]:9", ("::1", 9, False)),
    ],
)
def test_an_address_is_a_host_a_port_and_whether_it_is_secret(url: str, address: tuple[str, int, bool]) -> None:
    assert broker_address(url) == address


@pytest.mark.parametrize("url", ["", "127.0.0.1:1883", "http://broker", "mqtt://", "mqtt://broker/topic", "mqtt://b:x"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"expected mqtt|Port"):
        broker_address(url)


def test_a_broker_that_is_not_there_is_said_and_tried_again_and_nothing_is_kept_for_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        said: queue.Queue[str] = queue.Queue()
        link = a_link(f"mqtt://127.0.0.1:{taken.getsockname()[1]}", said)
        link.start()
        for _ in range(2):
            assert "does not answer" in said.get(timeout=LIMIT_S)
        assert link.publish(b"x") is False
        link.stop()


def test_a_port_that_accepts_and_says_nothing_does_not_hold_the_end_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        said: queue.Queue[str] = queue.Queue()
        link = a_link(f"mqtt://127.0.0.1:{mute.getsockname()[1]}", said)
        link.start()
        connection, _ = mute.accept()
        link.stop()
        connection.close()
        assert not link._thread.is_alive()


def test_a_link_that_waits_tries_again_at_once_when_it_is_hurried_and_asks_for_its_certificate_each_time() -> None:
    said: queue.Queue[str] = queue.Queue()
    asked: queue.Queue[int] = queue.Queue()

    def no_certificate() -> ssl.SSLContext:
        asked.put(1)
        raise LinkFault("the certificate cannot be read")

    link = BrokerLink(
        ["mqtts://127.0.0.1:9"],
        TOPICS,
        on_connect=lambda: said.put("up"),
        on_disconnect=said.put,
        on_message=lambda _data: said.put("message"),
        backoff_max_s=3600.0,
        chance=lambda: 1000.0,
        tls=no_certificate,
    )
    link.start()
    for _ in range(3):
        assert "the certificate cannot be read" in said.get(timeout=LIMIT_S)
        link.hurry()
    link.stop()
    assert asked.qsize() >= 3
