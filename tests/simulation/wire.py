"""The broker between edges and central: lossy, late, out of order, and told by faults how bad to be.

It carries bytes and keeps nothing that it promises to keep. Central is always connected to it here; an edge that is
cut hears of it, as its client would. The rule that must not be broken: what it does to a message depends on its own
seed and on the faults, never on what the message says.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

LATE_S = (0.02, 0.3)
"""What a message takes when nothing is wrong."""
REORDER_S = (1.0, 40.0)
WAITING_MAX = 200
"""Messages that a clogged line holds; the oldest are lost first."""


class Way(StrEnum):
    """Which way a message goes."""

    UP = "up"
    DOWN = "down"


class Timetable(Protocol):
    """The world's clock, as far as the wire needs it."""

    def after(self, seconds: float, then: Callable[[], None]) -> None:
        """Let something happen later."""


class Mangle(StrEnum):
    """What may be done to the next message of a line."""

    DROP = "drop"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    TRUNCATE = "truncate"
    CORRUPT = "corrupt"


@dataclass(slots=True)
class Line:
    """One device's pair of topics."""

    device: str
    hear_up: Callable[[bytes], None]
    hear_down: Callable[[bytes], None]
    cut: bool = False
    deaf: set[Way] = field(default_factory=set)
    """Ways on which nothing passes although the connection stands."""
    mangles: list[tuple[Way, Mangle]] = field(default_factory=list)
    epoch: int = 0
    """Rises when everything on the way is forgotten."""
    clogged: bool = False
    """Nothing gets through; it waits."""
    waiting: list[Callable[[], None]] = field(default_factory=list)

    def clog(self) -> None:
        """Let everything wait from now on."""
        self.clogged = True


class Wire:
    """All lines."""

    def __init__(self, world: Timetable, seed: str, struck: Callable[[str], None]) -> None:
        """`struck` is told whose message a fault has spoilt: it may have waited long for one."""
        self._world, self._chance, self._struck = world, random.Random(seed), struck
        self.lines: dict[str, Line] = {}
        self.messages = 0
        self.loss = 0.0
        """Share of messages that are lost without being counted as a fault."""

    def carry(self, line: Line, way: Way, data: bytes) -> None:
        """Take one message from a client."""
        if line.cut:
            return
        self.messages += 1
        mangle = next((each for each in line.mangles if each[0] is way), None)
        if mangle is not None:
            line.mangles.remove(mangle)
        late = self._chance.uniform(*LATE_S)
        lost = self._chance.random() < self.loss
        shape, place = self._chance.random(), self._chance.random()
        if mangle is None:
            if not lost:
                self._deliver(line, way, data, late)
            return
        self._struck(line.device)
        match mangle[1]:
            case Mangle.DROP:
                return
            case Mangle.DUPLICATE:
                self._deliver(line, way, data, late)
                self._deliver(line, way, data, late + shape * REORDER_S[1])
            case Mangle.REORDER:
                self._deliver(line, way, data, REORDER_S[0] + shape * (REORDER_S[1] - REORDER_S[0]))
            case Mangle.TRUNCATE:
                self._deliver(line, way, data[: int(len(data) * place)], late)
            case Mangle.CORRUPT:
                bad = bytearray(data)
                bad[int(len(bad) * place)] ^= 1 + int(shape * 255) % 255
                self._deliver(line, way, bytes(bad), late)

    def forget(self) -> None:
        """Lose everything that is on its way."""
        for line in self.lines.values():
            line.epoch += 1

    def free(self, line: Line) -> None:
        """Let everything that waits go on, as it came."""
        line.clogged = False
        waiting, line.waiting = line.waiting, []
        for arrive in waiting:
            self._world.after(LATE_S[0], arrive)

    def _deliver(self, line: Line, way: Way, data: bytes, late: float) -> None:
        epoch = line.epoch

        def arrive() -> None:
            if line.epoch != epoch or line.cut or way in line.deaf:
                return
            if line.clogged:
                line.waiting = [*line.waiting, arrive][-WAITING_MAX:]
                return
            (line.hear_up if way is Way.UP else line.hear_down)(data)

        self._world.after(late, arrive)
