"""The readers' side of the agent: their sessions, the model of presence, and the beliefs that wait to be written.

It runs on the agent's thread. The rule that must not be broken: a belief stays here until it is in the ledger; there is
one waiting for each tag at most.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from edge_agent.agent.inbox import Closable, ReaderClosed, ReaderOpened, ReaderSaid
from edge_agent.agent.readers import session_maker
from edge_agent.agent.voice import Voice
from edge_agent.config import ReaderConfig
from edge_agent.core.presence import Belief, Presence
from protocols.readers.outcomes import Close, Outcome, Send
from protocols.readers.reads import AntennaChanged, BadFrame, LinkDown, LinkUp, ReaderEvent, ReaderTrouble
from protocols.readers.use import ReaderSession
from protocols.values.ids import Epc
from protocols.values.instant import Instant


@dataclass(slots=True)
class _Line:
    """One reader: a session lives as long as one connection."""

    begin: Callable[[], ReaderSession]
    session: ReaderSession | None = None
    wire: Closable | None = None


class Shelf:
    """Every reader of one storeroom.

    `settled(name)` is called when a reader works, `heard(name, event)` with everything it says, before it is judged.
    `story_at(now)` tells the story instant of link time, for readers that have no clock of their own; `story_rate`
    story seconds are one second of link time.
    """

    def __init__(
        self,
        readers: Iterable[ReaderConfig],
        presence: Presence,
        *,
        voice: Voice,
        settled: Callable[[str], None],
        story_at: Callable[[Instant], Instant] | None = None,
        story_rate: float = 1.0,
        heard: Callable[[str, ReaderEvent], None] | None = None,
    ) -> None:
        self._heard = heard or (lambda _name, _event: None)
        self._lines = {reader.name: _Line(session_maker(reader, story_at, story_rate)) for reader in readers}
        self._presence = presence
        self._voice = voice
        self._settled = settled
        self._waiting: dict[Epc, Belief] = {}

    def take(self, happening: ReaderOpened | ReaderSaid | ReaderClosed, now: Instant) -> None:
        """Take what happened to one reader's link. `now` is link time."""
        line = self._lines[happening.name]
        match happening:
            case ReaderOpened():
                line.session = line.begin()
                line.wire = happening.wire
                self._do(happening.name, line, line.session.opened(now))
            case ReaderSaid():
                if line.session is not None:
                    self._do(happening.name, line, line.session.receive(happening.data, now))
            case ReaderClosed():
                session, line.session, line.wire = line.session, None, None
                ended = session.closed(happening.reason) if session else [LinkDown(happening.reason)]
                self._do(happening.name, line, ended)

    def due(self) -> Instant | None:
        """Return the link time at which a session has something to decide."""
        dues = [line.session.due() for line in self._lines.values() if line.session is not None]
        return min((due for due in dues if due is not None), default=None)

    def tick(self, now: Instant) -> None:
        """Let every session notice what did not come in time."""
        for name, line in self._lines.items():
            if line.session is not None:
                self._do(name, line, line.session.tick(now))

    def stop(self, now: Instant) -> None:
        """Say goodbye to every reader, so that whoever comes next finds it free; nobody waits for the answer."""
        for name, line in self._lines.items():
            if line.session is not None:
                self._do(name, line, line.session.stop(now))

    def switch(self, name: str, port: int, now: Instant, *, on: bool) -> None:
        """Switch an output of a reader that has outputs; nothing while it is away."""
        from protocols.readers.llrp.session import LlrpSession

        line = self._lines[name]
        if isinstance(line.session, LlrpSession):
            self._do(name, line, line.session.set_output(port, now, on=on))

    def waiting(self, most: int) -> list[Belief]:
        """Return beliefs that are not written yet, oldest first."""
        return [belief for _, belief in zip(range(most), self._waiting.values(), strict=False)]

    def written(self, beliefs: Iterable[Belief]) -> None:
        """Forget beliefs that stand in the ledger now, unless they changed meanwhile."""
        for belief in beliefs:
            if self._waiting.get(belief.epc) is belief:
                del self._waiting[belief.epc]

    def _do(self, name: str, line: _Line, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            match outcome:
                case Send():
                    if line.wire is not None:
                        line.wire.send(outcome.data)
                case Close():
                    if line.wire is not None:
                        line.wire.close(outcome.reason, outcome.pause_s)
                case _:
                    self._hear(name, outcome)

    def _hear(self, name: str, event: ReaderEvent) -> None:
        match event:
            case LinkUp():
                self._settled(name)
                self._voice.say_change(f"reader {name}", "inventories")
            case LinkDown():
                self._voice.say_change(f"reader {name}", f"{event.reason}; presence waits, scans go on")
            case AntennaChanged():
                said = "is back" if event.connected else "is lost; its tags are not judged"
                self._voice.say(f"reader {name}", f"antenna {event.antenna} {said}")
            case ReaderTrouble():
                where = "" if event.antenna is None else f" (antenna {event.antenna})"
                self._voice.say_counted(f"reader {name} trouble", f"{event.said}{where}")
            case BadFrame():
                self._voice.say_counted(f"reader {name} frames", f"{event.reason}; left out, {len(event.raw)} bytes")
            case _:
                pass
        self._heard(name, event)
        for told in self._presence.receive(event, name):
            if isinstance(told, Belief):
                self._waiting.pop(told.epc, None)
                self._waiting[told.epc] = told
            else:
                least = "" if told.at_most else "at least "
                self._voice.say(
                    "tags", f"{least}{told.epcs} unknown tags in the last hour, {told.reads} reads; not kept"
                )
