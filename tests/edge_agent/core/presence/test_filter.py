"""The six-state filter: both forms say the same, silence without rounds proves nothing, and a new world is survived."""

import random
from collections.abc import Sequence

import pytest

from edge_agent.core.presence.columns import column_course
from edge_agent.core.presence.course import Course
from edge_agent.core.presence.floats import float_course
from edge_agent.core.presence.ward import Bin, Fact, Kind, Place, TagOf, Ward
from tests.bench.presence_score import Alarm, Score, score
from tests.edge_agent.core.presence.other_ward import Habits, OtherWard, draw

NAN = float("nan")
TAGS = tuple(TagOf(f"E2{number:022X}", "item", "", f"S{number // 3}", Place.HERE) for number in range(6))
WARD = Ward(TAGS, room=("1", "2"), door=("3",), next=("4",))


class Room:
    """A room of six tags that are heard in most rounds; tests say what differs."""

    def __init__(self, course: Course | None = None) -> None:
        self.course = course or float_course(WARD)
        self.chance = random.Random(3)
        self.here = set(range(len(TAGS)))
        self.number = -1
        self.raised: list[tuple[str, int]] = []

    def bins(
        self, count: int, *, visit: int = 0, rounds: int = 30, door: Sequence[int] = (), facts: Sequence[Fact] = ()
    ) -> None:
        for _ in range(count):
            self.number += 1
            heard = [
                (tag, sum(self.chance.random() < 0.6 for _ in range(rounds)), -55.0, 59.0) for tag in sorted(self.here)
            ]
            told = Bin(
                self.number,
                {"1": rounds, "2": rounds, "3": 30, "4": 30},
                visit,
                room=tuple(row for row in heard if row[1]),
                door=tuple((tag, NAN) for tag in door),
            )
            for each in self.course.take(told, facts):
                self.raised.append(("missing" if each.missing else "unexpected", each.tag))

    def p(self, tag: int) -> float:
        return self.course.tags.p(tag)

    def fact(self, tag: int, to: Place, kind: Kind = Kind.ACT, at: int | None = None) -> Fact:
        known = self.number + 1
        return Fact(known, known if at is None else at, tag, kind, to)


def play(course: Course, other: OtherWard) -> list[Alarm]:
    found: list[Alarm] = []
    facts = list(other.facts)
    for heard in other.bins:
        known = [fact for fact in facts if fact.known <= heard.number]
        facts = facts[len(known) :]
        for each in course.take(heard, known):
            kind = "missing" if each.missing else "unexpected"
            found.append(Alarm(other.ward.tags[each.tag].epc, kind, heard.number))
    return found


def test_both_forms_say_the_same_to_the_last_bits() -> None:
    other = draw(5, days=1, habits=Habits(pieces=40, beside=12))
    columns, floats = column_course(other.ward), float_course(other.ward)
    facts = [Fact(300, 290, 3, Kind.ACT, Place.OUT), Fact(500, 500, 4, Kind.LOOK, Place.OUT), *other.facts]
    facts.sort(key=lambda fact: fact.known)
    far = 0.0
    for heard in other.bins[:600]:
        known = [fact for fact in facts if fact.known == heard.number]
        assert columns.take(heard, known) == pytest.approx(floats.take(heard, known))
        pairs = zip(columns.tags.all_p(), floats.tags.all_p(), strict=True)
        far = max(far, *(abs(one - two) for one, two in pairs))
    assert far < 1e-9


def test_a_piece_that_the_door_heard_and_the_room_no_longer_hears_is_missing_soon() -> None:
    room = Room()
    room.bins(60)
    room.here.remove(2)
    room.bins(1, visit=1, door=[2])
    room.bins(15)
    assert room.raised == [("missing", 2)]


def test_one_silence_without_the_door_is_not_called_gone_at_once() -> None:
    room = Room()
    room.bins(60)
    room.here.remove(2)
    room.bins(1, visit=1)
    room.bins(60)
    assert room.raised == []
    assert 0.05 < room.p(2) < 0.95


def test_a_tag_that_falls_silent_while_nobody_is_there_is_a_dead_tag_and_still_here() -> None:
    room = Room()
    room.bins(60)
    room.here.remove(2)
    room.bins(200)
    assert room.raised == []
    assert room.p(2) > 0.5


def test_silence_without_rounds_is_no_evidence() -> None:
    room = Room()
    room.bins(60)
    before = room.p(1)
    room.here.clear()
    room.bins(300, rounds=0)
    assert room.p(1) == pytest.approx(before, abs=0.01)


def test_a_scanned_take_raises_nothing() -> None:
    room = Room()
    room.bins(60)
    facts = [room.fact(2, Place.OUT)]
    room.here.remove(2)
    room.bins(1, visit=1, facts=facts)
    room.bins(100)
    assert room.raised == []
    assert room.p(2) < 0.05


def test_a_piece_that_was_scanned_and_stays_is_unexpected() -> None:
    room = Room()
    room.bins(60)
    room.bins(1, visit=1, facts=[room.fact(2, Place.OUT)])
    room.bins(40)
    assert room.raised == [("unexpected", 2)]


def test_a_take_that_is_known_late_counts_from_when_it_was() -> None:
    room = Room()
    room.bins(60)
    room.here.remove(2)
    room.bins(1, visit=1)
    room.bins(9)
    room.bins(1, facts=[room.fact(2, Place.OUT, at=60)])
    assert room.p(2) < 0.05
    assert room.raised == []


def test_eyes_that_see_a_silent_piece_bring_it_back() -> None:
    room = Room()
    room.bins(60)
    room.here.remove(2)
    room.bins(1, visit=1)
    room.bins(30)
    room.bins(1, facts=[room.fact(2, Place.HERE, Kind.LOOK)])
    assert room.p(2) > 0.95


def test_a_world_drawn_in_another_way_is_survived() -> None:
    whole = Score()
    for seed in (20, 21):
        other = draw(seed, days=2)
        whole.add(score(other.truth, play(column_course(other.ward), other)))
    false = whole.false["missing"] + whole.false["unexpected"]
    assert false / whole.days <= 0.5
    assert whole.f1() > 0.6
