from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from central.core.match import Eyes, Looked, Match, Observed, Watched, match_of, observed, together
from central.core.reconcile import Line
from protocols.values.instant import Instant

NOW, COUNTED = Instant(1_000), Instant(400)
LINES = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=20)


def seen(*lines: Line, heard: Instant | None = NOW, told: int = 0, off: int | None = None) -> list[Observed]:
    """The lines as judged where readers spoke of so many pieces of each, and a person counted so many off."""
    keys = [(line.item, line.lot) for line in lines]
    counted = {} if off is None else {key: Looked(COUNTED, off) for key in keys}
    return observed(lines, Watched(heard, dict.fromkeys(keys, told), counted))


def test_a_line_nobody_observed_is_in_no_rate_and_stands_beside() -> None:
    match = match_of(seen(Line("A", "1", 4, 4), Line("B", "1", 9, 9), heard=None))
    assert (match.lines, match.unobserved, match.lines_all) == (0, 2, 2)
    assert (match.line_match, match.unit_match) == (None, None)
    assert match.share_observed == 0


def test_an_empty_storeroom_has_no_rate() -> None:
    match = match_of(seen())
    assert (match.line_match, match.unit_match, match.share_observed) == (None, None, None)


def test_readers_observe_a_line_only_when_they_spoke_of_every_piece_of_it() -> None:
    assert [one.by for one in seen(Line("A", "1", 4, 4), told=4)] == [Eyes.READERS]
    assert [one.by for one in seen(Line("A", "1", 4, 4), told=3)] == [Eyes.NOBODY]
    assert [one.by for one in seen(Line("A", "1", 4, 4), told=4, heard=None)] == [Eyes.NOBODY]


def test_what_was_found_to_differ_differs_however_little_is_observed() -> None:
    (one,) = seen(Line("A", "1", 4, 3), heard=None)
    assert one.counts
    assert match_of([one]) == Match(lines=1, lines_right=0, book=4, differing=1)


def test_a_count_observes_what_readers_do_not_and_its_difference_stays_until_it_is_put_right() -> None:
    (right,) = seen(Line("G", "1", 100, 100), off=0)
    (short,) = seen(Line("G", "1", 100, 100), off=-2)
    assert (right.by, right.at, right.line.difference) == (Eyes.COUNT, COUNTED, 0)
    assert (short.line.physical, short.line.difference) == (98, -2)
    assert match_of([right, short]).line_match == Fraction(1, 2)


def test_a_book_below_zero_is_observed_by_nobody() -> None:
    assert [one.by for one in seen(Line("G", "1", -3, -3))] == [Eyes.NOBODY]


def test_plus_five_and_minus_five_are_two_wrong_lines() -> None:
    match = match_of(seen(Line("A", "O", 0, 5), Line("A", "R", 10, 10), Line("A", "S", 5, 0), told=10))
    assert (match.line_match, match.unit_match) == (Fraction(1, 3), 1 - Fraction(10, 15))


@given(LINES, st.integers(0, 30), st.booleans())
def test_line_match_is_one_only_when_no_observed_unit_differs(
    counts: list[tuple[int, int]], told: int, at_work: bool
) -> None:
    lines = [Line("A", str(number), book, physical) for number, (book, physical) in enumerate(counts)]
    match = match_of(seen(*lines, heard=NOW if at_work else None, told=told))
    assert match.lines_right + match.lines_differing + match.unobserved == len(lines)
    assert (match.line_match == 1) == (match.lines > 0 and match.differing == 0)
    assert (match.line_match is None) == (match.lines == 0)


@given(LINES, LINES)
def test_two_storerooms_together_are_one_over_all_their_lines(
    here: list[tuple[int, int]], there: list[tuple[int, int]]
) -> None:
    rooms = [
        [Line(room, str(no), *count) for no, count in enumerate(counts)]
        for room, counts in zip("ab", (here, there), strict=True)
    ]
    apart = together(match_of(seen(*lines, told=5)) for lines in rooms)
    assert apart == match_of(seen(*rooms[0], *rooms[1], told=5))
