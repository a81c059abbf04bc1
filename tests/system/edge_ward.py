"""One ward for the system tests of the edge: its folder, a scanner on a pseudo-terminal, and real agents on it."""

import os
import queue
import select
import sqlite3
import subprocess
import sys
import threading
import time
import tty
from pathlib import Path

from protocols.readers.scanner import Beep, BeepDecoder, BeepFrame, frame_scan

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, "-c", "from edge_agent.cli import main; main()"]
WAIT_S = 60.0
GTIN = "09506000134352"
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

    def send(self, data: bytes) -> None:
        os.write(self._master, data)

    def is_open(self, pid: int) -> bool:
        """Tell whether a process has this scanner's port open."""
        name, files = os.ttyname(self._slave), Path(f"/proc/{pid}/fd")
        return any(file.exists() and os.readlink(file) == name for file in files.iterdir())

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

    def __init__(self, folder: Path, name: str = "ward-01") -> None:
        self.name, self.folder = name, folder
        self.ledger, self.config = folder / "ledger.db", folder / "edge.toml"
        self.config.write_text(CONFIG.replace("ward-01", name))
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
        assert lines.get(timeout=WAIT_S) == f"ready {self.name}\n", self.log()
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
        self.wait_for_times(text, 1)

    def wait_for_times(self, text: str, times: int) -> None:
        limit = time.monotonic() + WAIT_S
        while self.log().count(text) < times:
            assert time.monotonic() < limit, f"expected {text!r} in the log:\n{self.log()}"
            time.sleep(0.05)

    def close(self) -> None:
        for agent in self.agents:
            if agent.poll() is None:
                agent.kill()
            agent.wait(WAIT_S)
            if agent.stdout is not None:
                agent.stdout.close()
        self.plug.pull()
