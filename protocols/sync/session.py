"""The edge's end of the sync: what to send, when, and when to believe an acknowledgement. No I/O, no clock, no chance.

It is for one thing: to bring central's copy of one chain up to the ledger's head over a pipe that drops, doubles,
delays and reorders. `now` is link time in seconds of any monotonic clock; `chance` gives a number in 0..1. The states
and the actions are in `machine`, the frames on the way in `window`.

Rules that could not be put into the table: the mark moves only by a message that echoes our boot nonce, token and
generation and whose hash is our own ledger's at that seq; a NACK never sends a HELLO, it waits for its timer; one HELLO
a timer; a WELCOME counts only for the last HELLO sent.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import assert_never

from protocols.entry import GENESIS, SCHEMA_NOW, Digest, chain_hash, content_hash
from protocols.errors import PeerBroke, WeBroke
from protocols.sync.codec import NO_TOKEN, Envelope, Signing, pack_entries, seal, unseal
from protocols.sync.frames import NOTHING, Ack, Frame, Head, Hello, Message, Nack, Refused, Welcome, Why
from protocols.sync.machine import (
    Action,
    Happening,
    MarkAcked,
    Marks,
    MoveOn,
    Speaker,
    State,
    StateChanged,
    SyncLedger,
    Timing,
    Transmit,
    WantEntries,
    WantHash,
    step,
)
from protocols.sync.window import Window
from protocols.values.instant import Instant

RESENDS_BEFORE_HELLO = 3
"""Windows sent again without an answer before the session is greeted anew."""
TRIES_ALONE_MAX = 8
"""How often one entry, alone in a frame, may be refused before a person is asked."""
CHECKS_MAX = 8
"""Acknowledgements that wait for the own ledger's hash."""
BACKOFF_DOUBLINGS_MAX = 16


class EdgeSession:
    """One chain's way to central. Feed it bytes, time and the ledger's answers; do what it returns, in order."""

    def __init__(
        self, speaker: Speaker, marks: Marks, *, signing: Signing, timing: Timing, chance: Callable[[], float]
    ) -> None:
        self._speaker, self._signing, self._timing, self._chance = speaker, signing, timing, chance
        self.state, self.reason = State.OFFLINE, ""
        self.head_seq, self._head_hash = marks.head_seq, marks.head_hash
        self.dropped: dict[str, int] = {}
        """Why messages from central were not believed, counted; the reasons are a fixed few."""
        self._window = Window(marks.acked)
        self._wall, self._free_bytes = Instant(0), 0
        self._token, self._generation = NO_TOKEN, 0
        self._number, self._answered, self._acked_at_hello = 0, True, marks.acked
        self._attempt, self._hello_at, self._waiting_since = 0, math.inf, math.inf
        self._spread = timing.spread_s
        self._theirs: Head | None = None
        self._checks: dict[int, bytes] = {}
        self._tries_alone = self._resends = 0
        self._gap_at = self._paused_until = -math.inf

    @property
    def acked(self) -> int:
        """The highest seq that central has committed, -1 before the first."""
        return self._window.acked

    # --- what the world tells ---------------------------------------------------------------------------------------

    def tell(self, *, wall: Instant, free_bytes: int) -> None:
        """Take what the next HELLO reports about this machine."""
        self._wall, self._free_bytes = wall, free_bytes

    def connected(self, now: float) -> list[Action]:
        """Note that the broker took us and our subscription stands."""
        actions = self.disconnected()
        self._waiting_since = now
        self._hello_at = now + self._chance() * self._spread
        self._spread = min(self._timing.spread_s, self._timing.backoff_max_s)
        return actions + self._move(Happening.CONNECTED)

    def disconnected(self) -> list[Action]:
        """Note that the broker is gone; said twice it changes nothing."""
        if self.state is State.OFFLINE:
            return []
        self._checks.clear()
        self._theirs = None
        self._hello_at = self._waiting_since = math.inf
        self._answered = True
        return self._move(Happening.DISCONNECTED)

    def appended(self, head_seq: int, head_hash: Digest, now: float) -> list[Action]:
        """Note the ledger's new head, after its COMMIT."""
        self.head_seq, self._head_hash = head_seq, head_hash
        return self._pump(now)

    def due(self) -> float:
        """Return the link time at which `tick` has something to do; infinite when nothing waits."""
        if self.state is State.OFFLINE:
            return math.inf
        waits = [self._hello_at, self._waiting_since + self._timing.welcome_wait_s]
        if self.state is State.LIVE:
            waits.append(self._resend_at())
        if self.state is State.LIVE and self._paused_until > -math.inf:
            waits.append(self._paused_until)
        return min(waits)

    def tick(self, now: float) -> list[Action]:
        """Do what is due."""
        if now < self.due():
            return []
        actions: list[Action] = []
        if now >= self._waiting_since + self._timing.welcome_wait_s:
            self._waiting_since = now
            actions.append(MoveOn())
        if now >= self._paused_until:
            self._paused_until = -math.inf
        if self.state is State.LIVE and now >= self._resend_at():
            actions += self._resend(now)
        if now >= self._hello_at:
            actions += self._greet(now)
        return actions + self._pump(now)

    def receive(self, data: bytes, now: float) -> list[Action]:
        """Take one message from the `down` topic. What is not for this session is dropped and counted."""
        try:
            envelope, message = unseal(data, self._signing)
        except PeerBroke:
            return self._drop("bytes or signature")
        me = self._speaker
        if (envelope.device, envelope.incarnation, envelope.boot_nonce) != (me.device, me.incarnation, me.boot_nonce):
            return self._drop("another session's")
        match message:
            case Welcome():
                return self._welcomed(envelope, message, now)
            case Refused():
                return self._turned_away(message, now)
            case Ack() | Nack():
                return self._replied(envelope, message, now)
            case Hello() | Frame():
                return self._drop("not for an edge")
            case _:
                assert_never(message)

    def supply(self, from_seq: int, raws: Sequence[bytes], now: float) -> list[Action]:
        """Take the entries that `WantEntries` asked for. Raises `WeBroke` when the ledger gave none."""
        if self.state is not State.LIVE or not self._window.awaits(from_seq):
            return []
        if not raws:
            raise WeBroke(f"sync: expected entries from seq {from_seq} to head {self.head_seq}, the ledger gave none")
        me, prev = self._speaker, self._window.prev_hash()
        last = prev
        for seq, raw in enumerate(raws, start=from_seq):
            last = chain_hash(me.incarnation, seq, last, content_hash(me.device, raw))
        self._window.sent(from_seq + len(raws) - 1, last, now)
        frame = Frame(from_seq, len(raws), prev, last, pack_entries(raws))
        return [self._transmit(frame), *self._pump(now)]

    def known(self, seq: int, digest: Digest | None, now: float) -> list[Action]:
        """Take the own ledger's hash that `WantHash` asked for."""
        if self.state is State.CHECKING and self._theirs is not None and self._theirs.seq == seq:
            return self._compare(self._theirs, digest, now)
        claimed = self._checks.pop(seq, None)
        if claimed is None or self.state is not State.LIVE or seq <= self.acked:
            return []
        if digest is None or digest != claimed:
            self._drop("a hash that is not this ledger's")
            return self._lose_session(now)
        self._resends = self._tries_alone = 0
        self._window.advance(seq, digest)
        return [MarkAcked(seq), *self._pump(now)]

    # --- greeting ---------------------------------------------------------------------------------------------------

    def _greet(self, now: float) -> list[Action]:
        actions = self._move(Happening.SESSION_LOST) if self.state is State.CHECKING else []
        self._waiting_since = min(self._waiting_since, now)
        self._number += 1
        self._answered, self._acked_at_hello, self._theirs = False, self.acked, None
        self._hello_at = now + self._wait_s()
        self._attempt += 1
        hello = Hello(
            number=self._number,
            agent_version=self._speaker.agent_version,
            schema_min=SCHEMA_NOW,
            schema_max=SCHEMA_NOW,
            heads=(Head(self._speaker.incarnation, self.head_seq, self._head_hash),),
            oldest_seq=0,
            acked=self.acked,
            feeds={},
            wall=self._wall,
            free_bytes=self._free_bytes,
        )
        return [*actions, self._transmit(hello)]

    def _welcomed(self, envelope: Envelope, message: Welcome, now: float) -> list[Action]:
        own = next((head for head in message.heads if head.incarnation == self._speaker.incarnation), None)
        if own is None or self._stale_greeting(message.number):
            return self._drop("stale greeting")
        self._answered, self._attempt, self._waiting_since = True, 0, math.inf
        self._token, self._generation = envelope.token, envelope.generation
        self._hello_at = now + self._timing.hello_s  # the longest that CHECKING may take
        self._theirs = own
        actions = self._move(Happening.WELCOMED)
        if own.seq > self.head_seq:
            what = f"central holds entries up to {own.seq}, this ledger ends at {self.head_seq}"
            return actions + self._diverge(what, now)
        if own.seq == NOTHING:
            return actions + self._compare(own, GENESIS, now)
        return [*actions, WantHash(own.seq)]

    def _compare(self, theirs: Head, digest: Digest | None, now: float) -> list[Action]:
        self._theirs = None
        if digest is None:
            return self._diverge(f"central needs entries after {theirs.seq}, which this ledger no longer keeps", now)
        if digest != theirs.hash:
            return self._diverge(f"central holds another entry at {theirs.seq} than this ledger", now)
        self._hello_at = now + self._timing.idle_hello_s * (1 + self._chance()) / 2
        self._checks.clear()
        self._resends = 0
        actions = self._move(Happening.PROVEN)
        overtaken = self._acked_at_hello <= theirs.seq < self.acked  # an ACK came while the WELCOME was on its way
        if overtaken:
            self._window.rewind()
        elif self._window.stand_at(theirs.seq, digest):
            actions.append(MarkAcked(theirs.seq))
        return actions + self._pump(now)

    def _turned_away(self, message: Refused, now: float) -> list[Action]:
        if self._stale_greeting(message.number):
            return self._drop("stale greeting")
        self._answered = True
        return self._refuse(Happening.TURNED_AWAY, message.reason, now)

    def _stale_greeting(self, number: int) -> bool:
        return self._answered or number != self._number or self.state in {State.OFFLINE, State.CHECKING}

    # --- acknowledgements -------------------------------------------------------------------------------------------

    def _replied(self, envelope: Envelope, message: Ack | Nack, now: float) -> list[Action]:
        if self.state is not State.LIVE or envelope.token != self._token:
            return self._drop("stale token")
        if isinstance(message, Nack):
            return self._nacked(message, now)
        if envelope.generation != self._generation:
            return self._drop("stale generation")
        if not self.acked < message.seq <= self.head_seq or len(self._checks) >= CHECKS_MAX:
            return self._drop("nothing new")
        self._checks[message.seq] = message.hash
        return [WantHash(message.seq)]

    def _nacked(self, message: Nack, now: float) -> list[Action]:
        match message.reason:
            case Why.SESSION | Why.FORK:
                return self._lose_session(now)
            case Why.SCHEMA:
                return self._diverge(f"central cannot read this version's entries: {message.detail}", now)
            case Why.CHAIN | Why.TOO_LARGE:
                return self._halve(message, now)
            case Why.BUSY:
                self._paused_until = now + message.retry_after_ms / 1000
                self._window.rewind()
            case Why.GAP:
                if now - self._gap_at < self._timing.resend_s:
                    return []  # one hole makes a NACK of every frame behind it
                self._gap_at = now
                self._window.rewind()
            case _:
                assert_never(message.reason)
        return self._pump(now)

    def _halve(self, message: Nack, now: float) -> list[Action]:
        if message.from_seq != self.acked + 1:
            return []
        self._tries_alone += self._window.chunk == 1
        if self._tries_alone > TRIES_ALONE_MAX:
            what = f"central refused entry {message.from_seq} {TRIES_ALONE_MAX} times: {message.detail}"
            return self._diverge(what, now)
        self._window.halve()
        return self._pump(now)

    # --- moves ------------------------------------------------------------------------------------------------------

    def _pump(self, now: float) -> list[Action]:
        if self.state is not State.LIVE or now < self._paused_until:
            return []
        want = self._window.ask(self.head_seq)
        return [want] if want is not None else []

    def _resend_at(self) -> float:
        oldest = self._window.oldest_sent_at()
        return math.inf if oldest is None else oldest + self._timing.resend_s

    def _resend(self, now: float) -> list[Action]:
        self._resends += 1
        if self._resends > RESENDS_BEFORE_HELLO:
            return self._lose_session(now)
        self._window.rewind()
        return []

    def _wait_s(self) -> float:
        base = self._timing.refused_retry_s if self.state is State.REFUSED else self._timing.hello_s
        doublings = min(self._attempt, BACKOFF_DOUBLINGS_MAX)
        return base + self._chance() * min(self._timing.backoff_max_s, base * (1 << doublings))

    def _lose_session(self, now: float) -> list[Action]:
        self._hello_at = min(self._hello_at, now + self._wait_s())
        return self._move(Happening.SESSION_LOST)

    def _diverge(self, what: str, now: float) -> list[Action]:
        reason = f"{what}; expected one unbroken ledger a device: keep this disk and have the two compared"
        return self._refuse(Happening.DIVERGED, reason, now)

    def _refuse(self, happening: Happening, reason: str, now: float) -> list[Action]:
        self._theirs = None
        self._waiting_since = math.inf
        actions = self._move(happening, reason)
        self._hello_at = now + self._wait_s()
        return actions

    def _move(self, happening: Happening, reason: str = "") -> list[Action]:
        before = (self.state, self.reason)
        self.state, self.reason = step(self.state, happening), reason
        return [StateChanged(self.state, reason)] if (self.state, reason) != before else []

    def _transmit(self, message: Message) -> Transmit:
        me = self._speaker
        envelope = Envelope(me.device, me.incarnation, me.boot_nonce, self._token, self._generation)
        return Transmit(seal(envelope, message, self._signing))

    def _drop(self, why: str) -> list[Action]:
        self.dropped[why] = self.dropped.get(why, 0) + 1
        return []


def settle(session: EdgeSession, actions: Iterable[Action], ledger: SyncLedger, now: float) -> list[Action]:
    """Answer what a session asks of its ledger until it asks no more; return what is for the wire and the status."""
    left: list[Action] = []
    todo = list(actions)
    while todo:
        action = todo.pop(0)
        match action:
            case WantEntries():
                raws = ledger.entries_raw(action.from_seq, action.n, action.max_bytes)
                todo += session.supply(action.from_seq, raws, now)
            case WantHash():
                todo += session.known(action.seq, ledger.hash_at(action.seq), now)
            case MarkAcked():
                ledger.set_acked(action.seq)
            case _:
                left.append(action)
    return left
