"""The people of one ward: they come when the plan says, scan a badge, then each piece, and wait for each beep.

A person is patient for five real seconds, then scans again; told no after a silence, a person shows the badge again and
tries once more, and when it is still no, the piece was booked before the answer got lost: it is taken. The rule that
must not be broken: a piece leaves the shelf only after its beep, and every answer is logged before anybody acts on it.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hardware_sim.clock import Clock
from hardware_sim.devices.scanner import badge_label, piece_label
from hardware_sim.evidence.truth import NO_EPC, Answer
from hardware_sim.evidence.truth import Beep as LoggedBeep
from hardware_sim.scenario.plan import Visit, Ward
from hardware_sim.serve import ScannerPort
from hardware_sim.world import Move, Storeroom, Tag
from protocols.readers.scanner import Beep
from protocols.values.ids import ActorId, Epc, ItemId

PATIENCE_S = 5.0
"""Real seconds a person waits for a beep; a commit was seen to take half a second, a restart takes some."""

QUIET_S = 0.5
"""Real seconds without a beep after which an answer to an earlier scan will not come any more."""

TRIES_MAX = 12
"""Scans of one label before a person gives up: a minute."""

Tell = Callable[..., None]
ANSWERS: dict[Beep, Answer] = {Beep.OK: "ok", Beep.NO: "no", Beep.LOOK: "look"}


@dataclass(frozen=True, slots=True)
class Said:
    """How one label was answered; `silences` scans of it got no answer."""

    beep: Beep | None
    silences: int


class People:
    """Everybody who visits one ward, one after another, on one thread."""

    def __init__(
        self,
        ward: Ward,
        *,
        room: Storeroom,
        scanner: ScannerPort,
        clock: Clock,
        log: Path,
        tell: Tell,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._ward = ward
        self._room = room
        self._scanner = scanner
        self._clock = clock
        self._log = log
        self._tell = tell
        self._patience_s = patience_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._live, name=f"people {ward.place}", daemon=True)
        log.touch()

    def start(self) -> None:
        """Begin the evening."""
        self._thread.start()

    @property
    def done(self) -> bool:
        """Tell whether the last visit is over."""
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Send everybody home; a scan that waits for its beep is waited for."""
        self._stopped.set()
        self._thread.join()

    def _live(self) -> None:
        for visit in self._ward.visits:
            if self._stopped.wait(self._clock.seconds_until(visit.at)):
                return
            self._visit(visit)

    def _visit(self, visit: Visit) -> None:
        self._show_badge(visit.actor)
        taken: list[ItemId] = []
        refused: list[ItemId] = []
        for epc in visit.epcs:
            if self._stopped.is_set():
                return
            tag = self._room.tags[epc]
            (taken if self._take(visit.actor, tag) else refused).append(tag.item)
        if taken:
            self._tell("takes", ward=self._ward.place, actor=visit.actor, items=taken)
        if refused:
            self._tell("refused", ward=self._ward.place, actor=visit.actor, items=refused)

    def _take(self, actor: ActorId, tag: Tag) -> bool:
        said = self._show_piece(actor, tag)
        silences = said.silences
        if said.beep is not Beep.OK and not self._stopped.is_set():
            self._show_badge(actor)
            said = self._show_piece(actor, tag)
            silences += said.silences
        if said.beep is Beep.OK:
            why = "scanned"
        elif said.beep is Beep.NO and silences:
            why = "answered"
        else:
            return False
        self._room.take(Move(tag.epc, self._clock.now(), why, actor))
        return True

    def _show_badge(self, actor: ActorId) -> None:
        self._ask(badge_label(actor), actor, NO_EPC)

    def _show_piece(self, actor: ActorId, tag: Tag) -> Said:
        label = piece_label(gtin=tag.gtin, expiry=tag.expiry, lot=tag.lot, serial=tag.serial)
        return self._ask(label, actor, tag.epc)

    def _ask(self, label: str, actor: ActorId, epc: Epc) -> Said:
        for silences in range(TRIES_MAX):
            beep = self._scanner.scan(label, wait_s=self._patience_s)
            if beep is not None and silences:
                beep = self._first_answer(beep)
            self._write(label, actor, epc, beep)
            if beep is not None or self._stopped.is_set():
                return Said(beep, silences)
            self._tell("silent", ward=self._ward.place, actor=actor)
        return Said(None, TRIES_MAX)

    def _first_answer(self, beep: Beep) -> Beep:
        """Return ok if either this or one that comes late is: after a silence two answers may be on their way."""
        late = self._scanner.listen(QUIET_S)
        return Beep.OK if late is Beep.OK else beep

    def _write(self, label: str, actor: ActorId, epc: Epc, beep: Beep | None) -> None:
        answer: Answer = "none" if beep is None else ANSWERS[beep]
        line = LoggedBeep(self._clock.now(), label, "item" if epc else "badge", actor, answer, epc).line()
        with self._log.open("ab") as file:
            file.write(line)
