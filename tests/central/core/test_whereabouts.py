from central.core.discrepancies import Bounds
from central.core.reconcile import Belief, Moved, UnitState, Written
from central.core.whereabouts import Said, whereabouts
from protocols.values.instant import Instant

WARD = "ward-01"
BOUNDS = Bounds(missing=0.05, unexpected=0.95, here=0.5)


def said(*, at: str = WARD, p: float | None = None, heard: int = 200, moved: int = 100) -> Said | None:
    """What is said in ward-01 of a piece that the book last moved to a place, and readers last spoke of with `p`."""
    last = Moved(at, Instant(moved), "opening", "e0", Written("a1", moved, Instant(moved)))
    written = Written("a1", heard, Instant(heard))
    belief = None if p is None else Belief(WARD, p, Instant(1), Instant(heard), "filter-2", "b0", WARD, written)
    found = whereabouts([(WARD, UnitState("E1", "A", "L", last, belief))], BOUNDS)
    return found[0].said if found else None


def test_a_booked_piece_is_heard_missing_or_unsure_by_what_readers_believe() -> None:
    assert [said(p=p) for p in (0.99, 0.3, 0.02)] == [Said.HEARD, Said.UNSURE, Said.MISSING]


def test_a_piece_the_book_has_elsewhere_is_unexpected_unsure_or_gone() -> None:
    elsewhere = "issued@ward-01"
    found = [said(at=elsewhere, p=p) for p in (0.99, 0.7, 0.02)]
    assert found == [Said.UNEXPECTED, Said.UNSURE, Said.GONE]


def test_without_a_newer_word_of_readers_the_book_is_followed_and_that_is_said() -> None:
    assert said() is Said.UNHEARD
    assert said(p=0.99, heard=50) is Said.MOVED_SINCE
    assert said(p=0.99, heard=50, at="issued@ward-01") is None
