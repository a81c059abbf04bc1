"""Calibration keeps the order of probabilities, none is said above what may be claimed, no curve may fall."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.core.presence.calibration import CLAIM_MAX, IDENTITY, LEARNED, Curve, calibrated
from edge_agent.core.presence.columns import Columns, column_course
from edge_agent.core.presence.course import Course
from edge_agent.core.presence.floats import FloatTags, float_course
from edge_agent.core.presence.lines import count_lines
from edge_agent.core.presence.numbers import Floats
from edge_agent.core.presence.ward import Place, TagOf, Ward
from protocols.errors import BadValue

CHANCES = st.floats(1e-8, 1 - 1e-8)
BOOKS = st.sampled_from([(1.0, 0.0), (0.0, 1.0), (0.0, 0.0)])
WEIGHTS = st.tuples(*(st.floats(1e-9, 1.0) for _ in "hbzngd"))
STATES = ("h", "b", "z", "n", "g", "d")


@given(CHANCES, BOOKS)
def test_the_identity_changes_nothing(p: float, book: tuple[float, float]) -> None:
    assert calibrated(p, 1 - p, book, IDENTITY, Floats()) == pytest.approx(p, rel=1e-6)


@given(CHANCES, CHANCES, BOOKS)
def test_the_order_is_kept(one: float, other: float, book: tuple[float, float]) -> None:
    low, high = sorted((one, other))
    below = calibrated(low, 1 - low, book, LEARNED, Floats())
    assert below <= calibrated(high, 1 - high, book, LEARNED, Floats())


def test_a_piece_just_scanned_away_is_surer_gone_than_one_that_fell_silent() -> None:
    silent, scanned = ((1.0, 0.0), (0.0, 0.0))
    assert calibrated(0.02, 0.98, scanned, LEARNED, Floats()) < calibrated(0.02, 0.98, silent, LEARNED, Floats())


@pytest.mark.parametrize("points", [((0.0, 0.0), (0.0, 1.0)), ((0.0, 1.0), (1.0, 0.0)), ((0.0,), (0.0, 1.0)), ((), ())])
def test_a_curve_that_falls_is_refused(points: tuple[tuple[float, ...], tuple[float, ...]]) -> None:
    with pytest.raises(BadValue, match="calibration: expected rising points"):
        Curve(*points)


def believing(weights: tuple[float, ...], place: Place) -> tuple[Course, Course]:
    """Return both forms of a filter that believes this of its one tag."""
    ward = Ward((TagOf("E2", "item", "", "", place),), room=("1",))
    floats, columns = float_course(ward), column_course(ward)
    assert isinstance(floats.tags, FloatTags)
    assert isinstance(columns.tags, Columns)
    assert {*STATES} <= {each.name for each in fields(floats.tags.minds[0])}
    for name, weight in zip(STATES, weights, strict=True):
        setattr(floats.tags.minds[0], name, weight / sum(weights))
        setattr(columns.tags.mind, name, np.array([weight / sum(weights)]))
    return floats, columns


@given(WEIGHTS, st.sampled_from(Place))
def test_neither_form_says_of_a_piece_more_than_may_be_claimed_and_both_say_the_same(
    weights: tuple[float, ...], place: Place
) -> None:
    floats, columns = believing(weights, place)
    said = [(course.p()[0], course.tags.p(0), course.tags.living(0)) for course in (floats, columns)]
    assert all(1 - CLAIM_MAX <= p <= CLAIM_MAX for those in said for p in those)
    assert said[0] == pytest.approx(said[1], rel=1e-9)
    assert floats.weighed() == pytest.approx(columns.weighed(), rel=1e-9)


@given(WEIGHTS, st.sampled_from(Place), st.integers(1, 20))
def test_no_line_is_claimed_above_what_may_be_and_it_is_counted_from_what_was_not_cut(
    weights: tuple[float, ...], place: Place, pieces: int
) -> None:
    floats, _ = believing(weights, place)
    (line,) = count_lines(("item", p) for p in floats.weighed() * pieces)
    assert 0 < line.p <= CLAIM_MAX
    surest = max(floats.weighed()[0], 1 - floats.weighed()[0])
    assert line.certified == (line.p >= 0.99)
    assert line.certified or surest**pieces < 0.99
