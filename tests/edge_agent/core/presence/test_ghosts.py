"""A room in which tags that are not there are read: how often is learned, and they are not called unexpected for it."""

import random
from collections.abc import Callable

import pytest

from edge_agent.core.presence.columns import column_course
from edge_agent.core.presence.course import Course
from edge_agent.core.presence.floats import float_course
from edge_agent.core.presence.ghosts import AFTER_BINS, AWAY_LEAST, EVERY_BINS, Ghosts
from edge_agent.core.presence.ward import Bin, Fact, Kind, Place, TagOf, Ward

HERE, AWAY = range(6), range(6, 26)
TAGS = tuple(
    TagOf(f"E2{number:022X}", "item", "", "S1", Place.HERE if number in HERE else Place.OUT) for number in range(26)
)
WARD = Ward(TAGS, room=("1", "2"))
LEAST = 2.5e-4
NAN = float("nan")


def a_bin(number: int, reads: dict[int, int]) -> Bin:
    rows = tuple((tag, count, -63.0, NAN) for tag, count in sorted(reads.items()) if count)
    return Bin(number, {"1": 30, "2": 30}, 0, room=rows)


def rate_after(bins: int, ghosts: float, here: range = range(0), ward: Ward = WARD) -> float:
    """Return the rate that was learned; each away tag is read in a share of bins, those of `here` in most rounds."""
    learning, chance, rate = Ghosts(ward, LEAST), random.Random(4), LEAST
    for number in range(bins):
        reads = {tag: 20 if tag in here else int(chance.random() < ghosts) for tag in AWAY}
        told = learning.take(a_bin(number, reads), 30)
        rate = rate if told is None else told
    return rate


def test_the_rate_of_ghosts_is_that_of_the_middle_tag_that_was_sent_away() -> None:
    assert rate_after(600, 0.12) == pytest.approx(0.12 / 30, rel=0.2)
    assert rate_after(600, 0.12, range(6, 13)) == pytest.approx(0.12 / 30, rel=0.3)


def test_a_room_with_few_ghosts_or_few_tags_away_keeps_to_what_it_began_with() -> None:
    assert rate_after(600, 0.002) == LEAST
    few = Ward(TAGS[: len(HERE) + AWAY_LEAST - 1], room=("1",))
    learning = Ghosts(few, LEAST)
    assert [learning.take(a_bin(number, {6: 1}), 30) for number in range(EVERY_BINS)] == [None] * EVERY_BINS


def test_bins_without_rounds_and_tags_just_sent_away_tell_nothing() -> None:
    learning = Ghosts(WARD, LEAST)
    assert all(learning.take(a_bin(number, dict.fromkeys(AWAY, 1)), 0) is None for number in range(600))
    learning.note_facts([Fact(600, 600, tag, Kind.ACT, Place.OUT) for tag in AWAY])
    assert all(
        learning.take(a_bin(number, dict.fromkeys(AWAY, 5)), 30) is None for number in range(600, 600 + AFTER_BINS)
    )


@pytest.mark.parametrize("form", [float_course, column_course])
def test_what_is_only_a_ghost_is_not_unexpected_and_what_came_back_is(form: Callable[[Ward], Course]) -> None:
    course, chance = form(WARD), random.Random(2)
    raised: list[tuple[int, str]] = []
    back, came = 25, 400
    for number in range(700):
        reads = {tag: sum(chance.random() < 0.6 for _ in range(30)) for tag in HERE}
        reads |= {tag: int(chance.random() < 0.08) for tag in AWAY}
        if number >= came:
            reads[back] = sum(chance.random() < 0.6 for _ in range(30))
        heard = a_bin(number, reads)
        if number == came:
            heard = Bin(number, heard.rounds, 1, room=heard.room)
        raised += [(each.tag, each.kind) for each in course.take(heard) if number > 2 * EVERY_BINS]
    assert raised == [(back, "unexpected")]
