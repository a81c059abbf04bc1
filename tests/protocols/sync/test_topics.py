"""Topics are made and read in one place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import BadValue, PeerBroke
from protocols.sync.topics import Topics, every_up, parse_up
from protocols.values.ids import DeviceId, HospitalId

names = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True)


@given(names, st.integers(0, 255), names)
def test_a_devices_topic_names_it(hospital: str, shard: int, device: str) -> None:
    topics = Topics(HospitalId(hospital), shard, DeviceId(device))
    assert parse_up(topics.up) == topics
    assert topics.down == topics.up.removesuffix("up") + "down"


def test_one_filter_takes_every_device_of_a_hospital() -> None:
    assert every_up(HospitalId("main")) == "ws/1/main/+/+/up"


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "ws/1/main/0/ward-01/down",
        "ws/2/main/0/w/up",
        "ws/1/main/x/w/up",
        "ws/1/main/256/w/up",
        "ws/1/M/0/w/up",
        "a" * 999,
    ],
)
def test_what_is_no_devices_topic_is_the_peers_fault(topic: str) -> None:
    with pytest.raises(PeerBroke, match="topic"):
        parse_up(topic)


def test_a_shard_is_one_byte() -> None:
    with pytest.raises(BadValue, match=r"0\.\.255"):
        Topics(HospitalId("main"), 256, DeviceId("w"))
