"""Laws of every world: whatever its rates are within their bounds, it can be drawn, and nothing is in two places."""

from dataclasses import fields

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware_sim.storeroom.happenings import BIN_S, Change, Life
from hardware_sim.storeroom.rates import NOMINAL, WorldRates, from_table
from hardware_sim.storeroom.stock import Where
from hardware_sim.storeroom.timeline import Timeline, place_of
from hardware_sim.storeroom.ward import Plan, draw_ward, stock_of, write_ward

STOCK = stock_of(Plan(seed=1, days=1, tags=6))
BUSIEST = 20.0
"""How far above its usual value a figure is tried: beyond it a day only takes longer to draw."""


def rates() -> st.SearchStrategy[WorldRates]:
    def values(low: float, high: float, usual: float) -> st.SearchStrategy[float]:
        return st.sampled_from([low, min(high, max(low + 1, BUSIEST * abs(usual))), usual])

    table = {
        each.name: values(each.metadata["low"], each.metadata["high"], getattr(NOMINAL, each.name))
        for each in fields(WorldRates)
    }
    return st.fixed_dictionaries(table).map(from_table)


@settings(max_examples=8)
@given(rates(), st.integers(0, 1000), st.sampled_from([0, 3]))
def test_every_world_within_its_bounds_can_be_drawn_and_written(
    tmp_path_factory: object, world: WorldRates, seed: int, looks: int
) -> None:
    folder = tmp_path_factory.mktemp("world")  # type: ignore[attr-defined] # pytest's factory
    write_ward(draw_ward(Plan(seed=seed, days=1, tags=6, rates=world, looks_a_day=looks)), folder)
    assert len(list(folder.iterdir())) == 5


@st.composite
def paths(draw: st.DrawFn) -> list[Change]:
    """One piece's changes in order of time, within two hours."""
    times = sorted(draw(st.lists(st.floats(0, 7199), max_size=8, unique_by=lambda at: int(at // BIN_S))))
    return [Change(at, 0, draw(st.sampled_from(list(Where))), draw(st.integers(0, 5))) for at in times]


@settings(max_examples=50)
@given(paths(), st.sampled_from([7, 60, 120]))
def test_a_piece_is_where_its_last_change_put_it_however_the_bins_are_cut(path: list[Change], cut: int) -> None:
    timeline = Timeline(STOCK, Life(changes=list(path)), (), next_skew_s=0.0)
    scenes = [timeline.next_scene(min(cut, 120 - first)) for first in range(0, 120, cut)]
    place = np.concatenate([scene.place[0] for scene in scenes])
    share = np.concatenate([scene.share[0] for scene in scenes])
    changed = {int(change.at_s // BIN_S) for change in path}
    assert ((share >= 0) & (share <= 1)).all()
    first = STOCK.pieces[0]
    for at in range(120):
        before = [change for change in path if change.at_s < (at + 1) * BIN_S]
        if at in changed:
            continue
        expected = place_of(before[-1].where, before[-1].shelf) if before else place_of(first.first, first.shelf)
        assert place[at] == expected
        assert share[at] == 1.0
