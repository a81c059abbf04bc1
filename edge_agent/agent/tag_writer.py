"""One tag written through a reader: a label that a printer cannot make, on the only tag that answers. A tool's part.

It listens until rounds are proven, asks the one tag for its TID, writes the EPC to that TID and no other, and believes
what was read back. The agent must not run, for a reader has one host. The rule that must not be broken: while two tags
answer, or none, nothing is written.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast

from edge_agent.agent.inbox import Closable, Inbox, ReaderClosed, ReaderOpened, ReaderSaid
from edge_agent.agent.links import reader_link
from edge_agent.agent.readers import session_maker
from edge_agent.clock import Clock
from edge_agent.config.readers import ReaderConfig
from edge_agent.errors import LinkFault
from edge_agent.links.ports import Search
from protocols.readers.access import TID_BANK, AccessOrder
from protocols.readers.outcomes import Close, Outcome, Send
from protocols.readers.reads import AccessDone, LinkDown, RoundEnded, TagRead
from protocols.readers.use import ReaderSession
from protocols.values.ids import Epc
from protocols.values.instant import Instant

ROUNDS = 3
"""Proven rounds before it is believed who answers."""
LISTEN_S, ANSWER_S = 20.0, 15.0
"""Link seconds for a connection and its rounds, and for one order."""
TURN_S = 0.1
EPC_BANK, EPC_WORD, EPC_HEX = 1, 2, 24
"""Where an EPC stands (Gen2 section 6.3.2.1.2), and its length: the tag's own length word is left alone."""
TIDS = tuple((begins, words) for begins in ("E280", "E200") for words in (6, 4))
"""How TIDs begin (class E2 and the highest bits of its maker, with and without an extended TID), and their length."""


class WritingSession(ReaderSession, Protocol):
    """A session that carries out orders for a tag's memory, as every kind of reader's does."""

    def access(self, order: AccessOrder, now: Instant) -> Sequence[Outcome]:
        """Read or write a tag's memory; ends in one `AccessDone`."""


@dataclass(slots=True)
class TagWriter:
    """One reader and what it said. Used once."""

    config: ReaderConfig
    search: Search
    heard: set[Epc] = field(default_factory=set)
    rounds: int = 0
    done: AccessDone | None = None
    in_doubt: bool = False
    """The tag was told to take the EPC, and nobody heard whether it did."""
    gone: str = ""
    _clock: Clock = field(default_factory=Clock)
    _inbox: Inbox = field(default_factory=Inbox)
    _session: WritingSession | None = None
    _wire: Closable | None = None

    def write(self, epc: Epc) -> str:
        """Write an EPC to the only tag that answers; returns the tag's TID, empty when it did not take the EPC.

        Raises `LinkFault` when none or more than one answers, or the reader does not; see `in_doubt`.
        """
        link = reader_link(self.config, self._inbox, self.search)
        link.start()
        try:
            old = self._only_one()
            tid = self._tid_of(old)
            self.in_doubt = True
            done = self._ask(AccessOrder(tid, EPC_BANK, EPC_WORD, data=epc, epc=old))
            if self.done is None:
                raise LinkFault(f"reader {self.config.name}: {done.reason}; read the tag before it is used")
            self.in_doubt = False
            return tid if done.ok else ""
        finally:
            if self._session is not None:
                self._do(self._session.stop(self._clock.link_now()))
            self._inbox.stop("done")
            link.stop()

    def _only_one(self) -> Epc:
        self._wait(LISTEN_S, lambda: self.rounds >= ROUNDS)
        if self.rounds < ROUNDS:
            raise LinkFault(f"reader {self.config.name}: {self.gone or 'no round ended'}; stop the agent, look at it")
        if len(self.heard) != 1:
            raise LinkFault(
                f"reader {self.config.name}: expected one tag before it, {len(self.heard)} answer; "
                "lay only the tag to be written before the antenna"
            )
        (old,) = self.heard
        if len(old) != EPC_HEX:
            raise LinkFault(f"tag {old}: expected one of {EPC_HEX * 4} bits, got {len(old) * 4}; take another tag")
        return old

    def _tid_of(self, old: Epc) -> str:
        for begins, words in TIDS:
            done = self._ask(AccessOrder(begins, TID_BANK, 0, words=words, epc=old))
            if done.ok:
                return done.data
        raise LinkFault(f"tag {old}: expected a TID that can be read, it tells none; take another tag")

    def _ask(self, order: AccessOrder) -> AccessDone:
        assert self._session is not None
        self.done = None
        self._do(self._session.access(order, self._clock.link_now()))
        self._wait(ANSWER_S, lambda: self.done is not None)
        return self.done or order.failed(self.gone or "no answer")

    def _wait(self, limit_s: float, over: Callable[[], bool]) -> None:
        until_s = self._clock.link_s() + limit_s
        while not over() and not self.gone and self._clock.link_s() < until_s:
            for happening in self._inbox.gather(TURN_S):
                self._take(happening)
            if self._session is not None:
                self._do(self._session.tick(self._clock.link_now()))

    def _take(self, happening: object) -> None:
        now = self._clock.link_now()
        match happening:
            case ReaderOpened():
                begin = session_maker(self.config, lambda _link: self._clock.now(), 1.0)
                self._session, self._wire = cast(WritingSession, begin()), happening.wire
                self._do(self._session.opened(now))
            case ReaderSaid() if self._session is not None:
                self._do(self._session.receive(happening.data, now))
            case ReaderClosed():
                self.gone = happening.reason

    def _do(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            match outcome:
                case Send() if self._wire is not None:
                    self._wire.send(outcome.data)
                case Close() | LinkDown():
                    self.gone = self.gone or outcome.reason
                case RoundEnded():
                    self.rounds += 1
                case TagRead():
                    self.heard.add(outcome.epc)
                case AccessDone():
                    self.done = outcome
