"""A sound ledger passes; whatever is changed behind its back is named by incarnation and seq."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.errors import StoreFault
from edge_agent.store.connection import open_to_read
from edge_agent.store.ledger import Ledger, open_ledger
from edge_agent.store.verify import Report, verify
from protocols.entry import Entry
from tests.edge_agent.conftest import BORN, START, WARD, Scribe

UNITS = [f"30340242201D8D40000000{number:02X}" for number in range(8)]


@pytest.fixture
def path(ledger: Ledger, ledger_path: Path, scribe: Scribe) -> Path:
    """A ledger of five entries, closed."""
    ledger.append([scribe.bind(*UNITS), scribe.opening(*UNITS), scribe.visit(), scribe.issue(UNITS[0])])
    ledger.append([scribe.observe(UNITS[1])])
    ledger.set_acked(3)
    ledger.close()
    return ledger_path


def change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    triggers = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
    for name in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    connection.close()


def report_of(path: Path) -> Report:
    with open_to_read(path) as connection:
        return verify(connection)


def test_a_sound_ledger_passes(path: Path) -> None:
    report = report_of(path)
    assert report.sound
    assert (report.device, report.entries, report.head_seq) == (WARD, 5, 4)
    assert report.balances == 16


def test_a_damaged_page_that_neither_chain_nor_book_is_read_from_is_found_when_pages_are_asked_for(path: Path) -> None:
    connection = sqlite3.connect(path)
    ((root,),) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'health_open'")
    connection.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)
    assert report_of(path).sound
    with open_to_read(path) as reading:
        report = verify(reading, pages=True)
    assert [problem.what.startswith("a page is damaged, ") for problem in report.problems] == [True]


def test_progress_is_told_while_it_reads(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_agent.store.verify.PROGRESS_EVERY", 2)
    told: list[tuple[int, int]] = []
    with open_to_read(path) as connection:
        verify(connection, lambda done, total: told.append((done, total)))
    assert told == [(2, 5), (4, 5)]


@pytest.mark.parametrize(
    ("statement", "seq", "what"),
    [
        (
            "UPDATE ledger SET body = CAST(replace(CAST(body AS TEXT), 'S1', 'S2') AS BLOB) WHERE seq = 3",
            3,
            "content_hash",
        ),
        ("UPDATE ledger SET actor = '1002' WHERE seq = 2", 2, "content_hash"),
        ("UPDATE ledger SET wall = wall + 1 WHERE seq = 1", 1, "content_hash"),
        ("UPDATE ledger SET hash = zeroblob(32) WHERE seq = 4", 4, "hash"),
        ("UPDATE ledger SET prev_hash = zeroblob(32) WHERE seq = 3", 3, "prev_hash"),
        ("UPDATE ledger SET device = 'ward-09' WHERE seq = 2", 2, "device"),
        ("UPDATE ledger SET event_id = zeroblob(16) WHERE seq = 2", 2, "columns"),
        ("UPDATE ledger SET wall = 'soon' WHERE seq = 2", 2, "columns"),
        ("DELETE FROM ledger WHERE seq = 2", 2, "missing"),
    ],
)
def test_a_changed_entry_is_named_with_what_differs(path: Path, statement: str, seq: int, what: str) -> None:
    change(path, statement)
    report = report_of(path)
    assert not report.sound
    first = report.problems[0]
    assert (first.incarnation, first.seq) == (BORN.hex(), seq)
    assert what in first.what


@pytest.mark.parametrize("seq", range(5))
def test_one_flipped_byte_of_any_body_is_found(path: Path, seq: int) -> None:
    connection = sqlite3.connect(path)
    (body,) = connection.execute("SELECT body FROM ledger WHERE seq = ?", (seq,)).fetchone()
    connection.close()
    middle = len(body) // 2
    flipped = body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]
    change(path, f"UPDATE ledger SET body = x'{flipped.hex()}' WHERE seq = {seq}")
    assert [problem.seq for problem in report_of(path).problems] == [seq]


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE balance SET qty = qty + 1 WHERE place = 'ward-01'", "balance"),
        ("DELETE FROM balance WHERE place = 'issued@ward-01'", "balance"),
        ("UPDATE custody SET state = 'in_stock'", "custody"),
        ("UPDATE belief SET p = 0.5", "belief"),
        ("DELETE FROM binding", "binding"),
        ("DELETE FROM applied", "applied"),
    ],
)
def test_a_book_that_left_its_ledger_is_named(path: Path, statement: str, what: str) -> None:
    change(path, statement)
    problems = [problem.what for problem in report_of(path).problems]
    assert any(problem.startswith(what) for problem in problems), problems


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE balance SET qty = 7 WHERE place = 'ward-01' AND unit = '30340242201D8D4000000001'",
            "balance at ward-01 position S1 of item C001, lot L1, owner hospital, unit 30340242201D8D4000000001: "
            "the ledger says 1, the table 7",
        ),
        ("UPDATE custody SET event_id = x'019c', place = ''", "the table issued at - by event 019c"),
        ("DELETE FROM belief", "the ledger says probability 0.99 by model window-1 since 2026-03-02T16:00:00+08:00"),
        ("UPDATE belief SET since = 'soon'", "by model window-1 since soon by event 01"),
        ("DELETE FROM binding", "serial 0000, expiry -, unit -, the table nothing"),
    ],
)
def test_a_difference_is_said_in_an_auditors_words(path: Path, statement: str, said: str) -> None:
    change(path, statement)
    problems = [problem.what for problem in report_of(path).problems]
    assert any(said in problem for problem in problems), problems
    assert not any(sign in problem for problem in problems for sign in ("b'", "BalanceKey", "None", "("))


def test_what_hangs_on_a_broken_entry_is_not_called_checked(path: Path) -> None:
    change(path, "UPDATE ledger SET prev_hash = zeroblob(32) WHERE seq = 3")
    report = report_of(path)
    assert (report.entries, report.total) == (3, 5)


def test_reading_a_closed_ledger_leaves_no_trace(path: Path) -> None:
    assert report_of(path).sound
    assert not list(path.parent.glob("*-wal")) + list(path.parent.glob("*-shm"))


def test_reading_a_copy_with_its_wal_sees_it_and_leaves_no_index(
    path: Path, tmp_path: Path, open_again: Callable[..., Ledger], scribe: Scribe
) -> None:
    live = open_again()
    live.append([scribe.observe(UNITS[2])])
    copy = tmp_path / "backup" / path.name
    copy.parent.mkdir()
    for end in ("", "-wal"):
        copy.with_name(path.name + end).write_bytes(path.with_name(path.name + end).read_bytes())
    assert report_of(path).entries == 6
    assert report_of(copy).entries == 6
    assert {one.name for one in copy.parent.iterdir()} == {path.name, path.name + "-wal"}
    assert path.with_name(path.name + "-shm").exists()


def test_a_closed_ledger_that_is_written_while_it_is_read_is_not_judged(
    path: Path, open_again: Callable[..., Ledger]
) -> None:
    reading = open_to_read(path)
    assert verify(reading.__enter__()).sound
    open_again()
    with pytest.raises(StoreFault, match="an agent began to"):
        reading.__exit__(None, None, None)


def test_a_sum_that_is_not_zero_is_named(path: Path) -> None:
    change(path, "DELETE FROM balance WHERE place = 'issued@ward-01'")
    assert any("sum over places is not zero: item C001" in problem.what for problem in report_of(path).problems)


def test_entries_cut_off_at_the_end_are_missed(path: Path) -> None:
    change(path, "DELETE FROM ledger WHERE seq >= 3")
    assert any("missing at the end" in problem.what for problem in report_of(path).problems)


@given(acts=st.lists(st.tuples(st.sampled_from(["open", "issue", "observe", "visit", "bind"]), st.sampled_from(UNITS))))
def test_any_ledger_the_store_wrote_is_sound(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, str]]
) -> None:
    scribe = Scribe()
    write: dict[str, Callable[[str], Entry]] = {
        "open": scribe.opening,
        "issue": scribe.issue,
        "observe": scribe.observe,
        "bind": scribe.bind,
    }
    ledger = open_ledger(tmp_path_factory.mktemp("any") / "ledger.db", WARD, newborn=BORN, now=START)
    with ledger.group():
        for kind, unit in acts:
            ledger.append([scribe.visit() if kind == "visit" else write[kind](unit)])
    report = verify(ledger.connection)
    ledger.close()
    assert report.problems == []
    assert report.entries == len(acts)
