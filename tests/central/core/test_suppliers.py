"""Suppliers as rules: shares at their borders, grades, certificates to their last day, cover, cases, shortages."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.core.policy import rules_on
from central.core.suppliers import (
    CASE_STEPS,
    CaseKind,
    CaseState,
    CaseStep,
    Delivered,
    Dimension,
    Grade,
    Level,
    Marks,
    Offer,
    Rate,
    Standing,
    Supply,
    Tally,
    case_after,
    clock_of,
    delivery_rate,
    failed,
    grade_of,
    punctuality,
    score_of,
    shares_of_deliveries,
    shortage_level,
    standing,
    tally_of,
    uncovered,
)
from central.errors import BadInput, NotNow
from central.services.policy import shipped_rows
from protocols.values.instant import from_iso, plus

MARKS = Marks(
    dict(zip(Dimension, (Fraction(4, 10), Fraction(3, 10), Fraction(15, 100), Fraction(15, 100)), strict=True)),
    dict(zip(Dimension, (Fraction(98, 100), Fraction(1), Fraction(1), Fraction(1)), strict=True)),
    Fraction(85, 100),
)
OPENED = from_iso("2026-03-02T08:00:00+08:00")
DAY = date(2026, 3, 2)


def tallies(on_time: tuple[int, int], quality: tuple[int, int] = (0, 0)) -> dict[Dimension, Tally]:
    return {Dimension.ON_TIME: Tally(*on_time), Dimension.QUALITY: Tally(*quality)}


@pytest.mark.parametrize(("done", "grade"), [(9800, Grade.A), (9799, Grade.B)])
def test_b1_97_99_percent_in_time_is_below_the_gate_and_98_00_is_not(done: int, grade: Grade) -> None:
    found = tallies((done, 10_000))
    assert failed(found, MARKS) == ([] if grade is Grade.A else [Dimension.ON_TIME])
    assert grade_of(found, MARKS) is grade


def test_b1_a_dimension_nobody_asked_anything_in_weighs_nothing() -> None:
    assert score_of(tallies((90, 100)), MARKS) == Fraction(90, 100)
    assert score_of(tallies((90, 100), (1, 2)), MARKS) == (Fraction(36, 100) + Fraction(15, 100)) / Fraction(7, 10)
    assert score_of(tallies((0, 0)), MARKS) is None
    assert grade_of(tallies((0, 0)), MARKS) is None


@pytest.mark.parametrize(("done", "grade"), [(8500, Grade.B), (8499, Grade.C)])
def test_b2_a_supplier_is_graded_c_below_the_score_of_c(done: int, grade: Grade) -> None:
    assert grade_of(tallies((done, 10_000)), MARKS) is grade


@given(st.lists(st.tuples(st.text(max_size=5), st.booleans()), max_size=30))
def test_b1_a_tally_counts_again_to_the_same_from_its_documents(outcomes: list[tuple[str, bool]]) -> None:
    one = tally_of(outcomes)
    assert tally_of(reversed(outcomes)) == one
    assert (one.done, one.asked) == (sum(ok for _, ok in outcomes), len(outcomes))
    assert sorted(one.documents) == sorted(name for name, _ in outcomes)


LINE = Delivered("PO-1", 1, "S1", "A", 10, 0, DAY, DAY)


def test_b1_a_line_is_in_time_when_it_is_whole_by_its_promised_day() -> None:
    late = replace(LINE, line_no=2, whole=DAY + timedelta(days=1))
    part = replace(LINE, line_no=3, owed=1, whole=None)
    later = replace(LINE, line_no=4, promised=DAY + timedelta(days=1))
    tally = punctuality([LINE, late, part, later], DAY, DAY)
    assert (tally.done, tally.asked, tally.documents) == (1, 3, ("PO-1/1", "PO-1/2", "PO-1/3"))


def test_b5_a_delivery_rate_is_told_by_quantity_and_by_line() -> None:
    rate = delivery_rate([LINE, replace(LINE, line_no=2, qty=30, owed=10, whole=None)], DAY, DAY)
    assert (rate.by_qty, rate.by_line) == (Fraction(30, 40), Fraction(1, 2))
    assert delivery_rate([], DAY, DAY).by_qty is None


@pytest.mark.parametrize(
    ("left", "stands"),
    [
        (91, Standing.VALID),
        (90, Standing.SOON),
        (31, Standing.SOON),
        (30, Standing.VERY_SOON),
        (0, Standing.VERY_SOON),
        (-1, Standing.LAPSED),
    ],
)
def test_b6_a_certificate_warns_90_and_30_days_before_and_holds_on_its_last_day(left: int, stands: Standing) -> None:
    assert standing(date(2020, 1, 1), DAY + timedelta(days=left), DAY, 90, 30) is stands
    assert standing(DAY + timedelta(days=1), date(2030, 1, 1), DAY, 90, 30) is Standing.NOT_YET


def test_b3_a_high_risk_item_with_one_source_that_counts_is_found() -> None:
    two = [Offer("S1", 1), Offer("S2", 2)]
    assert uncovered({"STENT": two, "NAIL": two[:1]}, ["STENT", "NAIL", "NONE"]) == {"NAIL": ["S1"], "NONE": []}
    assert uncovered({"STENT": [two[0], replace(two[1], unfit=("blocked",))]}, ["STENT"]) == {"STENT": ["S1"]}


@pytest.mark.parametrize(("hours", "in_time"), [(72, True), (72.01, False)])
def test_b3_the_clock_of_a_disruption_stops_at_72_hours(hours: float, *, in_time: bool) -> None:
    clock = clock_of(OPENED, plus(OPENED, hours * 3600), plus(OPENED, 10**6), 72)
    assert (clock.in_time, clock.running) == (in_time, False)
    assert clock_of(OPENED, None, plus(OPENED, hours * 3600), 72).running


def test_b5_concentration_is_a_distributors_share_of_all_lines_that_were_due() -> None:
    rates = {"S1": Rate(100, 90, 6, 5), "S2": Rate(900, 900, 2, 2), "S3": Rate(0, 0, 0, 0)}
    assert shares_of_deliveries(rates) == {"S1": Fraction(3, 4), "S2": Fraction(1, 4), "S3": Fraction(0)}
    assert shares_of_deliveries({"S3": Rate(0, 0, 0, 0)}) == {}


@pytest.mark.parametrize(("kind", "hours"), [(CaseKind.EMERGENCY, 2), (CaseKind.DISRUPTION, 72)])
def test_g2_an_emergency_is_answered_in_two_hours_and_a_supply_restored_in_72(kind: CaseKind, hours: int) -> None:
    limit = rules_on(date(2026, 3, 2), shipped_rows()).whole("case.hours", kind)
    assert limit == hours
    assert clock_of(OPENED, plus(OPENED, hours * 3600), plus(OPENED, 10**6), limit).in_time
    assert not clock_of(OPENED, plus(OPENED, hours * 3600 + 1), plus(OPENED, 10**6), limit).in_time


def test_b4_only_an_open_incident_blocks_and_only_a_block_is_lifted() -> None:
    blocked = case_after(CaseKind.INCIDENT, CaseState.OPEN, CaseStep.BLOCK)
    assert case_after(CaseKind.INCIDENT, blocked, CaseStep.LIFT) is CaseState.LIFTED
    with pytest.raises(NotNow, match="ticket: cannot block one that is open; it can solve, withdraw"):
        case_after(CaseKind.TICKET, CaseState.OPEN, CaseStep.BLOCK)
    with pytest.raises(NotNow, match="do nothing more"):
        case_after(CaseKind.INCIDENT, CaseState.LIFTED, CaseStep.LIFT)


def test_every_state_of_a_case_is_reached_and_every_end_is_meant() -> None:
    reached = {CaseState.OPEN, *CASE_STEPS.values()}
    assert reached == set(CaseState)
    going_on = {state for _, state, _ in CASE_STEPS}
    assert going_on == {CaseState.OPEN, CaseState.BLOCKED}


def test_g1_rising_short_deliveries_warn_before_the_stock_is_out() -> None:
    calm = Supply("A", Fraction(30), 7, Fraction(0), 2)
    assert shortage_level(calm) is Level.NONE
    some = replace(calm, short_share=Fraction(10, 100), stock_days=Fraction(13))
    assert shortage_level(some) is Level.WATCH
    many = replace(some, short_share=Fraction(30, 100))
    assert shortage_level(many) is Level.WARN, "13 days of stock are left"
    assert shortage_level(replace(many, stock_days=Fraction(60), sources=1)) is Level.WATCH, "there is time"
    assert shortage_level(replace(many, stock_days=None)) is Level.NONE, "nobody uses it"
    assert shortage_level(replace(calm, stock_days=Fraction(6), sources=1)) is Level.WARN


def test_a_tally_never_says_more_was_done_than_asked() -> None:
    with pytest.raises(BadInput):
        Tally(2, 1)
