"""Coverage: only proven time counts, a deaf antenna does not listen, and what was told is counted anew."""

from edge_agent.core.coverage import Coverage
from protocols.readers.reads import LinkDown, LinkUp, RoundEnded
from protocols.values.instant import MICROS, Instant, from_iso, plus

START = from_iso("2026-03-02T16:00:00+08:00")
MINUTE = 60 * MICROS
NONE_DEAF: frozenset[int] = frozenset()


def rounds(coverage: Coverage, first: Instant, count: int, deaf: frozenset[int] = NONE_DEAF) -> Instant:
    """End a round every two seconds; return when the last one ended."""
    at = first
    for turn in range(count):
        at = plus(first, 2 * turn)
        coverage.hear("r1", RoundEnded(at, (1, 2)), deaf)
    return at


def test_an_antenna_that_ends_every_round_listened_all_the_time() -> None:
    coverage = Coverage({"r1": (2.0, (1, 2))})
    rounds(coverage, START, 31)
    assert coverage.tell(MINUTE) == {"r1:1": 1000, "r1:2": 1000}
    assert coverage.tell(MINUTE) == {"r1:1": 0, "r1:2": 0}


def test_a_blind_antenna_did_not_listen() -> None:
    coverage = Coverage({"r1": (2.0, (1, 2))})
    last = rounds(coverage, START, 16)
    rounds(coverage, plus(last, 2), 15, frozenset({2}))
    assert coverage.tell(MINUTE) == {"r1:1": 1000, "r1:2": 500}


def test_a_cut_link_and_a_stall_prove_nothing() -> None:
    coverage = Coverage({"r1": (2.0, (1,))})
    last = rounds(coverage, START, 6)
    coverage.hear("r1", LinkDown("cut"), NONE_DEAF)
    coverage.hear("r1", LinkUp(plus(last, 19)), NONE_DEAF)
    last = rounds(coverage, plus(last, 20), 6)
    rounds(coverage, plus(last, 3600), 1)
    assert coverage.tell(MINUTE) == {"r1:1": 433}


def test_what_a_reader_that_was_not_named_says_is_left() -> None:
    coverage = Coverage({"r1": (2.0, (1,))})
    coverage.hear("r2", RoundEnded(START, (1,)), NONE_DEAF)
    assert coverage.tell(MINUTE) == {"r1:1": 0}
