"""The edge's end of the sync: what to send, when, and when to believe an acknowledgement. No I/O, no clock, no chance.

It is for one thing: to bring central's copy of a ledger up to its end over a pipe that drops, doubles, delays and
reorders. A ledger is a way of one or more chains (`Leg`), each continuing the one before; parents are sent first. `now`
is link time in seconds of any monotonic clock; `chance` gives a number in 0..1. The states and the actions are in
`machine`, the frames on the way in `window`, the facts pulled in `facts`.

Rules that could not be put into the table: a mark moves only by a message that echoes our boot nonce, token and
generation and whose hash is our own ledger's at that seq; a NACK never sends a HELLO, it waits for its timer; one HELLO
a timer; a WELCOME or NEWINC counts only for the last HELLO sent; a new chain begins only behind a place of our own.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import assert_never

from protocols.entry import GENESIS, SCHEMA_NOW, Digest, chain_hash, content_hash
from protocols.errors import PeerBroke, WeBroke
from protocols.sync.codec import NO_TOKEN, Envelope, Signing, pack_entries, seal, unseal
from protocols.sync.facts import Puller
from protocols.sync.frames import (
    NO_PARENT,
    NOTHING,
    SAMPLES_MAX,
    Ack,
    Branch,
    Facts,
    Fork,
    Frame,
    Head,
    Hello,
    Message,
    Nack,
    NewInc,
    Pull,
    Refused,
    Welcome,
    Why,
)
from protocols.sync.machine import (
    Action,
    Adopt,
    Behind,
    Happening,
    Leg,
    MarkAcked,
    MoveOn,
    PostFacts,
    Speaker,
    State,
    StateChanged,
    SyncLedger,
    Timing,
    Transmit,
    WantEntries,
    WantHash,
    WantPlaces,
    step,
)
from protocols.sync.window import Window
from protocols.values.ids import Incarnation
from protocols.values.instant import Instant

RESENDS_BEFORE_HELLO = 3
"""Windows sent again without an answer before the session is greeted anew."""
TRIES_ALONE_MAX = 8
"""How often one entry, alone in a frame, may be refused before a person is asked."""
CHECKS_MAX = 8
"""Acknowledgements that wait for the own ledger's hash."""
BACKOFF_DOUBLINGS_MAX = 16


class EdgeSession:
    """One ledger's way to central. Feed it bytes, time and the ledger's answers; do what it returns, in order.

    `way` are the ledger's chains from its root to the one now written.
    """

    def __init__(
        self,
        speaker: Speaker,
        way: Sequence[Leg],
        *,
        signing: Signing,
        timing: Timing,
        chance: Callable[[], float],
        facts: tuple[int, bytes] = (0, b""),
    ) -> None:
        self._speaker, self._signing, self._timing, self._chance = speaker, signing, timing, chance
        self.state, self.reason = State.OFFLINE, ""
        self._legs = list(way)
        self.dropped: dict[str, int] = {}
        """Why messages from central were not believed, counted; the reasons are a fixed few."""
        self._proven_hash: dict[tuple[Incarnation, int], Digest] = {}
        self._at = self._first_unsent()
        self._window = self._fresh_window()
        self._puller = Puller(*facts)
        self._wall, self._free_bytes = Instant(0), 0
        self._token, self._generation = NO_TOKEN, 0
        self._number, self._answered = 0, True
        self._acked_at_hello: dict[Incarnation, int] = {}
        self._attempt, self._hello_at, self._waiting_since = 0, math.inf, math.inf
        self._spread = timing.spread_s
        self._theirs: dict[Incarnation, Head] = {}
        self._unproven: list[Incarnation] = []
        self._places: tuple[Head, ...] = ()
        self._checks: dict[int, bytes] = {}
        self._tries_alone = self._resends = 0
        self._gap_at = self._paused_until = -math.inf

    @property
    def way(self) -> tuple[Leg, ...]:
        """The ledger's chains with their marks, from its root to the one now written."""
        return tuple(self._legs)

    @property
    def head_seq(self) -> int:
        """The end of the chain now written, -1 before its first entry."""
        return self._legs[-1].seq

    @property
    def acked(self) -> int:
        """The highest seq of the chain now written that central has committed, -1 before the first."""
        return self._legs[-1].acked

    @property
    def pending(self) -> int:
        """How many entries central has not acknowledged."""
        return sum(leg.seq - leg.acked for leg in self._legs)

    @property
    def rebuilding(self) -> bool:
        """Whether central has facts for this storeroom that this ledger lacks."""
        return self._puller.behind

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
        self._theirs, self._unproven = {}, []
        self._puller.stop()
        self._hello_at = self._waiting_since = math.inf
        self._answered = True
        return self._move(Happening.DISCONNECTED)

    def appended(self, head_seq: int, head_hash: Digest, now: float) -> list[Action]:
        """Note the ledger's new head, after its COMMIT."""
        self._legs[-1] = replace(self._legs[-1], seq=head_seq, hash=head_hash)
        return self._pump(now)

    def due(self) -> float:
        """Return the link time at which `tick` has something to do; infinite when nothing waits."""
        if self.state is State.OFFLINE:
            return math.inf
        waits = [self._hello_at, self._waiting_since + self._timing.welcome_wait_s]
        if self.state is State.LIVE:
            waits += [self._resend_at(), self._puller.due_at(self._timing.resend_s)]
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
        if self.state is State.LIVE and now >= self._puller.due_at(self._timing.resend_s):
            actions += self._pull(now)
        if now >= self._hello_at:
            actions += self._greet(now)
        return actions + self._pump(now)

    def receive(self, data: bytes, now: float) -> list[Action]:
        """Take one message from the `down` topic. What is not for this session is dropped and counted."""
        try:
            return self._heard(*unseal(data, self._signing), now)
        except PeerBroke:
            return self._drop("bytes or signature")

    def _heard(self, envelope: Envelope, message: Message, now: float) -> list[Action]:
        me = self._speaker
        if (envelope.device, envelope.boot_nonce) != (me.device, me.boot_nonce):
            return self._drop("another session's")
        if all(envelope.incarnation != leg.incarnation for leg in self._legs):
            return self._drop("another ledger's")
        match message:
            case Welcome():
                return self._welcomed(envelope, message, now)
            case Refused():
                return self._turned_away(message, now)
            case NewInc():
                return self._granted(envelope, message)
            case Facts():
                return self._told(envelope, message, now)
            case Ack() | Nack():
                return self._replied(envelope, message, now)
            case Hello() | Fork() | Frame() | Pull():
                return self._drop("not for an edge")
            case _:
                assert_never(message)

    def supply(self, incarnation: Incarnation, from_seq: int, raws: Sequence[bytes], now: float) -> list[Action]:
        """Take the entries that `WantEntries` asked for. Raises `WeBroke` when the ledger gave none."""
        window = self._window
        if self.state is not State.LIVE or incarnation != window.incarnation or not window.awaits(from_seq):
            return []
        if not raws:
            raise WeBroke(f"sync: expected entries from seq {from_seq} of {incarnation.hex()}, the ledger gave none")
        prev = last = window.prev_hash()
        for seq, raw in enumerate(raws, start=from_seq):
            last = chain_hash(incarnation, seq, last, content_hash(self._speaker.device, raw))
        window.sent(from_seq + len(raws) - 1, last, now)
        frame = Frame(from_seq, len(raws), prev, last, pack_entries(raws))
        return [self._transmit(frame, incarnation), *self._pump(now)]

    def known(self, incarnation: Incarnation, seq: int, digest: Digest | None, now: float) -> list[Action]:
        """Take the own ledger's hash that `WantHash` asked for."""
        if self.state is State.CHECKING:
            return self._prove(incarnation, seq, digest, now)
        claimed = self._checks.pop(seq, None) if incarnation == self._window.incarnation else None
        if claimed is None or self.state is not State.LIVE or seq <= self._window.acked:
            return []
        if digest is None or digest != claimed:
            self._drop("a hash that is not this ledger's")
            return self._lose_session(now)
        self._resends = self._tries_alone = 0
        self._window.advance(seq, digest)
        self._legs[self._at] = replace(self._legs[self._at], acked=seq)
        self._proven_hash = {(incarnation, seq): digest}
        return [MarkAcked(incarnation, seq), *self._pump(now)]

    def placed(self, places: Sequence[Head]) -> list[Action]:
        """Take the places that `WantPlaces` asked for."""
        if self.state is not State.FORKING:
            return []
        self._places = tuple(places)
        return [self._transmit(Fork(self._number, self._places))]

    def adopted(self, way: Sequence[Leg], now: float) -> list[Action]:
        """Take the ledger's way after it went on in a new chain; greet with it at once."""
        self._legs = list(way)
        self._at = self._first_unsent()
        self._window = self._fresh_window()
        self._hello_at = now
        return self._move(Happening.ADOPTED)

    def posted(self, upto: int, facts_sum: bytes, now: float) -> list[Action]:
        """Note that facts up to a version are in the projections."""
        was_behind = self._puller.behind
        self._puller.posted(upto, facts_sum)
        if self._puller.behind:
            return self._pull(now)
        return [Behind(False)] if was_behind else []

    # --- greeting ---------------------------------------------------------------------------------------------------

    def _greet(self, now: float) -> list[Action]:
        waits = self.state in {State.CHECKING, State.FORKING}
        actions = self._move(Happening.SESSION_LOST) if waits else []
        self._waiting_since = min(self._waiting_since, now)
        self._number += 1
        self._answered, self._theirs = False, {}
        self._acked_at_hello = {leg.incarnation: leg.acked for leg in self._legs}
        self._hello_at = now + self._wait_s()
        self._attempt += 1
        hello = Hello(
            number=self._number,
            agent_version=self._speaker.agent_version,
            schema_min=SCHEMA_NOW,
            schema_max=SCHEMA_NOW,
            chains=tuple(_branch(leg) for leg in self._legs),
            oldest_seq=0,
            facts=self._puller.version,
            facts_sum=self._puller.sum,
            feeds={},
            wall=self._wall,
            free_bytes=self._free_bytes,
        )
        return [*actions, self._transmit(hello)]

    def _welcomed(self, envelope: Envelope, message: Welcome, now: float) -> list[Action]:
        theirs = {Incarnation(head.incarnation): head for head in message.heads}
        if self._stale_greeting(message.number) or any(leg.incarnation not in theirs for leg in self._legs):
            return self._drop("stale greeting")
        self._answered, self._attempt, self._waiting_since = True, 0, math.inf
        self._token, self._generation = envelope.token, envelope.generation
        self._hello_at = now + self._timing.hello_s  # the longest that CHECKING and FORKING may take
        self._theirs = theirs
        self._puller.heard(message.facts_from, message.facts)
        actions = self._move(Happening.WELCOMED)
        for leg in self._legs:
            head = theirs[leg.incarnation]
            if head.seq > leg.seq or (head.seq == leg.seq != NOTHING and head.hash != leg.hash):
                return actions + self._diverge()
        self._unproven = [leg.incarnation for leg in self._legs if NOTHING < theirs[leg.incarnation].seq < leg.seq]
        return actions + self._prove_next(now)

    def _prove_next(self, now: float) -> list[Action]:
        if not self._unproven:
            return self._proven(now)
        incarnation = self._unproven[0]
        return [WantHash(incarnation, self._theirs[incarnation].seq)]

    def _prove(self, incarnation: Incarnation, seq: int, digest: Digest | None, now: float) -> list[Action]:
        if not self._unproven or (incarnation, seq) != (self._unproven[0], self._theirs[self._unproven[0]].seq):
            return []
        if digest is None:
            what = f"central needs entries after {seq}, which this ledger no longer keeps"
            return self._stick(f"{what}; expected to keep what is nowhere else: have the two compared", now)
        if digest != self._theirs[incarnation].hash:
            return self._diverge()
        self._proven_hash[incarnation, seq] = digest
        self._unproven.pop(0)
        return self._prove_next(now)

    def _proven(self, now: float) -> list[Action]:
        self._hello_at = now + self._timing.idle_hello_s * (1 + self._chance()) / 2
        self._checks.clear()
        self._resends = 0
        actions = self._move(Happening.PROVEN)
        for place, leg in enumerate(self._legs):
            said = self._theirs[leg.incarnation].seq
            overtaken = self._acked_at_hello[leg.incarnation] <= said < leg.acked  # by an ACK, on the WELCOME's way
            if said != leg.acked and not overtaken:
                self._legs[place] = replace(leg, acked=said)
                actions.append(MarkAcked(leg.incarnation, said))
        self._theirs = {}
        self._at = self._first_unsent()
        return actions + self._begin_leg(now) + self._catch_up(now)

    def _diverge(self) -> list[Action]:
        self._theirs, self._unproven = {}, []
        return [*self._move(Happening.DIVERGED), WantPlaces()]

    def _granted(self, envelope: Envelope, message: NewInc) -> list[Action]:
        if self.state is not State.FORKING or (message.number, envelope.token) != (self._number, self._token):
            return self._drop("stale greeting")
        if message.behind is not None and message.behind not in self._places:
            return self._drop("a place that is not this ledger's")
        if any(message.incarnation == leg.incarnation for leg in self._legs):
            return self._drop("a chain that is there already")
        return [Adopt(Incarnation(message.incarnation), message.behind)]

    def _turned_away(self, message: Refused, now: float) -> list[Action]:
        if self._stale_greeting(message.number):
            return self._drop("stale greeting")
        self._answered = True
        return self._refuse(Happening.TURNED_AWAY, message.reason, now)

    def _stale_greeting(self, number: int) -> bool:
        busy = {State.OFFLINE, State.CHECKING, State.FORKING}
        return self._answered or number != self._number or self.state in busy

    # --- facts ------------------------------------------------------------------------------------------------------

    def _catch_up(self, now: float) -> list[Action]:
        return [Behind(True), *self._pull(now)] if self._puller.behind else []

    def _pull(self, now: float) -> list[Action]:
        return [self._transmit(self._puller.ask(now))]

    def _told(self, envelope: Envelope, message: Facts, now: float) -> list[Action]:
        if self.state is not State.LIVE or (envelope.token, envelope.generation) != (self._token, self._generation):
            return self._drop("stale token")
        entries = self._puller.take(message)
        if entries is None:
            return self._drop("nothing new")
        return [PostFacts(message.upto, message.facts_sum, entries)]

    # --- acknowledgements -------------------------------------------------------------------------------------------

    def _replied(self, envelope: Envelope, message: Ack | Nack, now: float) -> list[Action]:
        if self.state is not State.LIVE or envelope.token != self._token:
            return self._drop("stale token")
        if isinstance(message, Nack):
            return self._nacked(message, now)
        if envelope.generation != self._generation:
            return self._drop("stale generation")
        leg = self._legs[self._at]
        here = envelope.incarnation == leg.incarnation and leg.acked < message.seq <= leg.seq
        if not here or len(self._checks) >= CHECKS_MAX:
            return self._drop("nothing new")
        self._checks[message.seq] = message.hash
        return [WantHash(leg.incarnation, message.seq)]

    def _nacked(self, message: Nack, now: float) -> list[Action]:
        match message.reason:
            case Why.SESSION | Why.FORK:
                return self._lose_session(now)
            case Why.SCHEMA:
                return self._stick(f"central cannot read this version's entries: {message.detail}", now)
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
        if message.from_seq != self._window.acked + 1:
            return []
        self._tries_alone += self._window.chunk == 1
        if self._tries_alone > TRIES_ALONE_MAX:
            what = f"central refused entry {message.from_seq} {TRIES_ALONE_MAX} times: {message.detail}"
            return self._stick(what, now)
        self._window.halve()
        return self._pump(now)

    # --- moves ------------------------------------------------------------------------------------------------------

    def _pump(self, now: float) -> list[Action]:
        if self.state is not State.LIVE or now < self._paused_until:
            return []
        leg = self._legs[self._at]
        if leg.acked >= leg.seq and self._at < len(self._legs) - 1:
            self._at = self._first_unsent()
            return self._begin_leg(now)
        want = self._window.ask(leg.seq)
        return [want] if want is not None else []

    def _first_unsent(self) -> int:
        """Return which chain is to be sent: the first that central does not hold as far as the way goes."""
        last = len(self._legs) - 1
        return next((place for place, leg in enumerate(self._legs) if leg.acked < leg.seq), last)

    def _fresh_window(self) -> Window:
        """Return a window behind the mark; in a chain's middle its hash is the one just proven, else not known yet."""
        leg = self._legs[self._at]
        known = leg.base if leg.acked == NOTHING else self._proven_hash.get((leg.incarnation, leg.acked), leg.hash)
        return Window(leg.incarnation, leg.acked, known)

    def _begin_leg(self, now: float) -> list[Action]:
        """Send the chain at hand from its mark on."""
        self._checks.clear()
        self._window = self._fresh_window()
        return self._pump(now)

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

    def _stick(self, reason: str, now: float) -> list[Action]:
        return self._refuse(Happening.STUCK, reason, now)

    def _refuse(self, happening: Happening, reason: str, now: float) -> list[Action]:
        self._theirs, self._unproven = {}, []
        self._waiting_since = math.inf
        actions = self._move(happening, reason)
        self._hello_at = now + self._wait_s()
        return actions

    def _move(self, happening: Happening, reason: str = "") -> list[Action]:
        before = (self.state, self.reason)
        self.state, self.reason = step(self.state, happening), reason
        return [StateChanged(self.state, reason)] if (self.state, reason) != before else []

    def _transmit(self, message: Message, incarnation: Incarnation | None = None) -> Transmit:
        me, chain = self._speaker, incarnation or self._legs[-1].incarnation
        envelope = Envelope(me.device, chain, me.boot_nonce, self._token, self._generation)
        return Transmit(seal(envelope, message, self._signing))

    def _drop(self, why: str) -> list[Action]:
        self.dropped[why] = self.dropped.get(why, 0) + 1
        return []


def _branch(leg: Leg) -> Branch:
    parent = NO_PARENT if leg.parent is None else leg.parent
    last = leg.hash if leg.seq > NOTHING else GENESIS
    return Branch(leg.incarnation, leg.seq, last, leg.acked, parent, leg.parent_seq)


def settle(session: EdgeSession, actions: Iterable[Action], ledger: SyncLedger, now: float) -> list[Action]:
    """Answer what a session asks of its ledger until it asks no more; return what is for the wire and the status."""
    left: list[Action] = []
    todo = list(actions)
    while todo:
        action = todo.pop(0)
        match action:
            case WantEntries(incarnation, from_seq, n, max_bytes):
                raws = ledger.entries_raw(from_seq, n, max_bytes, incarnation)
                todo += session.supply(incarnation, from_seq, raws, now)
            case WantHash(incarnation, seq):
                todo += session.known(incarnation, seq, ledger.hash_at(seq, incarnation), now)
            case WantPlaces():
                todo += session.placed(ledger.places(SAMPLES_MAX))
            case Adopt(incarnation, behind):
                todo += session.adopted(ledger.adopt(incarnation, behind), now)
            case MarkAcked(incarnation, seq):
                ledger.set_acked(seq, incarnation)
            case PostFacts(upto, facts_sum, entries):
                ledger.post_facts(upto, facts_sum, entries)
                todo += session.posted(upto, facts_sum, now)
            case _:
                left.append(action)
    return left
