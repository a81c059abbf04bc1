"""The store's door: what is committed stays, what is not does not, and the ledger refuses to be changed."""

from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError

from central.store.engine import BadStoreUrl, open_store
from central.store.migrate import migrate, pending, tables
from central.store.tables.ledger import BALANCE, LEDGER

A_ROW = {
    "hospital": "main",
    "received_month": 202603,
    "incarnation": b"i" * 16,
    "seq": 0,
    "event_id": b"e" * 16,
    "device": "ward-01",
    "hlc": 1,
    "wall": 1,
    "mono": 1,
    "boot_id": b"b" * 16,
    "clock_quality": 1,
    "kind": "visit",
    "schema": 1,
    "body": b"{}",
    "actor": "",
    "content_hash": b"c" * 32,
    "prev_hash": b"p" * 32,
    "hash": b"h" * 32,
    "received_at": 1,
}


def test_a_fresh_store_says_what_to_do_and_a_migrated_one_says_nothing(tmp_path: Path) -> None:
    store = open_store("sqlite:///central.db", base=tmp_path)
    assert "wardstock-central migrate" in pending(store)
    assert migrate(store) == migrate(store)
    assert pending(store) == ""
    assert (tmp_path / "central.db").exists()
    store.close()


def test_the_file_is_a_write_ahead_log_that_syncs_at_every_commit(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'central.db'}")
    with store.read() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA synchronous")) == 2
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
    store.close()


@pytest.mark.parametrize("act", ["UPDATE ledger SET actor = 'x'", "DELETE FROM ledger"])
def test_the_ledger_refuses_to_be_changed(act: str) -> None:
    store = open_store("sqlite://")
    migrate(store)
    with store.write() as connection:
        connection.execute(insert(LEDGER).values(A_ROW))
    with pytest.raises(IntegrityError, match="never changed"), store.write() as connection:
        connection.execute(text(act))
    store.close()


def test_a_place_in_a_chain_is_taken_once_whatever_the_month() -> None:
    store = open_store("sqlite://")
    migrate(store)
    with pytest.raises(IntegrityError), store.write() as connection:
        connection.execute(insert(LEDGER), [A_ROW, {**A_ROW, "received_month": 202604}])
    store.close()


def test_an_error_inside_a_write_takes_everything_back() -> None:
    store = open_store("sqlite://")
    migrate(store)
    pieces = {"place": "w", "position": "", "item": "i", "lot": "", "owner": "hospital", "unit": "", "qty": 1}

    def half_done() -> None:
        with store.write() as connection:
            connection.execute(insert(BALANCE).values({"hospital": "main", **pieces}))
            raise RuntimeError("power")

    with pytest.raises(RuntimeError):
        half_done()
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(BALANCE)) == 0
    store.close()


@pytest.mark.parametrize("url", ["", "central.db", "sqlite:////no/such/folder/central.db"])
def test_an_address_that_cannot_be_used_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(BadStoreUrl, match="expected"):
        open_store(url)


def test_every_key_starts_with_the_hospital() -> None:
    for table in tables().tables.values():
        assert next(iter(table.primary_key.columns)).name == "hospital", table.name
        assert all(not column.autoincrement or column.autoincrement == "auto" for column in table.primary_key)
        assert len(table.primary_key.columns) > 1
