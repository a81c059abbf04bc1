"""States of charging: one for every pair, ageing, what a day differs by, and what a code is on a day."""

from datetime import date
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.core.charging import (
    OPEN,
    STATES,
    ChargeItem,
    ChargeState,
    DayLine,
    Lies,
    day_lines,
    item_of,
    lies_at,
    patient_ref,
    state_of,
)
from central.errors import BadInput
from edge_agent.core.work.sets import patient_ref as of_the_storeroom
from protocols.values.instant import from_iso, plus

DAY = date(2026, 3, 2)
NOW = from_iso("2026-03-02T16:00:00+08:00")


def test_every_pair_has_one_state_and_every_state_is_reached() -> None:
    assert set(STATES) == set(product(Lies, (False, True)))
    assert set(STATES.values()) | {ChargeState.AGEING} == set(ChargeState)


@pytest.mark.parametrize(
    ("place", "came_from", "lies"),
    [
        ("ward-01", "opening@ward-01", Lies.SHELF),
        ("ward-01", "issued@ward-01", Lies.BACK),
        ("ward-01", "patient@ward-01", Lies.BACK),
        ("issued@ward-01", "ward-01", Lies.HAND),
        ("patient@ward-01", "issued@ward-01", Lies.USED),
        ("scrap@ward-01", "ward-01", Lies.WASTED),
        ("transit@ward-02", "ward-01", Lies.SHELF),
    ],
)
def test_where_a_piece_lies_is_told_by_its_place_and_the_one_before(place: str, came_from: str, lies: Lies) -> None:
    assert lies_at(place, came_from) is lies


@pytest.mark.parametrize(
    ("days", "state"), [(2.99, ChargeState.ISSUED_NOT_CHARGED), (3.0, ChargeState.AGEING), (9.0, ChargeState.AGEING)]
)
def test_what_was_issued_and_not_charged_grows_old(days: float, state: ChargeState) -> None:
    since = plus(NOW, -days * 86_400)
    assert state_of(Lies.USED, charged=False, since=since, now=NOW, ageing_days=3) is state
    assert state in OPEN


def test_a_day_differs_by_what_was_used_and_not_charged() -> None:
    used = [("ward-01", DAY, "K", 3), ("ward-02", DAY, "K", 1)]
    charged = [("ward-01", DAY, "K", 1), ("ward-02", DAY, "K", 1), ("ward-02", DAY, "G", 5)]
    found = day_lines(used, charged)
    assert found == [
        DayLine("ward-02", DAY, "G", 0, 5), DayLine("ward-01", DAY, "K", 3, 1), DayLine("ward-02", DAY, "K", 1, 1),
    ]  # fmt: skip
    assert [one.difference for one in found] == [-5, 2, 0]


@given(
    st.lists(st.tuples(st.sampled_from("AB"), st.just(DAY), st.sampled_from("XY"), st.integers(-5, 5))),
    st.lists(st.tuples(st.sampled_from("AB"), st.just(DAY), st.sampled_from("XY"), st.integers(-5, 5))),
)
def test_the_lines_conserve_what_went_in(
    used: list[tuple[str, date, str, int]], charged: list[tuple[str, date, str, int]]
) -> None:
    found = day_lines(used, charged)
    assert sum(one.used for one in found) == sum(qty for *_, qty in used)
    assert sum(one.charged for one in found) == sum(qty for *_, qty in charged)


def test_a_code_is_one_item_on_one_day() -> None:
    known = [ChargeItem("F1", "K", DAY, DAY, 2), ChargeItem("F1", "G", date(2026, 3, 3), None, 1)]
    assert item_of("F1", DAY, known).ratio == 2
    assert item_of("F1", date(2027, 1, 1), known).item == "G"
    for code, day in (("F1", date(2026, 3, 1)), ("F2", DAY)):
        with pytest.raises(BadInput, match="none"):
            item_of(code, day, known)
    with pytest.raises(BadInput, match="K and K"):
        item_of("F1", DAY, [*known, known[0]])


def test_a_patient_is_hidden_here_as_at_a_storeroom() -> None:
    key = b"a key that hides patients"
    assert patient_ref(key, "P1") == of_the_storeroom(key, "P1")
