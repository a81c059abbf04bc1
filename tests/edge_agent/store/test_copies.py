"""A backup holds what the ledger held at one moment, is proven before it counts, and is put back losing nothing."""

import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_agent.errors import NotALedger, StoreFault
from edge_agent.store.connection import open_to_read
from edge_agent.store.copies import PARTIAL, RESTORED, RESTORING, finish_restore, put_back, take_backup
from edge_agent.store.ledger import Ledger
from edge_agent.store.lock import hold_alone
from edge_agent.store.verify import verify
from tests.edge_agent.conftest import START, WARD, Scribe

ROOT = Path(__file__).resolve().parents[3]
UNITS = [f"30340242201D8D40000000{n:02X}" for n in range(40)]


@pytest.fixture
def written(ledger: Ledger, scribe: Scribe) -> Ledger:
    ledger.append([scribe.bind(*UNITS), scribe.opening(*UNITS), scribe.visit()])
    ledger.append([scribe.issue(unit) for unit in UNITS[:10]])
    return ledger


def kinds(path: Path) -> list[str]:
    with open_to_read(path) as connection:
        return [kind for (kind,) in connection.query("SELECT kind FROM ledger ORDER BY rowid")]


def test_a_backup_taken_beside_an_open_ledger_is_whole_and_says_where_its_chains_end(
    written: Ledger, ledger_path: Path, tmp_path: Path
) -> None:
    said, manifest = take_backup(ledger_path, tmp_path / "to", START)
    assert json.loads(said.read_text())["heads"] == [
        {"incarnation": written.head().incarnation.hex(), "seq": 12, "hash": written.head().hash.hex()}
    ]
    assert (manifest.device, manifest.entries, manifest.verified) == (WARD, 13, True)
    with open_to_read(said.with_suffix(".db")) as connection:
        assert verify(connection).sound
    assert sorted(each.suffix for each in said.parent.iterdir()) == [".db", ".json", ".lock"]


def test_a_backup_is_sound_while_the_ledger_grows(
    written: Ledger, ledger_path: Path, tmp_path: Path, scribe: Scribe
) -> None:
    counts: list[int] = []
    over = threading.Event()

    def copy_again() -> None:
        while not over.is_set() or not counts:
            _, manifest = take_backup(ledger_path, tmp_path / "to", scribe.now)
            counts.append(manifest.entries)

    thread = threading.Thread(target=copy_again)
    thread.start()
    for unit in UNITS[10:]:
        written.append([scribe.issue(unit), scribe.observe(unit, 0.01)])
    over.set()
    thread.join(60)
    assert not thread.is_alive()
    assert counts == sorted(counts)
    assert counts[-1] <= 73


def test_what_is_put_back_replaces_the_ledger_and_keeps_it_with_its_wal(
    written: Ledger, ledger_path: Path, tmp_path: Path, scribe: Scribe, open_again: Callable[..., Ledger]
) -> None:
    said, _ = take_backup(ledger_path, tmp_path / "to", START)
    written.append([scribe.issue(UNITS[20])])
    written.close()
    restored = put_back(said, ledger_path, WARD, START)
    assert (restored.entries, len(kinds(ledger_path))) == (13, 13)
    assert restored.kept is not None
    assert len(kinds(restored.kept)) == 14
    again = open_again()
    assert again.noted(RESTORED) == "2026-03-02T16:00:00+08:00"
    again.append([scribe.issue(UNITS[30])])
    assert verify(again.connection).sound


def test_nothing_is_put_back_under_a_running_agent(written: Ledger, ledger_path: Path, tmp_path: Path) -> None:
    said, _ = take_backup(ledger_path, tmp_path / "to", START)
    with hold_alone(ledger_path), pytest.raises(StoreFault, match="stop that one first"):
        put_back(said, ledger_path, WARD, START)
    assert len(kinds(ledger_path)) == 13
    assert written.head().seq == 12


def test_a_copy_of_another_device_and_a_changed_copy_are_refused_and_nothing_is_touched(
    written: Ledger, ledger_path: Path, tmp_path: Path
) -> None:
    said, _ = take_backup(ledger_path, tmp_path / "to", START)
    before = ledger_path.read_bytes()
    with pytest.raises(NotALedger, match="expected a backup of ward-02, this one is of ward-01"):
        put_back(said, ledger_path, "ward-02", START)
    copy = said.with_suffix(".db")
    connection = sqlite3.connect(copy, isolation_level=None)
    connection.execute("UPDATE balance SET qty = qty + 1 WHERE place = 'ward-01'")
    connection.close()
    with pytest.raises(NotALedger, match="it was changed; take another backup"):
        put_back(said, ledger_path, WARD, START)
    said.unlink()
    with pytest.raises(NotALedger, match="this copy is damaged, balance at ward-01"):
        put_back(copy, ledger_path, WARD, START)
    assert ledger_path.read_bytes() == before
    assert written.head().seq == 12


@pytest.mark.parametrize("done", [0, 1, 2])
def test_a_swap_cut_at_any_step_is_finished_and_nothing_is_lost(
    written: Ledger, ledger_path: Path, tmp_path: Path, done: int
) -> None:
    said, _ = take_backup(ledger_path, tmp_path / "to", START)
    ready = ledger_path.with_name(ledger_path.name + RESTORING)
    ready.write_bytes(said.with_suffix(".db").read_bytes())
    kept = ledger_path.with_name(f"{ledger_path.name}.replaced-{ready.stat().st_mtime_ns}")
    wal = ledger_path.with_name(ledger_path.name + "-wal")
    steps = [(wal, kept.with_name(kept.name + "-wal")), (ledger_path, kept)]
    for old, new in steps[:done]:
        old.rename(new)
    assert finish_restore(ledger_path) == kept
    assert (len(kinds(ledger_path)), len(kinds(kept))) == (13, 13)
    assert finish_restore(ledger_path) is None
    assert written.device == WARD


def test_a_chain_that_a_lying_disk_lost_is_one_line_that_says_what_to_do(
    written: Ledger, ledger_path: Path, open_again: Callable[..., Ledger]
) -> None:
    written.close()
    connection = sqlite3.connect(ledger_path, isolation_level=None)
    connection.execute("DELETE FROM mark")
    connection.close()
    with pytest.raises(NotALedger, match=r"expected the chain \w+, got none.*wardstock-edge restore --from FILE"):
        open_again()


def test_a_damaged_page_is_one_line_that_says_what_to_do(written: Ledger, ledger_path: Path, tmp_path: Path) -> None:
    written.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    written.close()
    raw = bytearray(ledger_path.read_bytes())
    for page in range(4096 * 4, len(raw), 4096):
        raw[page : page + 64] = b"\xff" * 64
    ledger_path.write_bytes(raw)
    with pytest.raises(NotALedger, match="wardstock-edge restore --from FILE") as caught:
        take_backup(ledger_path, tmp_path / "to", START)
    assert len(str(caught.value).splitlines()) == 1
    assert not list((tmp_path / "to").glob("*.json"))


KILLED = """
import os, signal, sys
from pathlib import Path
from edge_agent.store import copies
from protocols.values.instant import Instant

copies.PAGES_AT_ONCE = 1

def die(done, total):
    if done >= total * int(sys.argv[3]) // 10:
        os.kill(os.getpid(), signal.SIGKILL)

copies.take_backup(Path(sys.argv[1]), Path(sys.argv[2]), Instant(0), die)
"""


@pytest.mark.parametrize("tenths", [1, 9])
def test_a_backup_killed_half_way_is_no_backup_and_the_next_one_is(
    written: Ledger, ledger_path: Path, tmp_path: Path, tenths: int
) -> None:
    folder = tmp_path / "to"
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(ledger_path), str(folder), str(tenths)], cwd=ROOT, timeout=60, check=False
    )
    assert done.returncode == -9
    assert not list(folder.glob("*.json"))
    assert (folder / f"{WARD}{PARTIAL}").exists()
    _, manifest = take_backup(ledger_path, folder, START)
    assert manifest.entries == 13
    assert not (folder / f"{WARD}{PARTIAL}").exists()
    assert verify(written.connection).sound


def test_a_folder_that_cannot_be_made_is_told(ledger_path: Path, written: Ledger, tmp_path: Path) -> None:
    (tmp_path / "to").write_text("a file")
    with pytest.raises(StoreFault, match="expected a folder to put the backup in"):
        take_backup(ledger_path, tmp_path / "to", START)
    assert written.head().seq == 12
