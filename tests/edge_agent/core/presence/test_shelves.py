"""Where a piece stands: both forms say the same, a piece on another shelf is said live with it, and once."""

import random

import pytest

from edge_agent.core.presence import Belief
from edge_agent.core.presence.live import BIN_US, Filter
from edge_agent.core.presence.memory import recall, remembered
from edge_agent.core.presence.shelf_columns import ShelfColumns
from edge_agent.core.presence.shelves import SHELVES_MAX, Shelves
from edge_agent.core.presence.ward import Bin, Fact, Kind, Place, TagOf, Ward
from protocols.entry import encode_body
from protocols.movements.bodies import read_body
from protocols.movements.tags import ObserveBody
from protocols.readers.reads import RoundEnded, TagRead
from protocols.values.ids import Epc, epc
from protocols.values.instant import Instant, from_iso, plus

START = from_iso("2026-03-02T16:00:00+08:00")
NAN = float("nan")
NEAR = {"S1": ("1", "2"), "S2": ("3", "4")}
"""Antennas that face each shelf; every antenna hears every shelf a little."""


def a_bin(number: int, on: dict[int, str], chance: random.Random, *, visit: int = 0) -> Bin:
    rows = []
    for tag, shelf in on.items():
        for name in ("1", "2", "3", "4"):
            rate = 0.6 if name in NEAR[shelf] else 0.1
            reads = sum(chance.random() < rate for _ in range(15))
            rows.append((tag, name, reads, NAN))
    return Bin(number, dict.fromkeys("1234", 15), visit, ant=tuple(rows))


@pytest.mark.parametrize("seed", range(3))
def test_both_forms_find_the_same_pieces_in_the_same_bin(seed: int) -> None:
    tags = tuple(TagOf(f"E{n}", "item", "", "S1" if n < 4 else "S2", Place.HERE, counted=n != 7) for n in range(8))
    ward = Ward(tags, room=("1", "2", "3", "4"), ref={"4": 7})
    floats, columns = Shelves(ward), ShelfColumns(ward)
    chance, on = random.Random(seed), {n: "S1" if n < 4 else "S2" for n in range(8)}
    said = []
    for number in range(400):
        if number == 150:
            on[seed] = "S2"
        facts = [Fact(number, number, seed, Kind.ACT, Place.HERE)] if number == 320 else []
        heard = a_bin(number, on, chance, visit=int(number in {150, 240}))
        listened = (1, 1, 1, 0 if number % 50 == 7 else 1)
        found = [form.take(heard, facts, [0.99] * 8, listened) for form in (floats, columns)]
        assert [each[:2] for each in found[0]] == [each[:2] for each in found[1]]
        assert [each.p for each in found[0]] == pytest.approx([each.p for each in found[1]], rel=1e-3)
        said += [(number, *each[:2]) for each in found[0]]
    assert {(tag, shelf) for _, tag, shelf in said} == {(seed, "S2")}
    assert 150 < said[0][0] < 320


def test_shelves_beyond_the_limit_are_not_told_apart() -> None:
    shelves = Shelves(Ward([], room=("1", "2")))
    for number in range(SHELVES_MAX + 5):
        shelves.add(TagOf(f"E{number}", "item", "", f"S{number}", Place.HERE))
    assert len(shelves.names) == SHELVES_MAX
    assert [stand.home for stand in shelves.stands[-6:]] == [SHELVES_MAX - 1, *[-1] * 5]


TAGS = [epc(f"30340242201D8D40000000{number:02X}") for number in range(6)]


class Room:
    """A reader with four antennas before two shelves, rounds of four seconds, and what its filter says."""

    def __init__(self) -> None:
        self.now: Instant = START
        self.on = {tag: "S1" if number < 3 else "S2" for number, tag in enumerate(TAGS)}
        self.chance = random.Random(11)
        self.said: list[Belief] = []
        self.filter = self.fresh()

    def fresh(self) -> Filter:
        made = Filter({"r1": (1, 2, 3, 4)}, round_s=4)
        for number, tag in enumerate(TAGS):
            made.book(tag, True, START, "S1" if number < 3 else "S2")
        return made

    def minutes(self, count: int) -> list[Belief]:
        """Let minutes pass; return what was said in them."""
        before = len(self.said)
        for _ in range(count * 15):
            self.now = plus(self.now, 4)
            for tag in TAGS:
                self._hear(tag)
            told = self.filter.receive(RoundEnded(self.now, (1, 2, 3, 4)), "r1")
            self.said += [each for each in told if isinstance(each, Belief)]
        return self.said[before:]

    def _hear(self, tag: Epc) -> None:
        for antenna in (1, 2, 3, 4):
            if self.chance.random() < (0.6 if str(antenna) in NEAR[self.on[tag]] else 0.1):
                self.filter.receive(TagRead(tag, antenna, -55, self.now, self.now), "r1")


def test_a_piece_put_on_another_shelf_is_said_with_it_once_and_again_when_it_is_back() -> None:
    room = Room()
    assert {(belief.epc, belief.shelf) for belief in room.minutes(100)} == {(tag, "") for tag in TAGS}
    room.on[TAGS[1]], moved = "S2", room.now
    (belief,) = room.minutes(120)
    assert (belief.epc, belief.shelf) == (TAGS[1], "S2")
    assert belief.p > 0.95
    assert 0 <= belief.since - moved <= 30 * BIN_US
    assert read_body(encode_body(dict(belief.draft().body)), ObserveBody).position == "S2"
    room.on[TAGS[1]] = "S1"
    (back,) = room.minutes(120)
    assert (back.epc, back.shelf) == (TAGS[1], "")


def test_a_piece_that_the_book_follows_to_its_new_shelf_is_at_home_there() -> None:
    room = Room()
    room.minutes(100)
    room.on[TAGS[1]] = "S2"
    room.minutes(120)
    room.filter.book(TAGS[1], True, room.now, "S2")
    (belief,) = room.minutes(120)
    assert (belief.epc, belief.shelf) == (TAGS[1], "")


def test_what_was_said_of_a_shelf_outlives_a_restart_with_memory() -> None:
    room = Room()
    room.minutes(100)
    room.on[TAGS[1]] = "S2"
    room.minutes(120)
    again = room.fresh()
    assert recall(again, remembered(room.filter)) == len(TAGS)
    for belief in room.said:
        again.believed(belief.epc, belief.p, belief.since)
    room.filter = again
    assert room.minutes(30) == []
    room.on[TAGS[1]] = "S1"
    assert [(belief.epc, belief.shelf) for belief in room.minutes(120)] == [(TAGS[1], "")]
