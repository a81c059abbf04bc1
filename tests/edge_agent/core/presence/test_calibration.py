"""Calibration keeps the order of probabilities and, without a shift, what was right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.core.presence.calibration import LEARNED, Platt, calibrated
from edge_agent.core.presence.numbers import Floats

CHANCES = st.floats(1e-8, 1 - 1e-8)


@given(CHANCES)
def test_no_shift_and_no_stretch_change_nothing(p: float) -> None:
    assert calibrated(p, 1 - p, Platt(0.0, 1.0), Floats()) == pytest.approx(p, rel=1e-6)


@given(CHANCES, CHANCES)
def test_the_order_is_kept(one: float, other: float) -> None:
    low, high = sorted((one, other))
    table = LEARNED
    assert calibrated(low, 1 - low, table, Floats()) <= calibrated(high, 1 - high, table, Floats())
