"""The edge's end of the sync: what to send, when, and when to believe an acknowledgement. No I/O, no clock, no chance.

It is for one thing: to bring central's copy of a ledger up to its end over a pipe that drops, doubles, delays and
reorders. A ledger is a way of one or more chains (`Leg`), each continuing the one before; parents are sent first. `now`
is link time in seconds of any monotonic clock; `chance` gives a number in 0..1. The states and the actions are in
`machine`, the timers of greetings in `greeting`, central's heads held against our own in `proof`, the chains and their
marks in `way`, the frames on their way and their answers in `sender` and `window`, the facts pulled in `facts`, the
feed in `feed`, both brought down by `inflow`; where it stands in `standing`; `settle` drives it.

Rules that could not be put into the table: a mark moves only by a message that echoes our boot nonce, token and
generation and whose hash is our own ledger's at that seq; a NACK never sends a HELLO, it waits for its timer; one HELLO
a timer; a WELCOME or NEWINC counts only for the last HELLO sent; a new chain begins only behind a place of our own.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import assert_never

from protocols.entry import Digest
from protocols.errors import PeerBroke, WeBroke
from protocols.sync.codec import Envelope, Signing, unseal
from protocols.sync.dictionary import newest
from protocols.sync.feed import Applied, Held
from protocols.sync.frames import (
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
)
from protocols.sync.gaps import gaps, place_before
from protocols.sync.greeting import Greeter
from protocols.sync.inflow import Inflow
from protocols.sync.machine import (
    Action,
    Adopt,
    Happening,
    HeardTime,
    Leg,
    MarkSafe,
    MoveOn,
    Speaker,
    Spoilt,
    State,
    Timing,
    Transmit,
    Trimmed,
    WantMissing,
    WantPlaces,
)
from protocols.sync.proof import Proof, Verdict
from protocols.sync.sender import Answer, Gone, Sender, Stuck
from protocols.sync.standing import Standing
from protocols.values.ids import Incarnation
from protocols.values.instant import Instant


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
        self._speaker, self._timing = speaker, timing
        self._standing = Standing(speaker, signing)
        self._sender = Sender(way, timing)
        self._way = self._sender.way
        self._greeter = Greeter(speaker, timing, chance)
        self._proof = Proof()
        self._inflow = Inflow(self._standing, self._transmit, timing.resend_s, facts, feeds)
        self.central_wall: tuple[Instant, float] | None = None
        """Central's time as last heard, and the link time it was heard at."""
        self._places: tuple[Head, ...] = ()
        self._without: int | None = None
        self._not_kept: int | None = None

    @property
    def state(self) -> State:
        """Where the session stands."""
        return self._standing.state

    @property
    def reason(self) -> str:
        """Why it stands there, empty where that goes without saying."""
        return self._standing.reason

    @property
    def dropped(self) -> Mapping[str, int]:
        """Why messages from central were not believed, counted."""
        return self._standing.dropped

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
        return self._inflow.behind

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
        self._sender.checks.clear()
        self._proof.stop()
        self._inflow.stop()
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
            waits += [self._sender.resend_at(), self._inflow.due()]
        if self.state is State.LIVE and self._sender.paused_until > -math.inf:
            waits.append(self._sender.paused_until)
        return min(waits)

    def tick(self, now: float) -> list[Action]:
        """Do what is due."""
        if now < self.due():
            return []
        actions: list[Action] = []
        if now >= self._greeter.move_on_at():
            self._greeter.wait_anew(now)
            actions.append(MoveOn())
        self._sender.end_pause(now)
        if self.state is State.LIVE and now >= self._sender.resend_at():
            actions += self._answered(self._sender.resend(), now)
        if self.state is State.LIVE:
            actions += self._inflow.tick(now)
        if now >= self._greeter.hello_at:
            actions += self._greet(now)
        return actions + self._pump(now)

    def receive(self, data: bytes, now: float) -> list[Action]:
        """Take one message from the `down` topic. What is not for this session is dropped and counted."""
        try:
            return self._heard(*unseal(data, self._standing.signing), now)
        except PeerBroke:
            return self._drop("bytes or signature")

    def _heard(self, envelope: Envelope, message: Message, now: float) -> list[Action]:
        me = self._speaker
        if isinstance(message, Hint):
            return (
                self._inflow.hinted(message, now) if envelope.device == me.device else self._drop("another session's")
            )
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
                return self._inflow.told(envelope, message)
            case Delta() | Snapshot():
                return self._inflow.brought(envelope, message, now)
            case Ack() | Nack():
                return self._replied(envelope, message, now)
            case Hello() | Fork() | Frame() | Pull() | Gap() | Damaged() | Fetch() | Hint():
                return self._drop("not for an edge")
            case _:
                assert_never(message)

    def supply(self, incarnation: Incarnation, from_seq: int, raws: Sequence[bytes], now: float) -> list[Action]:
        """Take the entries that `WantEntries` asked for. Raises `WeBroke` when the ledger gave none."""
        if self.state is not State.LIVE or not self._sender.awaits(incarnation, from_seq):
            return []
        if not raws:
            return [WantMissing(incarnation, from_seq)]
        frame = self._sender.frame(self._speaker.device, from_seq, raws, now)
        return [self._transmit(frame, incarnation), *self._pump(now)]

    def known(self, incarnation: Incarnation, seq: int, digest: Digest | None, now: float) -> list[Action]:
        """Take the own ledger's hash that `WantHash` asked for."""
        if self.state is State.CHECKING:
            return self._prove(incarnation, seq, digest, now)
        if self.state is not State.LIVE:
            return []
        return self._answered(self._sender.known(incarnation, seq, digest, now), now)

    def missing(self, incarnation: Incarnation, seq: int, why: Trimmed | Spoilt | None, now: float) -> list[Action]:
        """Take what `WantMissing` asked for. Raises `WeBroke` when the ledger knows of no such entry."""
        if self.state is not State.LIVE or not self._sender.awaits(incarnation, seq):
            return []
        match why:
            case Trimmed():
                said = [self._transmit(gap, incarnation) for gap in gaps(seq, why)]
                self._sender.window.sent(why.last_seq, why.hash, now)
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
        window, leg = self._sender.window, self._way.leg
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
        self._sender.window = self._way.window()
        self._greeter.hello_at = now
        return self._move(Happening.ADOPTED)

    def posted(self, upto: int, facts_sum: bytes, now: float) -> list[Action]:
        """Note that facts up to a version are in the projections."""
        return self._inflow.posted(upto, facts_sum, now)

    def fed(self, applied: Applied, taken: bool, now: float) -> list[Action]:
        """Note whether a version of the feed stands in the store, and ask for what is wanted next."""
        return self._inflow.fed(applied, taken, now)

    # --- greeting ---------------------------------------------------------------------------------------------------

    def _greet(self, now: float) -> list[Action]:
        waits = self.state in {State.CHECKING, State.FORKING}
        actions = self._move(Happening.SESSION_LOST) if waits else []
        self._proof.stop()
        hello = self._greeter.hello(
            self._way.legs, self._inflow.puller, self._inflow.versions, wait_s=self._wait_s(), now=now
        )
        return [*actions, self._transmit(hello)]

    def _welcomed(self, envelope: Envelope, message: Welcome, now: float) -> list[Action]:
        theirs = {Incarnation(head.incarnation): head for head in message.heads}
        if self._stale_greeting(message.number) or any(leg.incarnation not in theirs for leg in self._way.legs):
            return self._drop("stale greeting")
        self._greeter.welcomed(now)
        self._standing.hold(envelope)
        self._sender.dictionary = newest(message.dictionary)
        self.central_wall = Instant(message.wall), now
        self._inflow.welcomed(message)
        self._sender.safe = tuple(zip((head.incarnation for head in message.heads), message.safe, strict=False))
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
        self._sender.proven()
        actions = self._move(Happening.PROVEN)
        actions += self._way.heard(self._proof.theirs, self._greeter.acked_at_hello)
        self._proof.stop()
        actions += [MarkSafe(Incarnation(chain), seq) for chain, seq in self._sender.safe]
        return actions + self._sender.begin_leg(now) + self._inflow.begin(now)

    def _diverge(self) -> list[Action]:
        self._proof.stop()
        return [*self._move(Happening.DIVERGED), WantPlaces()]

    def _granted(self, envelope: Envelope, message: NewInc) -> list[Action]:
        if self.state is not State.FORKING or (message.number, envelope.token) != (
            self._greeter.number,
            self._standing.token,
        ):
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

    # --- acknowledgements -------------------------------------------------------------------------------------------

    def _replied(self, envelope: Envelope, message: Ack | Nack, now: float) -> list[Action]:
        if self.state is not State.LIVE or envelope.token != self._standing.token:
            return self._drop("stale token")
        if isinstance(message, Nack):
            return self._answered(self._sender.refused(message, now), now)
        if envelope.generation != self._standing.generation:
            return self._drop("stale generation")
        wanted = self._sender.acknowledged(envelope.incarnation, message)
        return self._drop("nothing new") if wanted is None else [wanted]

    def _answered(self, answer: Answer, now: float) -> list[Action]:
        """Do what the sender's answer means for the session."""
        match answer:
            case Gone():
                if answer.why:
                    self._drop(answer.why)
                return self._lose_session(now)
            case Stuck():
                return self._stick(answer.reason, now)
            case _:
                return answer

    # --- moves ------------------------------------------------------------------------------------------------------

    def _pump(self, now: float) -> list[Action]:
        return self._sender.pump(now) if self.state is State.LIVE else []

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
        return self._standing.move(happening, reason)

    def _transmit(self, message: Message, incarnation: Incarnation | None = None) -> Transmit:
        return self._standing.transmit(message, incarnation or self._way.tip.incarnation)

    def _drop(self, why: str) -> list[Action]:
        return self._standing.drop(why)
