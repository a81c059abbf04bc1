"""A drawn evening drives one line to an order, misses one piece, and leaves everything else in health."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_sim.errors import WrongUse
from hardware_sim.sample.catalogue import Sample, read_sample
from hardware_sim.scenario.draw import make_plan, takes_in_health, takes_to_trigger
from hardware_sim.scenario.plan import Plan
from hardware_sim.world import SHELF_ANTENNAS
from protocols.values.ids import ItemId, PlaceId
from protocols.values.instant import seconds_between

SAMPLE: Sample = read_sample()

plans = st.builds(
    lambda seed, wards, hours: make_plan(SAMPLE, seed=seed, wards=wards, with_take=True, hours=hours),
    st.integers(0, 2**31),
    st.integers(1, 6),
    st.sampled_from((4.0, 10.5)),
)


def _scanned(plan: Plan) -> Counter[tuple[PlaceId, ItemId]]:
    items = {tag.epc: tag.item for ward in plan.wards for tag in ward.tags}
    return Counter((ward.place, items[epc]) for ward in plan.wards for visit in ward.visits for epc in visit.epcs)


@given(plans)
def test_only_the_driven_line_reaches_its_trigger(plan: Plan) -> None:
    assert plan.take is not None
    lost = _scanned(plan) + Counter([(plan.take.ward, plan.take.item)])
    profiles = {ward.place: ward.profile for ward in plan.wards}
    drive = plan.drive
    assert lost.pop((drive.ward, drive.item)) == takes_to_trigger(SAMPLE, profiles[drive.ward], drive.item)
    for (place, item), pieces in lost.items():
        assert pieces <= takes_in_health(SAMPLE, profiles[place], item)


@given(plans)
def test_what_comes_on_a_wrong_shelf_is_taken_by_nobody_and_other_antennas_face_it(plan: Plan) -> None:
    put = plan.misput
    assert put is not None
    assert plan.take is not None
    scanned = {epc for ward in plan.wards for visit in ward.visits for epc in visit.epcs}
    assert put.epc not in scanned | {plan.take.epc}
    (own,) = [tag.position for ward in plan.wards for tag in ward.tags if tag.epc == put.epc and ward.place == put.ward]
    assert not {*SHELF_ANTENNAS[own]} & {*SHELF_ANTENNAS[put.position]}
    assert plan.start < put.at < plan.end


@given(plans)
def test_the_missed_piece_is_scanned_by_nobody_and_nobody_scans_a_piece_twice(plan: Plan) -> None:
    scanned = [epc for ward in plan.wards for visit in ward.visits for epc in visit.epcs]
    assert plan.take is not None
    assert len(scanned) == len(set(scanned))
    assert plan.take.epc not in scanned


@given(plans)
def test_somebody_scans_while_the_ward_is_cut_off_and_visits_stand_in_order(plan: Plan) -> None:
    for ward in plan.wards:
        times = [visit.at for visit in ward.visits]
        assert times == sorted(times)
        if ward.place == plan.cut.ward:
            assert any(plan.cut.since < at < plan.cut.until for at in times)


@given(plans)
def test_there_is_time_left_to_find_the_piece_and_to_heal_the_cut(plan: Plan) -> None:
    assert plan.take is not None
    assert seconds_between(plan.take.at, plan.end) >= 4 * 600
    assert seconds_between(plan.cut.until, plan.end) >= 3600
    assert plan.take.ward != plan.cut.ward or len(plan.wards) == 1


@given(st.integers(0, 2**31))
def test_the_same_seed_gives_the_same_plan_and_without_the_take_only_the_take_is_missing(seed: int) -> None:
    one = make_plan(SAMPLE, seed=seed, wards=2, with_take=True)
    assert one == make_plan(SAMPLE, seed=seed, wards=2, with_take=True)
    without = make_plan(SAMPLE, seed=seed, wards=2, with_take=False)
    assert (without.take, without.wards, without.cut, without.drive) == (None, one.wards, one.cut, one.drive)


def test_labels_are_unique_in_the_hospital() -> None:
    tags = [tag for ward in make_plan(SAMPLE, seed=1, wards=6, with_take=True).wards for tag in ward.tags]
    assert len({tag.epc for tag in tags}) == len(tags)
    assert len({(tag.gtin, tag.serial) for tag in tags}) == len(tags)


@pytest.mark.parametrize(("wards", "hours"), [(0, 10.5), (33, 10.5), (2, 3.0), (2, 25.0)])
def test_a_story_that_cannot_be_played_is_refused(wards: int, hours: float) -> None:
    with pytest.raises(WrongUse, match="expected"):
        make_plan(SAMPLE, seed=1, wards=wards, with_take=True, hours=hours)
