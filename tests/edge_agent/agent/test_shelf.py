"""The shelf joins a reader's bytes to beliefs: our session and window with the simulated reader, no socket."""

import io

from edge_agent.agent.inbox import ReaderClosed, ReaderOpened, ReaderSaid
from edge_agent.agent.shelf import Shelf
from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock
from edge_agent.config import ReaderConfig
from edge_agent.config.forms import Address
from edge_agent.core.presence.window import Window
from hardware_sim.devices.llrp import LlrpReaderDevice
from protocols.values.ids import Epc, epc
from protocols.values.instant import Instant, StoryTime, plus
from tests.edge_agent.conftest import START

A, B, FOREIGN = (epc(f"30340242201D8D400000000{number}") for number in (1, 2, 3))
ROUND_S = 60.0


class Room:
    """A shelf and a reader with an ideal link between them; link time stands still unless told otherwise."""

    def __init__(self) -> None:
        self.here: set[Epc] = {A, B}
        self.link, self.now = Instant(1_000_000), START
        self.log, self.settled = io.StringIO(), list[str]()
        window = Window({"r1": (1, 2)}, round_s=ROUND_S)
        for tag in (A, B):
            window.book(tag, True, START)
        config = ReaderConfig("r1", Address("127.0.0.1", 5084), 1.0, ROUND_S, (1, 2))
        voice = Voice(Clock(StoryTime(START, 1, 0)), self.log)
        self.shelf = Shelf([config], window, voice=voice, settled=self.settled.append)
        self.reader = LlrpReaderDevice(lambda at, antennas: [(tag, 1, -60, 1) for tag in self.here])
        self.sent: list[bytes] = []
        self.closed, self.pause_s = "", 0.0

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self, reason: str, pause_s: float = 0.0) -> None:
        self.closed, self.pause_s = reason, pause_s
        self.reader.disconnected()
        self.shelf.take(ReaderClosed("r1", reason), self.link)

    def plug(self) -> None:
        self.shelf.take(ReaderOpened("r1", self), self.link)
        self.carry(self.reader.connected(self.link, self.now))

    def carry(self, data: bytes) -> None:
        """Carry bytes to and fro until both are silent."""
        while data:
            self.shelf.take(ReaderSaid("r1", data), self.link)
            asked, self.sent = b"".join(self.sent), []
            data = self.reader.receive(asked, self.link, self.now) if asked else b""

    def rounds(self, count: int) -> list[tuple[Epc, bool]]:
        for _ in range(count):
            self.now = plus(self.now, ROUND_S)
            self.carry(self.reader.tick(self.link, self.now))
        beliefs = self.shelf.waiting(100)
        self.shelf.written(beliefs)
        return [(belief.epc, belief.p > 0.5) for belief in beliefs]


def test_tags_on_the_shelf_are_believed_here_and_one_that_goes_is_missed() -> None:
    room = Room()
    room.plug()
    assert room.settled == ["r1"]
    assert sorted(room.rounds(20)) == [(A, True), (B, True)]
    room.here.remove(A)
    assert room.rounds(8) == []
    assert room.rounds(10) == [(A, False)]


def test_a_reader_that_was_gone_for_hours_makes_nothing_missing() -> None:
    room = Room()
    room.plug()
    room.rounds(20)
    room.close("cable pulled")
    room.now = plus(room.now, 20_000)
    room.plug()
    assert room.rounds(20) == []
    assert "cable pulled; presence waits, scans go on" in room.log.getvalue()


def test_a_reader_that_does_not_open_is_told_once() -> None:
    room = Room()
    for _ in range(50):
        room.shelf.take(ReaderClosed("r1", "127.0.0.1:5084 refused the connection"), room.link)
    assert len(room.log.getvalue().splitlines()) == 1
    assert room.shelf.due() is None


def test_a_silent_reader_is_closed_when_its_time_is_over() -> None:
    room = Room()
    room.plug()
    due = room.shelf.due()
    assert due is not None
    room.shelf.tick(Instant(due - 1))
    assert room.closed == ""
    room.shelf.tick(due)
    assert "silent" in room.closed


def test_bytes_that_are_no_llrp_do_not_flood_the_log_and_the_line_goes_on() -> None:
    room = Room()
    room.plug()
    for _ in range(300):
        room.shelf.take(ReaderSaid("r1", b"\xff" * 64), room.link)
    assert len(room.log.getvalue().splitlines()) <= 3


def test_unknown_tags_cost_one_line_an_hour() -> None:
    room = Room()
    room.here.add(FOREIGN)
    room.plug()
    room.rounds(125)
    assert room.log.getvalue().count("1 unknown tags in the last hour") == 2


def test_a_belief_waits_until_it_is_written_and_the_newest_one_counts() -> None:
    room = Room()
    room.plug()
    room.rounds(20)
    room.here.clear()
    for _ in range(30):
        room.now = plus(room.now, ROUND_S)
        room.carry(room.reader.tick(room.link, room.now))
    (first, _) = room.shelf.waiting(10)
    room.here.add(first.epc)
    room.now = plus(room.now, ROUND_S)
    room.carry(room.reader.tick(room.link, room.now))
    room.shelf.written([first])
    assert {(belief.epc == first.epc, belief.p > 0.5) for belief in room.shelf.waiting(10)} == {
        (True, True),
        (False, False),
    }


def test_a_stopped_agent_says_goodbye_to_its_reader() -> None:
    room = Room()
    room.plug()
    room.shelf.stop(room.link)
    room.carry(room.reader.receive(b"".join(room.sent), room.link, room.now))
    assert room.reader.closing
    assert room.closed == "stopped"


def test_an_antenna_unplugged_while_the_reader_was_away_is_lost_when_it_is_back() -> None:
    room = Room()
    room.plug()
    room.close("cut")
    room.reader.switch_antenna(2, room.now, connected=False)
    room.plug()
    assert "antenna 2 is lost" in room.log.getvalue()
    room.close("cut")
    room.reader.switch_antenna(2, room.now, connected=True)
    room.plug()
    assert "antenna 2 is back" in room.log.getvalue()
