"""The simulated M100 module and our own session living with it over bytes; time is a value."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from hardware_sim.devices.device import Heard
from hardware_sim.devices.m100 import M100Device
from protocols.errors import WeBroke
from protocols.readers.m100.codec import M100Decoder, M100Frame, encode, tag_frame
from protocols.readers.m100.layout import REGION_CN_920_925
from protocols.readers.m100.session import ATTEMPTS_MAX, TABLE, Event, M100Session, State, step
from protocols.readers.outcomes import Close, Outcome, Send
from protocols.readers.reads import BadFrame, LinkDown, LinkUp, RoundEnded, TagRead
from protocols.readers.use import ReaderUse
from protocols.values.instant import Instant, plus

LINK0 = Instant(5_000_000)
STORY0 = Instant(1_772_438_400_000_000)
RATE = 60
A, B = "30340242201D8D4000000001", "3034" * 8


def story_at(now: Instant) -> Instant:
    return Instant(STORY0 + (now - LINK0) * RATE)


BURST = ReaderUse(round_s=1.0, power_dbm=20, story_at=story_at)
SINGLE = ReaderUse(round_s=1.0, polls=5, burst=False, story_at=story_at)


@dataclass
class Room:
    """A module and our session in one memory: bytes go across in pieces of `piece` (0 = whole)."""

    use: ReaderUse
    here: list[str] = field(default_factory=lambda: [A, B])
    piece: int = 0
    now: Instant = LINK0
    seen: list[Outcome] = field(default_factory=list)
    dead: bool = False
    deaf: bool = False

    def __post_init__(self) -> None:
        self.session = M100Session(self.use)
        self.device = M100Device(self.inventory)
        self.to_device(self.session.opened(self.now))

    def inventory(self, at: Instant, antennas: tuple[int, ...]) -> Iterable[Heard]:
        assert antennas == (1,)
        return [(each, 1, -50, 1) for each in self.here]

    def to_device(self, outcomes: list[Outcome]) -> None:
        self.seen += outcomes
        for each in outcomes:
            if isinstance(each, Send) and not self.dead:
                self.to_session(self.device.receive(each.data, self.now, story_at(self.now)))

    def to_session(self, data: bytes) -> None:
        if self.deaf and b"\x15" in data:
            return
        size = self.piece or len(data) or 1
        for start in range(0, len(data), size):
            self.to_device(self.session.receive(data[start : start + size], self.now))

    def run(self, seconds: float) -> None:
        until = plus(self.now, seconds)
        while self.now < until:
            self.now = plus(self.now, 0.01)
            if not self.dead:
                self.to_session(self.device.tick(self.now, story_at(self.now)))
            self.to_device(self.session.tick(self.now))

    def of(self, kind: type) -> list[Outcome]:
        return [each for each in self.seen if isinstance(each, kind)]


@pytest.mark.parametrize("use", [BURST, SINGLE], ids=["burst", "single"])
@pytest.mark.parametrize("piece", [0, 1, 7])
def test_the_session_reads_every_tag_and_proves_a_round_a_second(use: ReaderUse, piece: int) -> None:
    room = Room(use, piece=piece)
    room.run(5.5)
    reads = [each for each in room.seen if isinstance(each, TagRead)]
    assert {(each.epc, each.antenna, each.rssi_dbm) for each in reads} == {(A, 1, -50), (B, 1, -50)}
    assert len(room.of(LinkUp)) == 1
    rounds = [each for each in room.seen if isinstance(each, RoundEnded)]
    assert 5 <= len(rounds) <= 6
    assert [each.at for each in rounds] == sorted(each.at for each in rounds)
    assert all(each.antennas == (1,) for each in rounds)
    assert all(story_at(LINK0) <= each.first_seen <= story_at(room.now) for each in reads)
    assert not room.of(BadFrame)
    assert room.device.region == REGION_CN_920_925
    assert room.device.centi_dbm == (2_000 if use.power_dbm else 2_600)


@pytest.mark.parametrize("use", [BURST, SINGLE], ids=["burst", "single"])
def test_an_empty_shelf_is_an_answer_and_proves_rounds(use: ReaderUse) -> None:
    room = Room(use, here=[])
    room.run(3.5)
    assert len(room.of(RoundEnded)) >= 3
    assert not room.of(TagRead)


@pytest.mark.parametrize("use", [BURST, SINGLE], ids=["burst", "single"])
def test_a_module_that_falls_silent_proves_nothing_more_and_is_given_up(use: ReaderUse) -> None:
    room = Room(use, here=[])
    room.run(2.0)
    room.dead = True
    rounds = len(room.of(RoundEnded))
    room.run(10.0)
    assert len(room.of(RoundEnded)) == rounds
    (end,) = room.of(Close)
    assert isinstance(end, Close)
    assert "did not answer 3 times" in end.reason
    assert room.session.due() is None
    assert room.session.closed(end.reason) == [LinkDown(end.reason)]


def test_a_module_that_answers_no_inventory_proves_no_round_and_is_given_up() -> None:
    room = Room(BURST, here=[], deaf=True)
    room.run(6.0)
    assert room.of(RoundEnded) == []
    (end,) = room.of(Close)
    assert isinstance(end, Close)
    assert "look at its antenna" in end.reason


def test_a_module_that_still_polls_for_an_earlier_host_is_silenced_first() -> None:
    session = M100Session(BURST)
    assert session.opened(LINK0) == [Send(encode("stop"))]
    assert session.receive(tag_frame(A, -50), LINK0) == []
    (asked,) = session.receive(encode("stopped", {"status": 0}), LINK0)
    assert asked == Send(encode("get_module_info", {"what": 0}))


def test_a_lost_answer_is_asked_for_again() -> None:
    session = M100Session(BURST)
    session.opened(LINK0)
    (again,) = session.tick(plus(LINK0, 1.0))
    assert again == Send(encode("stop"))
    assert session.tick(plus(LINK0, 1.5)) == []
    session.tick(plus(LINK0, 2.0))
    (end,) = session.tick(plus(LINK0, float(ATTEMPTS_MAX)))
    assert isinstance(end, Close)


def test_an_answer_behind_a_lying_length_is_found_when_the_line_falls_silent() -> None:
    session = M100Session(BURST)
    session.opened(LINK0)
    assert session.receive(b"\xbb\x02\x22\x00\xff" + encode("stopped", {"status": 0}), LINK0) == []
    noise, asked = session.tick(plus(LINK0, 1.0))
    assert isinstance(noise, BadFrame)
    assert asked == Send(encode("get_module_info", {"what": 0}))


def test_a_refused_region_ends_the_session_with_its_reason() -> None:
    room = Room(ReaderUse())
    room.session = M100Session(BURST)
    room.session.opened(LINK0)
    room.session.receive(encode("stopped", {"status": 0}), LINK0)
    room.session.receive(encode("module_info", {"what": 0, "text": "M100"}), LINK0)
    (end,) = room.session.receive(encode("error", {"code": 0x17}), LINK0)
    assert end == Close("the module refused its region: the command is not known or not whole")


def test_a_tag_whose_crc_is_wrong_is_a_bad_frame_and_no_read() -> None:
    room = Room(BURST, here=[])
    room.run(0.5)
    (bad,) = room.session.receive(encode("tag", {"rssi_dbm": -60, "pc": "3000", "epc": A, "crc": "0000"}), room.now)
    assert isinstance(bad, BadFrame)


def test_a_running_session_bears_twenty_thousand_changed_answers() -> None:
    rng = random.Random(20)
    seeds = [tag_frame(A, -50), tag_frame(B, -50), encode("error", {"code": 0x15}), encode("stopped", {"status": 0})]
    room = Room(BURST, here=[])
    room.run(0.5)
    for _ in range(20_000):
        raw = bytearray(rng.choice(seeds))
        raw[rng.randrange(len(raw))] = rng.getrandbits(8)
        raw[-2] = sum(raw[1:-2]) & 0xFF
        assert not any(isinstance(each, Close) for each in room.session.receive(bytes(raw), room.now))


def test_a_stopped_session_leaves_the_module_silent() -> None:
    room = Room(BURST)
    room.run(0.5)
    stop, end = room.session.stop(room.now)
    assert (stop, end) == (Send(encode("stop")), Close("stopped"))


def test_the_table_leads_everywhere_and_only_a_lost_line_ends() -> None:
    reached = set(TABLE.values()) | {State.IDLE}
    assert reached == set(State)
    assert step(State.POLLING, Event.LOST) is State.ENDED
    with pytest.raises(WeBroke, match="no way on from IDLE by POLLED"):
        step(State.IDLE, Event.POLLED)


def test_the_module_answers_what_it_is_asked_and_refuses_what_it_does_not_know() -> None:
    device, decoder = M100Device(lambda _at, _antennas: ()), M100Decoder()

    def ask(name: str, **fields: int | str) -> list[str]:
        answers = decoder.receive(device.receive(encode(name, fields), LINK0, STORY0))
        return [each.type for each in answers if isinstance(each, M100Frame)]

    assert ask("get_module_info", what=2) == ["module_info"]
    assert ask("get_module_info", what=9) == ["error"]
    assert ask("set_channel", channel=3) == ["channel_set"]
    assert device.channel == 3
    assert ask("get_channel") == ["channel"]
    assert ask("get_region") == ["region"]
    assert ask("sleep") == ["error"]
    assert device.receive(b"\xbb\x00noise", LINK0, STORY0) == b""
