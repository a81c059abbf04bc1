"""A count is compared with the book at its own cut; stock that moved meanwhile means "count this line again"."""

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.core.counts import Line, LineKey, Moved, Seen, compare, merge

A, B, U = LineKey("C1", "L1", ""), LineKey("C2", "", ""), LineKey("C3", "L1", "E1")


def lines(seen: list[Seen], book: dict[LineKey, int], *moved: Moved, complete: bool = False) -> list[Line]:
    return compare(seen, book, moved, first_seq=10, complete=complete)


def test_one_persons_scans_add_up_and_a_second_persons_count_replaces_them() -> None:
    seen = [Seen(A, 5, "1", 11), Seen(A, 5, "1", 12), Seen(A, 8, "2", 14), Seen(A, 1, "2", 15)]
    assert merge(seen) == {A: (9, 15)}
    assert merge(seen[:2]) == {A: (10, 12)}


def test_a_unit_seen_twice_is_one() -> None:
    assert merge([Seen(U, 1, "1", 11), Seen(U, 1, "1", 12), Seen(U, 1, "2", 13)]) == {U: (1, 13)}


def test_a_difference_is_taken_at_the_cut_of_the_count() -> None:
    (line,) = lines([Seen(A, 7, "1", 20)], {A: 9})
    assert (line.counted, line.book, line.differs) == (7, 9, True)


def test_what_moved_after_a_lines_count_makes_it_a_line_to_recount_and_not_an_adjustment() -> None:
    (line,) = lines([Seen(A, 10, "1", 20)], {A: 8}, Moved(A, -2, 25))
    assert (line.book, line.recount, line.differs) == (10, True, False)


def test_what_moved_before_a_lines_count_is_in_both() -> None:
    (line,) = lines([Seen(A, 8, "1", 30)], {A: 8}, Moved(A, -2, 25))
    assert (line.recount, line.differs) == (False, False)


def test_a_complete_count_calls_what_nobody_saw_zero() -> None:
    seen = [Seen(A, 8, "1", 30)]
    assert [line.key for line in lines(seen, {A: 8, B: 3})] == [A]
    assert [(line.key, line.counted, line.book) for line in lines(seen, {A: 8, B: 3}, complete=True)] == [
        (A, 8, 8),
        (B, 0, 3),
    ]


moves = st.lists(st.tuples(st.integers(11, 40), st.integers(-5, 5).filter(bool)), max_size=8)


@given(st.integers(0, 50), st.integers(11, 40), moves)
def test_an_honest_count_never_differs_whenever_stock_moves(start: int, at: int, moved: list[tuple[int, int]]) -> None:
    """Whoever counts what truly lies there at the moment of the count is right, whatever moves before or after."""
    there = start + sum(qty for seq, qty in moved if seq <= at)
    if there < 0:
        return
    now = start + sum(qty for _, qty in moved)
    (line,) = lines([Seen(A, there, "1", at)], {A: now}, *(Moved(A, qty, seq) for seq, qty in moved))
    assert line.book == there
    assert not line.differs
