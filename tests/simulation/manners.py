"""How both ends behave on the wire, seen by somebody who reads every message as it is said.

I6: one HELLO a timer, whatever central answers. I10: a token is renewed only for another boot nonce. The rule that must
not be broken: what is looked at is what was said, before the broker did anything to it.
"""

from collections import Counter
from dataclasses import dataclass

from protocols.sync.codec import Envelope
from protocols.sync.frames import Hello, Message, NewInc, Welcome
from tests.simulation.ward import SYNC

GREETINGS_FREE = 2
"""The first of a run, and one whose timer began before it."""


@dataclass(slots=True)
class _Run:
    """One run of one machine, known by its boot nonce."""

    began_s: float
    links: int
    greetings: int = 0
    grants: int = 0


class Manners:
    """What was seen, and what was wrong with it."""

    def __init__(self) -> None:
        self.violations: list[str] = []
        self._runs: dict[bytes, _Run] = {}
        self._links: Counter[str] = Counter()
        self._tokens: dict[str, tuple[bytes, bytes]] = {}

    def linked(self, device: str) -> None:
        """A machine was taken by the broker: it may greet at once."""
        self._links[device] += 1

    def restored(self) -> None:
        """Central was put back: it knows other tokens."""
        self._tokens.clear()

    def said(self, envelope: Envelope, message: Message, now_s: float) -> None:
        """Look at one message."""
        match message:
            case Hello():
                self._greeted(envelope, now_s)
            case NewInc():
                self._run_of(envelope, now_s).grants += 1
            case Welcome():
                self._welcomed(envelope)

    def _run_of(self, envelope: Envelope, now_s: float) -> _Run:
        return self._runs.setdefault(envelope.boot_nonce, _Run(now_s, self._links[envelope.device]))

    def _greeted(self, envelope: Envelope, now_s: float) -> None:
        if self._tokens.get(envelope.device, (envelope.boot_nonce,))[0] != envelope.boot_nonce:
            del self._tokens[envelope.device]  # central may take it in and lose its power before it answers
        run = self._run_of(envelope, now_s)
        run.greetings += 1
        links = self._links[envelope.device] - run.links
        allowed = GREETINGS_FREE + links + run.grants + (now_s - run.began_s) / SYNC.hello_s
        if run.greetings > allowed:
            said = f"{run.greetings} greetings in {now_s - run.began_s:.0f} s, expected at most {allowed:.0f}"
            self.violations.append(f"I6 {envelope.device}: {said}")

    def _welcomed(self, envelope: Envelope) -> None:
        nonce, token = self._tokens.get(envelope.device, (b"", b""))
        if nonce == envelope.boot_nonce and token != envelope.token:
            self.violations.append(f"I10 {envelope.device}: another token within one run of the machine")
        self._tokens[envelope.device] = (envelope.boot_nonce, envelope.token)
