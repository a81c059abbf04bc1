"""Counts overtaken by what moved, lines below zero, acts under a suspension, acts entered twice."""

from dataclasses import replace

import pytest

from central.core.conflicts import DAY_S, Sort
from central.core.conflicts.acts import (
    Act,
    Suspension,
    against_suspension,
    below_zero,
    counted_on,
    entered_again,
    unknown_items,
    waits_for_count,
)
from central.core.conflicts.counts import CountOf, Moved, Version, late_entry, recount, version_of
from protocols.movements.posting import Flag as Unusual
from protocols.values.instant import Instant, plus

START = Instant(1_772_438_400_000_000)
COUNT = CountOf("c0", "ward-01", "A1", "L1", plus(START, 600), plus(START, 900), 8)
ACT = Act("01", "ward-01", "N1", "issue", "A1", "L1", "E2000001", START)


def at(minute: int) -> Instant:
    return plus(START, minute * 60)


def test_a_line_that_another_device_moved_while_it_was_counted_is_counted_again() -> None:
    flag = recount(COUNT, [Moved("01", at(5), 3), Moved("02", at(12), -1)])
    assert flag is not None
    assert (flag.sort, flag.event, flag.item, flag.due_at) == (
        Sort.RECOUNT, "02", "A1", plus(COUNT.counted_at, DAY_S),
    )  # fmt: skip


def test_moves_outside_the_counting_or_told_by_the_counting_devices_own_chain_call_for_no_recount() -> None:
    assert recount(COUNT, [Moved("01", at(5), 3), Moved("02", at(16), 1), Moved("03", at(12), -1, False)]) is None


def test_a_late_entry_from_before_the_cut_makes_a_new_version_and_the_old_count_stays() -> None:
    moves = [Moved("01", at(1), 8, True), Moved("02", at(5), 4), Moved("03", at(14), -2, False)]
    assert version_of(COUNT, moves, {"01", "03"}) == Version(12, ("02",))
    flag = late_entry(COUNT, Version(12, ("02",)))
    assert (flag.sort, flag.event, dict(flag.detail)) == (Sort.LATE_ENTRY, "02", {"count": "c0", "book": 12, "was": 8})
    assert COUNT.book == 8


def test_a_count_whose_entries_were_all_there_has_no_new_version() -> None:
    assert version_of(COUNT, [Moved("01", at(1), 8, True), Moved("02", at(12), 4)], {"01", "02"}) is None


def test_a_draw_before_the_edge_knew_of_its_suspension_is_valid_and_one_after_is_against_the_policy() -> None:
    suspension = Suspension("ward-01", 3)
    sorts = {}
    for policy in ("", "2", "3", "4"):
        flag = against_suspension(replace(ACT, policy=policy), suspension)
        assert flag is not None
        sorts[policy] = flag.sort
    assert sorts == {
        "": Sort.BEFORE_IT_KNEW, "2": Sort.BEFORE_IT_KNEW, "3": Sort.AGAINST_POLICY, "4": Sort.AGAINST_POLICY,
    }  # fmt: skip
    assert against_suspension(replace(ACT, place="ward-02"), suspension) is None
    assert against_suspension(replace(ACT, flags=(Unusual.EMERGENCY,)), suspension) is None


def test_an_act_a_disk_forgot_and_a_person_entered_again_within_a_day_is_asked_for_once() -> None:
    near, far = replace(ACT, event="03", at=at(30)), replace(ACT, event="04", at=at(60))
    (flag,) = entered_again([ACT], [far, near])
    assert (flag.sort, flag.event, dict(flag.detail)["first"]) == (Sort.ENTERED_AGAIN, "03", "01")


@pytest.mark.parametrize(
    "other",
    [
        replace(ACT, event="03", actor="N2"),
        replace(ACT, event="03", unit="E2000002"),
        replace(ACT, event="03", kind="use"),
        replace(ACT, event="03", at=plus(START, DAY_S + 1)),
        ACT,
    ],
    ids=["another person", "another piece", "another act", "two days", "the same event sent again"],
)
def test_another_act_is_not_the_same_entered_again(other: Act) -> None:
    assert entered_again([ACT], [other]) == []


def test_an_item_that_the_catalogue_does_not_know_is_flagged_once_a_storeroom() -> None:
    flags = unknown_items([("02", "w1", "X9", ""), ("01", "w1", "X9", ""), ("03", "w1", "A1", "")], {"A1": ""})
    assert [(flag.sort, flag.event, flag.item) for flag in flags] == [(Sort.UNKNOWN_ITEM, "01", "X9")]


def test_a_line_below_zero_is_one_conflict_whichever_entry_took_it_there() -> None:
    one, other = (below_zero("w1", "A1", "L1", "", qty, event) for qty, event in ((-3, "01"), (-5, "02")))
    assert one.id == other.id


def test_a_line_below_zero_waits_a_day_for_its_count_and_a_vital_one_does_not() -> None:
    due = plus(START, DAY_S)
    assert waits_for_count(due, at(60), vital=False)
    assert not waits_for_count(due, at(60), vital=True)
    assert not waits_for_count(due, due, vital=False)
    assert not waits_for_count(None, START, vital=False)


def test_a_reorder_takes_a_shelf_below_zero_for_empty_so_that_it_never_orders_more_than_fills_it() -> None:
    assert [counted_on(physical) for physical in (-5, 0, 3)] == [0, 0, 3]
