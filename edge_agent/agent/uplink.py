"""The sync's side of the agent: one session, the ledger it reads from, and the broker's pipe.

It runs on the agent's thread, after every COMMIT, so that it sees only what is on the disk. The rule that must not be
broken: nothing is queued here; what the pipe does not take is read from the ledger again.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from edge_agent.agent.feeding import Feeding
from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock, chance
from edge_agent.config import SyncConfig
from edge_agent.core.clock_watch import offset_us
from edge_agent.errors import StoreFault
from edge_agent.store.connection import Connection
from edge_agent.store.ledger import Ledger
from protocols.entry import Digest, Entry, decode_entry
from protocols.sync.codec import Signing
from protocols.sync.feed import Applied
from protocols.sync.frames import Head
from protocols.sync.machine import (
    Action,
    Behind,
    HeardTime,
    Leg,
    MoveOn,
    Speaker,
    Spoilt,
    State,
    StateChanged,
    Timing,
    Transmit,
    Trimmed,
)
from protocols.sync.session import EdgeSession
from protocols.sync.settle import settle
from protocols.values.hlc import Hlc
from protocols.values.ids import DeviceId, Incarnation
from protocols.values.instant import Instant, plus

FactsTold = Callable[[Connection, Sequence[tuple[DeviceId, Entry]]], None]
"""Hears what others wrote, and who did, once it is posted."""
IDLE_HELLOS = 40
"""Waits for an answer between two greetings of an idle link: 600 s in service, unless the configuration says."""
PATIENT_HELLOS = 4
"""Waits for an answer after which another broker is tried, and between two tries after a refusal."""
WELCOME_WAIT_MIN_S = 20.0
"""A central that is just starting is no reason to leave its broker, however short link time is made."""


class Pipe(Protocol):
    """The broker's link."""

    def publish(self, data: bytes) -> object:
        """Send one message up if the broker is there; else drop it."""

    def move_on(self) -> object:
        """Try the next broker of the list."""


def timing_of(config: SyncConfig) -> Timing:
    """Return the session's time-outs for a configuration."""
    return Timing(
        hello_s=config.hello_s,
        resend_s=config.resend_s,
        backoff_max_s=config.backoff_max_s,
        spread_s=config.spread_s,
        idle_hello_s=config.hello_s * IDLE_HELLOS if config.idle_hello_s is None else config.idle_hello_s,
        refused_retry_s=config.hello_s * PATIENT_HELLOS,
        welcome_wait_s=max(WELCOME_WAIT_MIN_S, config.hello_s * PATIENT_HELLOS),
    )


class _Marked:
    """The ledger as the session sees it; a mark that the disk does not take now is owed and set later."""

    def __init__(self, ledger: Ledger, clock: Clock, voice: Voice, told_facts: FactsTold) -> None:
        self.ledger, self._clock, self._voice, self._told_facts = ledger, clock, voice, told_facts
        self._owed: dict[Incarnation, int] = {}
        self.heard = Hlc(0)

    def entries_raw(self, from_seq: int, limit: int, max_bytes: int, incarnation: Incarnation) -> list[bytes]:
        return self.ledger.entries_raw(from_seq, limit, max_bytes, incarnation)

    def hash_at(self, seq: int, incarnation: Incarnation) -> Digest | None:
        return self.ledger.hash_at(seq, incarnation)

    def places(self, most: int) -> list[Head]:
        return self.ledger.places(most)

    def missing(self, seq: int, incarnation: Incarnation) -> Trimmed | Spoilt | None:
        why = self.ledger.missing(seq, incarnation)
        if isinstance(why, Spoilt):
            self._voice.alarm("sync", f"entry {seq} cannot be sent: {why.detail}; it goes up as it is, for a person")
        elif why is not None:
            self._voice.alarm("sync", f"central lost entries from {seq} on that were trimmed here; their sum goes up")
        return why

    def set_safe(self, seq: int, incarnation: Incarnation) -> None:
        try:
            self.ledger.set_safe(seq, incarnation)
        except StoreFault as fault:  # it is said again with the next greeting
            self._voice.say_counted("mark", str(fault))

    def adopt(self, incarnation: Incarnation, behind: Head | None, without: int | None = None) -> tuple[Leg, ...]:
        way = self.ledger.adopt(incarnation, behind, without, now=self._clock.now())
        where = "its beginning" if behind is None else f"entry {behind.seq}"
        self._voice.say("sync", f"central and this ledger agree up to {where}; goes on in a new chain behind it")
        return way

    def post_facts(self, upto: int, facts_sum: bytes, entries: Sequence[tuple[DeviceId, bytes]]) -> None:
        self.ledger.post_facts(upto, facts_sum, entries)
        read = [(device, decode_entry(raw)) for device, raw in entries]
        self.heard = max((entry.hlc for _, entry in read), default=self.heard)
        self._told_facts(self.ledger.connection, read)

    def set_acked(self, seq: int, incarnation: Incarnation) -> None:
        self._owed[incarnation] = seq
        self.pay()

    def pay(self) -> None:
        """Set the marks that are owed."""
        try:
            for incarnation, seq in tuple(self._owed.items()):
                self.ledger.set_acked(seq, incarnation)
                del self._owed[incarnation]
        except StoreFault as fault:
            self._voice.say_counted("mark", str(fault))


class Uplink:
    """One ledger's way to central."""

    def __init__(  # noqa: PLR0913 # the wiring and the simulation name each part they bring
        self,
        ledger: Ledger,
        config: SyncConfig,
        pipe: Pipe,
        *,
        boot_nonce: bytes,
        version: str,
        clock: Clock,
        voice: Voice,
        chance: Callable[[], float] = chance,
        signing: Signing | None = None,
        feeding: Feeding | None = None,
        told_offset: Callable[[int], None] = lambda _us: None,
        told_facts: FactsTold = lambda _connection, _facts: None,
    ) -> None:
        """Make the session; `told_offset` hears how far the own clock is ahead of central's, in microseconds,
        `told_facts` what others wrote once it is posted.
        """
        self._feeding = feeding or Feeding(None, clock=clock, voice=voice)
        self._told_offset = told_offset
        self._session = EdgeSession(
            Speaker(ledger.device, boot_nonce, version),
            ledger.way(),
            signing=signing or Signing(unsigned=config.unsigned),
            timing=timing_of(config),
            chance=chance,
            facts=ledger.facts_held(),
            feeds=self._feeding.held(ledger.connection),
        )
        self._marked = _Marked(ledger, clock, voice, told_facts)
        self._pipe, self._clock, self._voice = pipe, clock, voice

    def reopened(self, ledger: Ledger) -> None:
        """Read from here on from the same ledger, opened again."""
        self._marked.ledger = ledger

    def up(self) -> None:
        """The broker took us."""
        self._do(self._session.connected(self._clock.link_s()))

    def down(self, reason: str) -> None:
        """The broker is gone."""
        self._voice.say_change("sync", f"{reason}; entries wait in the ledger")
        self._do(self._session.disconnected())

    def said(self, data: bytes) -> None:
        """Central said something."""
        self._do(self._session.receive(data, self._clock.link_s()))

    def committed(self) -> None:
        """The ledger may have grown."""
        head = self._marked.ledger.head()
        if head.seq != self._session.head_seq:
            self._do(self._session.appended(head.seq, head.hash, self._clock.link_s()))

    @property
    def live(self) -> bool:
        """Whether central listens."""
        return self._session.state is State.LIVE

    @property
    def way(self) -> tuple[Leg, ...]:
        """The ledger's chains with their marks, from its root to the one now written."""
        return self._session.way

    @property
    def heard_hlc(self) -> Hlc:
        """The latest hybrid clock among the facts of others that came."""
        return self._marked.heard

    @property
    def rebuilding(self) -> bool:
        """Whether central has facts for this storeroom that the book lacks: its balances are of before."""
        return self._session.rebuilding

    def central_now(self) -> Instant | None:
        """Return central's time as last heard in this run and what has passed since; None when it was not heard."""
        heard = self._session.central_wall
        if heard is None:
            return None
        wall, at_s = heard
        return plus(wall, (self._clock.link_s() - at_s) * self._clock.rate)

    def lease_now(self) -> Instant:
        """Return the time leases go by: central's, else this machine's."""
        central = self.central_now()
        return self._clock.now() if central is None else central

    def due_s(self) -> float:
        """Return the link time, in seconds, at which the session has something to do."""
        return self._session.due()

    def tick(self, *, now: Instant, free_bytes: int) -> None:
        """Let the session do what is due; `now` is story time."""
        if self._clock.link_s() >= self._session.due():
            self._marked.pay()
            self._session.tell(wall=now, free_bytes=free_bytes)
            self._do(self._session.tick(self._clock.link_s()))

    def _take_feed(self, applied: Applied) -> bool:
        return self._feeding.take(self._marked.ledger.connection, applied)

    def _do(self, actions: Iterable[Action]) -> None:
        try:
            left = settle(self._session, actions, self._marked, self._clock.link_s(), self._take_feed)
        except StoreFault as fault:  # what it was asked for is asked again by the session's timers
            self._voice.say_counted("sync", str(fault))
            return
        for action in left:
            match action:
                case Transmit():
                    self._pipe.publish(action.data)
                case MoveOn():
                    self._pipe.move_on()
                case StateChanged():
                    self._tell(action)
                case Behind():
                    self._voice.say_change("facts", "are fetched from central" if action.rebuilding else "are complete")
                case HeardTime():
                    self._told_offset(offset_us(self._clock.now(), action.wall, action.rtt_s))
                case _:
                    raise AssertionError(f"settle left {action}")

    def _tell(self, change: StateChanged) -> None:
        match change.state:
            case State.REFUSED:
                self._voice.say_change("sync", f"central refuses: {change.reason}")
            case State.LIVE:
                self._voice.say_change("sync", f"central listens, {self._session.pending} entries to send")
            case _:
                pass
