"""The window proves absence by ended rounds alone, and says each change once."""

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.core.presence import Belief, ForeignTags
from edge_agent.core.presence.window import FOREIGN_TOLD_APART_MAX, P_HIGH, Window
from protocols.readers.reads import AntennaChanged, LinkDown, LinkUp, RoundEnded, TagRead
from protocols.values.ids import Epc, epc
from protocols.values.instant import Instant, from_iso, plus

START = from_iso("2026-03-02T16:00:00+08:00")
ROUND_S = 60
A = epc("30340242201D8D4000000001")
B = epc("30340242201D8D4000000002")


class Shelf:
    """A reader r1 with antennas 1 and 2 and its storeroom; `here` are heard by antenna 1 in every round."""

    def __init__(self, window: Window | None = None) -> None:
        self.window = window or Window({"r1": (1, 2)}, round_s=ROUND_S)
        self.now: Instant = START
        self.here: dict[Epc, float] = {}
        self.chance = random.Random(7)
        self.said: list[Belief] = []
        self.foreign: list[ForeignTags] = []

    def rounds(self, count: int, antennas: tuple[int, ...] = (1, 2)) -> list[Belief]:
        before = len(self.said)
        for _ in range(count):
            self.now = plus(self.now, ROUND_S)
            for tag, rate in self.here.items():
                if 1 in antennas and self.chance.random() < rate:
                    self.hear(tag)
            self.keep(self.window.receive(RoundEnded(self.now, antennas), "r1"))
        return self.said[before:]

    def hear(self, tag: Epc, antenna: int = 1) -> None:
        at = plus(self.now, -1)
        self.keep(self.window.receive(TagRead(tag, antenna, -60, at, at), "r1"))

    def keep(self, said: list[Belief | ForeignTags]) -> None:
        self.said += [each for each in said if isinstance(each, Belief)]
        self.foreign += [each for each in said if isinstance(each, ForeignTags)]


def shelf_with(*tags: Epc, rate: float = 1.0) -> Shelf:
    shelf = Shelf()
    for tag in tags:
        shelf.window.book(tag, True, START)
        shelf.here[tag] = rate
    return shelf


def test_a_tag_first_heard_is_believed_here() -> None:
    shelf = shelf_with(A)
    (belief,) = shelf.rounds(5)
    assert (belief.epc, belief.p, belief.model) == (A, P_HIGH, "window-1")


def test_a_tag_unread_for_a_whole_window_is_missing_since_its_last_read() -> None:
    shelf = shelf_with(A, B)
    shelf.rounds(20)
    last_heard = plus(shelf.now, -1)
    del shelf.here[A]
    assert shelf.rounds(9) == []
    (belief,) = shelf.rounds(5)
    assert belief.epc == A
    assert belief.p < 0.05
    assert belief.since == last_heard
    assert shelf.rounds(60) == []


def test_a_tag_that_comes_back_is_believed_here_again() -> None:
    shelf = shelf_with(A)
    shelf.rounds(20)
    del shelf.here[A]
    shelf.rounds(20)
    shelf.here[A] = 1.0
    assert [belief.p for belief in shelf.rounds(3)] == [P_HIGH]


def test_a_tag_never_heard_becomes_missing_too() -> None:
    shelf = shelf_with(A)
    shelf.here.clear()
    beliefs = shelf.rounds(120)
    assert [(belief.epc, belief.p < 0.05) for belief in beliefs] == [(A, True)]


def test_an_outage_never_makes_a_tag_missing() -> None:
    shelf = shelf_with(A)
    shelf.rounds(20)
    del shelf.here[A]
    for _ in range(50):
        shelf.rounds(1)
        shelf.window.receive(LinkDown("unplugged"), "r1")
        shelf.now = plus(shelf.now, 3600)
        shelf.window.receive(LinkUp(shelf.now), "r1")
    assert [belief for belief in shelf.said if belief.p < 0.05] == []


def test_a_reader_that_stalls_proves_no_more_than_a_few_rounds() -> None:
    shelf = shelf_with(A)
    shelf.rounds(20)
    del shelf.here[A]
    shelf.now = plus(shelf.now, 86_400)
    assert shelf.rounds(1) == []


def test_a_lost_antenna_freezes_the_tags_it_hears() -> None:
    shelf = shelf_with(A)
    shelf.rounds(20)
    shelf.window.receive(AntennaChanged(1, False, shelf.now), "r1")
    del shelf.here[A]
    assert shelf.rounds(60) == []
    shelf.window.receive(AntennaChanged(1, True, shelf.now), "r1")
    assert [belief.p < 0.05 for belief in shelf.rounds(30)] == [True]


def test_rounds_of_another_antenna_prove_nothing_about_a_tag() -> None:
    shelf = shelf_with(A)
    shelf.rounds(20)
    del shelf.here[A]
    assert shelf.rounds(60, antennas=(2,)) == []


def test_a_seldom_heard_tag_must_be_silent_for_longer() -> None:
    shelf = shelf_with(A, rate=0.3)
    shelf.rounds(400)
    assert [belief.p for belief in shelf.said] == [P_HIGH]
    del shelf.here[A]
    assert shelf.rounds(20) == []
    assert [belief.p < 0.05 for belief in shelf.rounds(60)] == [True]


def test_an_issued_tag_that_left_is_quietly_believed_gone() -> None:
    shelf = shelf_with(A)
    shelf.rounds(20)
    shelf.window.book(A, False, shelf.now)
    del shelf.here[A]
    assert [belief.p < 0.05 for belief in shelf.rounds(60)] == [True]


def test_an_issued_tag_still_heard_through_two_windows_is_unexpected_once() -> None:
    shelf = shelf_with(A)
    shelf.rounds(20)
    booked = shelf.now
    shelf.window.book(A, False, booked)
    assert shelf.rounds(19) == []
    (belief,) = shelf.rounds(2)
    assert (belief.p, belief.since >= booked) == (P_HIGH, True)
    assert shelf.rounds(100) == []


def test_an_issued_tag_read_until_the_person_is_out_of_the_door_is_not_unexpected() -> None:
    shelf = shelf_with(A)
    shelf.rounds(20)
    shelf.window.book(A, False, shelf.now)
    shelf.rounds(3)
    del shelf.here[A]
    assert [belief.p < 0.05 for belief in shelf.rounds(100)] == [True]


def test_an_issued_tag_that_comes_back_is_unexpected_after_two_windows_of_its_own() -> None:
    shelf = shelf_with(A)
    shelf.rounds(20)
    shelf.window.book(A, False, shelf.now)
    del shelf.here[A]
    shelf.rounds(60)
    shelf.here[A] = 1.0
    assert shelf.rounds(19) == []
    assert [belief.p for belief in shelf.rounds(5)] == [P_HIGH]


def test_what_was_believed_before_a_restart_is_not_said_again() -> None:
    shelf = shelf_with(A, B)
    shelf.window.believed(A, 0.99, START)
    shelf.window.believed(B, 0.01, START)
    assert [belief.epc for belief in shelf.rounds(5)] == [B]


def test_a_tag_taken_while_the_agent_was_down_is_found_missing() -> None:
    shelf = shelf_with(A)
    shelf.window.believed(A, 0.99, START)
    shelf.here.clear()
    assert [belief.p < 0.05 for belief in shelf.rounds(120)] == [True]


def test_foreign_tags_are_counted_in_one_line_an_hour_and_in_bounded_memory() -> None:
    shelf = shelf_with(A)
    for minute in range(125):
        for number in range(100):
            shelf.hear(epc(f"{minute * 100 + number:024X}"))
        shelf.rounds(1)
    assert [(told.epcs, told.reads > 5000, told.at_most) for told in shelf.foreign] == [
        (FOREIGN_TOLD_APART_MAX, True, False),
        (FOREIGN_TOLD_APART_MAX, True, False),
    ]
    assert {belief.epc for belief in shelf.said} == {A}


def test_reads_of_a_reader_or_antenna_nobody_named_are_ignored() -> None:
    shelf = shelf_with(A)
    shelf.here.clear()
    shelf.hear(A, antenna=9)
    assert shelf.window.receive(RoundEnded(shelf.now, (1,)), "another") == []
    assert shelf.rounds(3) == []


@given(outages=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 100_000)), max_size=60))
def test_fewer_proven_rounds_than_a_window_never_make_a_tag_missing(outages: list[tuple[int, int]]) -> None:
    shelf = shelf_with(A)
    shelf.rounds(15)
    del shelf.here[A]
    proven = 0
    for count, gap_s in outages:
        proven += max(0, count - 1) * ROUND_S  # the first round after an outage proves no time
        if proven >= 600:
            break
        shelf.window.receive(LinkDown("cut"), "r1")
        shelf.now = plus(shelf.now, gap_s)
        shelf.window.receive(LinkUp(shelf.now), "r1")
        assert shelf.rounds(count) == []


@given(moments=st.lists(st.tuples(st.booleans(), st.integers(0, 2**50)), max_size=100))
def test_any_order_of_instants_says_each_change_once(moments: list[tuple[bool, int]]) -> None:
    window = Window({"r1": (1,)}, round_s=ROUND_S)
    window.book(A, True, START)
    levels = []
    for heard, at in moments:
        if heard:
            window.receive(TagRead(A, 1, None, Instant(at), Instant(at)), "r1")
        said = window.receive(RoundEnded(Instant(at), (1,)), "r1")
        levels += [each.p > 0.5 for each in said if isinstance(each, Belief)]
    assert all(one != other for one, other in pairwise(levels))


def test_rounds_in_which_tags_stay_quiet_after_a_read_make_nothing_missing() -> None:
    window = Window({"r1": (1,)}, round_s=2.0, window_s=60.0)
    window.book(A, True, START)
    now = START
    window.receive(TagRead(A, 1, -60, now, now), "r1")
    told: list[object] = []
    for _ in range(1_000):
        now = plus(now, 2.0)
        told += window.receive(RoundEnded(now, (1,), proves_silence=False), "r1")
    assert [getattr(each, "p", None) for each in told] == [0.99]


def test_a_reference_tag_is_neither_goods_nor_foreign() -> None:
    window = Window({"r1": (1,)}, round_s=ROUND_S, fixed=[B])
    now, told = START, list[object]()
    for _ in range(200):
        now = plus(now, ROUND_S)
        window.receive(TagRead(B, 1, -60, now, now), "r1")
        told += window.receive(RoundEnded(now, (1,)), "r1")
    assert told == []
