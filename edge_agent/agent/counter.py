"""The people's side of the agent: scans become decisions, decisions become entries, and the beep follows the COMMIT.

It runs on the agent's thread; while the agent runs, `Counter.write` is the only way into the ledger. The rule that must
not be broken: an ok is beeped only for what `Ledger.group` has put on the disk; whatever goes wrong before, it is a no.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from msgspec.structs import replace

from edge_agent.agent.inbox import ScannerClosed, ScannerOpened, ScannerSaid, Wire
from edge_agent.agent.model import tell
from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock, Pen
from edge_agent.core.halves import join_scan, settle_half
from edge_agent.core.permits import Standing, standing_of
from edge_agent.core.presence import Belief, Presence
from edge_agent.core.recognise import Draft, meaning_of
from edge_agent.core.work.bodies import staff
from edge_agent.core.work.machine import decide, perform
from edge_agent.core.work.scene import CutShort, Decision, Facts, Room, Scene, Visit, refuse, wrote
from edge_agent.core.work.states import Event
from edge_agent.core.work.words import Word
from edge_agent.errors import StoreFault
from edge_agent.store.catalogue import policy_of
from edge_agent.store.connection import Connection
from edge_agent.store.feed import version_of
from edge_agent.store.ledger import Ledger
from edge_agent.store.scene import facts_for
from protocols.codes.label import UnreadableLabel
from protocols.codes.merge import Half
from protocols.entry import ChainedEntry
from protocols.errors import ProtocolsError
from protocols.movements.posting import lines_of
from protocols.readers.reads import BadFrame
from protocols.readers.scanner import Beep, ScanFrame
from protocols.sync.feed import GLOBAL
from protocols.values.instant import MICROS, Instant, plus

REFUSALS_A_MINUTE_MAX = 30
"""Refused scans of one scanner told in the log in one minute; a noisy port makes thousands, the rest are counted."""
CUT_SHORT_SHOWN = 3
"""Acts before a power cut that the panel shows: what one person has in mind."""
ANSWERS_MAX = 50
"""Answers kept for whoever looks at the panel."""


class ScanDecoder(Protocol):
    """What cuts one scanner's bytes into scans."""

    def receive(self, data: bytes) -> list[ScanFrame | BadFrame]:
        """Take bytes and return the scans they complete."""

    def reset(self) -> None:
        """Forget a half scan."""


@dataclass(slots=True)
class _Scanner:
    """One scanner: its port, its half line, and who stands before it."""

    decoder: ScanDecoder
    wire: Wire | None = None
    visit: Visit | None = None
    half: Half | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan that waits for its answer."""

    scanner: str
    frame: ScanFrame | BadFrame


@dataclass(frozen=True, slots=True)
class Answer:
    """What one scan came to, and when: for the scanner, the log and the panel."""

    scanner: str
    at: Instant
    decision: Decision


class Counter:
    """Every scanner of one storeroom. `visit` is the one that was open when the last run ended.

    `scanners` name what cuts each one's bytes; `shown(beep)` is told of every answer; `room` is what the configuration
    says of the storeroom, its permit comes from the policy in the store.
    """

    def __init__(
        self,
        scanners: Mapping[str, ScanDecoder],
        room: Room,
        *,
        idle_s: float,
        clock: Clock,
        voice: Voice,
        presence: Presence,
        visit: Visit | None,
        shown: Callable[[Beep], None] = lambda _beep: None,
    ) -> None:
        self._scanners = {name: _Scanner(decoder) for name, decoder in scanners.items()}
        self._shown = shown
        self.lease_now: Callable[[], Instant] = clock.now
        """The time that the lease of the policy goes by."""
        self.room, self._idle_s = room, idle_s
        self._clock, self._voice, self._presence = clock, voice, presence
        self.answers: deque[Answer] = deque(maxlen=ANSWERS_MAX)
        first = next(iter(self._scanners))
        self._scanners[first].visit = visit
        self.answers.extend(_before_cut(first, one) for one in room.cut_short[-CUT_SHORT_SHOWN:])

    @property
    def visits(self) -> dict[str, Visit]:
        """Return who stands before each scanner."""
        return {name: scanner.visit for name, scanner in self._scanners.items() if scanner.visit is not None}

    def take(self, happening: ScannerOpened | ScannerSaid | ScannerClosed) -> list[Scan]:
        """Take what happened to one scanner's port; returns the scans that ended with it."""
        scanner = self._scanners[happening.name]
        match happening:
            case ScannerOpened():
                scanner.wire = happening.wire
                scanner.decoder.reset()
                self._voice.say_change(f"scanner {happening.name}", "is ready")
            case ScannerSaid():
                return [Scan(happening.name, frame) for frame in scanner.decoder.receive(happening.data)]
            case ScannerClosed():
                scanner.wire = None
                self._voice.say_change(f"scanner {happening.name}", happening.reason)
        return []

    def leave(self, opened: Instant) -> None:
        """Somebody went out by a door that opened at an instant: who has done nothing since has ended their visit."""
        for scanner in self._scanners.values():
            visit = scanner.visit
            if visit is not None and visit.last_act < opened:
                scanner.visit = replace(visit, last_act=plus(opened, -self._idle_s))

    def standing(self, connection: Connection) -> Standing:
        """Return the permit that holds now, by the time leases go by."""
        return standing_of(policy_of(connection), self.lease_now())

    def due(self) -> Instant | None:
        """Return the story time at which a visit is over."""
        visits = [scanner.visit for scanner in self._scanners.values() if scanner.visit is not None]
        return min((visit.ends_at(self._idle_s) for visit in visits), default=None)

    def write(self, ledger: Ledger, pen: Pen, scans: Sequence[Scan], beliefs: Sequence[Belief]) -> None:
        """Answer scans, end idle visits and write beliefs as one group.

        Raises `StoreFault` when the group was not kept; every scan of it was answered with no.
        """
        visits = {name: scanner.visit for name, scanner in self._scanners.items()}
        halves = {name: scanner.half for name, scanner in self._scanners.items()}
        now = self._clock.now()
        room = replace(
            self.room, standing=self.standing(ledger.connection), master=version_of(ledger.connection, GLOBAL)
        )
        group = _Group(ledger, pen, visits, halves, room, self._idle_s)
        try:
            with ledger.group():
                for scan in scans:
                    group.act(scan, self._clock.now())
                for name in visits:
                    group.end_if_idle(name, self._clock.now())
                group.append([belief.draft() for belief in beliefs])
        except StoreFault:
            lost = Decision(None, Beep.NO, Word.NOT_KEPT)
            self._answer([Answer(scan.scanner, now, lost) for scan in scans])
            raise
        for name, visit in visits.items():
            self._scanners[name].visit, self._scanners[name].half = visit, halves[name]
        self.room = replace(self.room, cut_short=group.room.cut_short)
        self._answer(group.answers)
        tell(self._presence, ledger.connection, [each.entry for each in group.written], self.room.ward)

    def _answer(self, answers: Iterable[Answer]) -> None:
        for answer in answers:
            decision = answer.decision
            wire = self._scanners[answer.scanner].wire
            if wire is not None:
                wire.send(decision.beep.wire)
            self._shown(decision.beep)
            self.answers.append(answer)
            topic = f"scan {answer.scanner} {decision.beep.name.lower()}"
            if decision.beep is Beep.OK:
                self._voice.say(topic, decision.message)
            else:
                self._voice.say_counted(topic, decision.message, burst=REFUSALS_A_MINUTE_MAX)


def _before_cut(scanner: str, one: CutShort) -> Answer:
    about = {"kind": one.kind, "qty": one.qty, "item": one.item, "lot": one.lot, "actor": staff(one.actor)}
    return Answer(scanner, one.at, Decision(None, Beep.LOOK, Word.BEFORE_CUT, about))


@dataclass(slots=True)
class _Group:
    """What one transaction has come to so far; it counts only if the transaction is kept."""

    ledger: Ledger
    pen: Pen
    visits: dict[str, Visit | None]
    halves: dict[str, Half | None]
    room: Room
    idle_s: float
    answers: list[Answer] = field(default_factory=list)
    written: list[ChainedEntry] = field(default_factory=list)

    def act(self, scan: Scan, now: Instant) -> None:
        """Decide one scan and write what follows; an act that cannot be written costs itself alone."""
        self.end_if_idle(scan.scanner, now)
        visit = self.visits[scan.scanner]
        decision, half = self._decide(scan, visit, now)
        try:
            chained = self.append(decision.drafts)
        except ProtocolsError as error:
            refusal = Decision(visit, Beep.NO, Word.CANNOT_RECORD, {"why": str(error)})
            self.answers.append(Answer(scan.scanner, now, refusal))
            return
        decision, self.halves[scan.scanner] = settle_half(half, decision)
        self._note_asked(decision)
        after = decision.visit
        if after is not None and chained:
            entries = [each.entry for each in chained]
            after = wrote(after, [(one.kind, one.event_id, lines_of(one.kind, one.body)) for one in entries])
        self.visits[scan.scanner] = after
        self.answers.append(Answer(scan.scanner, now, decision))

    def _note_asked(self, decision: Decision) -> None:
        """Once somebody was asked about an act before the power cut, the same scan is meant."""
        if decision.word is Word.AGAIN:
            said = (decision.about["item"], decision.about["lot"])
            left = tuple(one for one in self.room.cut_short if (one.item, one.lot) != said)
            self.room = replace(self.room, cut_short=left)

    def _decide(self, scan: Scan, visit: Visit | None, now: Instant) -> tuple[Decision, Half | None]:
        if isinstance(scan.frame, BadFrame):
            scene = Scene(UnreadableLabel(scan.frame.reason), "", visit, Facts(), self.room, now)
            return refuse(scene, Word.UNREADABLE, why=scan.frame.reason), None
        text = scan.frame.text
        meaning, half = join_scan(self.halves[scan.scanner], meaning_of(text), now / MICROS)
        facts = facts_for(self.ledger.connection, meaning, visit, self.room.ward)
        return decide(meaning, text, visit=visit, facts=facts, room=self.room, now=now), half

    def end_if_idle(self, name: str, now: Instant) -> None:
        """Write the end of a visit that nobody used for too long."""
        visit = self.visits[name]
        if visit is not None and now >= visit.ends_at(self.idle_s):
            scene = Scene(UnreadableLabel("idle"), "", visit, Facts(), self.room, now)
            self.append(perform(scene, Event.IDLE).drafts)
            self.visits[name] = None

    def append(self, drafts: Sequence[Draft]) -> list[ChainedEntry]:
        """Write drafts as one act, all or none."""
        chained = self.ledger.append([self.pen.entry(draft) for draft in drafts]) if drafts else []
        self.written += chained
        return chained
