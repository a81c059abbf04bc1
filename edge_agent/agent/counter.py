"""The people's side of the agent: scans become decisions, decisions become entries, and the beep follows the COMMIT.

It runs on the agent's thread; while the agent runs, `Counter.write` is the only way into the ledger. The rule that must
not be broken: an ok is beeped only for what `Ledger.group` has put on the disk; whatever goes wrong before, it is a no.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from edge_agent.agent.inbox import ScannerClosed, ScannerOpened, ScannerSaid, Wire
from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock, Pen
from edge_agent.core.book import effect_of
from edge_agent.core.halves import join_scan, settle_half
from edge_agent.core.presence import Belief, Presence
from edge_agent.core.recognise import Draft, Facts, Meaning, Visit, decide, end_visit, meaning_of
from edge_agent.errors import StoreFault
from edge_agent.store.connection import Connection
from edge_agent.store.ledger import Ledger
from edge_agent.store.queries import facts_of, tags_of_units
from protocols.codes.label import Label
from protocols.codes.merge import Half
from protocols.entry import ChainedEntry
from protocols.errors import ProtocolsError
from protocols.readers.reads import BadFrame
from protocols.readers.scanner import Beep, ScanFrame
from protocols.values.ids import PlaceId
from protocols.values.instant import MICROS, Instant, plus

REFUSALS_A_MINUTE_MAX = 30
"""Refused scans of one scanner told in the log in one minute; a noisy port makes thousands, the rest are counted."""


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
class _Answer:
    scanner: str
    beep: Beep
    message: str


class Counter:
    """Every scanner of one storeroom. `visit` is the one that was open when the last run ended.

    `scanners` name what cuts each one's bytes; `shown(beep)` is told of every answer.
    """

    def __init__(
        self,
        scanners: Mapping[str, ScanDecoder],
        ward: PlaceId,
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
        self._ward, self._idle_s = ward, idle_s
        self._clock, self._voice, self._presence = clock, voice, presence
        if visit is not None:
            next(iter(self._scanners.values())).visit = visit

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
        group = _Group(ledger, pen, visits, halves, self._ward, self._idle_s)
        try:
            with ledger.group():
                for scan in scans:
                    group.act(scan, self._clock.now())
                for name in visits:
                    group.end_if_idle(name, self._clock.now())
                group.append([belief.draft() for belief in beliefs])
        except StoreFault:
            self._answer([_Answer(scan.scanner, Beep.NO, "not kept; scan again") for scan in scans])
            raise
        for name, visit in visits.items():
            self._scanners[name].visit, self._scanners[name].half = visit, halves[name]
        self._answer(group.answers)
        self._tell_presence(ledger.connection, group.written)

    def _answer(self, answers: Iterable[_Answer]) -> None:
        for answer in answers:
            wire = self._scanners[answer.scanner].wire
            if wire is not None:
                wire.send(answer.beep.wire)
            self._shown(answer.beep)
            topic = f"scan {answer.scanner} {answer.beep.name.lower()}"
            if answer.beep is Beep.OK:
                self._voice.say(topic, answer.message)
            else:
                self._voice.say_counted(topic, answer.message, burst=REFUSALS_A_MINUTE_MAX)

    def _tell_presence(self, connection: Connection, written: Iterable[ChainedEntry]) -> None:
        moved = {one.unit for each in written for one in effect_of(each.entry.kind, each.entry.body).moved}
        for tag in tags_of_units(connection, moved, self._ward):
            self._presence.book(tag.epc, tag.here, tag.booked_at)


@dataclass(slots=True)
class _Group:
    """What one transaction has come to so far; it counts only if the transaction is kept."""

    ledger: Ledger
    pen: Pen
    visits: dict[str, Visit | None]
    halves: dict[str, Half | None]
    ward: PlaceId
    idle_s: float
    answers: list[_Answer] = field(default_factory=list)
    written: list[ChainedEntry] = field(default_factory=list)

    def act(self, scan: Scan, now: Instant) -> None:
        """Decide one scan and write what follows; an act that cannot be written costs itself alone."""
        if isinstance(scan.frame, BadFrame):
            self.answers.append(_Answer(scan.scanner, Beep.NO, scan.frame.reason))
            return
        self.end_if_idle(scan.scanner, now)
        meaning, half = join_scan(self.halves[scan.scanner], meaning_of(scan.frame.text), now / MICROS)
        visit, facts = self.visits[scan.scanner], self._facts(meaning)
        decision = decide(meaning, visit=visit, facts=facts, ward=self.ward, now=now)
        try:
            self.append(decision.drafts)
        except ProtocolsError as error:
            self.answers.append(_Answer(scan.scanner, Beep.NO, f"this cannot be recorded: {error}"))
            return
        decision, self.halves[scan.scanner] = settle_half(half, decision)
        self.visits[scan.scanner] = decision.visit
        self.answers.append(_Answer(scan.scanner, decision.beep, decision.message))

    def end_if_idle(self, name: str, now: Instant) -> None:
        """Write the end of a visit that nobody used for too long."""
        visit = self.visits[name]
        if visit is not None and now >= visit.ends_at(self.idle_s):
            self.append([end_visit(visit)])
            self.visits[name] = None

    def append(self, drafts: Sequence[Draft]) -> None:
        """Write drafts as one act, all or none."""
        if drafts:
            self.written += self.ledger.append([self.pen.entry(draft) for draft in drafts])

    def _facts(self, meaning: Meaning) -> Facts:
        if isinstance(meaning, Label) and meaning.product is not None and meaning.serial is not None:
            return facts_of(self.ledger.connection, meaning.product, meaning.serial, self.ward)
        return Facts()
