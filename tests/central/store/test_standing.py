"""A store of another build is told from one of this version, thing by thing, on the database that a page of it asks."""

from pathlib import Path

import pytest

from central.cli import start
from central.store.engine import Store, open_store
from central.store.migrate import pending, tables
from central.store.standing import NAMED_MAX, differences
from tests.central.stores import migrated_store
from tests.central.test_cli import LEAST

EARLIER = {
    "DROP TABLE ward_task": "table ward_task is missing",
    "ALTER TABLE item DROP COLUMN storage": "column item.storage is missing",
    "ALTER TABLE item RENAME COLUMN name_zh TO name": "column item.name_zh is missing",
    "DROP TRIGGER audit_no_update": "rule audit_no_update is missing",
    "DROP INDEX ledger_chain_once": "rule ledger_chain_once is missing",
}
"""What an earlier build may have had otherwise, and what is told of it."""
REWRITTEN = {
    "rule ledger_no_delete is another": (
        "DROP TRIGGER ledger_no_delete",
        "CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger BEGIN SELECT 1; END",
    ),
    "column alarm.hospital is INTEGER optional as part 1 of the key, not VARCHAR required as part 1 of the key": (
        "DROP TABLE alarm",
        "CREATE TABLE alarm (hospital INTEGER PRIMARY KEY)",
    ),
    "column item.weighed wants a value that this version does not give": (
        "CREATE TABLE other AS SELECT * FROM item",
        "DROP TABLE item",
        "CREATE TABLE item (weighed INTEGER NOT NULL)",
    ),
}
COMMANDS = (
    *(["serve"], ["migrate"], ["verify"], ["import", "."], ["user", "list"], ["devices"], ["rule", "list"]),
    *(["month", "show", "2026-03"], ["month", "list"], ["quarantine", "list"], ["charges", "x.csv"]),
)


def changed(store: Store, *statements: str) -> Store:
    with store.write() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    return store


def said_of(store: Store) -> list[str]:
    with store.read() as connection:
        return differences(connection, tables())


def test_a_fresh_store_stands_as_wanted() -> None:
    assert said_of(migrated_store()) == []


@pytest.mark.parametrize(("statement", "told"), EARLIER.items())
def test_what_an_earlier_build_lacked_is_named(statement: str, told: str) -> None:
    assert told in said_of(changed(migrated_store(), statement))


@pytest.mark.parametrize("told", REWRITTEN)
def test_what_an_earlier_build_had_otherwise_is_named(told: str) -> None:
    assert told in said_of(changed(migrated_store(), *REWRITTEN[told]))


def test_what_stands_beside_is_no_difference() -> None:
    beside = ("CREATE VIEW seen AS SELECT 1", "CREATE TABLE own (a INTEGER NOT NULL)", "ALTER TABLE item ADD note TEXT")
    filled = "ALTER TABLE item ADD weighed INTEGER NOT NULL DEFAULT 0"
    assert said_of(changed(migrated_store(), *beside, filled)) == []


def test_of_many_differences_the_first_are_named_and_the_others_counted() -> None:
    store = changed(migrated_store(), *EARLIER)
    line = pending(store)
    assert f"and {len(said_of(store)) - NAMED_MAX} more" in line
    assert "\n" not in line


@pytest.fixture
def config(tmp_path: Path) -> list[str]:
    """A migrated store in a folder of its own, as options."""
    path = tmp_path / "central.toml"
    path.write_text(LEAST, "utf-8")
    assert start(["migrate", "--config", str(path)]) == 0
    return ["--config", str(path)]


def change(folder: Path, statement: str) -> None:
    changed(open_store(f"sqlite:///{folder / 'central.db'}"), statement).close()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_refuses_a_store_of_an_earlier_build_in_one_line(
    command: list[str], config: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    statement, told = next(iter(EARLIER.items()))
    change(tmp_path, statement)
    assert start([*command, *config]) == 1
    line = capsys.readouterr().err.strip()
    assert told in line
    assert "export what you need" in line
    assert "\n" not in line


def test_a_store_that_lacks_rules_of_this_version_names_them_and_migrate_adds_them(
    config: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(tmp_path, "DELETE FROM policy_rule WHERE code LIKE 'match.%'")
    assert start(["verify", *config]) == 1
    line = capsys.readouterr().err.strip()
    assert "match." in line
    assert "wardstock-central migrate" in line
    assert start(["migrate", *config]) == 0
    assert start(["verify", *config]) == 0
