"""The full check of the ledger, beside the agent: at night, and soon after a stop that was not clean.

It is `wardstock-edge verify` in a process of its own with the lowest priority, so that nobody's scan waits for it. The
rule that must not be broken: what it finds is told and shown; the ledger itself is left as it is.
"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge_agent.agent.health import Watch
from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock
from edge_agent.core.outages import Key
from edge_agent.store.ledger import Ledger
from edge_agent.store.tail import note_checked
from protocols.values.instant import Instant, to_iso

if TYPE_CHECKING:
    import subprocess

AT_HOUR = 3
"""The hour of the hospital's day in which nobody waits."""
SOON_S = 60.0
"""Link seconds after an unclean start before the check begins: people first."""
DAY_S = 86_400
ANSWER_BYTES_MAX = 64 * 1024
DAMAGED = Key("ledger", "ledger", 0, "damaged")
_PROGRAM = "import os; os.nice(19); from edge_agent.cli import main; main()"


def until_night_s(now: Instant) -> float:
    """Return the seconds from an instant until the next night's check."""
    hour, minute, second = (int(part) for part in to_iso(now)[11:19].split(":"))
    passed = hour * 3600 + minute * 60 + second
    return (AT_HOUR * 3600 - passed) % DAY_S or DAY_S


class Checks:
    """The checks of one ledger; `soon` where the last run did not end as it should."""

    def __init__(self, path: Path, *, soon: bool, watch: Watch, clock: Clock, voice: Voice) -> None:
        self._path, self._watch, self._clock, self._voice = path, watch, clock, voice
        self._due_s = clock.link_s() + (SOON_S if soon else until_night_s(clock.now()))
        self._began_s = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    def tick(self, ledger: Ledger) -> None:
        """Begin a check that is due, and hear one that has ended. Raises `StoreFault`."""
        link_s = self._clock.link_s()
        if self._process is not None and self._process.poll() is not None:
            self._hear(ledger)
        elif self._process is None and link_s >= self._due_s:
            self._due_s = link_s + until_night_s(self._clock.now())
            self._begin(link_s)

    def stop(self) -> None:
        """End a check that still runs; it changes nothing."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _begin(self, link_s: float) -> None:
        import subprocess

        self._began_s = link_s
        command = [sys.executable, "-c", _PROGRAM, "verify", "--ledger", str(self._path), "--json"]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            self._voice.alarm("check", f"the full check did not start: {error.strerror}; it is tried again at night")

    def _hear(self, ledger: Ledger) -> None:
        process, self._process = self._process, None
        assert process is not None  # asked by the caller
        said, _ = process.communicate()
        try:
            answer = json.loads(said[:ANSWER_BYTES_MAX])
        except ValueError:
            self._voice.alarm("check", f"the full check ended with {process.returncode} and no answer; run verify")
            return
        if answer["ok"]:
            self._watch.up(DAMAGED)
            note_checked(ledger, int(answer["head_seq"]), str(answer["head_hash"]))
            took = self._clock.link_s() - self._began_s
            self._voice.say("check", f"{answer['entries']} entries are whole, in {took:.1f} s")
        else:
            wrong = str(answer["problems"][0]["what"])
            self._watch.down(DAMAGED, f"{wrong}; keep this file and run wardstock-edge verify")
            self._voice.alarm("check", f"the ledger is damaged: {wrong}; run wardstock-edge verify")
