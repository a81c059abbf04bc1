"""Trimming: only what is safe elsewhere and old goes, the book stays provable, and the rest of the sync goes on."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_agent.errors import StoreFault
from edge_agent.store.ledger import Ledger
from edge_agent.store.tail import check_tail
from edge_agent.store.trim import trim, why_nothing
from edge_agent.store.verify import verify
from protocols.sync.frames import Head
from protocols.sync.machine import Trimmed
from protocols.values.ids import Incarnation
from protocols.values.instant import Instant, plus
from tests.edge_agent.conftest import BORN, START, Scribe

UNITS = ("E20000000001", "E20000000002", "E20000000003")
LATER = plus(START, 200 * 86_400)
CHILD = Incarnation(b"c" * 16)


@pytest.fixture
def written(ledger: Ledger, scribe: Scribe) -> Ledger:
    """Eight entries of long ago, all at central."""
    ledger.append([scribe.bind(*UNITS), scribe.opening(*UNITS)])
    ledger.append([scribe.visit(), scribe.issue(UNITS[0]), scribe.visit("end")])
    ledger.append([scribe.observe(UNITS[1]), scribe.issue(UNITS[1]), scribe.visit()])
    ledger.set_acked(7, BORN)
    return ledger


def seqs(ledger: Ledger) -> list[int]:
    return [seq for (seq,) in ledger.connection.query("SELECT seq FROM ledger ORDER BY rowid")]


def test_nothing_goes_while_nothing_is_known_to_be_safe(written: Ledger) -> None:
    done = written.trim(LATER)
    assert (done.entries, len(seqs(written))) == (0, 8)
    assert "neither a standby nor a backup" in done.why_not


def test_nothing_young_goes_however_safe(written: Ledger) -> None:
    written.set_safe(7, BORN)
    assert written.trim(plus(START, 89 * 86_400)).why_not == "the oldest entry is younger than 90 days"


def test_what_is_safe_and_old_goes_but_never_the_last_and_the_book_is_proved_from_the_checkpoint(
    written: Ledger, open_again: Callable[..., Ledger]
) -> None:
    book = written.connection.query("SELECT * FROM balance ORDER BY place, unit")
    written.set_safe(9, BORN)
    assert written.trim(LATER).entries == 7
    assert seqs(written) == [7]
    assert written.connection.query("SELECT * FROM balance ORDER BY place, unit") == book
    assert verify(written.connection).problems == []
    written.close()
    again = open_again()
    assert (again.head().seq, again.way()[-1].kept_from) == (7, 7)
    assert check_tail(again, "ledger").entries == 1


def test_safe_is_never_beyond_what_central_has_and_may_fall(written: Ledger) -> None:
    written.set_acked(3, BORN)
    written.set_safe(9, BORN)
    assert written.connection.query("SELECT safe FROM mark") == [(3,)]
    written.set_safe(1, BORN)
    assert written.connection.query("SELECT safe FROM mark") == [(1,)]
    assert written.trim(LATER).entries == 2


def test_later_cuts_stand_on_earlier_ones_and_entries_go_on(written: Ledger, scribe: Scribe) -> None:
    written.set_safe(2, BORN)
    assert written.trim(LATER).entries == 3
    written.set_safe(5, BORN)
    assert written.trim(LATER).entries == 3
    assert written.connection.query("SELECT seq FROM checkpoint") == [(5,)]
    written.append([scribe.issue(UNITS[2])])
    assert verify(written.connection).problems == []
    assert seqs(written) == [6, 7, 8]


def test_a_changed_checkpoint_is_found(written: Ledger, ledger_path: Path) -> None:
    written.set_safe(5, BORN)
    written.trim(LATER)
    other = sqlite3.connect(ledger_path)
    other.execute("DROP TRIGGER checkpoint_refuses_update")
    other.execute("UPDATE checkpoint SET balances = replace(CAST(balances AS TEXT), 'ward-01', 'ward-02')")
    other.commit()
    other.close()
    assert "the ledger says" in verify(written.connection).problems[0].what


def test_what_was_written_again_goes_as_a_whole_or_stays(written: Ledger) -> None:
    digest = written.hash_at(3)
    assert digest is not None
    written.adopt(CHILD, Head(BORN, 3, digest))
    written.set_acked(3, CHILD)
    for chain, safe in ((BORN, 7), (CHILD, 1)):
        written.set_safe(safe, chain)
    assert trim(written.connection, LATER).entries == 4  # the others stand in the new chain too
    written.set_safe(3, CHILD)
    assert trim(written.connection, LATER).entries == 0  # the last entry never goes, nor what it repeats
    assert verify(written.connection).problems == []
    assert [(leg.incarnation, leg.seq, leg.kept_from) for leg in written.way()] == [(BORN, 3, 4), (CHILD, 3, 0)]


def test_a_trimmed_part_is_told_by_what_the_own_entries_came_to(written: Ledger, scribe: Scribe) -> None:
    written.set_safe(5, BORN)
    written.trim(LATER)
    why = written.missing(2, BORN)
    assert isinstance(why, Trimmed)
    assert (why.last_seq, why.hash) == (5, written.hash_at(5))
    own = {row[:-1]: row[-1] for row in why.rows}
    assert sum(own.values()) == 0
    assert own["ward-01", "S1", "C001", "L1", "hospital", UNITS[1]] == 1
    assert own["issued@ward-01", "", "C001", "L1", "hospital", UNITS[0]] == 1
    assert written.entries_raw(2, 10, 10_000) == []
    assert len(written.entries_raw(6, 10, 10_000)) == 2
    assert written.places(40)[-1].seq >= 5


def test_a_ledger_that_goes_on_in_a_new_chain_after_a_trim_writes_again_what_it_keeps(written: Ledger) -> None:
    written.set_safe(5, BORN)
    written.trim(LATER)
    kept = written.entries_raw(6, 10, 10_000)
    written.adopt(CHILD, None)
    assert written.entries_raw(0, 10, 10_000, CHILD) == kept
    assert verify(written.connection).problems == []


def test_an_entry_that_the_disk_changed_is_never_sent_and_is_left_behind(written: Ledger, ledger_path: Path) -> None:
    whole = written.entries_raw(0, 20, 100_000)
    other = sqlite3.connect(ledger_path)
    other.execute("DROP TRIGGER ledger_refuses_update")
    other.execute("UPDATE ledger SET actor = 'another' WHERE seq = 3")
    other.commit()
    other.close()
    assert written.entries_raw(0, 20, 100_000) == whole[:3]
    assert written.entries_raw(3, 20, 100_000) == []
    why = written.missing(3, BORN)
    assert why is not None
    assert "no longer holds" in getattr(why, "detail", "")
    digest = written.hash_at(2)
    assert digest is not None
    written.adopt(CHILD, Head(BORN, 2, digest), 3)
    assert written.entries_raw(0, 20, 100_000, CHILD) == whole[4:]


def test_why_nothing_may_go_is_asked_without_writing(written: Ledger) -> None:
    assert "neither a standby" in why_nothing(written.connection, Instant(LATER))
    written.set_safe(7, BORN)
    assert why_nothing(written.connection, Instant(LATER)) == ""


def test_nobody_else_removes_a_checkpoint(written: Ledger) -> None:
    written.set_safe(5, BORN)
    written.trim(LATER)
    with pytest.raises(StoreFault, match="later one of its chain"):
        written.connection.execute("DELETE FROM checkpoint")
