"""ABC classes and counts: the Pareto fixture, no flapping at a border, three counts a ward-day."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.core.reorder.abc import BORDERS, MARGIN, Class, classes
from central.errors import BadInput
from protocols.values.money import Money

NONE: frozenset[str] = frozenset()
PARETO = {
    "valve": Money(50),
    "graft": Money(30),
    "kit": Money(10),
    "set": Money(5),
    "gauze": Money(3),
    "tape": Money(2),
}


def test_d7_the_items_of_the_first_eighty_per_cent_are_a_and_of_the_last_five_c() -> None:
    found = classes(PARETO, {}, NONE)
    assert "".join(found[item] for item in PARETO) == "AABBCC"


def test_a_vital_item_is_never_c() -> None:
    assert classes(PARETO, {}, frozenset({"tape"}))["tape"] is Class.B


def test_an_item_at_the_border_keeps_its_class_and_one_well_beyond_changes() -> None:
    before = classes(PARETO, {}, NONE)
    moved = PARETO | {"graft": Money(31), "kit": Money(9)}
    assert classes(moved, before, NONE)["kit"] is Class.B
    kept = classes(PARETO | {"valve": Money(49)}, {"kit": Class.A}, NONE)
    assert kept["kit"] is Class.A, "79 % lie before it, 80 is the border: it was A and stays"
    assert classes(PARETO | {"valve": Money(80)}, {"kit": Class.A}, NONE)["kit"] is Class.B


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, 10_000), min_size=1, max_size=20))
def test_classes_are_stable_under_their_own_result(values: dict[str, int]) -> None:
    money = {item: Money(value) for item, value in values.items()}
    once = classes(money, {}, NONE)
    assert classes(money, once, NONE) == once
    assert Fraction(0) < MARGIN < BORDERS[1] - BORDERS[0]


def test_a_value_below_nothing_is_refused() -> None:
    with pytest.raises(BadInput, match="from 0"):
        classes({"valve": Money(-1)}, {}, NONE)
