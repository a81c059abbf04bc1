"""The real agent on a real pseudo-terminal: what beeped is on the disk, whatever kills it."""

import os
import queue
import select
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocols.codes.label import make_badge
from protocols.readers.scanner import Beep, BeepDecoder, BeepFrame, frame_scan
from protocols.values.ids import ActorId

pytestmark = pytest.mark.needs_linux

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, "-c", "from edge_agent.cli import main; main()"]
WAIT_S = 30.0
GTIN = "09506000134352"
BADGE = make_badge(ActorId("1001"))
PIECES = 20

CONFIG = """
[device]
id = "ward-01"
fit = 1
[broker]
urls = ["mqtt://127.0.0.1:9"]
[sync]
unsigned = true
[[scanner]]
name = "s1"
url = "serial:scanner"
feedback = "host-beep"
[master]
opening = "opening.csv"
[store]
path = "ledger.db"
"""


def label(serial: int) -> str:
    return f"]d201{GTIN}21{serial}"


class Plug:
    """A scanner on a pseudo-terminal behind a stable link, as its end is held by whoever simulates it."""

    def __init__(self, link: Path) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        link.unlink(missing_ok=True)
        link.symlink_to(os.ttyname(self._slave))

    def pull(self) -> None:
        os.close(self._master)
        os.close(self._slave)

    def scan(self, *texts: str) -> list[Beep]:
        os.write(self._master, b"".join(map(frame_scan, texts)))
        return self.hear(len(texts))

    def hear(self, count: int) -> list[Beep]:
        decoder, beeps, limit = BeepDecoder(), list[Beep](), time.monotonic() + WAIT_S
        while len(beeps) < count:
            assert time.monotonic() < limit, f"expected {count} beeps, heard {beeps}"
            if select.select([self._master], [], [], 0.2)[0]:
                frames = decoder.receive(os.read(self._master, 64))
                beeps += [frame.beep for frame in frames if isinstance(frame, BeepFrame)]
        return beeps


class Ward:
    """One edge's folder, its scanner, and the agents started on it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ledger, self.config = folder, folder / "ledger.db", folder / "edge.toml"
        self.config.write_text(CONFIG)
        rows = "".join(f"C001,{GTIN},L1,2030-01-31,{n},30340242201D8D40000000{n:02X},S1,\n" for n in range(PIECES))
        (folder / "opening.csv").write_text("item,gtin,lot,expiry,serial,epc,position,owner\n" + rows)
        self.plug = Plug(folder / "scanner")
        self.agents: list[subprocess.Popen[str]] = []

    def start(self, *more: str, pass_fds: tuple[int, ...] = ()) -> subprocess.Popen[str]:
        log = (self.folder / "log").open("a")
        agent = subprocess.Popen(
            [*PROGRAM, "run", "--config", str(self.config), *more],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            pass_fds=pass_fds,
        )
        log.close()
        self.agents.append(agent)
        return agent

    def start_ready(self, *more: str, pass_fds: tuple[int, ...] = ()) -> subprocess.Popen[str]:
        agent = self.start(*more, pass_fds=pass_fds)
        assert agent.stdout is not None
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=lambda: lines.put(agent.stdout.readline() if agent.stdout else ""), daemon=True).start()
        assert lines.get(timeout=WAIT_S) == "ready ward-01\n", self.log()
        return agent

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def kinds(self) -> list[str]:
        connection = sqlite3.connect(self.ledger)
        rows = connection.execute("SELECT kind FROM ledger ORDER BY seq").fetchall()
        connection.close()
        return [kind for (kind,) in rows]

    def tool(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROGRAM, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S, check=False
        )

    def wait_for(self, text: str) -> None:
        limit = time.monotonic() + WAIT_S
        while text not in self.log():
            assert time.monotonic() < limit, f"expected {text!r} in the log:\n{self.log()}"
            time.sleep(0.05)

    def end(self) -> None:
        for agent in self.agents:
            if agent.poll() is None:
                agent.kill()
            agent.wait(WAIT_S)
            if agent.stdout is not None:
                agent.stdout.close()


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    made = Ward(tmp_path)
    yield made
    made.end()
    made.plug.pull()


def test_badge_and_items_survive_a_kill_and_verify_passes_until_a_byte_is_changed(ward: Ward) -> None:
    agent = ward.start_ready()
    assert ward.kinds() == ["bind_tag", "opening"]
    assert ward.plug.scan(BADGE) == [Beep.OK]
    assert ward.kinds()[2:] == ["visit"]
    assert ward.plug.scan(label(1)) == [Beep.OK]
    assert ward.kinds()[2:] == ["visit", "issue"]
    assert ward.plug.scan(label(1), label(99), "hello") == [Beep.NO] * 3
    os.kill(agent.pid, signal.SIGKILL)
    agent.wait(WAIT_S)

    ward.start_ready()
    assert ward.plug.scan(label(1), label(2), label(3)) == [Beep.NO, Beep.OK, Beep.OK]
    assert ward.kinds()[2:] == ["visit", "issue", "issue", "issue"]
    assert "already taken by 1001" in ward.log()
    assert ward.tool("verify", str(ward.ledger)).returncode == 0  # beside the running agent

    agent = ward.agents[-1]
    agent.send_signal(signal.SIGTERM)
    assert agent.wait(WAIT_S) == 0
    assert ward.tool("verify", "--config", str(ward.config)).returncode == 0
    connection = sqlite3.connect(ward.ledger)
    connection.execute("DROP TRIGGER ledger_refuses_update")
    connection.execute("UPDATE ledger SET body = CAST(replace(body, '1001', '1002') AS BLOB) WHERE seq = 3")
    connection.execute("UPDATE ledger SET body = CAST(replace(body, '\"qty\":1', '\"qty\":2') AS BLOB) WHERE seq = 3")
    connection.commit()
    connection.close()
    told = ward.tool("verify", str(ward.ledger))
    assert told.returncode == 1
    assert "seq 3: content_hash" in told.stdout
    assert "Traceback" not in ward.log()


def test_killed_again_and_again_no_ok_is_lost_and_the_opening_is_written_once(ward: Ward) -> None:
    oks = 0
    for serial in range(1, 6):
        agent = ward.start_ready()
        oks += ward.plug.scan(BADGE, label(serial)).count(Beep.OK)
        agent.kill()
        agent.wait(WAIT_S)
    kinds = ward.kinds()
    assert oks == 10
    assert (kinds.count("opening"), kinds.count("issue")) == (1, 5)
    assert ward.tool("verify", str(ward.ledger)).returncode == 0


def test_a_scanner_that_is_pulled_and_put_back_goes_on(ward: Ward) -> None:
    ward.start_ready()
    assert ward.plug.scan(BADGE) == [Beep.OK]
    ward.plug.pull()
    ward.wait_for("the port is gone")
    ward.plug = Plug(ward.folder / "scanner")
    limit = time.monotonic() + WAIT_S
    while ward.log().count("scanner s1: is ready") < 2:
        assert time.monotonic() < limit, ward.log()
        time.sleep(0.05)
    assert ward.plug.scan(label(1)) == [Beep.OK]


def test_a_full_disk_is_a_no_with_one_clear_line_and_nothing_is_lost(ward: Ward) -> None:
    agent = ward.start_ready()
    agent.terminate()
    agent.wait(WAIT_S)
    connection = sqlite3.connect(ward.ledger)
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.close()
    ward.config.write_text(CONFIG + f"max_pages = {pages + 1}\n")
    ward.start_ready()
    beeps = ward.plug.scan(BADGE)
    for serial in range(PIECES):
        beeps += ward.plug.scan(label(serial))
    assert Beep.NO in beeps
    assert "expected room for one more entry, the disk is full; free some and scan again" in ward.log()
    assert "Traceback" not in ward.log()
    assert ward.tool("verify", str(ward.ledger)).returncode == 0
    kinds = ward.kinds()
    assert kinds.count("visit") + kinds.count("issue") == beeps.count(Beep.OK)


def test_the_agent_ends_with_its_parent(ward: Ward) -> None:
    reading, writing = os.pipe()
    agent = ward.start_ready("--parent-pipe", str(reading), pass_fds=(reading,))
    os.close(reading)
    os.close(writing)
    assert agent.wait(WAIT_S) == 0
    assert "the parent has ended" in ward.log()


def test_a_second_agent_on_the_same_ledger_is_refused_in_one_line(ward: Ward) -> None:
    ward.start_ready()
    second = ward.tool("run", "--config", str(ward.config))
    assert second.returncode == 1
    assert second.stderr == (
        f"wardstock-edge: {ward.ledger}: expected no other agent on it, one runs; stop that one first\n"
    )


def test_a_scanner_that_is_not_there_is_one_line_and_waited_for(ward: Ward) -> None:
    (ward.folder / "scanner").unlink()
    agent = ward.start()
    ward.wait_for("expected a serial port, there is none; plug the scanner in or correct its url")
    assert agent.poll() is None
    assert ward.log().count("expected a serial port") == 1


@pytest.mark.parametrize(
    ("right", "wrong", "status", "why"),
    [
        ("unsigned = true", "", 2, "expected keys to sign with, this version has none"),
        ("fit = 1", 'fit = "x"', 2, "device.fit: expected a whole number from 1 to 2, got 'x'"),
        ("opening.csv", "nothing.csv", 2, "expected a CSV file in UTF-8"),
        ("ledger.db", "no/such/ledger.db", 1, "expected a folder one may write to"),
    ],
)
def test_a_wrong_configuration_is_one_line(ward: Ward, right: str, wrong: str, status: int, why: str) -> None:
    ward.config.write_text(CONFIG.replace(right, wrong))
    told = ward.tool("run", "--config", str(ward.config))
    assert told.returncode == status
    assert why in told.stderr
    assert len(told.stderr.splitlines()) == 1


def test_a_start_imports_nothing_heavy(ward: Ward) -> None:
    ward.start_ready().terminate()
    ward.agents[-1].wait(WAIT_S)
    asked = (
        "import sys, edge_agent.cli, edge_agent.agent, edge_agent.agent.voice, edge_agent.config\n"
        "from pathlib import Path\n"
        "from edge_agent.store.ledger import open_ledger\n"
        "from protocols.values.ids import device_id, incarnation\n"
        "from protocols.values.instant import Instant\n"
        f"path = Path({str(ward.ledger)!r})\n"
        "open_ledger(path, device_id('ward-01'), newborn=incarnation(bytes(16)), now=Instant(0)).close()\n"
        "heavy = ('pydantic', 'sqlalchemy', 'sqlmodel', 'numpy', 'typer', 'rich', 'sqlite_utils', 'asyncio')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S, check=False
    )
    assert (told.stdout, told.stderr) == ("[]\n", "")
