"""Pieces of other storerooms: which strangers are sighted, and what a sighting by another storeroom does here."""

import random

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.core.presence import Belief
from edge_agent.core.presence.hazards import Radio
from edge_agent.core.presence.live import Filter
from edge_agent.core.presence.strangers import SAID_MAX, TOLD_APART_MAX, WEIGHED_BINS, Elsewhere, Strangers
from edge_agent.core.presence.window import Window
from protocols.movements.tags import SIGHTED
from protocols.readers.reads import InputChanged, RoundEnded, TagRead
from protocols.values.ids import Epc, epc
from protocols.values.instant import from_iso, plus

START = from_iso("2026-03-02T16:00:00+08:00")
OWN = [epc(f"30340242201D8D40000000{number:02X}") for number in range(4)]
STRANGER = epc("30340242201D8D40000000F0")
NAMES = [epc(f"30340242201D8D40000001{number:02X}") for number in range(6)]
ROUND_S = 10
LOUD, FAINT = -55, -72


class Room:
    """A reader r1 with shelf antennas 1 and 2 and door antenna 3; `here` are heard in a share of rounds, so loudly."""

    def __init__(self) -> None:
        self.filter = Filter({"r1": (1, 2, 3)}, round_s=ROUND_S, door=[("r1", 3)])
        for tag in OWN:
            self.filter.book(tag, True, START)
        self.now, self.chance = START, random.Random(5)
        self.here: dict[Epc, tuple[float, int]] = dict.fromkeys(OWN, (0.8, LOUD))
        self.said: list[Belief] = []

    def minutes(self, count: int, antenna: int = 1) -> None:
        for _ in range(count * 6):
            self.now = plus(self.now, ROUND_S)
            for tag, (rate, dbm) in sorted(self.here.items()):
                if self.chance.random() < rate:
                    at = plus(self.now, -1)
                    self.filter.receive(TagRead(tag, antenna, dbm, at, at), "r1")
            told = self.filter.receive(RoundEnded(self.now, (1, 2, 3)), "r1")
            self.said += [each for each in told if isinstance(each, Belief)]

    @property
    def sighted(self) -> list[tuple[Epc, bool]]:
        return [(each.epc, each.p > 0.95) for each in self.said if each.model == SIGHTED]


def test_a_stranger_that_stands_here_is_sighted_once_and_once_more_when_it_is_gone() -> None:
    room = Room()
    room.here[STRANGER] = (0.8, LOUD)
    room.minutes(100)
    assert room.sighted == [(STRANGER, True)]
    del room.here[STRANGER]
    room.minutes(100)
    assert room.sighted == [(STRANGER, True), (STRANGER, False)]


def test_what_lies_behind_the_wall_is_not_sighted() -> None:
    room = Room()
    room.here[STRANGER] = (0.3, FAINT)
    room.minutes(200)
    assert room.sighted == []


def test_what_is_carried_past_for_some_minutes_is_not_sighted() -> None:
    room = Room()
    room.minutes(40)
    room.here[STRANGER] = (0.8, LOUD)
    room.minutes(6)
    del room.here[STRANGER]
    room.minutes(60)
    assert room.sighted == []


def test_what_only_the_door_hears_is_not_sighted() -> None:
    room = Room()
    room.here = {STRANGER: (0.8, LOUD)}
    room.minutes(70, antenna=3)
    assert room.sighted == []


def test_a_stranger_that_was_booked_in_is_none() -> None:
    room = Room()
    room.filter.book(STRANGER, True, START)
    room.here[STRANGER] = (0.8, LOUD)
    room.minutes(100)
    assert room.sighted == []


def test_a_run_that_begins_anew_says_that_a_sighted_piece_has_left() -> None:
    room = Room()
    room.filter.believed(STRANGER, 0.97, START)
    room.minutes(70)
    assert room.sighted == [(STRANGER, False)]


def silent_piece() -> Room:
    """A piece that fell silent during a visit, half an hour ago."""
    room = Room()
    room.minutes(90)
    room.filter.receive(InputChanged(1, True, room.now), "r1")
    del room.here[OWN[1]]
    room.minutes(30)
    return room


def test_a_silent_piece_that_another_storeroom_sights_is_missed_soon_and_else_is_waited_for() -> None:
    waited, told = silent_piece(), silent_piece()
    before = len(told.said)
    told.filter.sighted(OWN[1], 0.99)
    for room in (waited, told):
        room.minutes(60)
    assert waited.filter.tags.p(1) > 0.5
    assert len(waited.said) == before
    (missed,) = told.said[before:]
    assert (missed.epc, missed.p < 0.05) == (OWN[1], True)


def test_a_piece_that_came_back_is_believed_here_though_it_was_sighted_elsewhere() -> None:
    room = silent_piece()
    room.filter.sighted(OWN[1], 0.99)
    room.minutes(90)
    assert room.filter.tags.p(1) < 0.05
    room.filter.sighted(OWN[1], 0.02)
    room.filter.receive(InputChanged(1, True, room.now), "r1")
    room.here[OWN[1]] = (0.8, LOUD)
    room.minutes(60)
    assert room.filter.tags.p(1) > 0.95


def test_what_is_surely_next_door_is_doubted_as_soon_as_it_is_said_to_have_left() -> None:
    elsewhere = Elsewhere()
    elsewhere.told(1, 0.99)
    assert [tag for tag, _ in elsewhere.due(10, lambda _tag: 0.5)] == [1]
    assert elsewhere.due(11, lambda _tag: 0.5) == []
    elsewhere.told(1, 0.02)
    ((tag, odds),) = elsewhere.due(12, lambda _tag: 0.9999)
    assert (tag, odds < 1.0) == (1, True)
    assert elsewhere.due(99, lambda _tag: 0.5) == []


def test_a_piece_that_is_heard_here_stays_here_though_another_storeroom_hears_it_too() -> None:
    room = Room()
    room.minutes(60)
    before = len(room.said)
    room.filter.sighted(OWN[1], 0.999)
    room.minutes(60)
    assert room.filter.tags.p(1) > 0.95
    assert len(room.said) == before


def test_a_sighting_of_what_nobody_here_knows_changes_nothing() -> None:
    room = Room()
    room.filter.sighted(STRANGER, 0.99)
    room.minutes(5)
    Window({"r1": (1, 2)}, round_s=ROUND_S).sighted(OWN[0], 0.99)
    assert room.filter.course.ward.tags[-1].epc == OWN[-1]


@given(
    st.lists(
        st.dictionaries(st.integers(0, 5), st.tuples(st.integers(0, 12), st.integers(-80, -40)), max_size=6),
        min_size=WEIGHED_BINS,
        max_size=8 * WEIGHED_BINS,
    )
)
def test_what_is_said_of_a_stranger_turns_each_time_and_is_claimed_with_reserve(
    bins: list[dict[int, tuple[int, int]]],
) -> None:
    strangers, said = Strangers(Radio()), dict.fromkeys(range(6), False)
    for number, heard in enumerate(bins):
        for name, (rounds, dbm) in heard.items():
            for _ in range(rounds):
                strangers.hear(NAMES[name], dbm, number)
        for turned in strangers.close(number, 6):
            name = NAMES.index(turned.epc)
            assert 0.0 < turned.p < 1.0
            assert (turned.p > 0.5) is not said[name]
            assert 0 <= turned.since <= number
            said[name] = turned.p > 0.5


def test_however_many_strangers_pass_a_limit_of_them_is_told_apart_and_said() -> None:
    strangers = Strangers(Radio())
    many = [epc(f"30340242201D8D4000{number:06X}") for number in range(TOLD_APART_MAX + 500)]
    said = 0
    for number in range(WEIGHED_BINS):
        for each in many:
            strangers.hear(each, LOUD, number)
        said += len(strangers.close(number, 1))
    assert said == SAID_MAX
