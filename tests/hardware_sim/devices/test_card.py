"""The simulated card reader: what it sends is the card that was laid on it."""

import pytest

from hardware_sim.devices.card import CardReaderDevice
from protocols.errors import BadValue
from protocols.readers.card import CardDecoder, CardFrame
from protocols.values.instant import Instant


@pytest.mark.parametrize("uid", ["A1B2C3D4", "04A1B2C3D4E5F6", "E004015012345678"])
def test_a_card_laid_on_it_is_read(uid: str) -> None:
    assert CardDecoder().receive(CardReaderDevice().present(uid)) == [CardFrame(uid)]


def test_it_says_nothing_by_itself() -> None:
    device, now = CardReaderDevice(), Instant(1)
    assert device.connected(now, now) + device.receive(b"\x07\x00", now, now) + device.tick(now, now) == b""
    assert device.due() == (None, None)


def test_a_card_that_cannot_be_is_not_laid_on_it() -> None:
    with pytest.raises(BadValue, match="UID"):
        CardReaderDevice().present("04")
