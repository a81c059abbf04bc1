"""The figures of the world: checked when made, overridden by a line, and told when wrong."""

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_sim.errors import WrongUse
from hardware_sim.storeroom.rates import NAMES, NOMINAL, WORLDS, as_table, from_table, with_settings


def test_a_setting_changes_one_figure_and_no_other() -> None:
    changed = with_settings(NOMINAL, ["unscanned=0.5", "outage_median_min = 3"])
    table = as_table(NOMINAL) | {"unscanned": 0.5, "outage_median_min": 3.0}
    assert as_table(changed) == table


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("unscanned", "--set 'unscanned': expected key=number"),
        ("unscanned=much", "--set 'unscanned=much': expected key=number"),
        ("unscaned=0.5", "--set 'unscaned': expected one of the world's rates, such as unscanned"),
        ("unscanned=1.5", "unscanned: expected 0..1, got 1.5"),
        ("unscanned=nan", "unscanned: expected a number, got nan"),
        ("outage_median_min=0", "outage_median_min: expected 1..1e"),
    ],
)
def test_a_wrong_setting_is_one_clear_error(setting: str, says: str) -> None:
    with pytest.raises(WrongUse, match=says):
        with_settings(NOMINAL, [setting])


@pytest.mark.parametrize("name", WORLDS)
def test_every_world_is_published_and_read_back(name: str) -> None:
    assert from_table(as_table(WORLDS[name])) == WORLDS[name]


@given(st.sampled_from(NAMES), st.floats())
def test_a_world_that_exists_holds_no_figure_beyond_its_bounds(name: str, value: float) -> None:
    with contextlib.suppress(WrongUse):
        assert math.isfinite(getattr(from_table({name: value}), name))
