"""The simulated UHFReader18 and 288 boards and our own session living with them over bytes; time is a value."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pytest

from hardware_sim.devices.device import Heard
from hardware_sim.devices.uhfreader18 import Uhf18Device
from protocols.errors import WeBroke
from protocols.readers.outcomes import Close, Outcome, Send
from protocols.readers.reads import AntennaChanged, BadFrame, LinkUp, RoundEnded, TagRead
from protocols.readers.uhfreader18.codec import crc_mcrf4xx, encode_answer, encode_command
from protocols.readers.uhfreader18.layout import CN_920_925
from protocols.readers.uhfreader18.session import TABLE, Event, State, Uhf18Session, step
from protocols.readers.use import ReaderUse
from protocols.values.instant import Instant, plus

LINK0 = Instant(5_000_000)
ONE = ReaderUse(round_s=1.0, power_dbm=20)
FOUR = replace(ONE, antennas=(1, 2, 4), address=9)
EPCS = [f"30340242201D8D40000000{number:02X}" for number in range(7)]


@dataclass
class Room:
    """A board and our session in one memory: bytes go across in pieces of `piece` (0 = whole)."""

    use: ReaderUse
    here: list[str] = field(default_factory=lambda: list(EPCS))
    piece: int = 0
    now: Instant = LINK0
    seen: list[Outcome] = field(default_factory=list)
    dead: bool = False

    def __post_init__(self) -> None:
        antennas = 4 if max(self.use.antennas) > 1 else 1
        self.device = Uhf18Device(self.inventory, antennas=antennas, address=self.use.address)
        self.session = Uhf18Session(self.use)
        self.to_device(self.session.opened(self.now))

    def inventory(self, at: Instant, antennas: tuple[int, ...]) -> Iterable[Heard]:
        del at
        return [(each, antenna, -50 - antenna, 1) for antenna in antennas for each in self.here]

    def to_device(self, outcomes: list[Outcome]) -> None:
        self.seen += outcomes
        for each in outcomes:
            if isinstance(each, Send) and not self.dead:
                self.to_session(self.device.receive(each.data, self.now, self.now))

    def to_session(self, data: bytes) -> None:
        size = self.piece or len(data) or 1
        for start in range(0, len(data), size):
            self.to_device(self.session.receive(data[start : start + size], self.now))

    def run(self, seconds: float) -> None:
        until = plus(self.now, seconds)
        while self.now < until:
            self.now = plus(self.now, 0.05)
            if not self.dead:
                self.to_session(self.device.tick(self.now, self.now))
            self.to_device(self.session.tick(self.now))

    def rounds(self) -> list[tuple[int, ...]]:
        return [each.antennas for each in self.seen if isinstance(each, RoundEnded)]


@pytest.mark.parametrize("use", [ONE, FOUR], ids=["18", "288"])
@pytest.mark.parametrize("piece", [0, 1, 5])
def test_the_session_reads_every_tag_at_every_antenna_and_proves_a_round_a_second(use: ReaderUse, piece: int) -> None:
    room = Room(use, piece=piece)
    room.run(4.5)
    reads = {(each.epc, each.antenna, each.rssi_dbm) for each in room.seen if isinstance(each, TagRead)}
    level = {antenna: -50 - antenna if use is FOUR else None for antenna in use.antennas}
    assert reads == {(each, antenna, level[antenna]) for each in EPCS for antenna in use.antennas}
    assert 4 <= len(room.rounds()) <= 5
    assert set(room.rounds()) == {use.antennas}
    assert sum(isinstance(each, LinkUp) for each in room.seen) == 1
    assert not any(isinstance(each, BadFrame | Close) for each in room.seen)
    assert (room.device.region, room.device.dbm) == (CN_920_925, 20)
    assert room.device.mask == (0b1011 if use is FOUR else 1)


@pytest.mark.parametrize("use", [ONE, FOUR], ids=["18", "288"])
def test_an_empty_shelf_is_an_answer_and_proves_rounds(use: ReaderUse) -> None:
    room = Room(use, here=[])
    room.run(3.5)
    assert len(room.rounds()) >= 3
    assert not any(isinstance(each, TagRead) for each in room.seen)


@pytest.mark.parametrize("use", [ONE, FOUR, replace(ONE, active=True)], ids=["18", "288", "active"])
def test_a_board_that_falls_silent_proves_nothing_more_and_is_given_up(use: ReaderUse) -> None:
    room = Room(use)
    room.run(2.0)
    room.dead = True
    rounds = len(room.rounds())
    room.run(12.0)
    assert len(room.rounds()) == rounds
    (end,) = [each for each in room.seen if isinstance(each, Close)]
    assert f"{use.address} its address?" in end.reason


@pytest.mark.parametrize("use", [replace(ONE, active=True), replace(FOUR, active=True)], ids=["18", "288"])
def test_an_active_board_is_listened_to_and_its_rounds_are_proven_by_a_question(use: ReaderUse) -> None:
    room = Room(use)
    room.run(4.5)
    assert {each.epc for each in room.seen if isinstance(each, TagRead)} == set(EPCS)
    assert {each.antenna for each in room.seen if isinstance(each, TagRead)} == set(use.antennas)
    assert len(room.rounds()) >= 4
    assert not any(isinstance(each, Close) for each in room.seen)


def test_an_antenna_that_is_unplugged_is_told_and_proves_nothing_until_it_is_back() -> None:
    room = Room(FOUR)
    room.run(1.5)
    room.device.unplugged.add(2)
    room.run(3.0)
    assert room.rounds()[-1] == (1, 4)
    room.device.unplugged.clear()
    room.run(2.0)
    assert room.rounds()[-1] == (1, 2, 4)
    changes = [(each.antenna, each.connected) for each in room.seen if isinstance(each, AntennaChanged)]
    assert changes == [(2, False), (2, True)]


def test_a_board_is_deaf_to_other_addresses_and_so_are_we() -> None:
    device = Uhf18Device(lambda _at, _antennas: (), address=3)
    assert device.receive(encode_command("get_info", address=4), LINK0, LINK0) == b""
    assert device.receive(encode_command("get_info", address=255), LINK0, LINK0) != b""
    session = Uhf18Session(ONE)
    session.opened(LINK0)
    info = device.receive(encode_command("get_info", address=3), LINK0, LINK0)
    assert session.receive(info, LINK0) == []
    assert session.state is State.PROBING


def test_a_board_with_one_antenna_is_not_used_as_four() -> None:
    session = Uhf18Session(replace(FOUR, address=0))
    session.opened(LINK0)
    info = Uhf18Device(lambda _at, _antennas: ()).receive(encode_command("get_info"), LINK0, LINK0)
    (end,) = session.receive(info, LINK0)
    assert isinstance(end, Close)
    assert "one antenna" in end.reason


def test_a_refusal_ends_the_session_with_its_reason() -> None:
    session = Uhf18Session(ONE)
    session.opened(LINK0)
    assert session.receive(encode_answer("error", 0x21, 0xFE), LINK0) == [
        Close("the board refused its probing: the command is not known or not possible now")
    ]


def test_a_lost_answer_is_asked_for_again() -> None:
    session = Uhf18Session(ONE)
    (first,) = session.opened(LINK0)
    assert session.tick(plus(LINK0, 1.0)) == [first]


def test_the_board_refuses_what_it_does_not_know() -> None:
    device = Uhf18Device(lambda _at, _antennas: ())
    assert device.receive(encode_command("get_work_mode"), LINK0, LINK0) == encode_answer("error", 0x36, 0xFE)
    with pytest.raises(WeBroke):
        Uhf18Device(lambda _at, _antennas: (), antennas=9)


def test_a_running_session_bears_twenty_thousand_changed_answers() -> None:
    rng = random.Random(20)
    seeds = [
        encode_answer("tags", 0x01, 0x01, {"tags": [{"epc": EPCS[0]}]}),
        encode_answer("tags", 0x01, 0x03, {"antenna_mask": 4, "tags": [{"epc": EPCS[0], "level": 0xC4}]}),
        encode_answer("tags", 0xEE, 0x00, {"tags": [{"epc": EPCS[0]}]}),
        encode_answer("error", 0x01, 0xFA),
    ]
    room = Room(ONE, here=[])
    room.run(0.5)
    for _ in range(20_000):
        raw = bytearray(rng.choice(seeds)[:-2])
        raw[rng.randrange(4, len(raw)) if len(raw) > 4 else 3] = rng.getrandbits(8)
        raw += crc_mcrf4xx(bytes(raw)).to_bytes(2, "little")
        assert not any(isinstance(each, Close) for each in room.session.receive(bytes(raw), room.now))
        if room.session.state is State.RESTING:
            room.now = plus(room.now, 2.0)
            room.session.tick(room.now)


def test_the_table_leads_everywhere() -> None:
    assert set(TABLE.values()) | {State.IDLE} == set(State)
    with pytest.raises(WeBroke, match="no way on from IDLE by POLLED"):
        step(State.IDLE, Event.POLLED)
