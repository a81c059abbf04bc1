"""Doubted lines are counted before they are ordered: a few a ward, never for long, vital ones never at all."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from central.core.reorder.doubt import TRUST_MIN, WAIT_MAX_H, Doubt, counting, trust_of


def test_as_many_lines_wait_as_a_ward_may_be_asked_for_and_the_others_are_ordered() -> None:
    doubts = [Doubt("W1", f"i{n}", 0.5 + n / 100, vital=False) for n in range(6)]
    doubts += [Doubt("W2", "trusted", 0.95, vital=False)]
    found = counting(doubts, {"W1": 3, "W2": 3})
    assert [one.item for one in found.ask] == [one.item for one in found.wait] == ["i0", "i1", "i2"]


def test_a_vital_line_is_counted_first_and_ordered_at_once() -> None:
    found = counting([Doubt("W1", "a", 0.1, vital=False), Doubt("W1", "v", 0.8, vital=True)], {"W1": 1})
    assert ([one.item for one in found.ask], found.wait) == (["v"], ())


def test_what_was_asked_for_waits_a_day_and_is_then_ordered_counted_or_not() -> None:
    doubts = [Doubt("W1", name, 0.5, vital=False, asked_h=hours) for name, hours in (("a", 23.9), ("b", 24.0))]
    found = counting([*doubts, Doubt("W1", "c", 0.5, vital=False, asked_h=inf)], {"W1": 3})
    assert (found.ask, [one.item for one in found.wait]) == ((), ["a"])


def test_trust_is_the_share_of_pieces_that_are_not_expected_to_be_wrong() -> None:
    assert trust_of(1.0, 10) == 0.9
    assert trust_of(3.0, 0) == 0.0
    assert trust_of(0.0, 5) == 1.0


DOUBTS = st.builds(
    Doubt,
    st.sampled_from(["W1", "W2"]),
    st.sampled_from("abcdefgh"),
    st.floats(0, 1),
    vital=st.booleans(),
    asked_h=st.none() | st.floats(0, 100),
)


@given(st.lists(DOUBTS, max_size=12, unique_by=lambda one: (one.place, one.item)), st.integers(0, 4))
def test_no_line_starves_and_no_ward_is_asked_for_more_than_it_may(doubts: list[Doubt], left: int) -> None:
    found = counting(doubts, {"W1": left, "W2": left})
    for place in ("W1", "W2"):
        assert sum(one.place == place for one in found.ask) <= left
    for one in found.wait:
        assert not one.vital
        assert one.trust < TRUST_MIN
        assert one in found.ask or (one.asked_h is not None and one.asked_h < WAIT_MAX_H)
