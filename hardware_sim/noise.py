"""What antennas hear of a storeroom: each tag has a read probability and a level of its own at each antenna facing it.

A piece that leaves is heard at the door, by antennas there. It is pure and seeded: the same seed and the same questions
in the same order give the same answers. It knows nothing of LLRP and of clocks. The rule that must not be broken: a tag
that is neither on its shelf nor at the door is never heard here.
"""

import random
from collections.abc import Iterable
from typing import NamedTuple

from hardware_sim.errors import WrongUse
from hardware_sim.world import DOOR_ANTENNAS, SHELF_ANTENNAS, TAGS_MAX, Storeroom, Tag
from protocols.values.ids import Epc, Position
from protocols.values.instant import Instant, plus, seconds_between

READ_LOW, READ_HIGH = 0.80, 0.995
"""Chance that one antenna hears a tag it faces in one round. Two face it: ten rounds without a single read
of a tag that is there come once in 1e13."""

AT_DOOR_S = 120.0
"""A piece that leaves its shelf is at the door within so long: two rounds of a minute."""
DOOR_READ = 0.9
"""Chance that one of the two antennas there hears it in one round."""

LEVEL_DBM, LEVEL_SPREAD_DB, FADING_DB = -58.0, 6.0, 2.0
RSSI_LOW, RSSI_HIGH = -90, -30

READS_A_S_MAX = 100_000.0
CATCH_UP_S = 1.0
"""Seconds of reads that a steady field owes after a pause; what is older was heard by nobody."""


class Heard(NamedTuple):
    """One tag heard by one antenna in one round; `rssi_dbm` its peak level, `times` reads."""

    epc: Epc
    antenna: int
    rssi_dbm: int
    times: int


class Radio:
    """The antennas of one storeroom."""

    def __init__(self, room: Storeroom, rng: random.Random) -> None:
        self._room = room
        self._rng = rng
        self._paths = [(tag, self._paths_of(tag.position, rng)) for tag in room.tags.values()]
        self._moved: dict[tuple[Epc, Position], list[tuple[int, float, float]]] = {}

    def inventory(self, at: Instant, antennas: Iterable[int]) -> list[Heard]:
        """Return what one round by these antennas hears at an instant."""
        wanted = frozenset(antennas)
        heard: list[Heard] = []
        for tag, paths in self._paths:
            if self._room.is_here(tag.epc, at):
                shelf = self._room.position_of(tag.epc, at)
                heard += self._heard(tag, paths if shelf == tag.position else self._paths_at(tag, shelf), wanted)
        return heard + self._at_door(at, wanted.intersection(DOOR_ANTENNAS))

    def _at_door(self, at: Instant, wanted: frozenset[int]) -> list[Heard]:
        passing = self._room.passing(plus(at, -AT_DOOR_S), at) if wanted else ()
        return [
            Heard(epc, antenna, self._level(LEVEL_DBM), 1)
            for epc in passing
            for antenna in sorted(wanted)
            if self._rng.random() < DOOR_READ
        ]

    def _paths_at(self, tag: Tag, shelf: Position) -> list[tuple[int, float, float]]:
        """Return how a piece is heard on another shelf than its own, drawn apart so that the others' draws stay."""
        if (tag.epc, shelf) not in self._moved:
            self._moved[tag.epc, shelf] = self._paths_of(shelf, random.Random(f"{tag.epc} on {shelf}"))
        return self._moved[tag.epc, shelf]

    @staticmethod
    def _paths_of(shelf: Position, rng: random.Random) -> list[tuple[int, float, float]]:
        return [
            (antenna, rng.uniform(READ_LOW, READ_HIGH), rng.gauss(LEVEL_DBM, LEVEL_SPREAD_DB))
            for antenna in SHELF_ANTENNAS[shelf]
        ]

    def _heard(self, tag: Tag, paths: list[tuple[int, float, float]], wanted: frozenset[int]) -> list[Heard]:
        draw = self._rng.random
        return [
            Heard(tag.epc, antenna, self._level(level), 1)
            for antenna, chance, level in paths
            if antenna in wanted and draw() < chance
        ]

    def _level(self, mean_dbm: float) -> int:
        return min(RSSI_HIGH, max(RSSI_LOW, round(self._rng.gauss(mean_dbm, FADING_DB))))


class Steady:
    """A reader's field for load: `tags` made-up tags, together read `reads_a_s` times a second of reader's time.

    Reads go round over tags and antennas, so that each is read about as often as any other.
    """

    def __init__(self, *, tags: int, reads_a_s: float, rng: random.Random) -> None:
        if not 1 <= tags <= TAGS_MAX:
            raise WrongUse(f"--tags: expected 1..{TAGS_MAX}, got {tags}")
        if not 0 < reads_a_s <= READS_A_S_MAX:
            raise WrongUse(
                f"--rate: expected more than 0 and at most {READS_A_S_MAX:g} reads a second, got {reads_a_s:g}"
            )
        self._epcs = [Epc(f"30{rng.getrandbits(88):022X}") for _ in range(tags)]
        self._reads_a_s = reads_a_s
        self._rng = rng
        self._last: Instant | None = None
        self._owed = 0.0
        self._next = 0

    def inventory(self, at: Instant, antennas: Iterable[int]) -> list[Heard]:
        """Return the reads owed since the last round, at most `CATCH_UP_S` of them."""
        listening = sorted(antennas)
        since_s = CATCH_UP_S if self._last is None else min(CATCH_UP_S, seconds_between(self._last, at))
        self._last = at
        self._owed += self._reads_a_s * since_s if listening else 0.0
        reads, self._owed = int(self._owed), self._owed % 1
        return [self._read(listening) for _ in range(reads)]

    def _read(self, antennas: list[int]) -> Heard:
        turn, self._next = self._next, self._next + 1
        epc = self._epcs[turn % len(self._epcs)]
        antenna = antennas[turn // len(self._epcs) % len(antennas)]
        return Heard(epc, antenna, round(self._rng.gauss(LEVEL_DBM, LEVEL_SPREAD_DB)), 1)
