"""A recording as a device: pieces in their order and at their pace, each host its own conversation."""

import pytest

from hardware_sim.devices.replay import Piece, ReplayDevice, conversations, read_recording
from hardware_sim.errors import BadSample
from protocols.values.instant import Instant

T0 = Instant(1_000_000)


def lines(*rows: tuple[int, str, str]) -> list[Piece]:
    return [Piece(at, way, text) for at, way, text in rows]


TALK = lines((0, "joined", ""), (10, "reader", "01"), (500, "host", "aabb"), (800, "reader", "02"), (900, "left", ""))


def test_a_piece_of_the_reader_waits_as_long_as_it_did_and_one_of_the_host_until_it_came() -> None:
    device = ReplayDevice("m100", conversations(TALK))
    assert device.connected(T0, T0) == b"\x01"
    assert device.due() == (None, None)
    assert device.receive(b"x", Instant(T0 + 50), T0) == b""
    assert device.receive(b"y", Instant(T0 + 60), T0) == b""
    assert device.due() == (T0 + 360, None)
    assert device.tick(Instant(T0 + 359), T0) == b""
    assert device.tick(Instant(T0 + 360), T0) == b"\x02"
    assert device.due() == (None, None)


def test_each_host_is_told_the_next_conversation_and_then_the_first_again() -> None:
    device = ReplayDevice("m100", conversations([*TALK, *lines((0, "joined", ""), (0, "reader", "99"))]))
    said = []
    for _ in range(3):
        said.append(device.connected(T0, T0))
        device.disconnected()
    assert said == [b"\x01", b"\x99", b"\x01"]


@pytest.mark.parametrize(
    "raw", [b"", b"x", b'{"at":0,"way":"reader","hex":"0"}', b'{"at":0,"way":"host","hex":"00"}', b'{"way":"joined"}']
)
def test_what_is_no_recording_is_refused_with_its_line(raw: bytes) -> None:
    with pytest.raises(BadSample, match="recording"):
        read_recording(raw)


def test_a_recording_that_was_full_is_played_as_far_as_it_goes() -> None:
    assert len(read_recording(b'{"at":0,"way":"reader","hex":"01"}\n{"full":true}\n')) == 1
