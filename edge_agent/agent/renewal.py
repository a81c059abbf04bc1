"""Keeps what was given at enrolment fresh: the next certificate at two thirds of this one, central's keys as they turn.

It runs on a thread of its own, for central may be slow or away, and hands on what is new; nobody waits for it. Instants
are real time: a certificate knows no story. The rule that must not be broken: an answer that is not by the central this
device was enrolled with changes nothing.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from edge_agent.agent.voice import Voice
from edge_agent.errors import LinkFault
from edge_agent.links.key_files import Enrolment, keep_keys
from protocols.values.instant import Instant, plus, seconds_between, to_iso

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LAST_THIRD_S = 30 * 86_400.0
"""A certificate is good for ninety days; in the last third of them the next one is asked for."""
LOOK_S = 6 * 3600.0
"""Between two looks at central's keys: a rotation waits a week for the slowest edge."""
RETRY_S = 600.0
STOP_S_MAX = 1.0
"""A request under way is not waited for: what it would bring is asked for again."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a renewal is given: real time, chance, the log, and over how long a hospital's devices spread at a start."""

    real_now: Callable[[], Instant]
    chance: Callable[[], float]
    voice: Voice
    spread_s: float = 0.0


class Renewal:
    """What this device was given, kept fresh. `fresh` hears each newer state, on this thread."""

    def __init__(
        self,
        folder: Path,
        given: Enrolment,
        key: "Ed25519PrivateKey",
        around: Surroundings,
        fresh: Callable[[Enrolment], None],
    ) -> None:
        self._folder, self._given, self._key, self._around, self._fresh = folder, given, key, around, fresh
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="renewal", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End soon."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_S_MAX)

    def step(self) -> float:
        """Do what is due; returns the seconds until the next look."""
        from edge_agent.links.enrolment import renew

        now, until = self._around.real_now(), self._given.said.until
        due = plus(until, -LAST_THIRD_S)
        try:
            if now >= due:
                self._take(keep_keys(self._folder, self._given, renew(self._given, self._key)))
                self._around.voice.say("keys", f"a new certificate, good until {to_iso(self._given.said.until)}")
                return self._pause(LOOK_S)
            self._look()
        except LinkFault as fault:
            self._tell(fault, now)
            return self._pause(RETRY_S)
        return min(self._pause(LOOK_S), max(1.0, seconds_between(now, due)))

    def _look(self) -> None:
        """Ask for central's keys and keep them if they changed."""
        from edge_agent.links.enrolment import ask_keys

        keys = ask_keys(self._given)
        if keys != self._given.said.keys:
            self._take(keep_keys(self._folder, self._given, replace(self._given.said, keys=keys)))
            self._around.voice.say("keys", f"central's keys are now {', '.join(key.key_id for key in keys)}")

    def _take(self, newer: Enrolment) -> None:
        self._given = newer
        self._fresh(newer)

    def _tell(self, fault: LinkFault, now: Instant) -> None:
        until = self._given.said.until
        if now < plus(until, -LAST_THIRD_S):
            return  # a look that failed costs nothing; the next one comes
        what = "ended" if now > until else "ends"
        self._around.voice.alarm("keys", f"the certificate {what} on {to_iso(until)} and is not renewed: {fault}")

    def _pause(self, seconds: float) -> float:
        return seconds * (1 + self._around.chance()) / 2

    def _run(self) -> None:
        ended = self._around.real_now() > self._given.said.until
        wait_s = 0.0 if ended else self._around.chance() * self._around.spread_s  # after a power cut all start at once
        while not self._stopping.wait(wait_s):
            wait_s = self.step()
