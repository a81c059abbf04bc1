"""A slow reader's reads are gathered until they tell antennas apart; a fast one's are passed on as they are."""

from math import nan

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.core.presence.gathering import Gathering
from edge_agent.core.presence.shelves import READS_LEAST
from edge_agent.core.presence.ward import Bin

ROOM, ALL = ("1", "2"), (1, 1)


def heard(number: int, *rows: tuple[int, str, int], rounds: int = 1) -> Bin:
    return Bin(number, dict.fromkeys(ROOM, rounds), None, ant=tuple((*row, nan) for row in rows) or None)


def told(found: Bin) -> list[tuple[int, str, int]]:
    return [(tag, name, reads) for tag, name, reads, _ in found.ant or ()]


def test_reads_of_a_slow_reader_are_told_once_there_are_enough_of_a_tag() -> None:
    gathering = Gathering(ROOM)
    assert told(gathering.take(heard(0, (7, "1", 2), (8, "2", 1)), ALL)) == []
    assert told(gathering.take(heard(1, (7, "1", 2)), ALL)) == []
    assert told(gathering.take(heard(2, (7, "2", 1), (8, "2", 1)), ALL)) == [(7, "1", 4), (7, "2", 1)]
    assert told(gathering.take(heard(3, (7, "1", 1)), ALL)) == []


def test_a_reader_that_is_fast_enough_is_passed_on_as_it_is() -> None:
    gathering, quick = Gathering(ROOM), heard(0, (7, "1", 3), rounds=30)
    assert gathering.take(quick, ALL) is quick


def test_what_was_heard_while_an_antenna_did_not_listen_is_not_mixed_with_the_rest() -> None:
    gathering = Gathering(ROOM)
    gathering.take(heard(0, (7, "1", 4)), ALL)
    deaf = heard(1, (7, "1", 1))
    assert gathering.take(deaf, (1, 0)) is deaf
    assert told(gathering.take(heard(2, (7, "1", 1)), ALL)) == []


ROWS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(ROOM), st.integers(1, 2)), max_size=6)


@given(st.lists(ROWS, max_size=30))
def test_nothing_is_lost_or_told_twice_and_what_is_told_is_enough(bins: list[list[tuple[int, str, int]]]) -> None:
    gathering, given_, said = Gathering(ROOM), 0, 0
    for number, rows in enumerate(bins):
        given_ += sum(reads for _, _, reads in rows)
        sums: dict[int, int] = {}
        for tag, _, reads in told(gathering.take(heard(number, *rows), ALL)):
            sums[tag] = sums.get(tag, 0) + reads
        assert all(each >= READS_LEAST for each in sums.values())
        said += sum(sums.values())
    assert 0 <= given_ - said < READS_LEAST * 4
