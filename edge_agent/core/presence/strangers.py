"""Pieces in the wrong storeroom: strangers that are heard as if they stood here, and own ones that others hear so.

A stranger is bound to nothing here. A piece of another storeroom that was put down here is one; through central its
own storeroom learns of it (`SIGHTED`). What lies behind the wall is heard seldom and faintly, and what walks past for a
minute or two, so that each half hour of live rounds is weighed as a whole. Of a piece that is loud through a thin wall
its own readers know better.
The rule that must not be broken: a sighting is no posting and no alarm of its own; each is said once until it turns.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, isfinite
from typing import NamedTuple

from edge_agent.core.presence.calibration import claimed
from edge_agent.core.presence.hazards import Radio
from edge_agent.core.presence.judge import HIGH, LOW
from edge_agent.core.presence.numbers import Floats
from edge_agent.core.presence.tables import ROUNDS
from protocols.values.ids import Epc

OPS = Floats()
PRIOR_ODDS = 0.1
"""Of a stranger that is heard at all: that it stands in this room, against passing by or lying behind the wall."""
WEIGHED_BINS = 30
"""Live bins that are weighed as one: slow fading makes neighbouring minutes no witnesses of their own."""
TOLD_APART_MAX = 1_000
SAID_MAX = 200
"""Strangers that are said to be here at once; more are a delivery or a fair, not lost pieces."""
SURELY = 0.999
"""A sighting is weighed again while its piece is less surely in the other room."""


@dataclass(slots=True)
class _Heard:
    since: int
    rounds: int = 0
    levels: int = 0
    dbm: float = 0.0


class Sighting(NamedTuple):
    """A stranger whose standing has turned: the chance that it stands here, and the bin since which it is so."""

    epc: Epc
    p: float
    since: int


class Strangers:
    """Every stranger that shelf antennas hear."""

    def __init__(self, radio: Radio) -> None:
        self._radio = radio
        self._heard: dict[Epc, _Heard] = {}
        self._said: set[Epc] = set()
        self._rounds, self._bins = 0, 0

    def believed(self, epc: Epc) -> None:
        """Take that the last run said a stranger to be here."""
        if len(self._said) < SAID_MAX:
            self._said.add(epc)

    def known(self, epc: Epc) -> None:
        """Take that a tag is no stranger any more."""
        self._heard.pop(epc, None)
        self._said.discard(epc)

    def hear(self, epc: Epc, dbm: float | None, number: int) -> None:
        """Take that a stranger was read in a round of a bin."""
        heard = self._heard.get(epc)
        if heard is None:
            if len(self._heard) >= TOLD_APART_MAX:
                return
            heard = self._heard[epc] = _Heard(number)
        heard.rounds += 1
        if dbm is not None and isfinite(dbm):
            heard.levels += 1
            heard.dbm += dbm

    def close(self, number: int, rounds: int) -> list[Sighting]:
        """Take the live rounds of a bin that ended; return what turned when enough of them have been."""
        if not rounds:
            return []
        self._rounds, self._bins = self._rounds + rounds, self._bins + 1
        if self._bins < WEIGHED_BINS:
            return []
        found = [
            turned
            for epc in sorted(self._heard.keys() | self._said)
            if (turned := self._turned(epc, number)) is not None
        ]
        self._heard, self._rounds, self._bins = {}, 0, 0
        return found

    def _turned(self, epc: Epc, number: int) -> Sighting | None:
        heard = self._heard.get(epc, _Heard(number - WEIGHED_BINS))
        p = self._p(heard)
        if epc not in self._said and p > HIGH and len(self._said) < SAID_MAX:
            self._said.add(epc)
            return Sighting(epc, p, heard.since)
        if epc in self._said and p < LOW:
            self._said.discard(epc)
            return Sighting(epc, p, heard.since)
        return None

    def _p(self, heard: _Heard) -> float:
        """Return how likely it stands here rather than behind the wall, by how often and how loudly it is heard."""
        radio = self._radio
        reads = float(min(ROUNDS, round(ROUNDS * heard.rounds / self._rounds)))
        here, wall = OPS.level(radio.mean_rate), OPS.level(radio.stray)
        odds = OPS.look(radio.young, here, ROUNDS, reads) - OPS.look(radio.wall, wall, ROUNDS, reads)
        if heard.levels:
            dbm, spread = heard.dbm / heard.levels, radio.level_spread_db**2
            odds += ((dbm - radio.stray_dbm) ** 2 - (dbm - radio.level_dbm) ** 2) / (2.0 * spread)
        return claimed(1.0 / (1.0 + exp(-OPS.log(PRIOR_ODDS) - odds)))


class Elsewhere:
    """Own pieces that another storeroom sights. What it said once holds until it says that they are gone.

    It is weighed again now and then, for the own silence wears it off; never while the piece is surely there.
    """

    def __init__(self) -> None:
        self._odds: dict[int, float] = {}
        self._due: dict[int, int] = {}

    def told(self, tag: int, p: float) -> None:
        """Take the chance that a piece stands in the room of others."""
        self._odds[tag] = p / (1.0 - p) / PRIOR_ODDS
        self._due[tag] = 0

    def forget(self, tag: int) -> None:
        """Take that the book or a person has spoken of a piece."""
        self._odds.pop(tag, None)
        self._due.pop(tag, None)

    def due(self, number: int, p_beside: Callable[[int], float]) -> list[tuple[int, float]]:
        """Return the pieces to weigh in a bin, each with by how many times the sighting speaks for the other room."""
        waiting = [(tag, odds) for tag, odds in self._odds.items() if number >= self._due[tag]]
        found = [(tag, odds) for tag, odds in waiting if odds < 1.0 or p_beside(tag) < SURELY]
        for tag, odds in found:
            self._due[tag] = number + WEIGHED_BINS
            if odds < 1.0:
                self.forget(tag)
        return found
