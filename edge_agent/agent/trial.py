"""One reader tried as the agent would use it: a link, a session, and what it came to. Used by `doctor` only.

The rule that must not be broken: what did not prove a round, or at least answer, is not called right.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from edge_agent.agent.inbox import Closable, Happening, Inbox, ReaderClosed, ReaderOpened, ReaderSaid
from edge_agent.agent.links import reader_link
from edge_agent.agent.readers import session_maker
from edge_agent.clock import Clock
from edge_agent.config.readers import AUTO, ReaderConfig
from edge_agent.errors import BadConfig
from edge_agent.links.ports import Search
from edge_agent.links.serial import try_port
from protocols.readers.m100.codec import encode
from protocols.readers.m100.session import VERSION
from protocols.readers.outcomes import Close, Outcome, Send
from protocols.readers.reads import AntennaChanged, BadFrame, LinkDown, RoundEnded, TagRead
from protocols.readers.registry import READERS, FrameDecoder
from protocols.readers.uhfreader18.codec import Uhf18Frame, encode_command
from protocols.readers.uhfreader18.layout import BROADCAST
from protocols.readers.use import ReaderSession

ROUND_S = 1.0
"""Round of a trial, in the reader's time: long enough for some inventories."""
TRIAL_S_MAX = 20.0
"""Longest trial of one reader in link time: a connection, its set-up and two rounds."""
PROBE_ANSWER_S = 0.4
"""Time for an answer of a module that may not be there."""
PROBE_S_MAX = 1.5
PROBES = {
    "uhfreader18": encode_command("get_info", {}, address=BROADCAST),
    "m100": encode("get_module_info", {"what": VERSION}),
}
"""A question each kind answers and that changes nothing; the ones first whose bytes mean nothing to the others."""
TURN_S = 0.1


@dataclass(slots=True)
class Trial:
    """One reader's trial and what was heard in it. A module that is searched for may be found on any of the ports."""

    config: ReaderConfig
    search: Search
    limit_s: float = TRIAL_S_MAX
    epcs: set[str] = field(default_factory=set)
    lost: set[int] = field(default_factory=set)
    unread: set[int] = field(default_factory=set)
    _proven: bool = False
    _ended: str = ""
    _why: str = ""
    _session: ReaderSession | None = None
    _wire: Closable | None = None

    def run(self) -> str:
        """Return why the reader is not right, empty when it proved itself."""
        clock, inbox = Clock(), Inbox()
        self.unread = {antenna for antenna, _ in self.config.reference}
        try:
            link = reader_link(self.config, inbox, self.search)
        except BadConfig as fault:
            return str(fault)
        begin = session_maker(self.config, lambda _link: clock.now(), 1.0)
        until_s = clock.link_s() + self.limit_s
        link.start()
        try:
            while not self._proven and not self._ended and clock.link_s() < until_s:
                self._turn(inbox, clock, begin)
            if self._session is not None and self._proven:
                self._do(self._session.stop(clock.link_now()))
        finally:
            inbox.stop("done")
            link.stop()
        late = f"no round ended within {self.limit_s:g} s; look at its antennas"
        return "" if self._proven else self._ended or self._why or late

    def _turn(self, inbox: Inbox, clock: Clock, begin: Callable[[], ReaderSession]) -> None:
        for happening in inbox.gather(TURN_S):
            now = clock.link_now()
            match happening:
                case ReaderOpened():
                    self._session, self._wire = begin(), happening.wire
                    self._do(self._session.opened(now))
                case ReaderSaid() if self._session is not None:
                    self._do(self._session.receive(happening.data, now))
                case ReaderClosed():
                    self._end(happening.reason)
        if self._session is not None and not self._ended:
            self._do(self._session.tick(clock.link_now()))

    def _end(self, reason: str) -> None:
        """A connection is over: so is the trial, unless there are other ports to search."""
        if self.config.port == AUTO:
            self._session, self._why = None, reason
        else:
            self._ended = self._ended or reason

    def _do(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            match outcome:
                case Send() if self._wire is not None:
                    self._wire.send(outcome.data)
                case Close():
                    self._end(outcome.reason)
                    if self._wire is not None:
                        self._wire.close(outcome.reason)
                case LinkDown():
                    self._end(outcome.reason)
                case RoundEnded():
                    self._proven = True
                case TagRead():
                    self._read(outcome)
                case AntennaChanged():
                    (self.lost.discard if outcome.connected else self.lost.add)(outcome.antenna)

    def _read(self, read: TagRead) -> None:
        self.epcs.add(read.epc)
        if dict(self.config.reference).get(read.antenna) == read.epc:
            self.unread.discard(read.antenna)


def try_reader(config: ReaderConfig, search: Search) -> tuple[bool, str]:
    """Connect to a reader as the agent does and wait for a proven round; returns whether it is right, and a line."""
    trial = Trial(replace(config, round_s=min(config.round_s, ROUND_S)), search)
    reason = trial.run()
    if reason:
        return False, reason
    said = f"answers, {len(trial.epcs)} tags heard in one round"
    if trial.lost:
        return False, f"{said}; antennas not connected: {_list(trial.lost)}; look at their cables"
    if trial.unread:
        return False, f"{said}; reference tags not heard at antennas {_list(trial.unread)}; look at tag and antenna"
    return True, said


def probe(port: Path) -> tuple[str, int]:
    """Ask a port which module answers there, changing nothing; returns its kind and its bus address, "" for none.

    Raises `LinkFault` when the port does not open.
    """
    for kind, request in PROBES.items():
        try_port(port, READERS[kind].baud, "reader")
        frame = _ask(port, kind, request)
        if frame is not None:
            return kind, frame.address if isinstance(frame, Uhf18Frame) else 0
    return "", 0


def _ask(port: Path, kind: str, request: bytes) -> object:
    """Send one question a few times; returns the first whole frame, None when there is none."""
    clock, inbox, question = Clock(), Inbox(), _Question(READERS[kind].decoder(), request)
    config = ReaderConfig("probe", None, 1.0, ROUND_S, (1,), kind=kind, port=port, baud=READERS[kind].baud)
    link = reader_link(config, inbox, Search(port.parent))
    until_s = clock.link_s() + PROBE_S_MAX
    link.start()
    try:
        while clock.link_s() < until_s and question.answer is None:
            for happening in inbox.gather(TURN_S):
                question.take(happening)
            question.ask(clock.link_s())
    finally:
        inbox.stop("done")
        link.stop()
    return question.answer


@dataclass(slots=True)
class _Question:
    """One question on one line, and the first whole frame that came."""

    decoder: FrameDecoder
    request: bytes
    answer: object = None
    _wire: Closable | None = None
    _due_s: float = 0.0

    def take(self, happening: Happening) -> None:
        if isinstance(happening, ReaderOpened):
            self._wire = happening.wire
        if isinstance(happening, ReaderSaid):
            whole = (each for each in self.decoder.receive(happening.data) if not isinstance(each, BadFrame))
            self.answer = self.answer or next(whole, None)

    def ask(self, now_s: float) -> None:
        if self._wire is not None and now_s >= self._due_s:
            self._due_s = now_s + PROBE_ANSWER_S
            self._wire.send(self.request)


def _list(antennas: set[int]) -> str:
    return ", ".join(map(str, sorted(antennas)))
