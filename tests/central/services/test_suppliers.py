"""Suppliers on a real store: a quarter with known counts, what a grade brings, cases, papers, cover, shortage."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select, update

from central.core.order_checks import Excuse, Finding
from central.core.purchasing import OrderStep
from central.core.rights import Caller
from central.core.suppliers import CaseKind, CaseState, CaseStep, Dimension, Grade, Level, Standing
from central.errors import BadInput, NotAllowed, NotNow, NotThere
from central.services.approvals import approve_as
from central.services.desk import Desk
from central.services.imports import import_folder
from central.services.purchasing import Inspected
from central.services.purchasing_day import purchasing_day
from central.services.supplier_scores import score_quarter, tallies_of
from central.services.suppliers import firms_now, shortages_now, uncovered_now
from central.store.queries_suppliers import blocked_suppliers, cases, scores, tasks
from central.store.queries_work import proposals
from central.store.tables.ledger import BALANCE
from central.store.tables.work import POLICY_RULE
from protocols.values.instant import Instant, from_iso, plus
from protocols.values.money import yuan
from tests.central.doors import Watch, desk
from tests.central.hospital import HOSPITAL, START, Ward, frozen_clock, write_files
from tests.central.purchases import BUYER, DEAR, HEAD, KIT, PLAIN, STORE, SUPPLIER_FILES, buying_hospital, propose

NEXT_QUARTER = from_iso("2026-04-01T09:00:00+08:00")
SENT_AT = plus(START, 120)


def at(one: Desk, now: Instant) -> Desk:
    """The same hospital at another instant."""
    return desk(one.store, Watch(now))


@pytest.fixture
def at_desk(tmp_path: Path) -> Desk:
    made = buying_hospital(tmp_path)
    import_folder(made.store, HOSPITAL, write_files(tmp_path / "suppliers", SUPPLIER_FILES), frozen_clock())
    return made


def ordered(at_desk: Desk, item: str, supplier: str, price: str, id: str, promised: str, qty: int = 5) -> str:
    """Let an order be made, sent and promised; returns its number."""
    propose(at_desk, item, supplier, yuan(price), qty, id=id)
    with at_desk.store.read() as connection:
        (one,) = proposals(connection, HOSPITAL, id=id)
    number = approve_as(HEAD, at_desk.store, HOSPITAL, id, SENT_AT, one.version).order_no
    at_desk.purchasing.step(BUYER, number, OrderStep.SEND, {"platform_order_no": id})
    at_desk.purchasing.step(BUYER, number, OrderStep.CONFIRM, {"promised": promised})
    return number


def received(at_desk: Desk, order: str, when: str, *, refused: int = 0, qty: int = 5) -> None:
    why = "wet" if refused else ""
    late = at(at_desk, from_iso(when))
    late.purchasing.receive(STORE, order, f"DN-{order}", [Inspected(1, "K9", None, qty, refused, why)])


def quarter(at_desk: Desk) -> None:
    """Three lines of S02, one of them late; one delivery with something refused; an emergency and two tickets."""
    for number, (promised, when, refused) in enumerate(
        [
            ("2026-03-05", "2026-03-05T18:00:00+08:00", 0),
            ("2026-03-05", "2026-03-06T08:00:00+08:00", 0),
            ("2026-03-10", "2026-03-09T08:00:00+08:00", 2),
        ]
    ):
        order = ordered(at_desk, KIT, "S02", "268", f"aaaa111{number}", promised)
        received(at_desk, order, when, refused=refused)
    fast = at_desk.suppliers.open_case(BUYER, CaseKind.EMERGENCY, "S02", KIT, "three kits tonight")
    at(at_desk, plus(START, 7200)).suppliers.move_case(BUYER, fast, CaseStep.CONFIRM)
    slow = at_desk.suppliers.open_case(BUYER, CaseKind.TICKET, "S02", "", "broken pump")
    at(at_desk, plus(START, 48 * 3600 + 60)).suppliers.move_case(BUYER, slow, CaseStep.SOLVE)


def test_b1_a_quarter_with_known_counts_scores_them_and_counts_again_to_the_same(at_desk: Desk) -> None:
    quarter(at_desk)
    later = at(at_desk, NEXT_QUARTER)
    with at_desk.store.write() as connection:
        assert score_quarter(connection, HOSPITAL, later.now()) == 1
        assert score_quarter(connection, HOSPITAL, later.now()) == 0
    with at_desk.store.read() as connection:
        (one,) = scores(connection, HOSPITAL)
        again = tallies_of(connection, HOSPITAL, "2026Q1", plus(NEXT_QUARTER, 40 * 86_400))["S02"]
    counted = {dimension: (tally.done, tally.asked) for dimension, tally in one.tallies.items()}
    assert counted == {
        Dimension.ON_TIME: (2, 3),
        Dimension.QUALITY: (2, 3),
        Dimension.EMERGENCY: (1, 1),
        Dimension.SERVICE: (0, 1),
    }
    assert {dimension: (tally.done, tally.asked) for dimension, tally in again.items()} == counted
    assert (one.supplier, one.quarter, one.grade, one.effective_from) == ("S02", "2026Q1", Grade.C, date(2026, 4, 1))
    assert one.score == int((2 / 3 * 0.7 + 0.15) * 10_000)


def test_b2_grade_c_puts_its_items_on_the_list_and_is_ordered_with_a_reason_only(at_desk: Desk) -> None:
    quarter(at_desk)
    with at_desk.store.write() as connection:
        score_quarter(connection, HOSPITAL, NEXT_QUARTER)
    with at_desk.store.read() as connection:
        work = tasks(connection, HOSPITAL)
    assert sorted((one.kind, one.item) for one in work) == [("find-substitute", KIT), ("find-substitute", PLAIN)]
    later = at(at_desk, NEXT_QUARTER)
    propose(later, KIT, "S02", yuan("268"), id="cccc3333")
    with pytest.raises(NotNow, match="grade-c"):
        approved(later, "cccc3333", HEAD)
    later.agreements.waive(BUYER, Finding.GRADE_C, KIT, "S02", Excuse.NO_SUBSTITUTE, "", date(2026, 4, 30))
    assert approved(later, "cccc3333", HEAD).startswith("PO-")
    later.suppliers.finish_task(BUYER, work[0].task)
    with pytest.raises(NotNow, match="done before"):
        later.suppliers.finish_task(BUYER, work[0].task)


def test_b2_grade_a_is_offered_pre_settlement(at_desk: Desk) -> None:
    received(at_desk, ordered(at_desk, KIT, "S02", "268", "aaaa1111", "2026-03-05"), "2026-03-04T08:00:00+08:00")
    assert "1 suppliers scored" in purchasing_day(at_desk.store, HOSPITAL, NEXT_QUARTER)
    with at_desk.store.read() as connection:
        assert [(one.kind, one.supplier) for one in tasks(connection, HOSPITAL)] == [("offer-presettlement", "S02")]
        assert scores(connection, HOSPITAL)[0].grade is Grade.A


def approved(at_desk: Desk, proposal: str, by: Caller) -> str:
    with at_desk.store.read() as connection:
        (one,) = proposals(connection, HOSPITAL, id=proposal)
    return approve_as(by, at_desk.store, HOSPITAL, proposal, plus(at_desk.now(), 60), one.version).order_no


def test_b4_a_blocked_supplier_is_rejected_at_order_until_the_block_is_lifted(at_desk: Desk) -> None:
    mine = at_desk.suppliers.open_case(HEAD, CaseKind.INCIDENT, "S02", "", "false certificate")
    with pytest.raises(NotAllowed):
        at_desk.suppliers.move_case(BUYER, mine, CaseStep.BLOCK)
    with pytest.raises(NotAllowed, match="did not open it"):
        at_desk.suppliers.move_case(HEAD, mine, CaseStep.BLOCK)
    case = at_desk.suppliers.open_case(BUYER, CaseKind.INCIDENT, "S02", "", "gifts to a ward")
    assert at_desk.suppliers.move_case(HEAD, case, CaseStep.BLOCK) is CaseState.BLOCKED
    with at_desk.store.read() as connection:
        assert blocked_suppliers(connection, HOSPITAL) == {"S02"}
    propose(at_desk, KIT, "S02", yuan("268"))
    with pytest.raises(NotNow, match="supplier-blocked"):
        approved(at_desk, "aaaa1111", HEAD)
    with pytest.raises(BadInput):
        at_desk.suppliers.move_case(HEAD, case, CaseStep.LIFT, " ")
    at_desk.suppliers.move_case(HEAD, case, CaseStep.LIFT, "cleared by the court")
    assert approved(at_desk, "aaaa1111", HEAD).startswith("PO-")


@pytest.mark.parametrize(("mode", "stops"), [("0", False), ("1", False), ("2", True)])
def test_b6_an_order_under_a_certificate_that_is_over_is_let_be_told_or_stopped(
    at_desk: Desk, mode: str, *, stops: bool
) -> None:
    with at_desk.store.write() as connection:
        connection.execute(update(POLICY_RULE).where(POLICY_RULE.c.code == "check.certificate").values(value=mode))
        connection.execute(update(POLICY_RULE).where(POLICY_RULE.c.code == "check.high-price").values(value="0"))
    propose(at_desk, DEAR, "S01", yuan("480"))
    if stops:
        with pytest.raises(NotNow, match="certificate"):
            approved(at_desk, "aaaa1111", HEAD)
    else:
        assert approved(at_desk, "aaaa1111", HEAD).startswith("PO-")


def test_b6_goods_that_arrive_under_a_lapsed_certificate_are_taken_in_and_lie_in_the_pending_area(
    at_desk: Desk,
) -> None:
    with at_desk.store.write() as connection:
        connection.execute(update(POLICY_RULE).where(POLICY_RULE.c.code == "check.high-price").values(value="0"))
    received(at_desk, ordered(at_desk, DEAR, "S01", "480", "aaaa1111", "2026-03-05"), "2026-03-04T08:00:00+08:00")
    received(at_desk, ordered(at_desk, KIT, "S02", "268", "bbbb2222", "2026-03-05"), "2026-03-04T08:00:00+08:00")
    with at_desk.store.read() as connection:
        rows = connection.execute(select(BALANCE).where(BALANCE.c.place == "main-store", BALANCE.c.lot == "K9"))
        lying = {row.item: (row.position, row.qty) for row in rows}
        (firm,) = firms_now(connection, HOSPITAL, START, only="S01")
    assert lying == {DEAR: ("PENDING", 5), KIT: ("", 5)}
    assert {one.certificate.number: one.standing for one in firm.papers} == {
        "LIC-1": Standing.SOON,
        "AUTH-9": Standing.LAPSED,
    }


def test_b3_a_high_risk_item_with_one_source_is_found_and_a_disruption_ends_with_the_first_goods(at_desk: Desk) -> None:
    with at_desk.store.read() as connection:
        assert uncovered_now(connection, HOSPITAL, START) == {DEAR: []}, "the one source lacks its authorisation"
    with pytest.raises(BadInput, match="item: expected"):
        at_desk.suppliers.open_case(BUYER, CaseKind.DISRUPTION, "S02", "", "fire")
    case = at_desk.suppliers.open_case(BUYER, CaseKind.DISRUPTION, "S02", KIT, "fire in the works")
    purchasing_day(at_desk.store, HOSPITAL, plus(START, 3600))
    Ward(at_desk.store).receive(KIT, "K2", 5, 80 * 3600)
    purchasing_day(at_desk.store, HOSPITAL, plus(START, 100 * 3600))
    with at_desk.store.read() as connection:
        (one,) = cases(connection, HOSPITAL, case_no=case)
        (firm,) = firms_now(connection, HOSPITAL, plus(START, 100 * 3600), only="S02")
    assert (one.state, one.ended_at) == (CaseState.RESTORED, plus(START, 80 * 3600))
    clock = firm.matters[0].clock
    assert clock is not None
    assert (round(clock.taken_h), clock.limit_h, clock.in_time) == (80, 72, False)


def test_b5_the_delivery_rate_of_a_distributor_is_of_what_was_due(at_desk: Desk) -> None:
    whole = ordered(at_desk, KIT, "S02", "268", "aaaa1111", "2026-03-05")
    received(at_desk, whole, "2026-03-05T08:00:00+08:00")
    ordered(at_desk, PLAIN, "S02", "240", "bbbb2222", "2026-03-06", qty=15)
    with at_desk.store.read() as connection:
        firms = {one.supplier: one for one in firms_now(connection, HOSPITAL, plus(START, 10 * 86_400))}
    rate = firms["S02"].rate
    assert (rate.ordered, rate.delivered, rate.lines, rate.lines_whole) == (20, 5, 2, 1)
    assert firms["S01"].rate.by_qty is None


def test_g1_an_item_that_runs_out_before_its_only_source_delivers_is_warned_of(at_desk: Desk) -> None:
    ward = Ward(at_desk.store)
    ward.receive(PLAIN, "P1", 5, 10)
    line = {"item": PLAIN, "lot": "P1", "qty": 4, "source": "ward-01", "target": "issued@ward-01"}
    ward.say("issue", {"lines": [line]}, 20, actor="N1001")
    with at_desk.store.read() as connection:
        found = {one.supply.item: one for one in shortages_now(connection, HOSPITAL, plus(START, 2 * 86_400))}
    assert found == {}, "one piece lasts three weeks"
    line |= {"qty": 1}
    ward.say("issue", {"lines": [line]}, 30, actor="N1001")
    with at_desk.store.read() as connection:
        (one,) = shortages_now(connection, HOSPITAL, plus(START, 2 * 86_400))
    assert (one.supply.item, one.points, one.level) == (PLAIN, 3, Level.WARN)


def test_a_case_names_what_is_known_and_moves_as_its_table_says(at_desk: Desk) -> None:
    with pytest.raises(NotThere):
        at_desk.suppliers.open_case(BUYER, CaseKind.TICKET, "S99", "", "x")
    with pytest.raises(NotAllowed):
        at_desk.suppliers.open_case(STORE, CaseKind.TICKET, "S02", "", "x")
    case = at_desk.suppliers.open_case(BUYER, CaseKind.TICKET, "S02", "", "x")
    with pytest.raises(NotNow, match="cannot confirm"):
        at_desk.suppliers.move_case(BUYER, case, CaseStep.CONFIRM)
    with pytest.raises(NotThere):
        at_desk.suppliers.move_case(BUYER, "SC-0", CaseStep.SOLVE)
