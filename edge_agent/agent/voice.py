"""What the agent says to whoever reads its log: one line each, with the time of the story.

The rule that must not be broken: nothing that repeats can flood the log; a topic says the same only once until it says
something else, and what may come by thousands is counted and told once a while.
"""

import os
import sys
from typing import TextIO

from edge_agent.clock import Clock
from protocols.values.instant import to_iso

TOPICS_MAX = 256
COUNTED_EVERY_S = 60.0
"""Link seconds between two lines about something that is counted."""
LINE_MAX = 500
WARNING, INFO = 4, 6
"""Priorities of syslog(3), which the journal reads from the front of a line."""


def is_journal(stream: TextIO, named: str) -> bool:
    """Tell whether a stream goes to systemd's journal; `named` is its device and inode, from JOURNAL_STREAM."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return named == f"{found.st_dev}:{found.st_ino}"


class Voice:
    """The agent's log on a stream; the journal stamps its lines itself and is told a priority instead of a time."""

    def __init__(self, clock: Clock, stream: TextIO | None = None, *, journal: bool = False) -> None:
        self._clock = clock
        self._stream = stream or sys.stderr
        self._journal = journal
        self._last: dict[str, str] = {}
        self._counts: dict[str, tuple[float, int, int]] = {}

    def say(self, topic: str, text: str) -> None:
        """Say one line."""
        self._print(f"{topic}: {text}")

    def alarm(self, topic: str, text: str) -> None:
        """Say one line that somebody should act on."""
        self._print(f"{topic}: {text}", WARNING)

    def say_change(self, topic: str, text: str) -> None:
        """Say one line unless this topic said the same last time."""
        if self._last.get(topic) == text:
            return
        if len(self._last) < TOPICS_MAX:
            self._last[topic] = text
        self.say(topic, text)

    def say_counted(self, topic: str, text: str, *, burst: int = 1) -> None:
        """Say the first `burst` of many at once, then how many more there were once a while."""
        now = self._clock.link_s()
        began, said, more = self._counts.get(topic, (-COUNTED_EVERY_S, 0, 0))
        if now - began < COUNTED_EVERY_S:
            fits = said < burst
            self._counts[topic] = (began, said + fits, more + (not fits))
            if fits:
                self.say(topic, text)
            return
        if topic in self._counts or len(self._counts) < TOPICS_MAX:
            self._counts[topic] = (now, 1, 0)
        self.say(topic, f"{text} (and {more} more before)" if more else text)

    def _print(self, line: str, priority: int = INFO) -> None:
        clean = "".join(each if each.isprintable() else "·" for each in line[:LINE_MAX])
        try:
            head = f"<{priority}>" if self._journal else f"{to_iso(self._clock.now())} "
            print(f"{head}{clean}", file=self._stream, flush=True)
        except (OSError, ValueError):
            return  # nobody reads any more; the ledger is what counts
