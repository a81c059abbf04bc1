"""Giving back the room of old entries, at night, after the full check has had its hour.

What may go is decided by `store.trim`. The rule that must not be broken: nobody waits for it, and what cannot be
trimmed is told once, not every night.
"""

from edge_agent.agent.checks import until_night_s
from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock
from edge_agent.store.ledger import Ledger

AFTER_CHECK_S = 3600.0
AGAIN_S = 60.0
"""Link seconds between two parts of a long trim: people come first, at night too."""


class Trimmer:
    """When a ledger is trimmed next."""

    def __init__(self, clock: Clock, voice: Voice) -> None:
        self._clock, self._voice = clock, voice
        self._due_s = clock.link_s() + until_night_s(clock.now()) + AFTER_CHECK_S

    def tick(self, ledger: Ledger) -> None:
        """Trim what is due. Raises `StoreFault`."""
        link_s, now = self._clock.link_s(), self._clock.now()
        if link_s < self._due_s:
            return
        self._due_s = link_s + until_night_s(now) + AFTER_CHECK_S
        done = ledger.trim(now)
        if done.entries:
            self._due_s = link_s + AGAIN_S
            self._voice.say("trim", f"{done.entries} entries that stand elsewhere gave their room back")
        else:
            self._voice.say_change("trim", f"nothing is trimmed: {done.why_not}")
