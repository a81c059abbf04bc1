from hypothesis import given
from hypothesis import strategies as st

from central.core.counts import Counted, LineKey, Risk, choose, line_counts, slipped
from protocols.values.money import Money

GAUZE, KIT = LineKey("HC-GAUZE", "G1"), LineKey("HC-KIT", "K1")
RISKS = st.lists(
    st.builds(
        Risk,
        st.builds(LineKey, st.sampled_from("ABCDEFG"), st.sampled_from("xy")),
        st.floats(0, 9),
        st.integers(0, 10**7).map(Money),
    ),
    max_size=20,
)


def scan(qty: int, actor: str = "N1", unit: str = "", sheet: str = "s", book: int = 9, key: LineKey = GAUZE) -> Counted:
    return Counted(key, unit, qty, actor, sheet, book)


def test_E1_the_riskiest_lines_are_asked_for_first_and_never_more_than_three() -> None:  # noqa: N802 # the row's id
    dear, cheap = Risk(KIT, 0.1, Money(2_680_000)), Risk(GAUZE, 2.0, Money(8_500))
    assert choose([cheap, dear], 3, 0.0) == [dear, cheap]
    assert choose([cheap, dear], 1, 0.0) == [dear]
    assert choose([cheap, dear], 3, 100_000.0) == [dear]


@given(RISKS, st.integers(0, 5))
def test_a_line_on_which_nothing_can_be_wrong_is_never_asked_for(risks: list[Risk], most: int) -> None:
    chosen = choose(risks, most, 0.0)
    assert len(chosen) <= most
    assert all(risk.wrong > 0 for risk in chosen)
    assert choose(list(reversed(risks)), most, 0.0) == chosen or len({r.key for r in risks}) < len(risks)


def test_one_persons_scans_add_up_and_anothers_word_replaces_them() -> None:
    assert line_counts([scan(5), scan(3)])["s", GAUZE].counted == 8
    assert line_counts([scan(5), scan(3), scan(7, "N2")])["s", GAUZE].counted == 7
    units = [scan(1, unit="A", key=KIT), scan(1, unit="A", key=KIT), scan(1, unit="B", key=KIT, book=2)]
    assert line_counts(units)["s", KIT].counted == 2
    assert line_counts(units)["s", KIT].is_right


def test_loose_pieces_slip_with_every_movement_but_no_more_than_there_are() -> None:
    assert slipped(10, 100, 0.01) == 0.1
    assert slipped(1_000, 4, 0.01) == 4.0
