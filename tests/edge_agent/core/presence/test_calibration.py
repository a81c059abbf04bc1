"""Calibration keeps the order of probabilities, and a curve that falls is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.core.presence.calibration import IDENTITY, LEARNED, Curve, calibrated
from edge_agent.core.presence.numbers import Floats
from protocols.errors import BadValue

CHANCES = st.floats(1e-8, 1 - 1e-8)
BOOKS = st.sampled_from([(1.0, 0.0), (0.0, 1.0), (0.0, 0.0)])


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
