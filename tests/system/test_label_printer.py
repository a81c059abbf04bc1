"""`label` before a real port of the simulated RFID printer: written, read back, void inlays, and never twice."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.system.edge_ward import GTIN, PIECES, ROOT, Ward

pytestmark = pytest.mark.needs_linux
SIM = [sys.executable, "-c", "from hardware_sim.cli import main; main()"]


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    ward = Ward(tmp_path)
    yield ward
    ward.close()


class Printing:
    """A simulated printer with its roll; `duds` is the chance of an inlay that takes nothing."""

    def __init__(self, folder: Path, duds: float = 0.0) -> None:
        kinds = [f"--{kind}=0" for kind in ("llrp", "m100", "uhfreader18", "scanners", "cards")]
        self.process = subprocess.Popen(
            [*SIM, "devices", *kinds, "--printers=1", f"--duds={duds}", "--state", str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self.port = self._hear("listening p1 printer").rpartition(":")[2].strip()
        self._hear("ready ")

    def _hear(self, start: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(start):
                return line
        raise AssertionError(f"the simulator never said {start!r}")

    def load(self, labels: int) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"load p1 {labels}\n")
        self.process.stdin.flush()

    def close(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=30)


def order(ward: Ward, printing: Printing, serial: int, *more: str) -> subprocess.CompletedProcess[str]:
    what = ("--gtin", GTIN, "--prefix-digits", "7", "--lot", "L1", "--expiry", "2027-03-31", "--serial", str(serial))
    where = ("--printer", f"127.0.0.1:{printing.port}")
    return ward.tool("label", "--config", str(ward.config), *what, *where, "--json", *more)


def answers(done: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_each_label_is_proven_by_its_inlay_and_no_serial_comes_twice(ward: Ward, tmp_path: Path) -> None:
    printing = Printing(tmp_path / "sim")
    try:
        done = order(ward, printing, 100, "--count", "3")
        assert done.returncode == 0, done.stderr
        told = answers(done)
        assert [(each["ok"], each["serial"], each["epc"]) for each in told] == [
            (True, str(serial), f"30364433400D1EC0{serial:08X}") for serial in (100, 101, 102)
        ]
        assert len({each["tid"] for each in told}) == 3
        again = order(ward, printing, 102)
        assert again.returncode == 1
        assert "a label of it was printed; take the next serial" in again.stderr
        ward.start_ready().terminate()
        ward.agents[0].wait(30)
        known = order(ward, printing, 7)
        assert "the book has a piece of it" in known.stderr
    finally:
        printing.close()


def test_when_every_inlay_is_spoilt_nothing_counts_and_the_serial_is_free_again(ward: Ward, tmp_path: Path) -> None:
    spoilt = Printing(tmp_path / "spoilt", duds=1.0)
    try:
        done = order(ward, spoilt, 200, "--count", "2", "--answer-s", "4")
    finally:
        spoilt.close()
    assert done.returncode == 1
    assert [(each["ok"], each["state"]) for each in answers(done)] == [(False, "void")]
    assert "look at the roll" in done.stderr
    printing = Printing(tmp_path / "sim")
    try:
        assert order(ward, printing, 200).returncode == 0
    finally:
        printing.close()


def test_a_printer_without_labels_leaves_the_serial_taken_and_says_what_to_do(ward: Ward, tmp_path: Path) -> None:
    printing = Printing(tmp_path / "sim")
    try:
        printing.load(0)
        first = order(ward, printing, 300, "--answer-s", "3")
        printing.load(10)
        again = order(ward, printing, 300)
    finally:
        printing.close()
    assert (first.returncode, again.returncode) == (1, 1)
    assert "out of labels; load a roll, its label comes then" in first.stderr
    assert len(first.stderr.splitlines()) == 1
    assert "a label of it was sent" in again.stderr
    with closing(sqlite3.connect(f"{ward.ledger}.labels")) as connection:
        rows = connection.execute("SELECT serial, state FROM label").fetchall()
    assert rows == [("300", "sent")]


def test_no_printer_is_one_line(ward: Ward) -> None:
    what = ("--gtin", GTIN, "--prefix-digits", "7", "--lot", "L1", "--serial", "1", "--printer", "127.0.0.1:9")
    done = ward.tool("label", "--config", str(ward.config), *what)
    assert done.returncode == 1
    assert "look at its power, address and cable" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_drawn_labels_use_their_serials_and_carry_no_tag(ward: Ward) -> None:
    what = ("--gtin", GTIN, "--prefix-digits", "7", "--lot", "L1", "--serial", "400", "--count", "2")
    out = ward.folder / "labels.pdf"
    done = ward.tool("label", "--config", str(ward.config), *what, "--out", str(out), "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"ok": True, "files": [str(out)]})
    assert out.read_bytes().startswith(b"%PDF")
    again = ward.tool("label", "--config", str(ward.config), *what, "--out", str(out))
    assert again.returncode == 1
    assert "a label of it was printed; take the next serial" in again.stderr
    wrong = ward.tool("label", "--config", str(ward.config), *what[:-3], "402", "--out", str(ward.folder / "x.gif"))
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (2, 1)
    ward.start_ready()
    with closing(sqlite3.connect(ward.ledger)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM binding").fetchone() == (PIECES,)
