"""What a standby that has flushed so far proves of chains."""

from central.core.standby import Mark, Said, hear

EARLY, LATE = Mark(100, ((b"a", 3),)), Mark(200, ((b"a", 7), (b"b", 0)))


def test_a_standby_that_has_flushed_all_vouches_for_all() -> None:
    assert hear(None, 200, LATE) == Said(LATE.heads, None)
    assert hear(EARLY, 250, LATE) == Said(LATE.heads, None)


def test_a_standby_behind_vouches_for_what_was_committed_before_the_place_it_has_reached() -> None:
    assert hear(None, 90, EARLY) == Said(None, EARLY)
    assert hear(EARLY, 150, LATE) == Said(EARLY.heads, LATE)


def test_while_a_standby_has_not_reached_the_place_its_last_word_stands() -> None:
    assert hear(EARLY, 99, LATE) == Said(None, EARLY)


def test_without_a_standby_nothing_is_vouched_for_any_more() -> None:
    assert hear(EARLY, None, LATE) == Said((), None)
