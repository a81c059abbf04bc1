"""Cards on a reader: UIDs in the shapes that readers send, and what is no card."""

import pytest

from protocols.errors import BadValue
from protocols.readers.card import CardDecoder, CardFrame, frame_card
from protocols.readers.reads import BadFrame


@pytest.mark.parametrize(
    "line",
    [b"04A1B2C3D4E5F6\r\n", b"04 a1 b2 c3 d4 e5 f6\r", b"04:A1:B2:C3:D4:E5:F6\n", b"\x0204A1B2C3D4E5F6\x03\r\n"],
)
def test_a_card_is_its_uid_however_it_is_written(line: bytes) -> None:
    assert CardDecoder().receive(line) == [CardFrame("04A1B2C3D4E5F6")]


@pytest.mark.parametrize("uid", ["A1B2C3D4", "04A1B2C3D4E5F6", "E004015012345678", "04A1B2C3D4E5F6A7B8C9"])
def test_every_length_of_uid_comes_back_byte_by_byte(uid: str) -> None:
    decoder = CardDecoder()
    assert [each for byte in frame_card(uid) for each in decoder.receive(bytes([byte]))] == [CardFrame(uid)]


@pytest.mark.parametrize(
    "line", [b"04A1B2\r", b"04A1B2C3D\r", b"HELLO\r", b"0 4A1B2C3\r", b"A1B2C3D4E5\r", b"\xff\xfe\r"]
)
def test_what_is_no_card_is_a_bad_frame_and_the_next_card_counts(line: bytes) -> None:
    bad, good = CardDecoder().receive(line + b"A1B2C3D4\r")
    assert isinstance(bad, BadFrame)
    assert good == CardFrame("A1B2C3D4")


def test_half_a_card_is_forgotten_with_the_port() -> None:
    decoder = CardDecoder()
    decoder.receive(b"04A1")
    decoder.reset()
    assert decoder.receive(b"A1B2C3D4\r") == [CardFrame("A1B2C3D4")]


def test_a_card_that_cannot_be_is_not_sent() -> None:
    with pytest.raises(BadValue, match="UID"):
        frame_card("04")
