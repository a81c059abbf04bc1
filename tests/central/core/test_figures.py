from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.core.figure_lines import closings_of
from central.core.figures import (
    DEFINITIONS,
    FigureId,
    Flow,
    Hole,
    Link,
    Stocked,
    holes,
    match_parts,
    overstock_parts,
    total,
    turnover_of,
    turnover_parts,
)
from central.core.match import Eyes, Observed
from central.core.reconcile import Line
from protocols.values.money import Money

TODAY = date(2026, 3, 31)
FIRST = date(2026, 3, 2)
PRICES = {"A": Money(100), "B": Money(7)}
FLOWS = st.lists(
    st.builds(
        Flow,
        event=st.just(""),
        day=st.integers(0, 60).map(lambda ago: TODAY - timedelta(days=ago)),
        kind=st.just("issue"),
        place=st.sampled_from(["ward-01", "ward-02"]),
        item=st.sampled_from(["A", "B", "C"]),
        lot=st.just(""),
        qty=st.integers(-50, 50),
        used=st.integers(-5, 50),
    ),
    max_size=40,
)


def flow(day: date, qty: int, used: int = 0) -> Flow:
    return Flow("e", day, "issue", "ward-01", "A", "", qty, used)


def test_D5_thirty_days_with_ten_pieces_and_one_used_a_day_turn_over_in_ten_days() -> None:  # noqa: N802 # the row's id
    lines = [flow(FIRST - timedelta(days=9), 10)]
    lines += [flow(FIRST + timedelta(days=ago), moved, max(0, -moved)) for ago in range(30) for moved in (-1, 1)]
    figure = total(FigureId.TURNOVER, turnover_parts(lines, FIRST, TODAY, PRICES), FIRST)
    assert figure.value == 10
    assert (figure.above, figure.below) == (10 * 30 * 100, 30 * 100)


@given(FLOWS)
def test_D5_the_ledger_lines_of_a_row_sum_to_it_and_the_rows_to_the_figure(flows: list[Flow]) -> None:  # noqa: N802 # the row's id
    parts = turnover_parts(flows, FIRST, TODAY, PRICES)
    for part in parts:
        mine = [one for one in flows if (one.place, one.item) == (part.place, part.item)]
        sums = [turnover_of(one, FIRST, TODAY, PRICES.get(part.item, 0)) for one in mine]
        assert (part.above, part.below) == (sum(above for above, _ in sums), sum(below for _, below in sums))
        assert part.qty == sum(one.qty for one in mine)
        days = closings_of(mine, (FIRST, TODAY), PRICES.get(part.item, Money(0)))
        assert (part.above, part.below) == (sum(one.above for one in days), sum(one.below for one in days))
        assert (len(days), days[-1].qty) == (30, part.qty)
    figure = total(FigureId.TURNOVER, parts, None)
    closing = sum(
        one.qty * PRICES.get(one.item, 0)
        for number in range(30)
        for one in flows
        if one.day <= FIRST + timedelta(days=number)
    )
    assert figure.above == closing


@pytest.mark.parametrize(("idle_days", "over"), [(182, False), (183, False), (184, True)])
def test_D6_overstock_begins_after_183_days_by_value_and_by_items(idle_days: int, over: bool) -> None:  # noqa: N802 # the row's id
    held = [Stocked("w", "A", 2, 0, TODAY - timedelta(days=idle_days)), Stocked("w", "B", 100, 0, TODAY)]
    value = total(FigureId.OVERSTOCK_VALUE, overstock_parts(FigureId.OVERSTOCK_VALUE, held, TODAY, 183, PRICES), None)
    items = total(FigureId.OVERSTOCK_ITEMS, overstock_parts(FigureId.OVERSTOCK_ITEMS, held, TODAY, 183, PRICES), None)
    assert (value.above, value.below) == (200 if over else 0, 900)
    assert (items.above, items.below) == (int(over), 2)


def seen(*lines: Line) -> list[Observed]:
    return [Observed(line, Eyes.READERS, None) for line in lines]


def test_E5_a_line_nobody_observed_adds_nothing_and_says_so() -> None:  # noqa: N802 # the row's id
    every = [*seen(Line("A", "1", 50, 50)), Observed(Line("B", "1", 100, 100), Eyes.NOBODY, None)]
    parts = match_parts(FigureId.LINE_MATCH, "w", every, PRICES)
    assert [(one.above, one.below, one.note) for one in parts] == [(1, 1, ""), (0, 0, "unobserved")]
    nothing = total(FigureId.LINE_MATCH, match_parts(FigureId.LINE_MATCH, "w", every[1:], PRICES), None)
    assert (nothing.value, nothing.passes(Fraction(98, 100))) == (None, None)


def test_E5_five_too_many_and_five_too_few_are_two_wrong_lines() -> None:  # noqa: N802 # the row's id
    lines = seen(Line("A", "1", 50, 55), Line("A", "2", 50, 45), Line("B", "1", 100, 100))
    sums = {
        id: total(id, match_parts(id, "w", lines, PRICES), None)
        for id in (FigureId.LINE_MATCH, FigureId.UNIT_MATCH, FigureId.VALUE_MATCH)
    }
    assert (sums[FigureId.LINE_MATCH].above, sums[FigureId.LINE_MATCH].below) == (1, 3)
    assert (sums[FigureId.UNIT_MATCH].above, sums[FigureId.UNIT_MATCH].below) == (190, 200)
    assert (sums[FigureId.VALUE_MATCH].above, sums[FigureId.VALUE_MATCH].below) == (9_700, 10_700)


def test_E5_97_99_percent_fails_the_gate_and_98_passes() -> None:  # noqa: N802 # the row's id
    def figure(right: int, lines: int) -> bool | None:
        every = seen(*(Line("A", str(no), 1, int(no < right)) for no in range(lines)))
        parts = match_parts(FigureId.LINE_MATCH, "w", every, PRICES)
        return total(FigureId.LINE_MATCH, parts, None).passes(Fraction(98, 100))

    assert figure(9_799, 10_000) is False
    assert figure(98, 100) is True
    assert figure(0, 0) is None


def test_E4_a_single_link_that_lacks_is_named() -> None:  # noqa: N802 # the row's id
    whole = [
        Link("opening", "", patient=False),
        Link("", "issued", patient=False),
        Link("issued", "patient", patient=True),
    ]
    assert holes(whole) == ()
    assert holes(whole[1:]) == (Hole.NO_RECEIPT,)
    assert holes([whole[0], whole[2]]) == (Hole.NO_ISSUE,)
    assert holes([*whole[:2], Link("issued", "patient", patient=False)]) == (Hole.NO_PATIENT,)
    assert holes([whole[0], Link("", "patient", patient=True)]) == ()


def test_every_figure_has_a_definition() -> None:
    assert set(DEFINITIONS) == set(FigureId)
