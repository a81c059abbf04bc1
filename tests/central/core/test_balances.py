from hypothesis import given
from hypothesis import strategies as st

from central.core.balances import Holding, Move, fold, unbalanced

PLACES = ["ward-01", "ward-02", "issued@ward-01", "opening@ward-01"]


def move(source: str, target: str, qty: int = 1, item: str = "A", lot: str = "L", unit: str = "") -> Move:
    return Move(item, lot, "hospital", unit, qty, source, "", target, "")


moves = st.lists(
    st.builds(
        move,
        source=st.sampled_from(PLACES),
        target=st.sampled_from(PLACES),
        qty=st.integers(1, 50),
        item=st.sampled_from("AB"),
        lot=st.sampled_from(["L", "M"]),
    ),
    max_size=30,
)


def test_what_left_one_place_stands_at_the_other() -> None:
    folded = fold([move("opening@ward-01", "ward-01", 5), move("ward-01", "issued@ward-01", 2)])
    assert folded == {
        Holding("opening@ward-01", "", "A", "L", "hospital", ""): -5,
        Holding("ward-01", "", "A", "L", "hospital", ""): 3,
        Holding("issued@ward-01", "", "A", "L", "hospital", ""): 2,
    }


def test_a_balance_that_gives_more_than_it_took_is_named() -> None:
    broken = {Holding("ward-01", "", "A", "L", "hospital", ""): 1}
    assert unbalanced(broken) == {("A", "L", "hospital", ""): 1}


@given(moves)
def test_every_sum_over_places_is_zero(some: list[Move]) -> None:
    assert unbalanced(fold(some)) == {}


@given(moves, st.randoms(use_true_random=False))
def test_the_order_of_moves_does_not_matter(some: list[Move], chance: object) -> None:
    shuffled = list(some)
    chance.shuffle(shuffled)  # type: ignore[attr-defined] # hypothesis gives a random.Random
    assert fold(shuffled) == fold(some)
