"""The proof of central's ledger finds every single change, and calls a sound store sound."""

import random
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from central.services.accounts import staff_number
from central.services.orders import approve
from central.services.own_chain import Draft, append
from central.services.reconcile import reconcile
from central.services.replenish import replenish
from central.services.verify import FAULTS_SHOWN_MAX, verify
from central.store.engine import Store
from central.store.queries_work import open_proposals
from protocols.values.instant import plus
from tests.central.hospital import HOSPITAL, KIT, START, Ward, hospital, tags
from tests.central.purchases import CATALOGUE_FILES, buying_hospital
from tests.central.services.parties import Central, Device, a_central, any_entry, issue, line, opening


def a_used_central() -> Central:
    central = a_central()
    opened = {"lines": [line("A1", "opening@main-store", "main-store", qty=50)]}
    append(central.store, central.hospital, [Draft("opening", opened)], central.clock)
    device = Device(central)
    device.greet()
    chance = random.Random(5)
    device.write(opening(0), issue(1), *(any_entry(chance, n) for n in range(2, 40)))
    device.say(device.frame(0, 40))
    return central


def unseal(connection: Connection) -> None:
    """Take every trigger away, as a person with the file and a SQLite shell can."""
    for name in connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
        connection.execute(text(f"DROP TRIGGER {name}"))


def damage(store: Store, statement: str) -> None:
    with store.write() as connection:
        unseal(connection)
        changed = connection.execute(text(statement)).rowcount
    assert changed >= 1


def test_an_empty_store_and_a_used_one_are_sound() -> None:
    assert verify(a_central().store).ok
    report = verify(a_used_central().store)
    assert (report.ok, report.faults) == (True, [])
    assert (report.entries, report.chains, report.events) == (41, 2, 41)
    assert report.quarantined > 0


WARD = "device = 'ward-01'"


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        (f"UPDATE ledger SET body = CAST(replace(body, 'A1', 'A2') AS BLOB) WHERE {WARD} AND seq = 0", "was changed"),
        (f"UPDATE ledger SET actor = 'N9' WHERE {WARD} AND seq = 1", "was changed"),
        (f"UPDATE ledger SET wall = wall + 1 WHERE {WARD} AND seq = 3", "was changed"),
        (f"UPDATE ledger SET event_id = x'00' WHERE {WARD} AND seq = 3", "expected an entry's columns"),
        (f"UPDATE ledger SET content_hash = zeroblob(32) WHERE {WARD} AND seq = 3", "content_hash"),
        (f"UPDATE ledger SET hash = zeroblob(32) WHERE {WARD} AND seq = 39", "hash to fit"),
        (f"UPDATE ledger SET prev_hash = zeroblob(32) WHERE {WARD} AND seq = 3", "prev_hash"),
        (f"DELETE FROM ledger WHERE {WARD} AND seq = 7", "expected seq 7 next"),
        (f"DELETE FROM ledger WHERE {WARD} AND seq = 39", "end at its head 39, it ends at 38"),
        (f"DELETE FROM incarnation WHERE {WARD}", "expected a head for it"),
        (f"UPDATE incarnation SET head_seq = 99 WHERE {WARD}", "end at its head 99"),
        (f"DELETE FROM event WHERE {WARD} AND seq = 1", "among the events"),
        (
            "INSERT INTO event SELECT hospital, x'01', content_hash, device, incarnation, seq, kind, at, actor "
            "FROM event LIMIT 1",
            "one for each first entry",
        ),
        (f"UPDATE event SET content_hash = zeroblob(32) WHERE {WARD} AND seq = 1", "content_hash"),
        ("DELETE FROM quarantine", "or stands in quarantine"),
        (
            "UPDATE balance SET qty = qty + 1 WHERE place = 'main-store'",
            "balance of A1 lot L1 at main-store: expected 50, the sum of its entries, got 51",
        ),
        ("UPDATE balance SET qty = qty + 1 WHERE place = 'main-store'", "sum over all places to be 0"),
        ("DELETE FROM balance WHERE place = 'main-store'", "balance of"),
        ("DELETE FROM posting_line WHERE target = 'main-store'", "posting lines"),
        ("UPDATE posting_line SET qty = qty + 1 WHERE target = 'main-store'", "posting lines"),
        ("UPDATE posting_line SET at = at + 1 WHERE target = 'main-store'", "posting lines"),
        (
            "INSERT INTO posting_line SELECT hospital, x'01', line_no, item, lot, owner, unit, qty, source, target, "
            "source_position, target_position, at FROM posting_line LIMIT 1",
            "posting lines in all",
        ),
        (f"UPDATE event SET actor = 'N9' WHERE {WARD} AND seq = 1", "the actor of its event"),
        (f"UPDATE event SET kind = 'opening' WHERE {WARD} AND seq = 1", "the kind of its event"),
        (f"UPDATE event SET at = at + 1 WHERE {WARD} AND seq = 1", "the at of its event"),
        ("UPDATE quarantine SET raw = x'01'", "its own bytes in quarantine"),
        ("UPDATE binding SET lot = 'X'", "expected the last bind_tag entry's lot '', got 'X'"),
        ("DELETE FROM binding", "expected it to stand as last bound"),
        ("UPDATE belief SET p = 0.5", "expected the last observe entry's p"),
        ("UPDATE belief SET place = 'ward-02'", "expected a storeroom that ward-01 speaks for, got 'ward-02'"),
        ("DELETE FROM belief", "expected it to stand as last observed"),
    ],
)
def test_every_change_is_found_and_named(statement: str, says: str) -> None:
    central = a_used_central()
    damage(central.store, statement)
    report = verify(central.store)
    assert not report.ok
    assert any(says in fault for fault in report.faults), report.faults


def test_a_wreck_is_counted_whole_and_shown_in_part() -> None:
    central = a_used_central()
    damage(central.store, "UPDATE ledger SET hash = zeroblob(32)")
    report = verify(central.store)
    assert len(report.faults) == FAULTS_SHOWN_MAX
    assert report.fault_count > 41


# --- discrepancies and orders ----------------------------------------------------------------------------------------


def a_decided_hospital(folder: Path) -> Store:
    """Eight kits: one gone without a scan, one that was gone and came back, and the order that followed."""
    store = hospital(folder)
    ward, units = Ward(store), tags(8)
    ward.open(KIT, "K1", units)
    for unit, p, at_s in ((units[0], 0.02, 900), (units[1], 0.03, 910)):
        ward.observe(unit, p, at_s, since_s=300)
    reconcile(store, HOSPITAL, plus(START, 950))
    ward.observe(units[1], 0.98, 1000)
    reconcile(store, HOSPITAL, plus(START, 1001))
    for unit in units[2:6]:
        ward.issue(KIT, "K1", unit, 1100)
    reconcile(store, HOSPITAL, plus(START, 1200))
    replenish(store, HOSPITAL, plus(START, 1200), policy="3x", run="replenish:1")
    with store.read() as connection:
        (proposed,) = open_proposals(connection, HOSPITAL)
    approve(store, HOSPITAL, proposed.id, staff_number("demo-buyer"), plus(START, 1300))
    return store


def test_a_hospital_with_discrepancies_and_an_order_is_sound(tmp_path: Path) -> None:
    report = verify(a_decided_hospital(tmp_path))
    assert (report.faults, report.discrepancies, report.orders, report.waiting) == ([], 2, 1, 0)


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("DELETE FROM discrepancy", "expected an open discrepancy"),
        ("DELETE FROM discrepancy WHERE status = 'open'", "is missing since entry"),
        ("UPDATE discrepancy SET status = 'closed' WHERE status = 'open'", "or closed by an entry of the ledger"),
        (
            "UPDATE discrepancy SET status = 'closed', cause = 'opening', closed_at = (SELECT at FROM event WHERE kind "
            "= 'opening' AND device = 'ward-01'), closed_event_id = (SELECT event_id FROM event WHERE kind = 'opening' "
            "AND device = 'ward-01') WHERE status = 'open'",
            "expected an open discrepancy",
        ),
        (
            "UPDATE discrepancy SET status = 'open', closed_at = NULL, cause = '', closed_event_id = NULL "
            "WHERE status = 'closed'",
            "closed by seen_again, it is open",
        ),
        ("UPDATE discrepancy SET kind = 'unexpected' WHERE status = 'open'", "the id that follows from"),
        ("UPDATE discrepancy SET lot = 'K9'", "an item and lot that this unit ever had, got HC-KIT K9"),
        ("UPDATE discrepancy SET place = 'ward-02'", "a storeroom that ward-01 speaks for"),
        ("UPDATE discrepancy SET since = since + 1", "device, found_at and since of its entry"),
        ("UPDATE discrepancy SET found_event_id = x'01'", "an observe entry with the event id 01"),
        ("UPDATE discrepancy SET evidence = replace(evidence, '0.02', '0.01')", "the belief of its entry"),
        ("UPDATE discrepancy SET closed_at = closed_at + 1 WHERE status = 'closed'", "closed by an entry about this"),
        ("UPDATE storeroom_match SET lines_right = lines + 1", "expected the last comparison to say"),
        ("UPDATE order_line SET qty = 30", "expected line qty 15 as approved, got 30"),
        ("UPDATE order_line SET price = 1", "expected line price 2680000 as approved, got 1"),
        ("UPDATE order_line SET item = 'HC-GAUZE'", "expected line item 'HC-KIT' as approved"),
        ("DELETE FROM order_line", "expected its line to exist"),
        ("UPDATE purchase_order SET supplier = 'S01'", "expected order supplier 'S02' as approved"),
        ("UPDATE purchase_order SET created_at = created_at + 1", "expected order created_at"),
        ("DELETE FROM purchase_order", "expected the order to exist"),
        ("UPDATE proposal SET qty = 30", "the quantity of its reason, 15, got 30"),
        ("UPDATE proposal SET status = 'withdrawn'", "an order number where it is ordered"),
        ("DELETE FROM proposal", "expected an approved proposal it came from"),
    ],
)
def test_every_change_to_a_decision_is_found_and_named(tmp_path: Path, statement: str, says: str) -> None:
    store = a_decided_hospital(tmp_path)
    damage(store, statement)
    report = verify(store)
    assert not report.ok
    assert any(says in fault for fault in report.faults), report.faults


def test_a_difference_that_came_after_the_last_comparison_waits_and_is_no_fault(tmp_path: Path) -> None:
    store = a_decided_hospital(tmp_path)
    ward = Ward(store)
    ward.observe(tags(8)[6], 0.02, 1400, since_s=1250)
    report = verify(store)
    assert (report.faults, report.waiting) == ([], 1)


def test_a_case_that_another_ward_s_movement_closed_is_sound(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    ward, other, (unit,) = Ward(store), Ward(store, "ward-02"), tags(1)
    ward.open(KIT, "K1", [unit])
    ward.observe(unit, 0.02, 900, since_s=300)
    reconcile(store, HOSPITAL, plus(START, 950))
    other.move("issue", KIT, "K1", unit, "ward-01", "issued@ward-01", 1000)
    assert reconcile(store, HOSPITAL, plus(START, 1001)).closed == 1
    assert verify(store).faults == []


SEALED = (
    *("UPDATE ledger SET seq = 0", "DELETE FROM ledger", "UPDATE event SET actor = 'N9'", "DELETE FROM event"),
    *("UPDATE posting_line SET qty = 1", "DELETE FROM posting_line", "DELETE FROM discrepancy", "DELETE FROM proposal"),
    *("UPDATE discrepancy SET status = 'open' WHERE status = 'closed'", "UPDATE discrepancy SET lot = 'X'"),
    *("UPDATE proposal SET qty = 30", "UPDATE order_line SET qty = 30", "DELETE FROM order_line"),
    *("UPDATE purchase_order SET approved_by = 'N9'", "DELETE FROM purchase_order", "DELETE FROM storeroom_match"),
    *("DELETE FROM belief", "DELETE FROM binding", "DELETE FROM balance"),
)


@pytest.mark.parametrize("statement", SEALED)
def test_the_store_itself_refuses_what_the_product_never_does(tmp_path: Path, statement: str) -> None:
    store = a_decided_hospital(tmp_path)
    with pytest.raises(IntegrityError, match=r"never changed|nothing is removed"), store.write() as connection:
        connection.execute(text(statement))
    assert verify(store).ok


def test_orders_taken_over_from_the_old_system_are_sound_and_one_that_only_looks_so_is_told(tmp_path: Path) -> None:
    store = buying_hospital(tmp_path, open_orders=CATALOGUE_FILES["open_orders.csv"]).store
    report = verify(store)
    assert (report.orders, report.faults) == (1, [])
    with store.write() as connection:
        connection.execute(
            text(
                "INSERT INTO purchase_order SELECT hospital, 'OLD-78', supplier, source, place, status, created_at, "
                "'somebody' FROM purchase_order"
            )
        )
    assert verify(store).faults == ["order OLD-78: expected an approved proposal it came from, there is none"]
