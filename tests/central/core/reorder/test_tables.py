"""Many lines at once say what one line says: numpy tables against the scalar reference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from central.core.reorder.leads import fixed_leads, leads_of
from central.core.reorder.moments import Moments, moments_of, moments_of_many, sums_of
from central.core.reorder.reference import fill_point, losses_of, outlook_of, worth_point
from central.core.reorder.tables import blocks_of
from central.core.reorder.waits import Wait, points_of, wait_of, waits_of_many

NOBODY = sums_of((), 0)


@st.composite
def lines(draw: st.DrawFn) -> tuple[list[int], int, list[int], list[int], int]:
    scale = draw(st.sampled_from([1, 7, 500]))
    sizes = draw(st.lists(st.integers(1, 9).map(lambda size: size * scale), max_size=40))
    days = draw(st.integers(max(1, len(sizes)), 200))
    received = draw(st.lists(st.integers(0, 40), min_size=1, max_size=12))
    waiting = draw(st.lists(st.integers(0, 60), max_size=3))
    return sizes, days, received, waiting, draw(st.integers(1, 60)) * scale


def columns(several: list[list[int]], days: list[int]) -> np.ndarray:
    rows = [sums_of(sizes, count) for sizes, count in zip(several, days, strict=True)]
    return np.array([[one.days, one.requests, one.total, one.squares, one.cubes] for one in rows]).T


@settings(deadline=None, max_examples=60)
@given(st.lists(lines(), min_size=1, max_size=6), st.floats(0.5, 0.999), st.floats(1e-4, 0.9))
def test_the_tables_of_many_lines_equal_the_reference(
    several: list[tuple[list[int], int, list[int], list[int], int]], fill: float, threshold: float
) -> None:
    own = columns([one[0] for one in several], [one[1] for one in several])
    kin = columns([list(several[0][0])] * len(several), [several[0][1]] * len(several))
    leads = [leads_of(received, waiting) for _, _, received, waiting, _ in several]
    moments, lots = moments_of_many(own, kin), np.array([one[4] for one in several])
    waits = waits_of_many(moments, *points_of(moments, lots, leads, np.arange(len(several))))
    seen = 0
    for block in blocks_of(waits, lots):
        fills, worths = block.fill_points(fill), block.worth_points(np.full((1, len(block.lines)), threshold))
        promised, stock = block.outlook(fills[None, :])
        for row, line in enumerate(block.lines):
            sizes, days, _, _, lot = several[line]
            wait = wait_of(moments_of(sums_of(sizes, days), sums_of(*several[0][:2])), leads[line], lot)
            assert fills[row] == fill_point(wait, lot, fill)
            assert worths[0, row] == worth_point(wait, lot, threshold)
            outlook = outlook_of(wait, int(fills[row]), lot)
            assert promised[0, row] == pytest.approx(outlook.fill, rel=1e-6)
            assert stock[0, row] == pytest.approx(outlook.stock, rel=1e-6, abs=1e-6)
            seen += 1
    assert seen == len(several)


def test_a_poisson_demand_is_served_as_worked_out_by_hand() -> None:
    # X Poisson with mean 4 (no undershoot of single pieces), lots of 10
    wait = Wait(((4.0, 4.0, 1.0),), 0.0)
    table = losses_of(wait)
    assert table.exceed[0] == pytest.approx(1 - np.exp(-4), abs=1e-6)
    assert table.loss[1] == pytest.approx(4 - (1 - np.exp(-4)), abs=1e-6)
    # G(3) = 1.3236, G(4) = .7815, G(5) = .4103, G(6) = .1954; a cycle of 10 may miss 10/19 at .95
    assert fill_point(wait, 10, 0.95) == 5


@given(lines(), st.floats(0.5, 0.9), st.floats(0.9, 0.999))
@settings(deadline=None, max_examples=40)
def test_who_wants_more_served_never_holds_less(
    line: tuple[list[int], int, list[int], list[int], int], less: float, more: float
) -> None:
    sizes, days, received, waiting, lot = line
    wait = wait_of(moments_of(sums_of(sizes, days), NOBODY), leads_of(received, waiting), lot)
    assert fill_point(wait, lot, less) <= fill_point(wait, lot, more)
    assert worth_point(wait, lot, 1 - less) <= worth_point(wait, lot, 1 - more)


def test_a_point_holds_what_it_was_asked_for() -> None:
    wait = wait_of(Moments(2.0, 6.0, 3.0, 12.0, 60.0, 2 / 3), leads_of([2, 2, 2, 9]), 14)
    point = fill_point(wait, 14, 0.98)
    assert outlook_of(wait, point, 14).fill >= 0.98 > outlook_of(wait, point - 1, 14).fill


def test_single_pieces_that_come_over_night_need_no_stock_beyond_the_lot() -> None:
    assert fill_point(wait_of(Moments(0.5, 0.25, 1.0, 1.0, 1.0, 0.5), fixed_leads(1), 7), 7, 0.99) == 0
