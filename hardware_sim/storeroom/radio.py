"""What the antennas hear in each bin of a scene: counts of rounds, levels, and the second of the last read.

Counts are binomial over the rounds of a bin, with chances that fade slowly, alone and shelf by shelf. It moves nothing.
The rule that must not be broken: what is not there is never heard, but for ghosts and, through the wall, strays.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardware_sim.storeroom.air import Air
from hardware_sim.storeroom.failures import Failures, Span, shares
from hardware_sim.storeroom.happenings import BIN_S, ROUNDS_A_BIN, Block
from hardware_sim.storeroom.rates import WorldRates
from hardware_sim.storeroom.stock import DOOR_ANTENNAS, ROOM_ANTENNAS, SHELVES
from hardware_sim.storeroom.timeline import STRAY_PLACE, Scene

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

FADE_BINS = 10
"""Bins over which fading stands still."""

FADE_DB = 2.0
"""dB for one logit of fading."""

LEVEL_LOW, LEVEL_HIGH = -92.0, -25.0
AUDIBLE = 0.02
"""Chance a round from which an antenna may be the one that heard a tag best."""

LOGIT_LOW = -40.0


@dataclass(frozen=True, slots=True)
class Alive:
    """Rounds of each bin: of the room's reader, of each of its antennas [antenna, bin], and of the neighbour's."""

    reader: Counts
    antennas: Counts
    hears: Array
    near: Counts


@dataclass(frozen=True, slots=True)
class Rows:
    """Reads of one channel in order of bins; `antennas` are places, 0 where they are not told."""

    bins: Counts
    tags: Counts
    antennas: Counts
    counts: Counts
    dbm: Array
    last_s: Counts


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard in one scene."""

    alive: Alive
    room: Rows
    per_antenna: Rows
    near: Rows


@dataclass(frozen=True, slots=True)
class Levels:
    """The air by place, as logits and mean levels: room [tag, place, antenna], near [tag, place]."""

    room: Array
    room_dbm: Array
    near: Array
    near_dbm: Array

    @classmethod
    def of(cls, rates: WorldRates, air: Air) -> "Levels":
        """Return the air of the shelves with the places after them: strays next door, ghosts elsewhere."""
        ghost = np.full(air.next_home.shape, _logit(np.array(rates.ghost)))
        ghosts = np.repeat(ghost[:, None, None], len(ROOM_ANTENNAS), axis=2)
        near = [*[_logit(air.next_stray)] * STRAY_PLACE, _logit(air.next_home), ghost]
        near_dbm = [*[air.next_stray_dbm] * STRAY_PLACE, air.next_home_dbm, air.next_stray_dbm]
        stray_dbm = air.stray_dbm[:, None]
        return cls(
            room=np.concatenate([_logit(air.room), _logit(air.stray)[:, None], ghosts], axis=1),
            room_dbm=np.concatenate([air.room_dbm, stray_dbm, stray_dbm], axis=1),
            near=np.stack(near, axis=1),
            near_dbm=np.stack(near_dbm, axis=1),
        )


class Radio:
    """The antennas over time; fading goes on from one scene to the next."""

    def __init__(self, rates: WorldRates, air: Air, failures: Failures, rng: np.random.Generator) -> None:
        self._rates, self._failures, self._rng = rates, failures, rng
        tags = len(air.stray)
        self._levels = Levels.of(rates, air)
        self._tag_fade = self._rng.standard_normal(tags)
        self._shelf_fade = self._rng.standard_normal(len(SHELVES) + 2)

    def hear(self, scene: Scene, *, ant_every: int) -> Heard:
        """Draw what is heard in a scene; every so many bins each antenna is told apart (0: never)."""
        alive = alive_rounds(self._failures, scene.first, scene.bins)
        tag_fade, shelf_fade = self._fades(scene.bins)
        each = np.arange(len(scene.place))[:, None]
        fade = tag_fade + shelf_fade[scene.place, np.arange(scene.bins)]
        through = self._through(scene)
        chance = _chance(self._levels.room[each, scene.place] + fade[:, :, None]) * through[:, :, None]
        chance *= alive.hears[: len(ROOM_ANTENNAS)].T[None]
        rounds = np.rint(alive.reader * scene.share).astype(np.int64)
        counts = self._rng.binomial(rounds, 1 - np.prod(1 - chance, axis=2))
        apart = self._tell_apart(scene, chance, rounds, counts, ant_every)
        near_fade = np.where(scene.near == STRAY_PLACE, tag_fade, fade)
        near_chance = _chance(self._levels.near[each, scene.near] + near_fade) * _shielded(
            scene, self._rates.block_leaks
        )
        near = self._rng.binomial(np.rint(alive.near * scene.near_share).astype(np.int64), near_chance)
        return Heard(
            alive=alive,
            room=self._rows(scene, counts, chance, fade),
            per_antenna=self._antenna_rows(scene, apart, fade),
            near=self._near_rows(scene, near, near_fade),
        )

    def _fades(self, bins: int) -> tuple[Array, Array]:
        """Return the fading of tags and of shelves, in logits, bin by bin."""
        spans = -(-bins // FADE_BINS)
        memory = self._rates.fade_memory
        fresh = np.sqrt(1 - memory**2)
        tags, shelves = np.empty((len(self._tag_fade), spans)), np.empty((len(self._shelf_fade), spans))
        for span in range(spans):
            tags[:, span], shelves[:, span] = self._tag_fade, self._shelf_fade
            self._tag_fade = memory * self._tag_fade + fresh * self._rng.standard_normal(len(self._tag_fade))
            self._shelf_fade = memory * self._shelf_fade + fresh * self._rng.standard_normal(len(self._shelf_fade))
        tag_fade = np.repeat(tags * self._rates.fade_tag, FADE_BINS, axis=1)[:, :bins]
        return tag_fade, np.repeat(shelves * self._rates.fade_shelf, FADE_BINS, axis=1)[:, :bins]

    def _through(self, scene: Scene) -> Array:
        """Return what shields, people and death leave of a tag's chance."""
        shade = np.concatenate([scene.shade, np.zeros((2, scene.bins))])[scene.place, np.arange(scene.bins)]
        return _shielded(scene, self._rates.block_leaks) * (1 - (1 - self._rates.body_shadow) * shade)

    def _tell_apart(self, scene: Scene, chance: Array, rounds: Counts, counts: Counts, every: int) -> Counts:
        """Draw each antenna's own count where it is told, and with it the count of rounds in which any heard."""
        apart = np.zeros((len(ROOM_ANTENNAS), *counts.shape), np.int64)
        columns = np.flatnonzero((np.arange(scene.bins) + scene.first) % every == 0) if every else np.array([], int)
        if not len(columns):
            return apart
        some = np.zeros((len(counts), len(columns)), np.int64)
        for place in range(len(ROOM_ANTENNAS)):
            p = chance[:, columns, place]
            new = self._rng.binomial(rounds[:, columns] - some, p)
            apart[place][:, columns] = new + self._rng.binomial(some, p)
            some += new
        counts[:, columns] = some
        return apart

    def _rows(self, scene: Scene, counts: Counts, chance: Array, fade: Array) -> Rows:
        bins, tags = np.nonzero(counts.T)
        heard = chance[tags, bins]
        audible = (heard >= AUDIBLE) | (heard == heard.max(axis=1, keepdims=True))
        means = np.where(audible, self._levels.room_dbm[tags, scene.place[tags, bins]], -np.inf).max(axis=1)
        return self._told(
            scene, bins, tags, np.zeros_like(bins), counts[tags, bins], means + FADE_DB * fade[tags, bins]
        )

    def _antenna_rows(self, scene: Scene, apart: Counts, fade: Array) -> Rows:
        bins, tags, antennas = np.nonzero(apart.transpose(2, 1, 0))
        means = self._levels.room_dbm[tags, scene.place[tags, bins], antennas] + FADE_DB * fade[tags, bins]
        return self._told(scene, bins, tags, antennas, apart[antennas, tags, bins], means)

    def _near_rows(self, scene: Scene, counts: Counts, fade: Array) -> Rows:
        bins, tags = np.nonzero(counts.T)
        means = self._levels.near_dbm[tags, scene.near[tags, bins]] + FADE_DB * fade[tags, bins]
        return self._told(scene, bins, tags, np.zeros_like(bins), counts[tags, bins], means)

    def _told(self, scene: Scene, bins: Counts, tags: Counts, antennas: Counts, counts: Counts, means: Array) -> Rows:
        """Return rows with the levels as measured, and the second at which the last of so many reads came."""
        leaky = (scene.block[tags, bins] == Block.LEAKY) * self._rates.level_leaky_db
        noise = self._rng.standard_normal(len(bins)) * self._rates.level_noise_db / np.sqrt(counts)
        dbm = np.clip(np.round(means - leaky + noise, 1), LEVEL_LOW, LEVEL_HIGH)
        ends, share = scene.ends_s[tags, bins], scene.share[tags, bins]
        last = ends - share * BIN_S * (1 - self._rng.random(len(bins)) ** (1 / counts))
        return Rows(bins, tags, antennas, counts, dbm, last.astype(np.int64))


def alive_rounds(failures: Failures, first: int, bins: int) -> Alive:
    """Return the rounds of each bin from a first one on, and how well each antenna hears in them (0..1)."""

    def share(spans: tuple[Span, ...], antenna: int = 0) -> Array:
        chosen = tuple(span for span in spans if span.antenna == antenna)
        return shares(chosen, first * BIN_S, bins, BIN_S)

    reader = np.rint(ROUNDS_A_BIN * (1 - share(failures.reader_off))).astype(np.int64)
    antennas = ROOM_ANTENNAS + DOOR_ANTENNAS
    lost = np.array([share(failures.lost, antenna) for antenna in antennas])
    blind = np.array([share(failures.blind, antenna) for antenna in antennas])
    return Alive(
        reader=reader,
        antennas=np.rint(reader * (1 - lost)).astype(np.int64),
        hears=(1 - lost) * (1 - blind),
        near=np.rint(ROUNDS_A_BIN * (1 - share(failures.next_off))).astype(np.int64),
    )


def _shielded(scene: Scene, leaks: float) -> Array:
    passes: Array = np.array([1.0, leaks, 0.0])[scene.block]
    passes[scene.dead] = 0.0
    return passes


def _logit(chance: Array) -> Array:
    clipped = np.clip(chance, 1e-17, 1 - 1e-12)
    logit: Array = np.maximum(np.log(clipped) - np.log1p(-clipped), LOGIT_LOW)
    return logit


def _chance(logit: Array) -> Array:
    return 1 / (1 + np.exp(-logit))
