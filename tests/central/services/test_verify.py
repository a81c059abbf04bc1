"""The proof of central's ledger finds every single change, and calls a sound store sound."""

import random

import pytest
from sqlalchemy import text

from central.services.own_chain import Draft, append
from central.services.verify import FAULTS_SHOWN_MAX, verify
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


def damage(central: Central, statement: str) -> None:
    """What a person with the file and a SQLite shell can do."""
    with central.store.write() as connection:
        for name in ("ledger_no_update", "ledger_no_delete"):
            connection.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
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
        ("UPDATE balance SET qty = qty + 1 WHERE place = 'main-store'", "expected 50 at main-store A1 L1"),
        ("UPDATE balance SET qty = qty + 1 WHERE place = 'main-store'", "sum over all places to be 0"),
        ("DELETE FROM balance WHERE place = 'main-store'", "balances"),
        ("DELETE FROM posting_line WHERE target = 'main-store'", "posting lines"),
        ("UPDATE posting_line SET qty = qty + 1 WHERE target = 'main-store'", "posting lines"),
    ],
)
def test_every_change_is_found_and_named(statement: str, says: str) -> None:
    central = a_used_central()
    damage(central, statement)
    report = verify(central.store)
    assert not report.ok
    assert any(says in fault for fault in report.faults), report.faults


def test_a_wreck_is_counted_whole_and_shown_in_part() -> None:
    central = a_used_central()
    damage(central, "UPDATE ledger SET hash = zeroblob(32)")
    report = verify(central.store)
    assert len(report.faults) == FAULTS_SHOWN_MAX
    assert report.fault_count > 41
