"""The filter on a reader's events: bins of proven rounds, beliefs said once, and a memory that outlives a restart."""

import random

import pytest

from edge_agent.core.presence import Belief
from edge_agent.core.presence.live import BIN_US, Filter
from edge_agent.core.presence.memory import recall, remembered
from protocols.errors import BadValue
from protocols.readers.reads import InputChanged, LinkDown, RoundEnded, TagRead
from protocols.values.ids import Epc, epc
from protocols.values.instant import Instant, from_iso, plus

START = from_iso("2026-03-02T16:00:00+08:00")
TAGS = [epc(f"30340242201D8D40000000{number:02X}") for number in range(4)]
ROUND_S = 10


class Shelf:
    """A reader r1 with shelf antennas 1 and 2 and door antenna 3; `here` are heard by antenna 1 in most rounds."""

    def __init__(self) -> None:
        self.filter = self.fresh()
        self.now: Instant = START
        self.here = set(TAGS)
        self.chance = random.Random(7)
        self.said: list[Belief] = []

    def fresh(self) -> Filter:
        made = Filter({"r1": (1, 2, 3)}, round_s=ROUND_S, door=[("r1", 3)])
        for tag in TAGS:
            made.book(tag, True, START)
        return made

    def minutes(self, count: int, *, door: Epc | None = None, visit: bool = False) -> None:
        if visit:
            self.filter.receive(InputChanged(1, True, self.now), "r1")
        for turn in range(count * 6):
            self.now = plus(self.now, ROUND_S)
            for tag in sorted(self.here):
                if self.chance.random() < 0.7:
                    self.hear(tag, 1)
            if door is not None and turn == 2:
                self.hear(door, 3)
            told = self.filter.receive(RoundEnded(self.now, (1, 2, 3)), "r1")
            self.said += [each for each in told if isinstance(each, Belief)]

    def hear(self, tag: Epc, antenna: int) -> None:
        at = plus(self.now, -1)
        self.filter.receive(TagRead(tag, antenna, -55, at, at), "r1")


def test_a_tag_heard_is_believed_here_once() -> None:
    shelf = Shelf()
    shelf.minutes(30)
    assert sorted(belief.epc for belief in shelf.said) == sorted(TAGS)
    assert {belief.model for belief in shelf.said} == {"filter-2"}
    assert all(belief.p > 0.95 for belief in shelf.said)


def test_a_piece_carried_through_the_door_is_said_to_be_gone_since_its_last_read() -> None:
    shelf = Shelf()
    shelf.minutes(60)
    before = len(shelf.said)
    shelf.here.remove(TAGS[1])
    left = shelf.now
    shelf.minutes(1, door=TAGS[1], visit=True)
    shelf.minutes(25)
    (belief,) = shelf.said[before:]
    assert belief.epc == TAGS[1]
    assert belief.p < 0.05
    assert abs(belief.since - left) <= 2 * BIN_US
    assert belief.door is not None
    assert abs(belief.door - left) <= 2 * BIN_US
    assert all(each.door is None for each in shelf.said[:before])


def test_a_cut_link_proves_nothing_however_long() -> None:
    shelf = Shelf()
    shelf.minutes(60)
    before, p = len(shelf.said), shelf.filter.tags.p(0)
    shelf.filter.receive(LinkDown("cut"), "r1")
    shelf.now = plus(shelf.now, 86_400)
    shelf.minutes(10)
    assert shelf.said[before:] == []
    assert shelf.filter.tags.p(0) == pytest.approx(p, abs=0.01)


def test_a_piece_scanned_away_and_gone_is_said_to_be_gone() -> None:
    shelf = Shelf()
    shelf.minutes(60)
    before = len(shelf.said)
    shelf.filter.book(TAGS[2], False, shelf.now)
    shelf.here.remove(TAGS[2])
    shelf.minutes(60)
    assert [(belief.epc, belief.p < 0.05) for belief in shelf.said[before:]] == [(TAGS[2], True)]


def test_a_silent_piece_that_a_person_counted_is_here() -> None:
    shelf = Shelf()
    shelf.minutes(60)
    shelf.here.remove(TAGS[1])
    shelf.minutes(1, visit=True)
    shelf.minutes(40)
    assert shelf.filter.tags.p(1) < 0.95
    shelf.filter.seen(TAGS[1], True, shelf.now)
    shelf.minutes(2)
    assert shelf.filter.tags.p(1) > 0.95
    shelf.filter.seen(TAGS[1], False, shelf.now)
    shelf.minutes(2)
    assert shelf.filter.tags.p(1) < 0.1


def test_a_piece_scanned_in_the_place_of_another_is_said_to_be_here_though_it_was_said_before() -> None:
    shelf = Shelf()
    shelf.minutes(60)
    before = len(shelf.said)
    shelf.filter.book(TAGS[3], False, shelf.now)
    shelf.minutes(60)
    assert [(belief.epc, belief.p > 0.95) for belief in shelf.said[before:]] == [(TAGS[3], True)]


def test_what_was_learned_outlives_a_restart() -> None:
    shelf = Shelf()
    shelf.minutes(120)
    again = shelf.fresh()
    assert recall(again, remembered(shelf.filter)) == len(TAGS)
    assert again.course.p() == shelf.filter.course.p()
    old, said = shelf.filter, len(shelf.said)
    shelf.filter = again
    for belief in shelf.said:
        again.believed(belief.epc, belief.p, belief.since)
    shelf.minutes(5)
    assert shelf.said[said:] == []
    assert shelf.filter.tags.habits[0].here.rounds > old.tags.habits[0].here.rounds


def test_a_tag_that_the_book_moved_meanwhile_begins_as_the_book_says() -> None:
    shelf = Shelf()
    shelf.minutes(30)
    again = Filter({"r1": (1, 2, 3)}, round_s=ROUND_S, door=[("r1", 3)])
    for number, tag in enumerate(TAGS):
        again.book(tag, number > 0, START)
    assert recall(again, remembered(shelf.filter)) == len(TAGS) - 1
    assert again.tags.p(0) < 0.05


def test_a_piece_said_to_be_missing_stays_missing_over_a_restart_without_memory() -> None:
    shelf = Shelf()
    shelf.minutes(60)
    shelf.here.remove(TAGS[1])
    shelf.minutes(1, door=TAGS[1], visit=True)
    shelf.minutes(25)
    shelf.filter, before = shelf.fresh(), list(shelf.said)
    for belief in before:
        shelf.filter.believed(belief.epc, belief.p, belief.since)
    shelf.minutes(240)
    assert shelf.said == before
    shelf.here.add(TAGS[1])
    shelf.minutes(30)
    assert [(belief.epc, belief.p > 0.95) for belief in shelf.said[len(before) :]] == [(TAGS[1], True)]


def test_a_piece_that_came_back_into_the_book_after_it_was_gone_begins_as_the_book_says() -> None:
    shelf = Shelf()
    shelf.filter.believed(TAGS[1], 0.01, plus(START, -60))
    assert shelf.filter.tags.p(1) > 0.95


@pytest.mark.parametrize("raw", [b"", b"nonsense", b"\x81\xa5model\xa1x"])
def test_a_damaged_memory_is_refused(raw: bytes) -> None:
    with pytest.raises(BadValue, match="memory of presence"):
        recall(Shelf().filter, raw)
