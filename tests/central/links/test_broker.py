"""Central's lines to its brokers, without any: they wait, and stop when told."""

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
