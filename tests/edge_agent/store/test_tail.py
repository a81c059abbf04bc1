"""A start checks the end of the ledger only, from where the last full check came to."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_agent.errors import NotALedger
from edge_agent.store import tail as tails
from edge_agent.store.ledger import Ledger
from edge_agent.store.tail import begin_run, check_tail, end_run, note_checked
from tests.edge_agent.conftest import Scribe


@pytest.fixture
def written(ledger: Ledger, scribe: Scribe) -> Ledger:
    ledger.append([scribe.visit() for _ in range(20)])
    return ledger


def spoil(path: Path, seq: int) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("DROP TRIGGER IF EXISTS ledger_refuses_update")
    connection.execute("UPDATE ledger SET actor = '1002' WHERE seq = ?", (seq,))
    connection.close()


def test_without_a_full_check_the_last_entries_are_checked(written: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_tail(written, "it") == tails.Tail(20, 0)
    monkeypatch.setattr(tails, "TAIL_MAX", 5)
    assert check_tail(written, "it") == tails.Tail(5, 15)


def test_after_a_full_check_only_what_came_later_is(written: Ledger, scribe: Scribe) -> None:
    note_checked(written, 19, written.head().hash.hex())
    assert check_tail(written, "it").entries == 0
    written.append([scribe.visit("end")])
    assert check_tail(written, "it") == tails.Tail(1, 20)


def test_a_full_check_of_another_chain_is_not_believed(written: Ledger) -> None:
    note_checked(written, 19, "00" * 32)
    assert check_tail(written, "it").entries == 20


def test_a_damaged_end_is_one_line_and_a_damaged_beginning_waits_for_the_night(
    written: Ledger, ledger_path: Path, open_again: Callable[..., Ledger]
) -> None:
    note_checked(written, 9, (written.hash_at(9) or b"").hex())
    spoil(ledger_path, 3)
    assert check_tail(open_again(), "it").entries == 10
    spoil(ledger_path, 15)
    with pytest.raises(NotALedger, match=r"it: entry 15 is damaged: content_hash.*restore --from FILE"):
        check_tail(open_again(), "it")


def test_an_empty_ledger_has_nothing_to_check_and_a_run_without_an_end_is_known(ledger: Ledger) -> None:
    assert check_tail(ledger, "it").entries == 0
    assert begin_run(ledger)
    assert not begin_run(ledger)
    end_run(ledger)
    assert begin_run(ledger)
