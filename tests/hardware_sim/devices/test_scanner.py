"""The simulated scanner speaks as its host hears, and hears what its host beeps."""

from datetime import date

from hardware_sim.devices.registry import DEVICES
from hardware_sim.devices.scanner import ScannerDevice, badge_label, piece_label
from hardware_sim.sample.catalogue import read_sample
from hardware_sim.scenario.draw import tags_of
from protocols.codes.label import Badge, Label, read_label
from protocols.readers.registry import READERS
from protocols.readers.scanner import Beep, ScanFrame, ScannerDecoder
from protocols.values.ids import actor_id
from protocols.values.instant import Instant


def test_every_piece_of_every_ward_has_a_label_that_reads_back() -> None:
    for number in range(1, 5):
        for tag in tags_of(read_sample(), number):
            text = piece_label(gtin=tag.gtin, expiry=tag.expiry, lot=tag.lot, serial=tag.serial)
            label = read_label(text)
            assert isinstance(label, Label)
            assert (label.product, label.lot, label.serial) == (tag.gtin, tag.lot, tag.serial)
            assert label.expiry == date.fromisoformat(tag.expiry)
            assert ScannerDecoder().receive(ScannerDevice().scan(text)) == [ScanFrame(text)]


def test_a_badge_reads_back() -> None:
    assert read_label(badge_label(actor_id("N0102"))) == Badge(actor_id("N0102"))


def test_beeps_are_heard_byte_by_byte() -> None:
    heard: list[Beep] = []
    device = ScannerDevice(heard.append)
    for byte in Beep.OK.wire + Beep.NO.wire:
        assert device.receive(bytes([byte]), Instant(0), Instant(0)) == b""
    assert heard == [Beep.OK, Beep.NO]


def test_every_reader_has_its_simulated_device_by_the_same_name() -> None:
    assert set(READERS) <= set(DEVICES)
