from pathlib import Path

import pytest
from sqlalchemy import text

from central.core.orders import Progress, State
from central.errors import BadInput, NotNow, NotThere
from central.services.accounts import staff_number
from central.services.conflicts import settle_conflicts
from central.services.orders import approve, orders_now
from central.services.replenish import replenish
from central.store.engine import Store
from central.store.queries_work import Proposal, proposals
from protocols.values.instant import plus
from tests.central.hospital import GAUZE, HOSPITAL, KIT, START, Ward, frozen_clock, hospital, tags

BUYER = staff_number("demo-buyer")


def run(store: Store, name: str = "replenish:1", at_s: float = 3600) -> tuple[int, int, int]:
    done = replenish(store, HOSPITAL, plus(START, at_s), policy="3x", run=name)
    return done.made, done.renewed, done.withdrawn


def listed(store: Store) -> list[Proposal]:
    with store.read() as connection:
        return proposals(connection, HOSPITAL)


def kits(store: Store, count: int) -> Ward:
    ward = Ward(store)
    ward.open(KIT, "K1", tags(count))
    return ward


def test_use_that_drives_a_line_below_its_trigger_proposes_the_main_supplier(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    ward = kits(store, 8)
    assert run(store) == (0, 0, 0), "a kit a day, lead 4: trigger 7, and 8 are there"
    for n, unit in enumerate(tags(2)):
        ward.issue(KIT, "K1", unit, 100 + n)
    assert run(store, "replenish:2") == (1, 0, 0)
    (one,) = listed(store)
    assert (one.place, one.item, one.source, one.internal, one.status) == ("ward-01", KIT, "S02", False, State.OPEN)
    # up to 7 + 7 = 14, position 6, need 8, packs of 5
    assert one.qty == 10
    assert one.reason["demand"] == {
        "first": "2025-12-02", "last": "2026-03-01", "days": 90, "total": 90, "adu": 1.0,
    }  # fmt: skip
    assert one.reason["position"] == {"physical": 6, "on_order": 0, "reserved": 0, "total": 6}
    assert (one.reason["trigger"], one.reason["order_up_to"]) == (7.0, 14)
    assert one.reason["rejected"] == [{"source": "main-store", "available": 0, "wanted": 5}]
    assert 0.9 < one.reason["fill_predicted"] <= 1
    assert len(one.policy_version) == 12


def below_zero(store: Store, criticality: str) -> None:
    """Five kits more were taken than the book had; somebody is asked to count within a day."""
    with store.write() as connection:
        said = {"item": KIT, "so": criticality}
        connection.execute(text("UPDATE item SET criticality = :so WHERE item = :item"), said)
    ward, here = Ward(store), {"item": KIT, "lot": "K1", "target": "ward-01"}
    ward.say("opening", {"lines": [{**here, "qty": 1, "source": "opening@ward-01"}]}, 10)
    taken = {"item": KIT, "lot": "K1", "qty": 6, "source": "ward-01", "target": "issued@ward-01"}
    ward.say("issue", {"lines": [taken]}, 20, actor="N1001")
    settle_conflicts(store, HOSPITAL, frozen_clock())


def test_a_line_below_zero_is_counted_before_it_is_ordered_and_then_no_order_exceeds_what_fills_it(
    tmp_path: Path,
) -> None:
    store = hospital(tmp_path)
    below_zero(store, "normal")
    assert run(store) == (0, 0, 0)
    assert run(store, "replenish:2", 86_400 + 3600) == (1, 0, 0)
    (one,) = listed(store)
    assert (one.reason["position"]["physical"], one.reason["order_up_to"], one.qty) == (0, 15, 15)


def test_a_vital_line_below_zero_is_ordered_at_once(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    below_zero(store, "vital")
    assert run(store) == (1, 0, 0)


def test_a_later_run_renews_the_open_proposal_and_doubles_nothing(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    ward = kits(store, 6)
    run(store)
    (before,) = listed(store)
    ward.issue(KIT, "K1", tags(1)[0], 100)
    assert run(store, "replenish:2") == (0, 1, 0)
    (after,) = listed(store)
    assert (after.id, after.run, after.reason["position"]["total"]) == (before.id, "replenish:2", 5)


def test_a_need_that_is_gone_withdraws_the_proposal_and_it_cannot_be_approved(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    ward = kits(store, 6)
    run(store)
    ward.receive(KIT, "K2", 20, 200)
    assert run(store, "replenish:2") == (0, 0, 1)
    (one,) = listed(store)
    assert one.status is State.WITHDRAWN
    with pytest.raises(NotNow, match="withdrawn"):
        approve(store, HOSPITAL, one.id, BUYER, START)


def test_one_approval_makes_one_order_however_often_it_is_sent(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    kits(store, 6)
    run(store)
    (one,) = listed(store)
    first = approve(store, HOSPITAL, one.id, BUYER, plus(START, 4000))
    again = approve(store, HOSPITAL, one.id, staff_number("someone-else"), plus(START, 4001))
    assert (first.fresh, again.fresh, again.order_no) == (True, False, first.order_no)
    ((order, come),) = orders_now(store, HOSPITAL, plus(START, 4002))
    assert (order.order_no, order.supplier, order.approved_by, come) == (
        first.order_no, "S02", "demo-buyer", Progress.APPROVED,
    )  # fmt: skip
    (line,) = order.lines
    assert (line.item, line.qty, line.price, line.proposal) == (KIT, 10, 2_680_000, one.id)
    assert line.reason == one.reason


def test_what_is_on_order_is_not_ordered_again_until_it_came_and_was_used(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    ward = kits(store, 6)
    run(store)
    approve(store, HOSPITAL, listed(store)[0].id, BUYER, plus(START, 4000))
    assert run(store, "replenish:2", 4100) == (0, 0, 0)
    ward.receive(KIT, "K2", 10, 5000)
    ((_, come),) = orders_now(store, HOSPITAL, plus(START, 5001))
    assert come is Progress.RECEIVED
    assert run(store, "replenish:3", 5002) == (0, 0, 0)


def test_the_hospitals_own_store_gives_what_it_can_and_keeps_it_for_that_order(tmp_path: Path) -> None:
    store = hospital(tmp_path, {GAUZE: 40})
    assert run(store) == (0, 0, 0), "unknown is not empty: the ward's device has not said yet what lies there"
    ward = Ward(store)
    ward.open(KIT, "K1", tags(1), at_s=10)
    assert run(store) == (0, 0, 0), "nor has it said anything of this item"
    ward.open(GAUZE, "G1", tags(1, 500), at_s=20)
    run(store)
    (one,) = listed(store)
    # trigger 40 x (3 + 1), cover 7 days: 440 of the 500 in the store, packs of 10
    assert (one.source, one.internal, one.qty) == ("main-store", True, 440)
    order = approve(store, HOSPITAL, one.id, BUYER, plus(START, 4000))
    assert order.order_no.startswith("IR-")
    Ward(store, "ward-02").open(GAUZE, "G1", tags(1, 900))
    assert run(store, "replenish:2", 4100) == (0, 0, 0)


def test_a_missing_unit_is_not_counted_on(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    ward = kits(store, 7)
    assert run(store) == (0, 0, 0)
    ward.observe(tags(1)[0], 0.02, 900)
    assert run(store, "replenish:2") == (1, 0, 0)


def test_what_does_not_exist_or_is_unsigned_is_refused(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    with pytest.raises(NotThere, match="0123"):
        approve(store, HOSPITAL, "0123", BUYER, START)
    with pytest.raises(BadInput, match="staff number: expected one"):
        staff_number(" ")
    with pytest.raises(BadInput, match="3x-literal"):
        replenish(store, HOSPITAL, START, policy="9x", run="r")


def test_another_supplier_or_price_since_it_was_seen_is_not_what_was_approved(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    kits(store, 6)
    run(store)
    (seen,) = listed(store)
    assert (seen.source, seen.price) == ("S02", 2_680_000)
    with store.write() as connection:
        connection.execute(text("UPDATE item_supplier SET price = 99990000 WHERE supplier = 'S02' AND item = 'HC-KIT'"))
    run(store, "replenish:2")
    (dearer,) = listed(store)
    assert (dearer.id, dearer.qty, dearer.price) == (seen.id, seen.qty, 99_990_000)
    with pytest.raises(NotNow, match="changed since you saw it"):
        approve(store, HOSPITAL, seen.id, BUYER, START, seen=seen.version)
    with store.write() as connection:
        connection.execute(text("DELETE FROM item_supplier WHERE supplier = 'S02'"))
    approve(store, HOSPITAL, seen.id, BUYER, START, seen=dearer.version)
    ((order, _),) = orders_now(store, HOSPITAL, START)
    assert [(order.supplier, line.qty, line.price) for line in order.lines] == [("S02", 10, 99_990_000)]


def test_a_run_that_changes_nothing_does_not_make_what_was_seen_stale(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    kits(store, 6)
    run(store)
    (seen,) = listed(store)
    run(store, "replenish:2", 7200)
    assert approve(store, HOSPITAL, seen.id, BUYER, START, seen=seen.version).fresh


def test_one_storeroom_with_broken_facts_keeps_its_proposals_and_the_others_are_ordered_for(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    kits(store, 6)
    run(store)
    with store.write() as connection:
        connection.execute(text("INSERT INTO use_day SELECT hospital, 'ward-02', item, day, qty FROM use_day"))
        connection.execute(text("UPDATE use_day SET qty = 'many' WHERE place = 'ward-01'"))
    Ward(store, "ward-02").open(KIT, "K2", tags(2, 50), 5)
    done = replenish(store, HOSPITAL, plus(START, 7200), policy="3x", run="replenish:2")
    assert (done.made, done.renewed, done.withdrawn) == (1, 0, 0)
    (failed,) = done.failed
    assert failed.startswith("ward-01: ")
    assert sorted(one.place for one in listed(store)) == ["ward-01", "ward-02"]


def test_an_order_carries_the_day_of_its_first_approval_and_keeps_it(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    kits(store, 5)
    run(store)
    (one,) = listed(store)
    next_day, later = plus(START, 86_400), plus(START, 3 * 86_400)
    first = approve(store, HOSPITAL, one.id, BUYER, next_day)
    again = approve(store, HOSPITAL, one.id, BUYER, later)
    assert first.order_no.startswith("PO-20260303-")
    assert (again.order_no, again.fresh) == (first.order_no, False)
