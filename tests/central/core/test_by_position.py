"""A line shelf by shelf: it sums to the line, and a piece on a wrong shelf is no missing piece."""

from hypothesis import given
from hypothesis import strategies as st

from central.core.by_position import AtPosition, Placed, by_position
from central.core.reconcile import Belief, Moved, UnitState, Written, lines_in
from protocols.values.instant import Instant

WARD, HERE_FROM = "ward-01", 0.5
NAMES = st.sampled_from(["", "S1", "S2", "S3"])


def piece(unit: str, p: float | None, booked: str, heard: str = "", *, place: str = WARD, lot: str = "L") -> Placed:
    """A piece that was put somewhere, and in which readers believe with `p`, or of which they never spoke."""
    moved = Moved(place, Instant(1), "opening", "00", Written("aa", 1, Instant(1)))
    later = Written("aa", 2, Instant(2))
    belief = None if p is None else Belief(WARD, p, Instant(2), Instant(2), "filter-2", "01", WARD, later)
    return Placed(UnitState(unit, "A", lot, moved, belief), booked, heard)


def test_a_piece_on_another_shelf_is_in_the_book_of_one_and_on_the_other() -> None:
    pieces = [piece("1", 0.99, "S1"), piece("2", 0.99, "S1", "S2"), piece("3", 0.02, "S1")]
    assert by_position(WARD, pieces, {}, HERE_FROM) == {
        ("A", "L"): (AtPosition("S1", 3, 1, 1, 1), AtPosition("S2", 0, 1, 1, 1))
    }


def test_loose_pieces_and_those_nobody_hears_follow_the_book() -> None:
    found = by_position(WARD, [piece("1", None, "S1")], {("A", "L", "S2"): 20, ("B", "", ""): 3}, HERE_FROM)
    assert found == {
        ("A", "L"): (AtPosition("S1", 1, 1, 1, 1), AtPosition("S2", 20, 20, 20, 20)),
        ("B", ""): (AtPosition("", 3, 3, 3, 3),),
    }


def test_what_is_heard_here_and_booked_elsewhere_lies_where_it_is_heard() -> None:
    assert by_position(WARD, [piece("1", 0.97, "", "S3", place="ward-02")], {}, HERE_FROM) == {
        ("A", "L"): (AtPosition("S3", 0, 1, 0, 1),)
    }


def test_where_a_piece_was_once_heard_and_nothing_is_any_more_is_no_position() -> None:
    gone = [piece("1", 0.01, "", place="issued@ward-01"), piece("2", 0.99, "S1")]
    assert by_position(WARD, gone, {}, HERE_FROM) == {("A", "L"): (AtPosition("S1", 1, 1, 1, 1),)}


PIECES = st.lists(
    st.builds(
        piece, st.uuids().map(str), st.none() | st.floats(0, 1), NAMES, NAMES,
        place=st.sampled_from([WARD, "ward-02"]), lot=st.sampled_from(["L", "M"]),
    ),
    max_size=12,
)  # fmt: skip
LOOSE = st.dictionaries(st.tuples(st.sampled_from("AB"), st.sampled_from(["L", ""]), NAMES), st.integers(0, 50))


@given(PIECES, LOOSE)
def test_the_shelves_of_a_line_sum_to_its_book_and_its_physical(
    pieces: list[Placed], loose: dict[tuple[str, str, str], int]
) -> None:
    found = by_position(WARD, pieces, loose, HERE_FROM)
    whole: dict[tuple[str, str], int] = {}
    for (item, lot, _), qty in loose.items():
        whole[item, lot] = whole.get((item, lot), 0) + qty
    for line in lines_in(WARD, [one.state for one in pieces], whole, HERE_FROM):
        shelves = found[line.item, line.lot]
        assert sum(one.book for one in shelves) == line.book
        assert sum(one.physical for one in shelves) == line.physical
        assert len({one.position for one in shelves}) == len(shelves)
        assert all(one.low <= one.high for one in shelves)
