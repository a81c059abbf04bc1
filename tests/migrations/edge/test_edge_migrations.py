"""A new file becomes a ledger in one transaction a step; a file that is up to date needs no migration library."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.errors import DiskFull, NotALedger, StoreFault
from edge_agent.store.connection import open_to_write
from edge_agent.store.schema import applied_steps, bring_up_to_date, pending_steps, upgrade_here
from edge_agent.store.upgrade import upgrade_apart
from migrations.edge.leaner import LEANER
from migrations.edge.steps import STEPS

OPEN = """
import sys
from pathlib import Path
from edge_agent.store.ledger import open_ledger
from protocols.values.ids import device_id, incarnation
from protocols.values.instant import Instant
open_ledger(Path(sys.argv[1]), device_id("ward-01"), newborn=incarnation(bytes(16)), now=Instant(0)).close()
print("sqlite_utils" in sys.modules)
"""


def test_the_steps_sort_and_none_is_named_twice() -> None:
    names = [step.name for step in STEPS]
    assert names == sorted(set(names))


def test_every_step_is_recorded_and_a_second_time_changes_nothing(tmp_path: Path) -> None:
    connection = open_to_write(tmp_path / "ledger.db")
    bring_up_to_date(connection, "ledger")
    before = connection.query("SELECT sql FROM sqlite_master")
    bring_up_to_date(connection, "ledger")
    assert applied_steps(connection) == [step.name for step in STEPS]
    assert connection.query("SELECT sql FROM sqlite_master") == before
    connection.close()


def test_a_step_that_runs_out_of_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    tight = open_to_write(path, max_pages=10)
    with pytest.raises(DiskFull):
        bring_up_to_date(tight, "ledger")
    assert applied_steps(tight) == []
    tight.close()
    roomy = open_to_write(path)
    bring_up_to_date(roomy, "ledger")
    assert applied_steps(roomy) == [step.name for step in STEPS]
    roomy.close()


def test_a_ledger_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    connection = open_to_write(path)
    bring_up_to_date(connection, "ledger")
    connection.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('wardstock-edge', '9999_later', '')"
    )
    with pytest.raises(NotALedger, match="found 9999_later; update this program"):
        bring_up_to_date(connection, "ledger")
    connection.close()


def test_the_migration_library_is_loaded_only_when_a_step_is_pending(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    said = [
        subprocess.run([sys.executable, "-c", OPEN, str(path)], capture_output=True, text=True, check=True, timeout=60)
        for _ in range(2)
    ]
    assert [each.stdout.strip() for each in said] == ["True", "False"]


def test_plain_sqlite_can_make_the_same_ledger(tmp_path: Path) -> None:
    ours = open_to_write(tmp_path / "ledger.db")
    bring_up_to_date(ours, "ledger")
    plain = sqlite3.connect(":memory:")
    for step in STEPS:
        for statement in step.statements:
            plain.execute(statement)
    asked = "SELECT name FROM sqlite_master WHERE tbl_name NOT LIKE '%sqlite_migrations' ORDER BY name"
    assert plain.execute(asked).fetchall() == ours.query(asked)
    plain.close()
    ours.close()


def test_a_process_of_its_own_makes_the_same_ledger(tmp_path: Path) -> None:
    made = []
    for name, upgrade in (("here", upgrade_here), ("apart", upgrade_apart)):
        connection = open_to_write(tmp_path / name)
        bring_up_to_date(connection, str(tmp_path / name), upgrade)
        made.append(connection.query("SELECT type, name, sql FROM sqlite_master ORDER BY name"))
        assert pending_steps(connection) == []
        connection.close()
    assert made[0] == made[1]


def test_a_fault_of_the_process_apart_is_told_as_ours(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    connection = open_to_write(path)
    connection.execute("CREATE TABLE meta (key)")  # what the first step makes stands already
    with pytest.raises(StoreFault, match="meta already exists"):
        upgrade_apart(connection, str(path))
    assert applied_steps(connection) == []
    connection.close()
    with pytest.raises(StoreFault, match="can be opened"):
        upgrade_apart(connection, str(tmp_path / "nowhere" / "ledger.db"))


def test_a_book_written_before_its_key_began_with_the_item_stays_what_it_was(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    steps = [step for step in STEPS if step.name < "0007_leaner"]
    for statement in [text for step in steps for text in step.statements]:
        connection.execute(statement)
    rows = [("ward-01", "S1", "C1", "L1", "hospital", "", 7), ("issued@ward-01", "", "C1", "L1", "hospital", "U1", 1)]
    connection.executemany("INSERT INTO balance VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    for statement in LEANER:
        connection.execute(statement)
    found = connection.execute("SELECT place, position, item, lot, owner, unit, qty FROM balance ORDER BY qty DESC")
    assert found.fetchall() == rows
    connection.close()
