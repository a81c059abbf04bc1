"""Starts the programs of a demo, starts again what dies, ends them in order; and nothing outlives it.

Every program runs on a leash (`hardware_sim.leash`): it ends when this process ends, whatever ends it. What it says
goes to its log; the line that says it is ready is waited for. The rule that must not be broken: programs are started
from the main thread only, because the kernel's promise to end them is tied to the thread that started them.
"""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hardware_sim.clock import monotonic_s
from hardware_sim.errors import PartFailed

READY_TIMEOUT_S = 60.0
"""A program that says nothing for so long does not start; central on a busy machine takes some ten seconds."""

STOP_TIMEOUT_S = 8.0
RESTARTS_MAX = 10
"""A program that dies more often in one demo has a fault that starting again does not heal."""

POLL_S = 0.05
LOG_TAIL_BYTES = 4096
LINE_MAX = 300
"""Characters of a program's last words that a message repeats."""


@dataclass(slots=True)
class Part:
    """One program: its command (asked anew at each start), its log, and how it shows that it is ready.

    `ready` is the beginning of a line it prints; or it is empty, and `is_ready` is asked until it says yes.
    """

    name: str
    command: Callable[[], Sequence[str]]
    log: Path
    ready: str = ""
    is_ready: Callable[[], bool] = lambda: True
    restarts: int = 0
    process: subprocess.Popen[bytes] | None = None
    said: queue.Queue[str] = field(default_factory=lambda: queue.Queue(1))


class Supervisor:
    """The programs of one demo, by name."""

    def __init__(self, pids: Path, tell: Callable[[str], None]) -> None:
        self._pids_path = pids
        self._tell = tell
        self._parts: dict[str, Part] = {}
        self._leash_end, self._leash = os.pipe()

    def start(self, part: Part) -> str:
        """Start a program and wait until it is ready; returns the rest of its ready line. Raises `PartFailed`."""
        return self.start_all([part])[0]

    def start_all(self, parts: Sequence[Part]) -> list[str]:
        """Start programs side by side and wait until all are ready; returns their ready lines. Raises `PartFailed`."""
        for part in parts:
            self._parts[part.name] = part
            self._spawn(part)
        return [self._wait_ready(part) for part in parts]

    def run(self, name: str, command: Sequence[str], log: Path, *, limit_s: float = READY_TIMEOUT_S) -> None:
        """Run a program to its end. Raises `PartFailed` when it fails or takes longer than its limit."""
        part = Part(name, lambda: command, log)
        self._spawn(part)
        assert part.process is not None
        try:
            status = part.process.wait(limit_s)
        except subprocess.TimeoutExpired as error:
            self._end(part)
            raise PartFailed(f"{name}: expected to end within {limit_s:g} s; see {log}") from error
        if status != 0:
            raise PartFailed(f"{name} failed: {last_words(log)} (log: {log})")

    def mend(self) -> None:
        """Start again what has died. Raises `PartFailed` when one dies too often. Call from the main thread."""
        for part in self._parts.values():
            if part.process is None or part.process.poll() is None:
                continue
            if part.restarts >= RESTARTS_MAX:
                raise PartFailed(
                    f"{part.name} died {part.restarts + 1} times: {last_words(part.log)} (log: {part.log})"
                )
            part.restarts += 1
            self._tell(part.name)
            self._spawn(part)

    def stop(self, names: Sequence[str]) -> None:
        """End programs together: ask, wait, then kill."""
        parts = [self._parts.pop(name) for name in names if name in self._parts]
        for part in parts:
            if part.process is not None and part.process.poll() is None:
                part.process.terminate()
        for part in parts:
            self._end(part)
        self._write_pids()

    def close(self) -> None:
        """End everything that is left."""
        self.stop(list(self._parts))
        for end in (self._leash, self._leash_end):
            os.close(end)

    def _spawn(self, part: Part) -> None:
        leash = [sys.executable, "-m", "hardware_sim.leash", str(self._leash_end), "--"]
        part.log.parent.mkdir(parents=True, exist_ok=True)
        part.said = queue.Queue(1)
        with part.log.open("ab") as log:
            part.process = subprocess.Popen(
                [*leash, *part.command()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                pass_fds=(self._leash_end,),
                start_new_session=True,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )
        threading.Thread(target=_keep_words, args=(part, part.process), name=part.name, daemon=True).start()
        self._write_pids()

    def _wait_ready(self, part: Part) -> str:
        until = monotonic_s() + READY_TIMEOUT_S
        while monotonic_s() < until:
            with contextlib.suppress(queue.Empty):
                if part.ready:
                    return part.said.get(timeout=POLL_S)
                if part.is_ready():
                    return ""
                part.said.get(timeout=POLL_S)
            if part.process is not None and part.process.poll() is not None:
                raise PartFailed(f"{part.name} did not start: {last_words(part.log)} (log: {part.log})")
        raise PartFailed(f"{part.name}: expected to be ready within {READY_TIMEOUT_S:g} s; see {part.log}")

    def _end(self, part: Part) -> None:
        if part.process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            part.process.wait(STOP_TIMEOUT_S)
            return
        with contextlib.suppress(ProcessLookupError):
            part.process.send_signal(signal.SIGKILL)
        part.process.wait()

    def _write_pids(self) -> None:
        alive = {
            name: part.process.pid
            for name, part in self._parts.items()
            if part.process is not None and part.process.poll() is None
        }
        new = self._pids_path.with_suffix(".new")
        new.write_text(json.dumps(alive, indent=1) + "\n", encoding="utf-8")
        new.replace(self._pids_path)


def last_words(log: Path) -> str:
    """Return the last line of a log that says something."""
    try:
        tail = log.read_bytes()[-LOG_TAIL_BYTES:].decode("utf-8", "replace")
    except OSError:
        return "it said nothing"
    lines = [line.strip() for line in tail.splitlines() if line.strip()]
    return lines[-1][:LINE_MAX] if lines else "it said nothing"


def _keep_words(part: Part, process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    with process.stdout as words, part.log.open("ab", buffering=0) as log:
        for line in words:
            log.write(line)
            _hear(part, line.decode("utf-8", "replace").strip())


def _hear(part: Part, text: str) -> None:
    if not part.ready or not text.startswith(part.ready):
        return
    with contextlib.suppress(queue.Full):
        part.said.put_nowait(text.removeprefix(part.ready).strip())
