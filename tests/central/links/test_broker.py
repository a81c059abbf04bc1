"""Central's lines to its brokers, without any: they wait, and stop when told."""

import logging
import socket

import pytest

from central.links.broker import CentralBroker
from protocols.values.ids import HospitalId


def lines(*urls: str) -> CentralBroker:
    return CentralBroker(
        urls, HospitalId("main"), keepalive_s=5, chance=lambda: 0.0, on_message=lambda _topic, _data, _answer: None
    )


def test_brokers_that_are_not_there_do_not_keep_central_from_starting_or_stopping() -> None:
    broker = lines("mqtt://127.0.0.1:9", "mqtt://127.0.0.1:10")
    broker.start()
    assert broker.connected() == {"mqtt://127.0.0.1:9": False, "mqtt://127.0.0.1:10": False}
    broker.stop()


@pytest.mark.parametrize("url", ["", "tcp://127.0.0.1:9", "mqtt://"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="expected mqtt"):
        lines(url)


def test_a_broker_that_refuses_is_told_of_once_however_often_it_is_tried(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    broker = lines(f"mqtt://127.0.0.1:{port}")
    (line,) = broker._lines
    with caplog.at_level(logging.INFO, "wardstock.broker"):
        assert [line._stay() for _ in range(5)] == [False] * 5
    (said,) = caplog.messages
    assert "said once a minute" in said
