"""The ledger grows at its head, in whole transactions, and refuses everything else."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_agent.errors import DiskFull, NotALedger, StoreFault
from edge_agent.store.connection import open_to_read
from edge_agent.store.ledger import TIDY_ENTRIES, Head, Ledger, open_ledger
from edge_agent.store.verify import verify
from protocols.entry import GENESIS, chain, decode_body, decode_entry, encode_entry
from protocols.errors import BadValue, PeerBroke
from protocols.values.ids import DeviceId, Incarnation
from protocols.values.instant import Instant
from tests.edge_agent.conftest import BORN, START, WARD, Scribe

UNITS = ["30340242201D8D4000000001", "30340242201D8D4000000002"]


def test_a_new_ledger_is_empty_and_belongs_to_its_device(ledger: Ledger) -> None:
    assert ledger.device == WARD
    assert ledger.head() == Head(BORN, -1, GENESIS)
    assert ledger.acked() == -1
    assert ledger.entries_raw(0, 10, 1000) == []
    assert ledger.hash_at(-1) == GENESIS
    assert ledger.hash_at(0) is None


def test_entries_are_chained_as_the_agreement_says_and_come_back_byte_for_byte(ledger: Ledger, scribe: Scribe) -> None:
    entries = [scribe.visit(), scribe.opening(*UNITS), scribe.issue(UNITS[0])]
    ledger.append(entries[:1])
    chained = ledger.append(entries[1:])
    expected = chain(WARD, BORN, from_seq=0, prev_hash=GENESIS, entries=entries)
    assert chained == expected[1:]
    assert ledger.head() == Head(BORN, 2, expected[2].hash)
    assert [decode_entry(raw) for raw in ledger.entries_raw(0, 10, 100_000)] == entries
    assert [ledger.hash_at(seq) for seq in range(3)] == [each.hash for each in expected]


def test_raw_entries_keep_to_both_limits_but_never_stop_the_line(ledger: Ledger, scribe: Scribe) -> None:
    entries = [scribe.visit() for _ in range(5)]
    ledger.append(entries)
    size = len(encode_entry(entries[0]))
    assert len(ledger.entries_raw(1, 2, 10_000)) == 2
    assert len(ledger.entries_raw(1, 10, 2 * size)) == 2
    assert len(ledger.entries_raw(1, 10, 1)) == 1


def test_a_ledger_opened_again_goes_on_where_it_stopped(
    open_again: Callable[..., Ledger], scribe: Scribe, ledger_path: Path
) -> None:
    first = open_again()
    first.append([scribe.visit()])
    first.set_acked(0)
    head, clock = first.head(), first.last_hlc()
    first.close()
    second = open_ledger(ledger_path, WARD, newborn=Incarnation(b"x" * 16), now=Instant(0))
    assert (second.head(), second.acked(), second.last_hlc()) == (head, 0, clock)
    second.append([scribe.visit("end")])
    assert second.head().seq == 1
    second.close()


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("UPDATE ledger SET actor = 'someone'", "refuses UPDATE"),
        ("DELETE FROM ledger", "refuses DELETE"),
        ("INSERT OR REPLACE INTO ledger SELECT * FROM ledger WHERE seq = 0", "grows at its head only"),
    ],
)
def test_nobody_can_change_what_was_written(
    ledger: Ledger, ledger_path: Path, scribe: Scribe, sql: str, why: str
) -> None:
    ledger.append([scribe.visit(), scribe.visit("end")])
    other = sqlite3.connect(ledger_path)
    with pytest.raises(sqlite3.IntegrityError, match=why):
        other.execute(sql)
    other.close()


def test_only_what_a_checkpoint_covers_and_a_backup_holds_may_go(
    ledger: Ledger, ledger_path: Path, scribe: Scribe
) -> None:
    ledger.append([scribe.visit() for _ in range(4)])
    other = sqlite3.connect(ledger_path, isolation_level=None)
    other.execute("INSERT INTO checkpoint VALUES (?, 2, ?, '[]', 3)", (BORN, ledger.hash_at(2)))
    with pytest.raises(sqlite3.IntegrityError, match="refuses DELETE"):
        other.execute("DELETE FROM ledger WHERE seq = 0")
    other.execute("UPDATE mark SET safe = 1")
    with pytest.raises(sqlite3.IntegrityError, match="refuses DELETE"):
        other.execute("DELETE FROM ledger WHERE seq <= 2")
    other.execute("DELETE FROM ledger WHERE seq <= 1")
    assert other.execute("SELECT MIN(seq) FROM ledger").fetchone() == (2,)
    other.close()


def test_a_group_is_one_transaction(ledger: Ledger, scribe: Scribe) -> None:
    ledger.append([scribe.opening(*UNITS)])
    before = ledger.head()

    def break_off() -> None:
        with ledger.group():
            ledger.append([scribe.issue(UNITS[0])])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert ledger.head() == before
    assert len(ledger.entries_raw(0, 10, 100_000)) == 1
    with ledger.group():
        ledger.append([scribe.issue(UNITS[0])])
        ledger.append([scribe.issue(UNITS[1])])
    assert ledger.head().seq == 2
    assert verify(ledger.connection).sound


def test_one_bad_act_in_a_group_costs_itself_alone(ledger: Ledger, scribe: Scribe) -> None:
    with ledger.group():
        ledger.append([scribe.visit()])
        with pytest.raises(PeerBroke):
            ledger.append([scribe.visit(), scribe.entry("issue", {"lines": "none"})])
        with pytest.raises(BadValue):
            ledger.append([scribe.entry("teleport", {})])
        ledger.append([scribe.visit("end")])
    assert ledger.head().seq == 1
    assert verify(ledger.connection).sound


def test_an_event_that_comes_twice_is_posted_once(ledger: Ledger, scribe: Scribe) -> None:
    opening = scribe.opening(*UNITS)
    ledger.append([opening])
    ledger.append([opening])
    rows = ledger.connection.query("SELECT SUM(qty) FROM balance WHERE place = 'ward-01'")
    assert rows == [(2,)]
    assert verify(ledger.connection).sound


def test_an_event_that_comes_twice_in_one_act_is_posted_once(ledger: Ledger, scribe: Scribe) -> None:
    opening = scribe.opening(*UNITS)
    ledger.append([opening, scribe.visit(), opening])
    assert ledger.connection.query("SELECT SUM(qty) FROM balance WHERE place = 'ward-01'") == [(2,)]
    assert verify(ledger.connection).sound


def test_an_act_that_breaks_off_while_it_is_written_takes_its_group_with_it(ledger: Ledger, scribe: Scribe) -> None:
    ledger.connection.execute("CREATE TRIGGER full BEFORE INSERT ON belief BEGIN SELECT RAISE(ABORT, 'no'); END")

    def write() -> None:
        with ledger.group():
            ledger.append([scribe.visit()])
            with pytest.raises(StoreFault, match="no"):
                ledger.append([scribe.visit(), scribe.observe(UNITS[0], 0.01)])

    with pytest.raises(StoreFault, match="expected whole acts"):
        write()
    assert ledger.head().seq == -1
    ledger.append([scribe.visit()])
    assert verify(ledger.connection).entries == 1


def test_the_book_follows_the_entries(ledger: Ledger, scribe: Scribe) -> None:
    issue = scribe.issue(UNITS[0])
    ledger.append([scribe.bind(*UNITS), scribe.opening(*UNITS), issue, scribe.observe(UNITS[0], 0.01)])
    query = ledger.connection.query
    assert query("SELECT place, qty FROM balance WHERE unit = ? ORDER BY place", (UNITS[0],)) == [
        ("issued@ward-01", 1),
        ("opening@ward-01", -1),
    ]
    assert query("SELECT state, place, at, actor, event_id FROM custody WHERE unit = ?", (UNITS[0],)) == [
        ("issued", "issued@ward-01", issue.wall, "1001", issue.event_id)
    ]
    assert query("SELECT p, model, since FROM belief") == [(0.01, "window-1", START)]
    assert query("SELECT COUNT(*) FROM binding") == [(2,)]


def test_a_full_disk_is_one_clear_error_and_loses_nothing(
    open_again: Callable[..., Ledger], ledger_path: Path, scribe: Scribe
) -> None:
    open_again().close()
    pages = sqlite3.connect(ledger_path).execute("PRAGMA page_count").fetchone()[0]
    ledger = open_again(max_pages=pages + 6)
    kept = 0

    def fill() -> None:
        nonlocal kept
        for _ in range(1000):
            ledger.append([scribe.bind(*(f"{number:024X}" for number in range(kept, kept + 20)))])
            kept += 1

    with pytest.raises(DiskFull, match="expected room for one more entry, the disk is full; free some and scan again"):
        fill()
    assert kept > 0
    assert ledger.head().seq == kept - 1
    assert verify(ledger.connection).sound
    ledger.close()
    roomy = open_again()
    assert roomy.head().seq == kept - 1
    roomy.append([scribe.visit()])
    assert verify(roomy.connection).entries == kept + 1


def test_a_full_disk_in_a_group_takes_back_the_whole_group(open_again: Callable[..., Ledger], scribe: Scribe) -> None:
    ledger = open_again()
    ((pages,),) = ledger.connection.query("PRAGMA page_count")
    ledger.close()
    tight = open_again(max_pages=pages + 2)

    def fill() -> None:
        with tight.group():
            for _ in range(100):
                tight.append([scribe.bind(*(f"{number:024X}" for number in range(100)))])

    with pytest.raises(DiskFull):
        fill()
    assert tight.head().seq == -1
    assert verify(tight.connection).sound


def test_what_many_commits_left_in_the_wal_goes_into_the_file_while_nobody_waits(
    ledger: Ledger, ledger_path: Path, scribe: Scribe
) -> None:
    def in_file() -> int:
        return int.from_bytes(ledger_path.read_bytes()[28:32], "big")  # the page count of the header

    for _ in range(TIDY_ENTRIES - 1):
        ledger.append([scribe.visit()])
    before = in_file()
    ledger.tidy()
    assert in_file() == before
    ledger.append([scribe.visit()])
    ledger.tidy()
    ((pages,),) = ledger.connection.query("PRAGMA page_count")
    assert in_file() == pages > before


def test_the_ledger_of_another_device_is_refused(ledger: Ledger, ledger_path: Path) -> None:
    ledger.close()
    with pytest.raises(NotALedger, match="expected the ledger of ward-02, this one is of ward-01"):
        open_ledger(ledger_path, DeviceId("ward-02"), newborn=BORN, now=START)


@pytest.mark.parametrize("content", ["database", "text"])
def test_another_file_is_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "other.db"
    if content == "text":
        path.write_text("not a database at all, but long enough to look at" * 30)
    else:
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE theirs (x)")
        other.close()
    with pytest.raises(NotALedger):
        open_ledger(path, WARD, newborn=BORN, now=START)


def test_reading_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotALedger, match="there is no such file"), open_to_read(tmp_path / "nothing.db"):
        pass
    with pytest.raises(NotALedger, match="that is a folder"), open_to_read(tmp_path):
        pass


def test_a_reversal_is_the_mirror_of_what_it_names_or_is_refused_and_blocks_nothing(
    ledger: Ledger, scribe: Scribe
) -> None:
    issue = scribe.issue(UNITS[0])
    ledger.append([scribe.bind(*UNITS), scribe.opening(*UNITS), issue])
    line = {"item": "C001", "lot": "L1", "qty": 1, "unit": UNITS[0], "source": "issued@ward-01", "target": "ward-01"}
    right = {"lines": [{**line, "target_position": "S1"}], "reverses": issue.event_id.hex()}
    wrong = [
        {**right, "lines": [line]},
        {**right, "lines": [{**line, "target_position": "S1", "unit": UNITS[1]}]},
        {**right, "lines": [{**line, "target_position": "S1"}, {**line, "unit": UNITS[1]}]},
        {**right, "lines": [{**line, "target": "scrap@ward-01"}]},
    ]
    head = ledger.head()
    for body in wrong:
        with pytest.raises(BadValue, match=r"expected the 1 lines of issue turned round"):
            ledger.append([scribe.entry("reversal", body)])
    beside = scribe.issue(UNITS[1])
    with pytest.raises(BadValue, match=r"expected the 1 lines of issue turned round"):
        ledger.append([beside, scribe.entry("reversal", {**right, "reverses": beside.event_id.hex()})])
    assert ledger.head() == head
    ledger.append([scribe.entry("reversal", right)])
    elsewhere = {**right, "reverses": "00" * 16, "lines": [{**line, "unit": UNITS[1]}]}
    ledger.append([scribe.entry("reversal", elsewhere)])
    assert verify(ledger.connection).sound


@pytest.mark.parametrize("moment", [-(1 << 63) - 1, 1 << 63, 10**400])
def test_a_moment_that_no_store_can_hold_is_refused_and_nothing_of_its_group_is_kept(
    ledger: Ledger, scribe: Scribe, moment: int
) -> None:
    ledger.append([scribe.opening(UNITS[0])])
    taken = decode_body(scribe.issue(UNITS[0]).body) | {"occurred_at": moment}
    believed = {"epc": UNITS[0], "p": 0.5, "model": "window-1", "since": moment}
    for kind, body in (("issue", taken), ("observe", believed)):
        with pytest.raises(BadValue, match="expected microseconds in 64 bits"):
            ledger.append([scribe.visit(), scribe.entry(kind, body)])
    assert ledger.head().seq == 0
