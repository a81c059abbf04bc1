"""How well each antenna hears each tag: drawn once for a storeroom, per tag, shelf and antenna.

It knows nothing of time: fading, shields and failures are in `radio`. The rule that must not be broken: a tag has its
own chance at each antenna, so that a tag that is heard badly stays one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardware_sim.storeroom.rates import WorldRates
from hardware_sim.storeroom.stock import FACING, ROOM_ANTENNAS, SHELVES, Stock

Array = NDArray[np.float64]

WALL = (0.0, 0.05, 0.5, 1.0)
"""How much of a stray each room antenna hears: the last one hangs at the wall to the neighbour."""

SPILL_DB = 10.0
"""How much lower a tag is heard by an antenna that does not face its shelf."""

LEVEL_PER_CHANCE_DB = 8.0
"""A tag that is heard often is heard loudly: dB between never and always."""

REFERENCE_CHANCE, REFERENCE_DBM = 0.97, -48.0
CHANCE_LOW, CHANCE_HIGH = 1e-9, 0.999


@dataclass(frozen=True, slots=True)
class Air:
    """Chances a round and mean levels. Shapes: room [tag, shelf, antenna]; strays [tag, antenna]; neighbour [tag]."""

    room: Array
    room_dbm: Array
    stray: Array
    stray_dbm: Array
    next_home: Array
    next_home_dbm: Array
    next_stray: Array
    next_stray_dbm: Array


def draw_air(rates: WorldRates, stock: Stock, rng: np.random.Generator) -> Air:
    """Draw the air of a storeroom."""
    tags, pieces = len(stock.tags), len(stock.pieces)
    faces = np.zeros((len(SHELVES), len(ROOM_ANTENNAS)), bool)
    for shelf, antennas in enumerate(FACING):
        faces[shelf, list(antennas)] = True
    shape = (tags, *faces.shape)
    facing = _beta(rng, rates.read_mean, rates.read_concentration, shape)
    room = np.where(faces, facing, _beta(rng, rates.spill_mean, rates.spill_concentration, shape))
    room_dbm = _level(rates, room, rng) - np.where(faces, 0.0, SPILL_DB)
    for place, _ in enumerate(stock.references):
        room[pieces + place] = CHANCE_LOW
        room[pieces + place, :, place] = REFERENCE_CHANCE
        room_dbm[pieces + place] = REFERENCE_DBM
    through = rng.beta(rates.stray_a, rates.stray_b, tags)
    back = rng.beta(rates.stray_a, rates.stray_b, tags)
    through[pieces:] = back[pieces:] = 0.0
    next_home = _beta(rng, rates.read_mean, rates.read_concentration, (tags,))
    return Air(
        room=np.clip(room, CHANCE_LOW, CHANCE_HIGH),
        room_dbm=room_dbm,
        stray=np.clip(through[:, None] * np.array(WALL), 0.0, CHANCE_HIGH),
        stray_dbm=rng.normal(rates.stray_dbm, rates.stray_spread_db, (tags, len(ROOM_ANTENNAS))),
        next_home=np.clip(next_home, CHANCE_LOW, CHANCE_HIGH),
        next_home_dbm=_level(rates, next_home, rng),
        next_stray=np.clip(back, 0.0, CHANCE_HIGH),
        next_stray_dbm=rng.normal(rates.stray_dbm, rates.stray_spread_db, tags),
    )


def _beta(rng: np.random.Generator, mean: float, concentration: float, shape: tuple[int, ...]) -> Array:
    """Draw chances; a mean of 0 or 1 leaves no choice."""
    if mean in {0.0, 1.0}:
        return np.full(shape, mean)
    return rng.beta(mean * concentration, (1 - mean) * concentration, shape)


def _level(rates: WorldRates, chance: Array, rng: np.random.Generator) -> Array:
    return rng.normal(rates.level_dbm, rates.level_spread_db, chance.shape) + LEVEL_PER_CHANCE_DB * (chance - 0.5)
