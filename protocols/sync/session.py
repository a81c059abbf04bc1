"""The edge's end of the sync: what to send, when, and when to believe an acknowledgement. No I/O, no clock, no chance.

It is for one thing: to bring central's copy of a ledger up to its end over a pipe that drops, doubles, delays and
reorders. A ledger is a way of one or more chains (`Leg`), each continuing the one before; parents are sent first. `now`
is link time in seconds of any monotonic clock; `chance` gives a number in 0..1. The states and the actions are in
`machine`, the timers of greetings in `greeting`, central's heads held against our own in `proof`, the chains and their
marks in `way`, the frames on the way in `window`, the facts pulled in `facts`, the feed in `feed`; `settle` drives it.

Rules that could not be put into the table: a mark moves only by a message that echoes our boot nonce, token and
generation and whose hash is our own ledger's at that seq; a NACK never sends a HELLO, it waits for its timer; one HELLO
a timer; a WELCOME or NEWINC counts only for the last HELLO sent; a new chain begins only behind a place of our own.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import assert_never

from protocols.entry import Digest, chain_hash, content_hash
from protocols.errors import PeerBroke, WeBroke
from protocols.sync.codec import NO_TOKEN, Envelope, Signing, pack_entries, seal, unseal
from protocols.sync.dictionary import NO_DICTIONARY, newest
from protocols.sync.facts import Puller
from protocols.sync.feed import Applied, Fetcher, Held
from protocols.sync.frames import (
    HALF_BYTES,
    TEXT_MAX,
    Ack,
    Damaged,
    Delta,
    Facts,
    Fetch,
    Fork,
    Frame,
    Gap,
    Head,
    Hello,
    Hint,
    Message,
    Nack,
    NewInc,
    Pull,
    Refused,
    Snapshot,
    Welcome,
    Why,
)
from protocols.sync.gaps import gaps, place_before
from protocols.sync.greeting import Greeter
from protocols.sync.machine import (
    Action,
    Adopt,
    Behind,
    Happening,
    HeardTime,
    Leg,
    MarkSafe,
    MoveOn,
    PostFacts,
    Speaker,
    Spoilt,
    State,
    StateChanged,
    TakeFeed,
    Timing,
    Transmit,
    Trimmed,
    WantHash,
    WantMissing,
    WantPlaces,
    step,
)
from protocols.sync.proof import Proof, Verdict
from protocols.sync.way import Way
from protocols.values.ids import Incarnation
from protocols.values.instant import Instant

RESENDS_BEFORE_HELLO = 3
"""Windows sent again without an answer before the session is greeted anew."""
TRIES_ALONE_MAX = 8
"""How often one entry, alone in a frame, may be refused before a person is asked."""
CHECKS_MAX = 8
"""Acknowledgements that wait for the own ledger's hash."""


class EdgeSession:
    """One ledger's way to central. Feed it bytes, time and the ledger's answers; do what it returns, in order.

    `way` are the ledger's chains from its root to the one now written; `feeds` what is held of the feed, None for a
    device that takes none.
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
        feeds: Mapping[str, Held] | None = None,
    ) -> None:
        self._speaker, self._signing, self._timing = speaker, signing, timing
        self.state, self.reason = State.OFFLINE, ""
        self.dropped: dict[str, int] = {}
        """Why messages from central were not believed, counted; the reasons are a fixed few."""
        self._way = Way(way)
        self._window = self._way.window()
        self._greeter = Greeter(speaker, timing, chance)
        self._proof = Proof()
        self._puller = Puller(*facts)
        self._fetcher = Fetcher({}, scopes=()) if feeds is None else Fetcher(feeds)
        self._token, self._generation, self._dictionary = NO_TOKEN, 0, NO_DICTIONARY
        self.central_wall: tuple[Instant, float] | None = None
        """Central's time as last heard, and the link time it was heard at."""
        self._places: tuple[Head, ...] = ()
        self._without: int | None = None
        self._not_kept: int | None = None
        self._checks: dict[int, bytes] = {}
        self._tries_alone = self._resends = 0
        self._gap_at = self._paused_until = -math.inf
        self._safe: tuple[tuple[bytes, int], ...] = ()

    @property
    def way(self) -> tuple[Leg, ...]:
        """The ledger's chains with their marks, from its root to the one now written."""
        return tuple(self._way.legs)

    @property
    def head_seq(self) -> int:
        """The end of the chain now written, -1 before its first entry."""
        return self._way.tip.seq

    @property
    def acked(self) -> int:
        """The highest seq of the chain now written that central has committed, -1 before the first."""
        return self._way.tip.acked

    @property
    def pending(self) -> int:
        """How many entries central has not acknowledged."""
        return self._way.pending

    @property
    def rebuilding(self) -> bool:
        """Whether central has facts for this storeroom that this ledger lacks."""
        return self._puller.behind

    # --- what the world tells ---------------------------------------------------------------------------------------

    def tell(self, *, wall: Instant, free_bytes: int) -> None:
        """Take what the next HELLO reports about this machine."""
        self._greeter.tell(wall=wall, free_bytes=free_bytes)

    def connected(self, now: float) -> list[Action]:
        """Note that the broker took us and our subscription stands."""
        actions = self.disconnected()
        self._greeter.connected(now)
        return actions + self._move(Happening.CONNECTED)

    def disconnected(self) -> list[Action]:
        """Note that the broker is gone; said twice it changes nothing."""
        if self.state is State.OFFLINE:
            return []
        self._checks.clear()
        self._proof.stop()
        self._puller.stop()
        self._fetcher.stop()
        self._greeter.disconnected()
        return self._move(Happening.DISCONNECTED)

    def appended(self, head_seq: int, head_hash: Digest, now: float) -> list[Action]:
        """Note the ledger's new head, after its COMMIT."""
        self._way.appended(head_seq, head_hash)
        return self._pump(now)

    def due(self) -> float:
        """Return the link time at which `tick` has something to do; infinite when nothing waits."""
        if self.state is State.OFFLINE:
            return math.inf
        waits = [self._greeter.hello_at, self._greeter.move_on_at()]
        if self.state is State.LIVE:
            waits += [self._resend_at(), self._puller.due_at(self._timing.resend_s)]
            waits.append(self._fetcher.due_at(self._timing.resend_s))
        if self.state is State.LIVE and self._paused_until > -math.inf:
            waits.append(self._paused_until)
        return min(waits)

    def tick(self, now: float) -> list[Action]:
        """Do what is due."""
        if now < self.due():
            return []
        actions: list[Action] = []
        if now >= self._greeter.move_on_at():
            self._greeter.wait_anew(now)
            actions.append(MoveOn())
        if now >= self._paused_until:
            self._paused_until = -math.inf
        if self.state is State.LIVE and now >= self._resend_at():
            actions += self._resend(now)
        if self.state is State.LIVE and now >= self._puller.due_at(self._timing.resend_s):
            actions += self._pull(now)
        if self.state is State.LIVE and now >= self._fetcher.due_at(self._timing.resend_s):
            actions += self._fetch(now)
        if now >= self._greeter.hello_at:
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
        if isinstance(message, Hint):
            return self._hinted(envelope, message, now)
        if (envelope.device, envelope.boot_nonce) != (me.device, me.boot_nonce):
            return self._drop("another session's")
        if not self._way.has(envelope.incarnation):
            return self._drop("another ledger's")
        return self._said(envelope, message, now)

    def _said(self, envelope: Envelope, message: Message, now: float) -> list[Action]:
        match message:
            case Welcome():
                return self._welcomed(envelope, message, now)
            case Refused():
                return self._turned_away(message, now)
            case NewInc():
                return self._granted(envelope, message)
            case Facts():
                return self._told(envelope, message, now)
            case Delta() | Snapshot():
                return self._brought(envelope, message, now)
            case Ack() | Nack():
                return self._replied(envelope, message, now)
            case Hello() | Fork() | Frame() | Pull() | Gap() | Damaged() | Fetch() | Hint():
                return self._drop("not for an edge")
            case _:
                assert_never(message)

    def supply(self, incarnation: Incarnation, from_seq: int, raws: Sequence[bytes], now: float) -> list[Action]:
        """Take the entries that `WantEntries` asked for. Raises `WeBroke` when the ledger gave none."""
        window = self._window
        if self.state is not State.LIVE or incarnation != window.incarnation or not window.awaits(from_seq):
            return []
        if not raws:
            return [WantMissing(incarnation, from_seq)]
        prev = last = window.prev_hash()
        for seq, raw in enumerate(raws, start=from_seq):
            last = chain_hash(incarnation, seq, last, content_hash(self._speaker.device, raw))
        window.sent(from_seq + len(raws) - 1, last, now)
        frame = Frame(from_seq, len(raws), prev, last[:HALF_BYTES], pack_entries(raws, self._dictionary))
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
        safe = [MarkSafe(Incarnation(chain), upto) for chain, upto in self._safe if chain == incarnation]
        return [self._way.advance(seq, digest), *safe, *self._pump(now)]

    def missing(self, incarnation: Incarnation, seq: int, why: Trimmed | Spoilt | None, now: float) -> list[Action]:
        """Take what `WantMissing` asked for. Raises `WeBroke` when the ledger knows of no such entry."""
        window = self._window
        if self.state is not State.LIVE or incarnation != window.incarnation or not window.awaits(seq):
            return []
        match why:
            case Trimmed():
                said = [self._transmit(gap, incarnation) for gap in gaps(seq, why)]
                window.sent(why.last_seq, why.hash, now)
                return [*said, *self._pump(now)]
            case Spoilt():
                return self._give_up(seq, why, now)
            case _ if self._not_kept is not None:
                what = f"central needs entries after {self._not_kept}, which this ledger no longer keeps"
                return self._stick(f"{what}; expected to keep what is nowhere else: have the two compared", now)
            case _:
                raise WeBroke(f"sync: expected entries from seq {seq} of {incarnation.hex()}, the ledger gave none")

    def _give_up(self, seq: int, why: Spoilt, now: float) -> list[Action]:
        """Say that an entry cannot be sent, once central holds all before it, and ask to go on without it."""
        window, leg = self._window, self._way.leg
        if not window.is_empty:
            window.stop_at(seq)
            return []
        behind = place_before(leg, seq, window.prev_hash())
        self._places, self._without = (behind,) if behind is not None else (), seq
        self._greeter.sooner(now + self._timing.hello_s)
        damaged = Damaged(self._greeter.number, seq, behind, why.hash, why.raw, why.detail[:TEXT_MAX])
        return [*self._move(Happening.DIVERGED), self._transmit(damaged, leg.incarnation)]

    def placed(self, places: Sequence[Head]) -> list[Action]:
        """Take the places that `WantPlaces` asked for."""
        if self.state is not State.FORKING:
            return []
        self._places, self._without = tuple(places), None
        return [self._transmit(Fork(self._greeter.number, self._places))]

    def adopted(self, way: Sequence[Leg], now: float) -> list[Action]:
        """Take the ledger's way after it went on in a new chain; greet with it at once."""
        self._way.go_on(way)
        self._window = self._way.window()
        self._greeter.hello_at = now
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
        self._proof.stop()
        hello = self._greeter.hello(
            self._way.legs, self._puller, self._fetcher.versions, wait_s=self._wait_s(), now=now
        )
        return [*actions, self._transmit(hello)]

    def _welcomed(self, envelope: Envelope, message: Welcome, now: float) -> list[Action]:
        theirs = {Incarnation(head.incarnation): head for head in message.heads}
        if self._stale_greeting(message.number) or any(leg.incarnation not in theirs for leg in self._way.legs):
            return self._drop("stale greeting")
        self._greeter.welcomed(now)
        self._token, self._generation = envelope.token, envelope.generation
        self._dictionary = newest(message.dictionary)
        self.central_wall = Instant(message.wall), now
        self._puller.heard(message.facts_from, message.facts)
        self._fetcher.stop()
        self._fetcher.offered(message.feeds)
        self._safe = tuple(zip((head.incarnation for head in message.heads), message.safe, strict=False))
        actions = [HeardTime(Instant(message.wall), self._greeter.rtt_s(now)), *self._move(Happening.WELCOMED)]
        self._not_kept = None
        if not self._proof.begin(theirs, self._way.legs):
            return actions + self._diverge()
        return actions + self._prove_next(now)

    def _prove_next(self, now: float) -> list[Action]:
        question = self._proof.question()
        return [question] if question is not None else self._proven(now)

    def _prove(self, incarnation: Incarnation, seq: int, digest: Digest | None, now: float) -> list[Action]:
        match self._proof.compare(incarnation, seq, digest):
            case Verdict.NOT_ASKED:
                return []
            case Verdict.OTHER:
                return self._diverge()
            case Verdict.NOT_KEPT:
                self._not_kept = seq
            case Verdict.SAME:
                self._way.prove(incarnation, seq, Digest(self._proof.theirs[incarnation].hash))
        return self._prove_next(now)

    def _proven(self, now: float) -> list[Action]:
        self._greeter.idle(now)
        self._resends = 0
        actions = self._move(Happening.PROVEN)
        actions += self._way.heard(self._proof.theirs, self._greeter.acked_at_hello)
        self._proof.stop()
        actions += [MarkSafe(Incarnation(chain), seq) for chain, seq in self._safe]
        return actions + self._begin_leg(now) + self._catch_up(now) + self._fetch(now)

    def _diverge(self) -> list[Action]:
        self._proof.stop()
        return [*self._move(Happening.DIVERGED), WantPlaces()]

    def _granted(self, envelope: Envelope, message: NewInc) -> list[Action]:
        if self.state is not State.FORKING or (message.number, envelope.token) != (self._greeter.number, self._token):
            return self._drop("stale greeting")
        if message.behind is not None and message.behind not in self._places:
            return self._drop("a place that is not this ledger's")
        if self._way.has(message.incarnation):
            return self._drop("a chain that is there already")
        return [Adopt(Incarnation(message.incarnation), message.behind, self._without)]

    def _turned_away(self, message: Refused, now: float) -> list[Action]:
        if self._stale_greeting(message.number):
            return self._drop("stale greeting")
        self._greeter.turned_away()
        return self._refuse(Happening.TURNED_AWAY, message.reason, now)

    def _stale_greeting(self, number: int) -> bool:
        busy = {State.OFFLINE, State.CHECKING, State.FORKING}
        return self._greeter.is_stale(number) or self.state in busy

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

    # --- the feed ---------------------------------------------------------------------------------------------------

    def fed(self, applied: Applied, taken: bool, now: float) -> list[Action]:
        """Note whether a version of the feed stands in the store, and ask for what is wanted next."""
        if taken:
            self._fetcher.applied(applied)
        else:
            self._fetcher.refused(applied)
        return self._fetch(now)

    def _fetch(self, now: float) -> list[Action]:
        question = self._fetcher.ask(now) if self.state is State.LIVE else None
        return [] if question is None else [self._transmit(question)]

    def _brought(self, envelope: Envelope, message: Delta | Snapshot, now: float) -> list[Action]:
        if self.state is not State.LIVE or (envelope.token, envelope.generation) != (self._token, self._generation):
            return self._drop("stale token")
        applied = self._fetcher.take(message)
        if applied is not None:
            return [TakeFeed(applied)]
        return self._drop("nothing new") if self._fetcher.asks else self._fetch(now)

    def _hinted(self, envelope: Envelope, message: Hint, now: float) -> list[Action]:
        """Take what the broker kept: it is of no session and believed by nobody, it only makes us ask."""
        if envelope.device != self._speaker.device:
            return self._drop("another session's")
        self._fetcher.offered(message.feeds)
        actions = [] if self._fetcher.asks else self._fetch(now)
        if self.state is State.LIVE and message.facts > self._puller.version and not self._puller.behind:
            self._puller.heard(self._puller.version, message.facts)
            actions += self._catch_up(now)
        return actions

    # --- acknowledgements -------------------------------------------------------------------------------------------

    def _replied(self, envelope: Envelope, message: Ack | Nack, now: float) -> list[Action]:
        if self.state is not State.LIVE or envelope.token != self._token:
            return self._drop("stale token")
        if isinstance(message, Nack):
            return self._nacked(message, now)
        if envelope.generation != self._generation:
            return self._drop("stale generation")
        leg = self._way.leg
        here = envelope.incarnation == leg.incarnation and leg.acked < message.seq <= leg.seq
        if not here or len(self._checks) >= CHECKS_MAX:
            return self._drop("nothing new")
        self._checks[message.seq] = message.hash
        self._safe = ((envelope.incarnation, min(message.safe_seq, message.seq)),)
        return [WantHash(leg.incarnation, message.seq)]

    def _nacked(self, message: Nack, now: float) -> list[Action]:
        match message.reason:
            case Why.SESSION | Why.FORK:
                return self._lose_session(now)
            case Why.SCHEMA if self._dictionary != NO_DICTIONARY:
                self._dictionary = NO_DICTIONARY  # central was put back to a version that knows fewer words
                self._window.rewind()
            case Why.SCHEMA:
                return self._stick(f"central cannot read this version's frames, update it: {message.detail}", now)
            case Why.CHAIN | Why.TOO_LARGE:
                return self._halve(message, now)
            case Why.BUSY:
                self._paused_until = now + message.retry_after_ms / 1000
                self._window.ease()
            case Why.GAP if message.need <= self._window.acked == message.from_seq - 1:
                return self._lose_session(now)  # central no longer holds what it acknowledged: have the heads compared
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
        (self._window.split if message.reason is Why.TOO_LARGE else self._window.halve)()
        if self._tries_alone > TRIES_ALONE_MAX:
            self._tries_alone = 0
            want = self._window.ask(self._way.leg.seq)
            return [] if want is None else [WantMissing(want.incarnation, want.from_seq)]
        return self._pump(now)

    # --- moves ------------------------------------------------------------------------------------------------------

    def _pump(self, now: float) -> list[Action]:
        if self.state is not State.LIVE or now < self._paused_until:
            return []
        if self._way.is_sent():
            self._way.choose()
            return self._begin_leg(now)
        want = self._window.ask(self._way.leg.seq)
        return [want] if want is not None else []

    def _begin_leg(self, now: float) -> list[Action]:
        """Send the chain at hand from its mark on."""
        self._checks.clear()
        self._window = self._way.window()
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
        return self._greeter.wait_s(base)

    def _lose_session(self, now: float) -> list[Action]:
        self._greeter.sooner(now + self._wait_s())
        return self._move(Happening.SESSION_LOST)

    def _stick(self, reason: str, now: float) -> list[Action]:
        return self._refuse(Happening.STUCK, reason, now)

    def _refuse(self, happening: Happening, reason: str, now: float) -> list[Action]:
        self._proof.stop()
        actions = self._move(happening, reason)
        self._greeter.stuck(now + self._wait_s())
        return actions

    def _move(self, happening: Happening, reason: str = "") -> list[Action]:
        before = (self.state, self.reason)
        self.state, self.reason = step(self.state, happening), reason
        return [StateChanged(self.state, reason)] if (self.state, reason) != before else []

    def _transmit(self, message: Message, incarnation: Incarnation | None = None) -> Transmit:
        me, chain = self._speaker, incarnation or self._way.tip.incarnation
        envelope = Envelope(me.device, chain, me.boot_nonce, self._token, self._generation)
        return Transmit(seal(envelope, message, self._signing))

    def _drop(self, why: str) -> list[Action]:
        self.dropped[why] = self.dropped.get(why, 0) + 1
        return []
