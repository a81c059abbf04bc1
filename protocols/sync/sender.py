"""The chain at hand on its way to central: its frames, acknowledgements that wait for our own hash, what a NACK means.

No I/O, no session: the caller knows whether one stands and seals what is said. What a question comes to is a list of
actions, or that the session is `Gone`, or a `Stuck` that a person must look at. The rule that must not be broken: a
mark moves only where the own ledger's hash is the one central named.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from protocols.entry import Digest, chain_hash, content_hash
from protocols.sync.codec import pack_entries
from protocols.sync.dictionary import NO_DICTIONARY
from protocols.sync.frames import HALF_BYTES, Ack, Frame, Nack, Why
from protocols.sync.machine import Action, Leg, MarkSafe, Timing, WantHash, WantMissing
from protocols.sync.way import Way
from protocols.values.ids import DeviceId, Incarnation

RESENDS_BEFORE_HELLO = 3
"""Windows sent again without an answer before the session is greeted anew."""
TRIES_ALONE_MAX = 8
"""How often one entry, alone in a frame, may be refused before a person is asked."""
CHECKS_MAX = 8
"""Acknowledgements that wait for the own ledger's hash."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The session is lost; `why` is what is wrong with the message that showed it, empty where nothing is."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class Stuck:
    """It cannot go on before a person has looked."""

    reason: str


Answer = list[Action] | Gone | Stuck


class Sender:
    """A ledger's way and the window on the chain being sent; `legs` are its chains from the root to the one written."""

    def __init__(self, legs: Sequence[Leg], timing: Timing) -> None:
        self.way = Way(legs)
        self.window = self.way.window()
        self.dictionary = NO_DICTIONARY
        self.safe: tuple[tuple[bytes, int], ...] = ()
        self.checks: dict[int, bytes] = {}
        """What central said the hash is at a seq, until our ledger has said its own."""
        self.paused_until = -math.inf
        self._resend_s = timing.resend_s
        self._tries_alone = self._resends = 0
        self._gap_at = -math.inf

    # --- sending ---

    def pump(self, now: float) -> list[Action]:
        """Ask for the entries that may be sent next, of the next chain where this one is at central."""
        if now < self.paused_until:
            return []
        if self.way.is_sent():
            self.way.choose()
            return self.begin_leg(now)
        want = self.window.ask(self.way.leg.seq)
        return [want] if want is not None else []

    def begin_leg(self, now: float) -> list[Action]:
        """Send the chain at hand from its mark on."""
        self.checks.clear()
        self.window = self.way.window()
        return self.pump(now)

    def awaits(self, incarnation: Incarnation, seq: int) -> bool:
        """Tell whether these are the entries that were asked for."""
        return incarnation == self.window.incarnation and self.window.awaits(seq)

    def frame(self, device: DeviceId, from_seq: int, raws: Sequence[bytes], now: float) -> Frame:
        """Return the frame of some entries, and note that it is on its way."""
        prev = last = self.window.prev_hash()
        for seq, raw in enumerate(raws, start=from_seq):
            last = chain_hash(self.window.incarnation, seq, last, content_hash(device, raw))
        self.window.sent(from_seq + len(raws) - 1, last, now)
        return Frame(from_seq, len(raws), prev, last[:HALF_BYTES], pack_entries(raws, self.dictionary))

    def proven(self) -> None:
        """Note that central's heads are our own: what was not answered before is forgiven."""
        self._resends = 0

    def end_pause(self, now: float) -> None:
        """Go on after the time central asked for."""
        if now >= self.paused_until:
            self.paused_until = -math.inf

    def resend_at(self) -> float:
        """Return when the oldest frame without an answer is sent again."""
        oldest = self.window.oldest_sent_at()
        return math.inf if oldest is None else oldest + self._resend_s

    def resend(self) -> Answer:
        """Send again what was not answered, a few times."""
        self._resends += 1
        if self._resends > RESENDS_BEFORE_HELLO:
            return Gone()
        self.window.rewind()
        return []

    # --- answers ---

    def acknowledged(self, incarnation: bytes, message: Ack) -> WantHash | None:
        """Return what is to be asked of the own ledger, None for an acknowledgement that says nothing new."""
        leg = self.way.leg
        here = incarnation == leg.incarnation and leg.acked < message.seq <= leg.seq
        if not here or len(self.checks) >= CHECKS_MAX:
            return None
        self.checks[message.seq] = message.hash
        self.safe = ((incarnation, min(message.safe_seq, message.seq)),)
        return WantHash(leg.incarnation, message.seq)

    def known(self, incarnation: Incarnation, seq: int, digest: Digest | None, now: float) -> Answer:
        """Take the own ledger's hash at a seq that central acknowledged, and move the mark there."""
        claimed = self.checks.pop(seq, None) if incarnation == self.window.incarnation else None
        if claimed is None or seq <= self.window.acked:
            return []
        if digest is None or digest != claimed:
            return Gone("a hash that is not this ledger's")
        self._resends = self._tries_alone = 0
        self.window.advance(seq, digest)
        safe = [MarkSafe(Incarnation(chain), upto) for chain, upto in self.safe if chain == incarnation]
        return [self.way.advance(seq, digest), *safe, *self.pump(now)]

    def refused(self, message: Nack, now: float) -> Answer:
        """Take a NACK: a greeting never follows from it at once."""
        match message.reason:
            case Why.SESSION | Why.FORK:
                return Gone()
            case Why.SCHEMA if self.dictionary != NO_DICTIONARY:
                self.dictionary = NO_DICTIONARY  # central was put back to a version that knows fewer words
                self.window.rewind()
            case Why.SCHEMA:
                return Stuck(f"central cannot read this version's frames, update it: {message.detail}")
            case Why.CHAIN | Why.TOO_LARGE:
                return self._halve(message, now)
            case Why.BUSY:
                self.paused_until = now + message.retry_after_ms / 1000
                self.window.ease()
            case Why.GAP if message.need <= self.window.acked == message.from_seq - 1:
                if self.window.answers_for_mark:
                    return Gone()  # central no longer holds what it acknowledged: have the heads compared
                self.window.rewind()  # it was said before what central has acknowledged since had come
            case Why.GAP:
                self.window.refuse(message.from_seq)
                if now - self._gap_at < self._resend_s:
                    return []  # one hole makes a NACK of every frame behind it
                self._gap_at = now
                self.window.rewind()
            case _:
                assert_never(message.reason)
        return self.pump(now)

    def _halve(self, message: Nack, now: float) -> list[Action]:
        if message.from_seq != self.window.acked + 1:
            return []
        self._tries_alone += self.window.chunk == 1
        (self.window.split if message.reason is Why.TOO_LARGE else self.window.halve)()
        if self._tries_alone > TRIES_ALONE_MAX:
            self._tries_alone = 0
            want = self.window.ask(self.way.leg.seq)
            return [] if want is None else [WantMissing(want.incarnation, want.from_seq)]
        return self.pump(now)
