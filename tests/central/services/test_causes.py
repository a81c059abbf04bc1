"""A storeroom with every sort of trouble: which discrepancies open, why, and which wait to be claimed first."""

from pathlib import Path

import pytest

from central.services.causes import THINGS_MAX, Sort, Thing, account_of, first_causes
from central.services.reconcile import reconcile
from central.services.verify import verify
from central.store.engine import Store
from central.store.queries_work import Discrepancy, discrepancies
from protocols.movements.bodies import write_body
from protocols.movements.posting import MovementBody, PostingLine
from protocols.movements.reports import DiscrepancyBody, DutyBody, VisitBody
from protocols.movements.tags import ObserveBody
from protocols.values.instant import plus
from tests.central.hospital import HOSPITAL, KIT, START, VALVE, Ward, hospital, tags

TAKEN, CLAIMED, SWAPPED, LEFT, NEXT_DOOR, DEAD, *QUIET = tags(12)
HOUR = 3600.0


def badge(ward: Ward, at_s: float, phase: str = "begin") -> None:
    ward.say("visit", write_body(VisitBody(phase)), at_s, actor="N1001")


def claim(ward: Ward, unit: str, at_s: float) -> str:
    line = PostingLine(KIT, 1, ward.name, f"issued@{ward.name}", lot="K1", unit=unit)
    return ward.say("issue", write_body(MovementBody((line,), flags=("claimed",))), at_s, actor="N1002")


def shift_end(ward: Ward, due_s: float, at_s: float) -> None:
    ward.say("duty", write_body(DutyBody("shift_end", plus(START, due_s), "done")), at_s)


def by_unit(store: Store) -> dict[str, Discrepancy]:
    with store.read() as connection:
        return {one.unit: one for one in discrepancies(connection, HOSPITAL)}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = hospital(tmp_path)
    ward, beside = Ward(store), Ward(store, "ward-02")
    ward.open(KIT, "K1", [TAKEN, CLAIMED, NEXT_DOOR, *QUIET])
    ward.open(VALVE, "V1", [SWAPPED, LEFT, DEAD])
    for unit in (TAKEN, CLAIMED, SWAPPED, LEFT, NEXT_DOOR, DEAD, *QUIET):
        ward.observe(unit, 0.98, 60)
    badge(ward, HOUR)
    ward.issue(VALVE, "V1", LEFT, HOUR + 30)
    badge(ward, HOUR + 120, "end")
    for unit in (TAKEN, CLAIMED, SWAPPED, NEXT_DOOR):
        ward.observe(unit, 0.01, HOUR + 900, since_s=HOUR + 100)
    ward.observe(LEFT, 0.99, HOUR + 1300, since_s=HOUR + 200)
    beside.say("visit", write_body(VisitBody("begin")), HOUR + 200, actor="N2001")
    beside.observe(NEXT_DOOR, 0.97, HOUR + 1000, since_s=HOUR + 300)
    ward.observe(DEAD, 0.02, 4.6 * HOUR, since_s=4.4 * HOUR)
    claim(ward, CLAIMED, 5 * HOUR)
    reconcile(store, HOSPITAL, plus(START, 5 * HOUR + 60))
    return store


def test_each_trouble_opens_one_discrepancy_with_its_cause_and_quiet_pieces_none(store: Store) -> None:
    with store.read() as connection:
        found = discrepancies(connection, HOSPITAL)
        causes = first_causes(connection, HOSPITAL, [one.id for one in found])
    assert {(one.unit, one.kind, one.place): causes[one.id] for one in found} == {
        (TAKEN, "missing", "ward-01"): "unscanned_take",
        (SWAPPED, "missing", "ward-01"): "swap",
        (LEFT, "unexpected", "ward-01"): "swap",
        (NEXT_DOOR, "missing", "ward-01"): "moved_next_door",
        (NEXT_DOOR, "unexpected", "ward-02"): "moved_next_door",
        (DEAD, "missing", "ward-01"): "dead_tag",
    }
    assert len(found) == 6
    assert verify(store).faults == []


def test_a_piece_moved_next_door_names_the_other_storeroom_on_both_sides_and_what_its_readers_say(store: Store) -> None:
    with store.read() as connection:
        found = [one for one in discrepancies(connection, HOSPITAL) if one.unit == NEXT_DOOR]
        accounts = {one.place: account_of(connection, HOSPITAL, one) for one in found}
        (taken,) = [one for one in discrepancies(connection, HOSPITAL) if one.unit == TAKEN]
        assert account_of(connection, HOSPITAL, taken).elsewhere == ""
    assert {place: account.elsewhere for place, account in accounts.items()} == {
        "ward-01": "ward-02",
        "ward-02": "ward-01",
    }
    (theirs,) = [one for one in accounts["ward-01"].moments if (one.sort, one.place) == (Sort.BELIEF, "ward-02")]
    assert theirs.p is not None
    assert theirs.p > 0.9
    assert theirs.event


def test_the_evidence_says_when_the_door_heard_the_piece(store: Store) -> None:
    left = plus(START, HOUR + 110)
    body = ObserveBody(TAKEN, 0.01, "filter-2", plus(START, HOUR + 100), door=left)
    Ward(store).say("observe", write_body(body), HOUR + 910)
    with store.read() as connection:
        account = account_of(connection, HOSPITAL, by_unit(store)[TAKEN])
    assert [one.at for one in account.moments if one.sort is Sort.DOOR] == [left]


def test_the_evidence_stands_on_a_line_of_time_with_who_was_there(store: Store) -> None:
    with store.read() as connection:
        account = account_of(connection, HOSPITAL, by_unit(store)[TAKEN])
    sorts = [one.sort for one in account.moments]
    first = [Sort.MOVEMENT, Sort.BELIEF, Sort.HEARD, Sort.VISIT, Sort.VISIT]
    assert sorts == [*first, *sorts[5:]]
    assert sorts.count(Sort.SILENT) == 1
    assert [one.at for one in account.moments] == sorted(one.at for one in account.moments)
    assert {one.who for one in account.moments if one.sort is Sort.VISIT} == {"N1001"}
    badges = [one.said for one in account.moments if one.said.startswith("visit")]
    assert badges == ["visit", "visit_end"], "who went is not said to have come"
    assert [one.p for one in account.moments if one.sort is Sort.BELIEF] == [0.98, 0.01]
    assert {Sort.FOUND, Sort.OPENED} < set(sorts)


def test_each_movement_of_the_evidence_names_what_it_moved(store: Store) -> None:
    many = tuple(PostingLine(KIT, 1, "ward-01", "issued@ward-01", lot="K1", unit=unit) for unit in QUIET)
    Ward(store).say("issue", write_body(MovementBody(many)), HOUR + 60, actor="N1001")
    with store.read() as connection:
        account = account_of(connection, HOSPITAL, by_unit(store)[TAKEN])
    first, *others = [one for one in account.moments if one.said in {"opening", "issue"}]
    assert first.things == (Thing(KIT, "K1", TAKEN, 1),)
    assert [(one.things[0], len(one.things), one.more) for one in others] == [
        (Thing(VALVE, "V1", LEFT, 1), 1, 0),
        (Thing(KIT, "K1", QUIET[0], 1), THINGS_MAX, len(QUIET) - THINGS_MAX),
    ]
    assert all(one.things == () for one in account.moments if one.said not in {"opening", "issue"})


def test_a_storeroom_that_keeps_shifts_opens_nothing_before_the_shift_has_ended(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    ward, (unit, other) = Ward(store), tags(2)
    ward.open(KIT, "K1", [unit, other])
    shift_end(ward, 100, 101)
    for one in (unit, other):
        ward.observe(one, 0.02, HOUR, since_s=HOUR - 600)
    assert reconcile(store, HOSPITAL, plus(START, HOUR + 1)).opened == 0
    assert verify(store).faults == []
    claim(ward, other, 2 * HOUR)
    assert reconcile(store, HOSPITAL, plus(START, 2 * HOUR)).opened == 0
    body = DiscrepancyBody("unclaimed", KIT, "K1", unit, said="nobody claimed it")
    ward.say("discrepancy", write_body(body), 4 * HOUR)
    shift_end(ward, 4 * HOUR, 4 * HOUR + 1)
    assert reconcile(store, HOSPITAL, plus(START, 4 * HOUR + 2)).opened == 1
    with store.read() as connection:
        account = account_of(connection, HOSPITAL, by_unit(store)[unit])
    assert account.evidence.unclaimed
    assert Sort.UNCLAIMED in {one.sort for one in account.moments}


def test_a_storeroom_that_fell_silent_hides_a_missing_piece_no_longer_than_a_shift(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    ward, (unit,) = Ward(store), tags(1)
    ward.open(KIT, "K1", [unit])
    shift_end(ward, 100, 101)
    ward.observe(unit, 0.02, HOUR)
    assert reconcile(store, HOSPITAL, plus(START, 12 * HOUR)).opened == 0
    assert reconcile(store, HOSPITAL, plus(START, 15 * HOUR)).opened == 1


def test_a_claim_closes_what_was_open_under_its_own_name(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    ward, (unit,) = Ward(store), tags(1)
    ward.open(KIT, "K1", [unit])
    ward.observe(unit, 0.02, HOUR)
    assert reconcile(store, HOSPITAL, plus(START, HOUR + 1)).opened == 1
    claim(ward, unit, 2 * HOUR)
    assert reconcile(store, HOSPITAL, plus(START, 2 * HOUR + 1)).closed == 1
    assert (by_unit(store)[unit].status, by_unit(store)[unit].cause) == ("closed", "claimed")
    assert verify(store).faults == []
