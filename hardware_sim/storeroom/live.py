"""A drawn storeroom as a field that a live reader listens to: what its antennas hear in one round at an instant.

It is pure: what is heard is a function of the world's file, the instant and the antennas, whoever asks and in whatever
order; only the fading of the last question is kept, for speed. Outages of readers are not in it: a reader that is off
is off on its wire, and that is the device's. The rule that must not be broken: it hears what the trace of the same file
is drawn from, the same pieces in the same places with the same chances.
"""

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from hardware_sim.noise import RSSI_HIGH, RSSI_LOW, Heard
from hardware_sim.storeroom.air import draw_air
from hardware_sim.storeroom.door import DOOR_DBM, SPREAD_DB, carried
from hardware_sim.storeroom.happenings import BIN_S, DAY_S, Block, Change, Shield
from hardware_sim.storeroom.radio import FADE_BINS, FADE_DB, Levels
from hardware_sim.storeroom.stock import DOOR_ANTENNAS, ROOM_ANTENNAS, SHELVES
from hardware_sim.storeroom.timeline import place_of
from hardware_sim.storeroom.ward import START, Plan, Ward, draw_ward
from protocols.values.instant import Instant, from_iso, plus, seconds_between

FADE_TERMS = 40
"""Spans back from which fading remembers anything: with a memory of 0.9, a hundredth is left."""


def live_room(plan: Plan, now: Instant) -> "LiveRoom":
    """Return the field of a plan for a reader that is switched on now: in its own days if it is, else from now on."""
    start = from_iso(START)
    return LiveRoom(draw_ward(plan), start if start <= now < plus(start, plan.days * DAY_S) else now)


class _State(NamedTuple):
    place: np.ndarray
    block: np.ndarray


class LiveRoom:
    """One storeroom from an instant on: at `start` its days begin."""

    def __init__(self, ward: Ward, start: Instant) -> None:
        self._ward, self._start = ward, start
        self._levels = Levels.of(ward.plan.rates, draw_air(ward.plan.rates, ward.stock, ward.plan.chance("air")))
        self._events: list[Change | Shield] = sorted(
            [*ward.life.changes, *ward.life.shields], key=lambda event: event.at_s
        )
        self._times = [event.at_s for event in self._events]
        self._passages = sorted(ward.life.passages)
        self._passed = [passage.at_s for passage in self._passages]
        self._done = 0
        self._state = self._first()
        self._fade: tuple[int, np.ndarray] = (-1, np.zeros(len(ward.stock.tags)))

    @property
    def antennas(self) -> int:
        """Return how many antennas a reader of this room has: the room's, then the door's."""
        return len(ROOM_ANTENNAS) + len(DOOR_ANTENNAS)

    def inventory(self, at: Instant, antennas: Iterable[int]) -> list[Heard]:
        """Return what one round by these antennas hears at an instant; before the start, what stands there first."""
        at_s = min(max(0.0, seconds_between(self._start, at)), self._ward.plan.days * DAY_S)
        rng = np.random.default_rng([self._ward.plan.seed, int(at_s * 1000), 2])
        wanted = sorted(set(antennas))
        room = [place for place, antenna in enumerate(ROOM_ANTENNAS) if antenna in wanted]
        return self._room(at_s, room, rng) + self._door(at_s, [each for each in wanted if each in DOOR_ANTENNAS], rng)

    def _room(self, at_s: float, places: list[int], rng: np.random.Generator) -> list[Heard]:
        state, fade = self._at(at_s), self._fading(at_s)
        each = np.arange(len(state.place))
        rates = self._ward.plan.rates
        fade_here = fade[: len(each)] + fade[len(each) + state.place]
        chance = 1 / (1 + np.exp(-(self._levels.room[each, state.place] + fade_here[:, None])))
        chance *= (np.array([1.0, rates.block_leaks, 0.0])[state.block] * self._living(at_s))[:, None]
        chance *= [1.0 - self._is_deaf(antenna, at_s) for antenna in ROOM_ANTENNAS]
        heard = rng.random(chance.shape) < chance
        dbm = self._levels.room_dbm[each, state.place] + (FADE_DB * fade_here)[:, None]
        dbm = dbm - rates.level_leaky_db * (state.block == Block.LEAKY)[:, None]
        dbm = dbm + rates.level_noise_db * rng.standard_normal(chance.shape)
        tags = self._ward.stock.tags
        return [
            Heard(tags[tag].epc, ROOM_ANTENNAS[place], _whole(float(dbm[tag, place])), 1)
            for place in places
            for tag in np.flatnonzero(heard[:, place]).tolist()
        ]

    def _door(self, at_s: float, antennas: list[int], rng: np.random.Generator) -> list[Heard]:
        """Return what is being carried past the door antennas just now."""
        found = []
        until = bisect_right(self._passed, at_s)
        for number in range(until - 1, -1, -1):
            passage = self._passages[number]
            if passage.at_s < at_s - BIN_S:
                break
            capture = np.random.default_rng([self._ward.plan.seed, number, 3])
            for seen in carried(self._ward.plan.rates, passage, capture):
                if seen.antenna in antennas and seen.since_s <= at_s <= seen.until_s:
                    dbm = _whole(float(rng.normal(DOOR_DBM, SPREAD_DB)))
                    found.append(Heard(self._ward.stock.tags[passage.tag].epc, seen.antenna, dbm, 1))
        return found

    def _first(self) -> _State:
        tags = self._ward.stock.tags
        place = np.array([place_of(tag.first, tag.shelf) for tag in tags], np.int8)
        return _State(place, np.zeros(len(tags), np.int8))

    def _at(self, at_s: float) -> _State:
        """Return where everything is; going back in time begins anew."""
        until = bisect_right(self._times, at_s)
        if until < self._done:
            self._state, self._done = self._first(), 0
        for event in self._events[self._done : until]:
            if isinstance(event, Change):
                self._state.place[event.tag] = place_of(event.where, event.shelf)
            else:
                self._state.block[event.tag] = event.block
        self._done = until
        return self._state

    def _fading(self, at_s: float) -> np.ndarray:
        """Return the fading of every tag and, after them, every place, in logits."""
        span = int(at_s // (BIN_S * FADE_BINS))
        if span == self._fade[0]:
            return self._fade[1]
        rates, tags = self._ward.plan.rates, len(self._ward.stock.tags)
        memory, places = rates.fade_memory, len(SHELVES) + 2
        total = np.zeros(tags + places)
        for back in range(FADE_TERMS):
            fresh = np.random.default_rng([self._ward.plan.seed, span - back + FADE_TERMS, 4])
            total += memory**back * fresh.standard_normal(tags + places)
        total *= np.sqrt(1 - memory**2) if memory < 1 else 1.0
        total *= np.repeat([rates.fade_tag, rates.fade_shelf], [tags, places])
        self._fade = (span, total)
        return total

    def _living(self, at_s: float) -> np.ndarray:
        living = np.ones(len(self._ward.stock.tags))
        living[[death.tag for death in self._ward.failures.deaths if death.at_s <= at_s]] = 0.0
        return living

    def _is_deaf(self, antenna: int, at_s: float) -> bool:
        spans = self._ward.failures.blind + self._ward.failures.lost
        return any(span.antenna == antenna and span.since_s <= at_s < span.until_s for span in spans)


def _whole(dbm: float) -> int:
    return min(RSSI_HIGH, max(RSSI_LOW, round(dbm)))
