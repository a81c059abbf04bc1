from central.core.reconcile import Belief, Line, Moved, UnitState, Written, lines_in, presence_in
from protocols.values.instant import Instant

WARD = "ward-01"


def written(at: int, incarnation: str = "a1") -> Written:
    return Written(incarnation, at, Instant(at))


def unit(
    name: str = "E1", *, at: str = WARD, moved: int = 100, p: float | None = None, heard: int = 200, lot: str = "L"
) -> UnitState:
    belief = (
        None
        if p is None
        else Belief(WARD, p, Instant(heard - 5), Instant(heard), "window-1", "b0", "ward-01", written(heard))
    )
    return UnitState(name, "A", lot, Moved(at, Instant(moved), "opening", "e0", written(moved)), belief)


def test_a_unit_nobody_believed_in_follows_the_book() -> None:
    assert presence_in(unit(), WARD) == 1.0
    assert presence_in(unit(at="issued@ward-01"), WARD) == 0.0


def test_a_movement_after_the_belief_is_followed() -> None:
    assert presence_in(unit(p=0.99, at="issued@ward-01", moved=300, heard=200), WARD) == 0.0


def test_a_belief_after_the_movement_is_followed() -> None:
    assert presence_in(unit(p=0.02), WARD) == 0.02


def test_plus_five_and_minus_five_are_two_lines_that_differ() -> None:
    short = [unit(f"S{n}", lot="S", p=0.02) for n in range(5)]
    over = [unit(f"O{n}", lot="O", at="issued@ward-01", p=0.99) for n in range(5)]
    right = [unit(f"R{n}", lot="R") for n in range(10)]
    lines = lines_in(WARD, short + over + right, {}, 0.5)
    assert lines == [Line("A", "O", 0, 5), Line("A", "R", 10, 10), Line("A", "S", 5, 0)]


def test_loose_pieces_follow_the_book() -> None:
    assert lines_in(WARD, [], {("G", ""): 40}, 0.5) == [Line("G", "", 40, 40)]


def test_in_one_chain_the_seq_tells_what_is_newer_and_across_chains_centrals_receipt() -> None:
    assert Written("a1", 8, Instant(5)).after(Written("a1", 7, Instant(9)))
    assert not Written("a1", 8, Instant(5)).after(Written("b2", 7, Instant(9)))
