from pathlib import Path

import pytest
from sqlalchemy import text

from central.core.reconcile import lines_by, lines_in
from central.services.policy import rules_at
from central.services.reconcile import Reconciled, bounds_of, reconcile
from central.services.wards import standings
from central.store.engine import Store
from central.store.queries_book import units_against, units_of
from central.store.queries_rooms import book_in
from central.store.queries_work import discrepancies, matches
from central.store.ward_facts import facts_behind
from protocols.entry import decode_entry
from protocols.movements.tags import SIGHTED
from protocols.values.ids import PlaceId
from protocols.values.instant import plus
from tests.central.hospital import HOSPITAL, KIT, START, Ward, hospital, tags


def test_a_tag_that_fell_silent_becomes_one_discrepancy_and_looking_again_changes_nothing(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    ward, units = Ward(store), tags(3)
    ward.open(KIT, "K1", units)
    for unit in units:
        ward.observe(unit, 0.97, 60)
    event = ward.observe(units[1], 0.02, 900, since_s=300)
    assert reconcile(store, HOSPITAL, plus(START, 901)) == Reconciled(3, 1, 0)
    assert reconcile(store, HOSPITAL, plus(START, 902)) == Reconciled(3, 0, 0)
    with store.read() as connection:
        (one,) = discrepancies(connection, HOSPITAL, status="open")
        seen = matches(connection, HOSPITAL)["ward-01"][1]
    assert (one.kind, one.place, one.item, one.lot, one.unit) == ("missing", "ward-01", KIT, "K1", units[1])
    assert (one.opened_at, one.found_at, one.since) == (plus(START, 901), plus(START, 900), plus(START, 300))
    assert one.evidence["belief"]["p"] == 0.02
    assert one.evidence["book"]["kind"] == "opening"
    assert one.found_event == event
    assert (seen.lines, seen.lines_right, seen.book, seen.differing) == (1, 0, 3, 1)


def test_a_unit_taken_with_a_scan_is_no_discrepancy_before_or_after_its_tag_falls_silent(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    ward, (unit,) = Ward(store), tags(1)
    ward.open(KIT, "K1", [unit])
    ward.observe(unit, 0.97, 60)
    ward.issue(KIT, "K1", unit, 600)
    assert reconcile(store, HOSPITAL, plus(START, 601)).opened == 0
    ward.observe(unit, 0.02, 1300, since_s=620)
    assert reconcile(store, HOSPITAL, plus(START, 1301)).opened == 0


def test_an_issued_unit_that_stays_on_the_shelf_is_unexpected_until_it_is_given_back(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    ward, (unit,) = Ward(store), tags(1)
    ward.open(KIT, "K1", [unit])
    ward.issue(KIT, "K1", unit, 600)
    ward.observe(unit, 0.98, 2000, since_s=700)
    assert reconcile(store, HOSPITAL, plus(START, 2001)).opened == 1
    ward.give_back(KIT, "K1", unit, 2100)
    assert reconcile(store, HOSPITAL, plus(START, 2101)).closed == 1
    with store.read() as connection:
        (one,) = discrepancies(connection, HOSPITAL)
    assert (one.kind, one.status, one.cause, one.closed_at) == (
        "unexpected", "closed", "return_to_store", plus(START, 2100),
    )  # fmt: skip


def test_a_missing_unit_that_comes_back_closes_its_case_and_a_second_loss_opens_another(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    ward, (unit,) = Ward(store), tags(1)
    ward.open(KIT, "K1", [unit])
    for at_s, p in ((900, 0.02), (1800, 0.97), (2700, 0.03)):
        ward.observe(unit, p, at_s)
        reconcile(store, HOSPITAL, plus(START, at_s + 1))
    with store.read() as connection:
        cases = discrepancies(connection, HOSPITAL)
    assert [(one.status, one.cause) for one in cases] == [("open", ""), ("closed", "seen_again")]


def test_only_the_storerooms_named_are_looked_at(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    ward = Ward(store)
    ward.open(KIT, "K1", tags(1))
    assert reconcile(store, HOSPITAL, START, ["ward-02", "issued@ward-01"]).places == 1
    with store.read() as connection:
        assert list(matches(connection, HOSPITAL)) == ["ward-02"]


def test_one_storeroom_with_broken_facts_does_not_keep_the_others_from_being_compared(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    first, second = Ward(store), Ward(store, "ward-02")
    first.open(KIT, "K1", tags(1))
    second.open(KIT, "K2", tags(1, 50), 5)
    first.issue(KIT, "K1", tags(1)[0], 800)
    first.observe(tags(1)[0], 0.98, 900)
    second.observe(tags(1, 50)[0], 0.02, 901)
    with store.write() as connection:
        connection.execute(text("UPDATE belief SET p = 'much' WHERE place = 'ward-01'"))
    done = reconcile(store, HOSPITAL, plus(START, 902))
    assert (done.places, done.opened) == (3, 1)
    (failed,) = done.failed
    assert failed.startswith("ward-01: ")


def test_a_discrepancy_says_when_it_was_found_and_when_central_opened_it(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    ward = Ward(store)
    ward.open(KIT, "K1", tags(1))
    ward.observe(tags(1)[0], 0.02, 1200)
    reconcile(store, HOSPITAL, plus(START, 36_000))
    with store.read() as connection:
        (one,) = discrepancies(connection, HOSPITAL)
    assert (one.found_at, one.opened_at) == (plus(START, 1200), plus(START, 36_000))


@pytest.mark.parametrize("ahead_s", [50, 864_000])
def test_a_clock_that_was_ahead_at_a_movement_hides_no_missing_piece(tmp_path: Path, ahead_s: int) -> None:
    store = hospital(tmp_path)
    ward, units = Ward(store), tags(3)
    ward.open(KIT, "K1", units)
    ward.issue(KIT, "K1", units[0], ahead_s)
    ward.give_back(KIT, "K1", units[0], 100)
    ward.issue(KIT, "K1", units[1], ahead_s)
    ward.observe(units[0], 0.01, 2000)
    ward.observe(units[1], 0.99, 2000, since_s=1500)
    assert reconcile(store, HOSPITAL, plus(START, 7200)).opened == 2
    with store.read() as connection:
        found = {(one.kind, one.unit) for one in discrepancies(connection, HOSPITAL, status="open")}
    assert found == {("missing", units[0]), ("unexpected", units[1])}


def test_units_of_whom_book_and_shelf_agree_are_not_looked_at(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    ward, units = Ward(store), tags(6)
    ward.open(KIT, "K1", units)
    ward.issue(KIT, "K1", units[0], 600)
    ward.issue(KIT, "K1", units[1], 610)
    for unit, p in zip(units, (0.01, 0.98, 0.99, 0.02), strict=False):
        ward.observe(unit, p, 900)
    with store.read() as connection:
        bounds = bounds_of(rules_at(connection, HOSPITAL, START))
        against = units_against(connection, HOSPITAL, "ward-01", bounds)
        every = units_of(connection, HOSPITAL, "ward-01")
        assert [one.unit for one in against] == [units[1], units[3]]
        assert against == [one for one in every if one.unit in {units[1], units[3]}]
        (line,) = lines_by("ward-01", book_in(connection, HOSPITAL, "ward-01"), against, bounds.here)
        assert [line] == lines_in("ward-01", every, {}, bounds.here)
    assert (line.book, line.physical) == (4, 4)


def told(store: Store, place: str) -> list[str]:
    """Return the events that a storeroom is told of."""
    with store.read() as connection:
        facts = facts_behind(connection, HOSPITAL, PlaceId(place), 0, 100)
    return [decode_entry(raw).event_id.hex() for _, _, _, raw in facts]


def test_a_storeroom_is_told_once_that_another_sights_its_piece(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    ward, beside, units = Ward(store), Ward(store, "ward-02"), tags(2)
    ward.open(KIT, "K1", units)
    event = beside.observe(units[0], 0.99, 900, model=SIGHTED)
    beside.observe(tags(1, start=77)[0], 0.99, 901, model=SIGHTED)
    for at_s in (950, 960):
        reconcile(store, HOSPITAL, plus(START, at_s))
    assert told(store, "ward-01") == [event]
    assert told(store, "ward-02") == []


def test_a_piece_heard_in_two_rooms_is_in_its_own_until_that_one_misses_it_and_then_is_misplaced(
    tmp_path: Path,
) -> None:
    store = hospital(tmp_path)
    ward, beside, units = Ward(store), Ward(store, "ward-02"), tags(3)
    ward.open(KIT, "K1", units)
    for unit in units:
        ward.observe(unit, 0.97, 60)
    beside.observe(units[1], 0.99, 900, model=SIGHTED)
    assert reconcile(store, HOSPITAL, plus(START, 950)).opened == 0
    ward.observe(units[1], 0.02, 1800, since_s=890)
    ward.observe(units[2], 0.02, 1805, since_s=890)
    assert reconcile(store, HOSPITAL, plus(START, 1850)).opened == 3
    with store.read() as connection:
        found = {(one.unit, one.kind, one.place) for one in discrepancies(connection, HOSPITAL, status="open")}
        seen = {one.place.place: one.match and one.match.misplaced for one in standings(connection, HOSPITAL, START)}
    assert found == {
        (units[1], "missing", "ward-01"),
        (units[1], "unexpected", "ward-02"),
        (units[2], "missing", "ward-01"),
    }
    assert seen == {"main-store": 0, "ward-01": 1, "ward-02": 0}


def test_a_delivery_that_stands_about_before_it_is_booked_in_and_what_was_issued_are_not_misplaced(
    tmp_path: Path,
) -> None:
    store = hospital(tmp_path)
    ward, beside, units = Ward(store), Ward(store, "ward-02"), tags(2)
    ward.open(KIT, "K1", units)
    ward.issue(KIT, "K1", units[0], 600)
    for unit in (units[0], *tags(1, start=77)):
        beside.observe(unit, 0.99, 900, model=SIGHTED)
    assert reconcile(store, HOSPITAL, plus(START, 950)).opened == 0
