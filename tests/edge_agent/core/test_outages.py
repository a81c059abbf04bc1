"""What is out of order is told once, from its beginning to its end, and silence alone is never an empty shelf."""

from edge_agent.core.outages import (
    ANTENNA,
    BLIND,
    LINK,
    NO_ROUNDS,
    READER,
    UNPLUGGED,
    Began,
    Ended,
    Key,
    Outages,
    Watched,
)
from edge_agent.core.outages import late_s as late_after
from protocols.readers.reads import AntennaChanged, LinkDown, LinkUp, RoundEnded, TagRead
from protocols.values.ids import epc
from protocols.values.instant import Instant, plus
from tests.edge_agent.conftest import START

REF = epc("30340242201D8D40000000F1")
OTHER = epc("30340242201D8D4000000001")
ROUND_S = 2.0
LINKED = Instant(5_000_000)


class Room:
    """One reader with two antennas; only the first has a reference tag."""

    def __init__(self) -> None:
        self.outages = Outages({"r1": Watched(ROUND_S, late_s=20.0, reference={1: REF})})
        self.now, self.link = START, LINKED
        self.told: list[Began | Ended] = []

    def say(self, *events: object) -> None:
        for event in events:
            self.told += self.outages.hear("r1", event, self.now, self.link)  # type: ignore[arg-type]

    def rounds(self, seconds: float, *, ref: bool, antennas: tuple[int, ...] = (1, 2)) -> None:
        for _ in range(round(seconds / ROUND_S)):
            self.now, self.link = plus(self.now, ROUND_S), plus(self.link, ROUND_S)
            if ref:
                self.say(TagRead(REF, 1, -50, self.now, self.now))
            self.say(TagRead(OTHER, 2, -50, self.now, self.now), RoundEnded(self.now, antennas))
            self.told += self.outages.tick(self.now, self.link)

    @property
    def causes(self) -> list[tuple[str, str]]:
        return [(type(each).__name__, each.key.cause) for each in self.told]


def test_d1_a_reader_that_is_cut_off_is_told_once_and_ends_when_it_inventories_again() -> None:
    room = Room()
    room.say(LinkDown("refused"), LinkDown("no answer"), LinkUp(START), LinkDown("cut"), LinkUp(START))
    assert room.causes == [("Began", LINK), ("Ended", LINK)] * 2
    assert room.told[0] == Began(Key(READER, "r1", 0, LINK), "refused", START)
    assert not room.outages.open


def test_a_reader_that_is_there_and_ends_no_round_is_out_of_order() -> None:
    room = Room()
    room.say(LinkUp(START))
    room.link = plus(room.link, 20.0)
    assert room.outages.tick(room.now, room.link) == []
    room.link = plus(room.link, 1.0)
    room.told += room.outages.tick(room.now, room.link) + room.outages.tick(room.now, room.link)
    assert room.causes == [("Began", NO_ROUNDS)]
    room.rounds(2, ref=True)
    assert room.causes == [("Began", NO_ROUNDS), ("Ended", NO_ROUNDS)]


def test_missing_rounds_end_with_the_link_and_are_told_after_it() -> None:
    room = Room()
    room.say(LinkUp(START))
    room.link = plus(room.link, 30.0)
    room.told += room.outages.tick(room.now, room.link)
    room.say(LinkDown("cut"))
    assert room.causes == [("Began", NO_ROUNDS), ("Ended", NO_ROUNDS), ("Began", LINK)]
    room.link = plus(room.link, 300.0)
    assert room.outages.tick(room.now, room.link) == []


def test_d1_an_antenna_that_does_not_read_its_reference_tag_for_five_minutes_is_blind_until_it_does() -> None:
    room = Room()
    room.say(LinkUp(START))
    room.rounds(60, ref=True)
    last_heard = room.now
    room.rounds(298, ref=False)
    assert room.told == []
    room.rounds(2, ref=False)
    key = Key(ANTENNA, "r1", 1, BLIND)
    assert room.told[0].key == key
    assert room.told[0].at == last_heard
    assert not room.outages.listens("r1", 1)
    assert room.outages.listens("r1", 2)
    room.rounds(60, ref=False)
    room.rounds(2, ref=True)
    assert room.causes == [("Began", BLIND), ("Ended", BLIND)]
    assert room.outages.listens("r1", 1)


def test_an_outage_a_stall_and_rounds_of_other_antennas_make_nobody_blind() -> None:
    room = Room()
    room.say(LinkUp(START))
    room.rounds(10, ref=True)
    room.rounds(600, ref=False, antennas=(2,))
    room.say(LinkDown("cut"))
    room.now = plus(room.now, 3_600)
    room.say(LinkUp(room.now))
    room.rounds(100, ref=False)
    room.now = plus(room.now, 3_600)  # it says nothing for an hour and goes on
    room.rounds(100, ref=False)
    assert ("Began", BLIND) not in room.causes


def test_rounds_that_prove_no_silence_make_nobody_blind() -> None:
    room = Room()
    room.say(LinkUp(START))
    for _ in range(1_000):
        room.now = plus(room.now, ROUND_S)
        room.say(RoundEnded(room.now, (1, 2), proves_silence=False))
    assert room.told == []


def test_an_antenna_pulled_out_is_unplugged_and_has_its_time_when_it_is_back() -> None:
    room = Room()
    room.say(LinkUp(START))
    room.rounds(200, ref=False)
    room.say(AntennaChanged(1, False, room.now), AntennaChanged(1, False, room.now))
    assert not room.outages.listens("r1", 1)
    room.say(AntennaChanged(1, True, room.now))
    room.rounds(200, ref=False)
    assert room.causes == [("Began", UNPLUGGED), ("Ended", UNPLUGGED)]
    room.rounds(100, ref=False)
    assert room.causes[2:] == [("Began", BLIND)]


def test_a_slow_keepalive_or_a_slow_round_gives_a_reader_more_time() -> None:
    assert late_after(2.0, 30.0) == 60.0
    assert late_after(30.0, 30.0) == 300.0
    assert late_after(0.1, 1.0) == 2.0
