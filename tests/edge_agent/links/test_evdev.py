"""An input device behind a FIFO: held alone, handed on, unplugged and put back; what is no input device is refused."""

import errno
import os
import queue
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.errors import LinkFault
from edge_agent.links.evdev import EvdevLink, Mute, open_device
from protocols.readers.keyboard import EV_KEY, EVENT, KeyboardDecoder
from protocols.readers.scanner import ScanFrame

WAIT_S = 10.0
KEYS = {"1": 2, "0": 11, "a": 30}
ENTER = 28


def presses(text: str) -> bytes:
    codes = [*(KEYS[each] for each in text), ENTER]
    return b"".join(EVENT.pack(0, 0, EV_KEY, code, value) for code in codes for value in (1, 0))


class Seen:
    """A link on a FIFO and what it told, in order."""

    def __init__(self, path: Path) -> None:
        self.told: queue.Queue[tuple[str, object]] = queue.Queue()
        self.held: list[int] = []
        self.link = EvdevLink(
            path,
            on_open=lambda wire: self.told.put(("open", wire)),
            on_bytes=lambda data: self.told.put(("bytes", data)),
            on_close=lambda reason: self.told.put(("close", reason)),
            chance=lambda: 0.05,
            hold=self.held.append,
        )

    def expect(self, what: str) -> object:
        said, value = self.told.get(timeout=WAIT_S)
        assert said == what, value
        return value


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    path = tmp_path / "event3"
    os.mkfifo(path)
    return path


@pytest.fixture
def seen(fifo: Path) -> Iterator[Seen]:
    made = Seen(fifo)
    yield made
    made.link.stop()


def test_keys_become_a_scan_and_an_unplugged_scanner_is_opened_again(fifo: Path, seen: Seen) -> None:
    writer = os.open(fifo, os.O_RDWR)
    seen.link.start()
    wire = seen.expect("open")
    assert isinstance(wire, Mute)
    assert not wire.send(b"\x07\x00")
    assert len(seen.held) == 1
    os.write(writer, presses("10a"))
    data = seen.expect("bytes")
    assert isinstance(data, bytes)
    assert KeyboardDecoder().receive(data) == [ScanFrame("10a")]
    os.close(writer)
    assert "the scanner is gone; plug it in again" in str(seen.expect("close"))


def test_a_device_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    seen = Seen(tmp_path / "event9")
    seen.link.start()
    assert "there is none; plug the scanner in" in str(seen.expect("close"))
    os.mkfifo(tmp_path / "event9")
    writer = os.open(tmp_path / "event9", os.O_RDWR)
    while seen.told.get(timeout=WAIT_S)[0] != "open":
        pass
    seen.link.stop()
    os.close(writer)


def test_a_file_that_is_no_input_device_is_refused(fifo: Path) -> None:
    with pytest.raises(LinkFault, match="this is another kind of file; correct the scanner's url"):
        open_device(fifo)


def test_a_device_somebody_else_holds_is_not_used(fifo: Path) -> None:
    def busy(_descriptor: int) -> None:
        raise OSError(errno.EBUSY, "busy")

    with pytest.raises(LinkFault, match="nobody else holds"):
        open_device(fifo, busy)
