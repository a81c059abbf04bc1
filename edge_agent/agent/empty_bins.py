"""Empty bins: a scanned card or one that an antenna reads becomes a need in the ledger, and only then a beep.

Scans of cards are answered here, before anybody takes them for a label; no badge is needed to throw a card. The rule
that must not be broken: an ok is said only for a need that is on the disk.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from edge_agent.agent.counter import Scan
from edge_agent.agent.inbox import Happening, ScannerClosed, ScannerOpened, Wire
from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock, Pen
from edge_agent.core.kanban import Bin, Kanban
from edge_agent.core.recognise import Draft
from edge_agent.errors import StoreFault
from edge_agent.store.ledger import Ledger
from protocols.movements.bodies import write_body
from protocols.readers.reads import BadFrame, ReaderEvent
from protocols.readers.scanner import AIM_MARK, Beep
from protocols.values.ids import ActorId
from protocols.values.instant import to_iso

WAITING_MAX = 1_000
"""Empty bins that wait for a disk that takes nothing; a card that lies there is noted again after a restart."""
AIM_LENGTH = 3


@dataclass(frozen=True, slots=True)
class _Card:
    """One card that was shown; `scanner` is empty for one that an antenna reads."""

    bin: Bin
    scanner: str = ""


class EmptyBins:
    """The cards of one storeroom. `who()` tells who stands before each scanner, `shown` is told of every answer."""

    def __init__(
        self,
        kanban: Kanban,
        *,
        clock: Clock,
        voice: Voice,
        who: Callable[[], Mapping[str, ActorId]],
        shown: Callable[[Beep], None],
    ) -> None:
        self._kanban, self._clock, self._voice = kanban, clock, voice
        self._who, self._shown = who, shown
        self._wires: dict[str, Wire] = {}
        self._waiting: list[_Card] = []

    def take(self, happening: Happening) -> None:
        """Take on which wire a scanner is answered."""
        match happening:
            case ScannerOpened():
                self._wires[happening.name] = happening.wire
            case ScannerClosed():
                self._wires.pop(happening.name, None)
            case _:
                pass

    def sift(self, scans: Sequence[Scan]) -> list[Scan]:
        """Keep the scans of cards, and return all others."""
        others: list[Scan] = []
        for scan in scans:
            found = None if isinstance(scan.frame, BadFrame) else self._kanban.of(bare(scan.frame.text))
            if found is None:
                others.append(scan)
            else:
                self._waiting.append(_Card(found, scan.scanner))
        return others

    def hear(self, name: str, event: ReaderEvent) -> None:
        """Take what a reader says."""
        found = self._kanban.hear(name, event)
        if found is not None and len(self._waiting) < WAITING_MAX:
            self._waiting.append(_Card(found))

    @property
    def waiting(self) -> bool:
        """Tell whether a card waits to be noted."""
        return bool(self._waiting)

    def write(self, ledger: Ledger, pen: Pen) -> None:
        """Note every card that waits as one group, then answer.

        Raises `StoreFault` when nothing was kept: scans are answered with no, cards on antennas wait on.
        """
        cards, self._waiting = self._waiting, []
        now, actors = self._clock.now(), self._who()
        fresh = {card.bin.card: card for card in reversed(cards) if not self._kanban.noted_within(card.bin.card, now)}
        drafts = [
            Draft("need", write_body(each.bin.need()), actors.get(each.scanner, ActorId(""))) for each in fresh.values()
        ]
        try:
            with ledger.group():
                ledger.append([pen.entry(draft) for draft in drafts])
        except StoreFault:
            self._answer((card for card in cards if card.scanner), Beep.NO, "not kept; scan again")
            self._waiting = [card for card in cards if not card.scanner]
            raise
        for card in cards:
            before = self._kanban.noted_within(card.bin.card, now)
            if before is None:
                self._kanban.note(card.bin.card, now)
                self._answer([card], Beep.OK, f"bin of {card.bin.item} is empty, {card.bin.qty} needed")
            elif card.scanner:
                self._answer([card], Beep.LOOK, f"bin of {card.bin.item} is noted already since {to_iso(before)}")

    def _answer(self, cards: Iterable[_Card], beep: Beep, said: str) -> None:
        for card in cards:
            wire = self._wires.get(card.scanner)
            if wire is not None:
                wire.send(beep.wire)
            if card.scanner:
                self._shown(beep)
            self._voice.say_counted(f"card {card.bin.card}", said)


def bare(text: str) -> str:
    """Return a scanned text without the symbology identifier that a scanner puts in front."""
    return text[AIM_LENGTH:] if text.startswith(AIM_MARK) else text
