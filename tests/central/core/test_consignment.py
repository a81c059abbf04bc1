"""Goods on consignment as rules: what was used, what was charged beside it, what is laid in again."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.core.consignment import NOTE_STEPS, NoteState, NoteStep, note_after, note_lines, to_lay_in, used_of
from central.core.valuation import CONSIGNED, Part
from central.errors import NotNow
from protocols.values.instant import Instant
from protocols.values.money import Money


def part(qty: int, source: str, target: str, price: int = 500, owner: str = "hospital") -> Part:
    value = Money(qty * price)
    origin = (CONSIGNED, "S02")
    return Part("e", 0, 0, Instant(0), "use", "A", "L", owner, qty, source, target, Money(price), value, origin)


def test_what_was_used_less_what_was_given_back_is_told_by_supplier_item_and_price() -> None:
    parts = [
        part(3, "owner@ward-01", "patient@ward-01"),
        part(1, "patient@ward-01", "owner@ward-01"),
        part(2, "owner@ward-01", "patient@ward-01", 450),
        part(3, "ward-01", "owner@ward-01", owner="S02"),
    ]
    assert used_of(parts) == {"S02": {("A", Money(500)): 2, ("A", Money(450)): 2}}


def test_d9_a_difference_of_use_and_charge_is_named() -> None:
    (less, more) = note_lines({("A", Money(5)): 3, ("B", Money(7)): 1}, {"A": 2, "B": 4})
    assert (less.difference, less.amount, more.difference) == (1, 15, -3)
    (untold,) = note_lines({("A", Money(5)): 3}, None)
    assert (untold.charged, untold.difference) == (None, None)


@given(st.dictionaries(st.integers(1, 9), st.integers(1, 50), min_size=1), st.integers(0, 300))
def test_what_was_charged_of_an_item_is_told_whole_over_its_prices(used: dict[int, int], charged: int) -> None:
    lines = note_lines({("A", Money(price)): qty for price, qty in used.items()}, {"A": charged})
    assert sum(one.charged or 0 for one in lines) == charged
    assert sum(one.used for one in lines) == sum(used.values())


@given(st.integers(0, 50), st.integers(-5, 60), st.integers(0, 60))
def test_what_is_laid_in_again_never_passes_the_level(level: int, held: int, on_order: int) -> None:
    asked = to_lay_in(level, held, on_order)
    assert asked >= 0
    assert not asked or max(0, held) + on_order + asked == level


def test_the_states_of_a_settlement_are_walked_by_its_table() -> None:
    for state, event in product(NoteState, NoteStep):
        if (state, event) in NOTE_STEPS:
            assert note_after(state, event) is NOTE_STEPS[state, event]
        else:
            with pytest.raises(NotNow, match=f"cannot {event} one that is {state}"):
                note_after(state, event)
    assert {NoteState.MADE, *NOTE_STEPS.values()} == set(NoteState)
