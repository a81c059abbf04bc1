"""The machines of the scripted week: the real agent on a headless PC, two readers, two scanners, a printer, the power.

One clock: a run begins at a story time, may race to another (a night, a morning before anybody comes) and goes on at
the pace of people. A power cut is SIGKILL for the agent, and the readers and scanners go dark with it.
"""

import json
import os
import queue
import re
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from edge_agent.core.work.words import Word
from hardware_sim.clock import Clock
from hardware_sim.config import Table, clock_table, toml
from hardware_sim.demo.brokers import free_port
from hardware_sim.devices.llrp import LlrpReaderDevice
from hardware_sim.devices.printer import PrinterDevice
from hardware_sim.serve import ReaderPort
from protocols.readers.scanner import Beep
from protocols.values.instant import StoryTime, from_iso, plus, seconds_between
from tests.system.brokers import BrokerProcess
from tests.system.edge_ward import PROGRAM, ROOT, WAIT_S, Plug
from tests.system.week.hospital import PATIENT_KEY, WARD
from tests.system.week.room import Room

SCANNERS = ("s1", "s2")
SHELVES = {"r1": ("S1", "S2", "S3"), "r2": ("S4", "S5")}
POLL_S = 0.02
STOP_S = 10.0
State = dict[str, Any]


def eventually(true: Callable[[], bool], said: str, limit_s: float = WAIT_S) -> None:
    """Wait until something is true. Raises `AssertionError`."""
    until = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < until, said
        time.sleep(POLL_S)


class Screen:
    """Somebody who looks at the ward panel all the time, as its page does: every state the panel ever told."""

    def __init__(self, address: str) -> None:
        self.states: list[State] = []
        self._answer = urllib.request.urlopen(f"http://{address}/events", timeout=WAIT_S)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def now(self) -> State:
        """Return what is shown now."""
        return self.states[-1] if self.states else {}

    def close(self) -> None:
        """Look away."""
        with suppress(OSError, ValueError):
            self._answer.close()
        self._thread.join(STOP_S)

    def _read(self) -> None:
        with suppress(OSError, ValueError, AttributeError):
            for raw in self._answer:
                if raw.startswith(b"data: "):
                    self.states.append(json.loads(raw[6:]))


class Machines:
    """Everything that has a plug in one storeroom."""

    def __init__(self, folder: Path, room: Room) -> None:
        self.folder, self.room = folder, room
        self.ledger, self.config = folder / "ledger.db", folder / "edge.toml"
        self.broker = BrokerProcess("amqtt", folder)  # nobody starts it before the week is over
        (folder / "patient.key").write_bytes(PATIENT_KEY)
        self._ports = {name: free_port() for name in SHELVES}
        self._readers: list[ReaderPort] = []
        self.scanners: dict[str, Plug] = {}
        self._agent: subprocess.Popen[str] | None = None
        self.screen: Screen | None = None
        self.told: list[State] = []
        self.cuts = 0

    # --- power ---

    def power_on(
        self,
        at: str,
        *,
        until: str = "",
        rate: float = 1.0,
        mode: str = "live",
        blind: bool = False,
        idle_s: float = 120.0,
    ) -> None:
        """Start everything at a story time; with `until` the clock races there before anybody comes."""
        start = from_iso(f"2026-{at}:00+08:00")
        come = from_iso(f"2026-{until}:00+08:00") if until else start
        since_ns = time.monotonic_ns()
        story = StoryTime(start, rate if until else 1.0, since_ns, come if until else None)
        race_s = seconds_between(start, come) / story.rate
        self._write_config(story, mode=mode, blind=blind, idle_s=idle_s)
        reader_time = Clock(StoryTime(plus(come, -race_s), 1.0, since_ns))
        for name, positions in SHELVES.items():
            device = LlrpReaderDevice(self.room.heard_on(*positions), antennas=len(positions))
            self._readers.append(ReaderPort(device, reader_time, port=self._ports[name]))
            self._readers[-1].start()
        self.scanners = {name: Plug(self.folder / name) for name in SCANNERS}
        self._start_agent()
        eventually(lambda: time.monotonic_ns() > since_ns + race_s * 1e9, "the morning never came")

    def power_cut(self) -> None:
        """The lights go out: nobody is asked."""
        assert self._agent is not None
        self._agent.kill()
        self._go_dark()
        self.cuts += 1

    def switch_off(self) -> None:
        """The keeper ends the day in order."""
        assert self._agent is not None
        self._agent.terminate()
        self._go_dark()
        assert self._agent.returncode == 0, self.log()

    def _go_dark(self) -> None:
        assert self._agent is not None
        self._agent.wait(WAIT_S)
        if self._agent.stdout is not None:
            self._agent.stdout.close()
        if self.screen is not None:
            self.screen.close()
            self.told += self.screen.states
            self.screen = None
        for reader in self._readers:
            reader.close()
        self._readers = []
        for plug in self.scanners.values():
            plug.pull()
        self.scanners = {}

    def close(self) -> None:
        """Leave nothing running."""
        if self._agent is not None and self.scanners:
            self._agent.kill()
            self._go_dark()

    def _start_agent(self) -> None:
        before = self.log()
        with (self.folder / "log").open("a") as log:
            command = [*PROGRAM, "run", "--config", str(self.config)]
            agent = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
        self._agent = agent
        assert agent.stdout is not None
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=lambda: lines.put(agent.stdout.readline() if agent.stdout else ""), daemon=True).start()
        assert lines.get(timeout=WAIT_S) == f"ready {WARD}\n", self.log()
        works = [f"reader {name}: inventories" for name in SHELVES]
        eventually(lambda: all(one in self._new_log(before) for one in works), "the readers do not work")
        (address,) = re.findall(r"panel: http://(\S+)", self._new_log(before))
        self.screen = Screen(address)
        ready = [f"scanner {name}: is ready" for name in SCANNERS]
        eventually(lambda: all(one in self._new_log(before) for one in ready), "no scanner is ready")

    def _new_log(self, before: str) -> str:
        return self.log()[len(before) :]

    def log(self) -> str:
        """Return everything the agent said, of all its runs."""
        path = self.folder / "log"
        return path.read_text("utf-8") if path.exists() else ""

    def _write_config(self, story: StoryTime, *, mode: str, blind: bool, idle_s: float) -> None:
        reader: Table = {"kind": "llrp", "keepalive_s": 1, "round_s": 0.2}
        tables: list[dict[str, Table]] = [
            {
                "device": {"id": WARD, "fit": 2, "mode": mode},
                "clock": clock_table(story),
                "broker": {"urls": [self.broker.url], "keepalive_s": 2},
                "sync": {"unsigned": True, "hello_s": 0.5, "resend_s": 1, "backoff_max_s": 0.5, "spread_s": 0.1},
                "presence": {"window_s": 1.0},
                "visit": {"idle_s": idle_s, "patient_key": "patient.key", "blind_counts": blind},
                "panel": {"listen": "127.0.0.1:0"},
            }
        ]
        for name, positions in SHELVES.items():
            where: Table = {"name": name, "url": f"tcp://127.0.0.1:{self._ports[name]}"}
            tables.append({"[reader]": {**where, **reader, "antennas": list(range(1, len(positions) + 1))}})
        scanner: Table = {"feedback": "host-beep"}
        tables += [{"[scanner]": {"name": name, "url": f"serial:{name}", **scanner}} for name in SCANNERS]
        self.config.write_text("\n".join(map(toml, tables)), "utf-8")

    # --- people ---

    def scan(self, *texts: str, at: str = "s1") -> list[Beep]:
        """Scan codes one after the other at the pace of a person who waits for each beep."""
        return [beep for text in texts for beep in self.scanners[at].scan(text)]

    def refused(self, text: str, word: Word, *, at: str = "s1", beep: Beep = Beep.NO) -> None:
        """Scan what is not simply done, and read on the panel why, in both languages."""
        assert self.scan(text, at=at) == [beep], self.log()[-2000:]
        told = self.answer(word)
        assert told["beep"] == beep.name.lower()

    def answer(self, word: Word) -> State:
        """Return the panel's last answer once it says a word in both languages."""
        english, chinese = _pattern(word.en), _pattern(word.zh)
        eventually(
            lambda: bool(english.fullmatch(self._last.get("en", "")) and chinese.fullmatch(self._last.get("zh", ""))),
            f"the panel should say {word.name}, it says {self._last}",
        )
        last = self._last
        assert "{" not in last["en"] + last["zh"]
        assert "?" not in last["en"], last
        return last

    @property
    def _last(self) -> State:
        assert self.screen is not None
        answers = self.screen.now.get("answers") or [{}]
        return dict(answers[0])

    def shows(self, true: Callable[[State], bool], said: str) -> None:
        """Wait until the panel shows something."""
        screen = self.screen
        assert screen is not None
        eventually(lambda: bool(screen.states) and true(screen.now), f"{said}; the panel shows {screen.now}")

    def print_labels(
        self, gtin: str, prefix_digits: int, lot: str, expiry: str, serial: int, count: int
    ) -> dict[int, str]:
        """Print labels with inlays at the ward's printer; returns the EPC of each serial."""
        with self._printer() as port:
            what = ["--gtin", gtin, "--prefix-digits", str(prefix_digits), "--lot", lot, "--expiry", expiry]
            which = ["--serial", str(serial), "--count", str(count), "--printer", f"127.0.0.1:{port}", "--json"]
            done = self.tool("label", "--config", str(self.config), *what, *which)
        assert done.returncode == 0, done.stderr
        told = [json.loads(row) for row in done.stdout.splitlines()]
        return {int(row["serial"]): str(row["epc"]) for row in told}

    @contextmanager
    def _printer(self) -> Iterator[int]:
        printer = ReaderPort(PrinterDevice(), Clock(StoryTime(from_iso("2026-03-27T09:00:00+08:00"), 1.0, 0)))
        printer.start()
        try:
            yield printer.port
        finally:
            printer.close()

    def tool(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run one of the edge's tools beside the agent."""
        environment = {**os.environ, "COLUMNS": "200"}
        command = [*PROGRAM, *arguments]
        return subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S, check=False, env=environment
        )


def _pattern(sentence: str) -> re.Pattern[str]:
    return re.compile(
        "".join(".+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", sentence)),
        re.DOTALL,
    )
