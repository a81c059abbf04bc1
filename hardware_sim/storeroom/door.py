"""What is heard and seen at the door: tags that are carried through, the visit sensor, foreign tags walking by.

Two antennas hang at the door, one inside and one outside; their order in time tells the direction, where both hear.
It is pure. The rule that must not be broken: the door hears only what is carried, and now and then the nearest shelf.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hardware_sim.storeroom.failures import Failures, shares
from hardware_sim.storeroom.happenings import BIN_S, BINS_A_DAY, ROUNDS_A_BIN, Life, Passage, bin_of
from hardware_sim.storeroom.radio import Alive
from hardware_sim.storeroom.rates import WorldRates
from hardware_sim.storeroom.stock import DOOR_ANTENNAS, ROOM_ANTENNAS
from hardware_sim.storeroom.timeline import Scene

DOOR_SHELF = 0
"""The shelf nearest the door."""

READS_MEAN, PASS_S = 4.0, (0.5, 2.5)
"""Reads of one tag by one door antenna as it is carried through, and how long that takes."""

BETWEEN_S = 1.5
"""Seconds from one door antenna to the other."""

DOOR_DBM, SPILL_DBM, SPREAD_DB = -50.0, -68.0, 4.0
CROWD_LEAST = 0.5
CART = 4
"""Foreign tags that come together."""


class DoorRead(NamedTuple):
    """One tag at one door antenna, in one bin; seconds within the bin."""

    bin: int
    tag: int
    antenna: int
    reads: int
    first_s: float
    last_s: float
    dbm: float


class Carried(NamedTuple):
    """One tag heard by one door antenna as it is carried through, in seconds since the trace began."""

    antenna: int
    since_s: float
    until_s: float
    reads: int
    dbm: float


def carried(rates: WorldRates, passage: Passage, rng: np.random.Generator) -> list[Carried]:
    """Return which door antennas hear a passage, were they alive; the order of the two tells the direction."""
    chance = rates.door_capture * max(CROWD_LEAST, rates.door_crowd**passage.crowd)
    heard = []
    for place, antenna in enumerate(DOOR_ANTENNAS):
        if rng.random() < chance:
            since_s = passage.at_s + BETWEEN_S * (place if passage.outward else 1 - place)
            reads, dbm = 1 + int(rng.poisson(READS_MEAN - 1)), float(rng.normal(DOOR_DBM, SPREAD_DB))
            heard.append(Carried(antenna, since_s, since_s + float(rng.uniform(*PASS_S)), reads, round(dbm, 1)))
    return heard


def door_reads(
    rates: WorldRates, passages: list[Passage], scene: Scene, alive: Alive, rng: np.random.Generator
) -> list[DoorRead]:
    """Return what the door antennas hear in a scene, in order of bins."""
    reads = []
    for passage in passages:
        for seen in carried(rates, passage, rng):
            at = bin_of(seen.since_s) - scene.first
            if at >= scene.bins or scene.dead[passage.tag, at]:
                continue
            if rng.random() < door_hears(alive, DOOR_ANTENNAS.index(seen.antenna), at):
                reads.append(_read(passage.tag, seen))
    return sorted(reads + _spills(rates, scene, alive, rng))


def door_hears(alive: Alive, place: int, at: int) -> float:
    """Return how well a door antenna hears in a bin of a scene, 0..1."""
    return float(alive.reader[at]) / ROUNDS_A_BIN * float(alive.hears[len(ROOM_ANTENNAS) + place, at])


def visit_counts(
    rates: WorldRates, failures: Failures, life: Life, days_bins: int, rng: np.random.Generator
) -> list[int | None]:
    """Return what the sensor at the door counts in each bin; nothing while it is dead."""
    seen = np.zeros(days_bins, np.int64)
    for visit in life.visits:
        for at_s in (visit.since_s, visit.until_s):
            if bin_of(at_s) < days_bins and rng.random() < rates.sensor_catches:
                seen[bin_of(at_s)] += 1
    false = int(rng.poisson(rates.sensor_false_a_day * days_bins / BINS_A_DAY))
    np.add.at(seen, rng.integers(0, days_bins, false), 1)
    dead = shares(failures.sensor_dead, 0.0, days_bins, BIN_S) > 0
    return [None if off else count for off, count in zip(dead.tolist(), seen.tolist(), strict=True)]


def foreign_counts(rates: WorldRates, alive_reader: NDArray[np.int64], rng: np.random.Generator) -> list[int]:
    """Return how many EPCs that are none of ours are heard in each bin: now and then a cart full of them."""
    bins = len(alive_reader)
    carts = rng.poisson(rates.foreign_a_day / CART / BINS_A_DAY, bins)
    heard: list[int] = np.where(alive_reader > 0, carts * rng.poisson(CART, bins), 0).tolist()
    return heard


def _read(tag: int, seen: Carried) -> DoorRead:
    at = bin_of(seen.since_s)
    first_s, last_s = seen.since_s - at * BIN_S, min(float(BIN_S), seen.until_s - at * BIN_S)
    return DoorRead(at, tag, seen.antenna, seen.reads, round(first_s, 1), round(last_s, 1), seen.dbm)


def _spills(rates: WorldRates, scene: Scene, alive: Alive, rng: np.random.Generator) -> list[DoorRead]:
    """Return reads of tags on the nearest shelf by the inner antenna: one round, now and then."""
    near = np.argwhere((scene.place == DOOR_SHELF) & (scene.share == 1.0) & ~scene.dead)
    count = int(rng.poisson(len(near) * rates.door_spill * ROUNDS_A_BIN))
    if not len(near) or not count:
        return []
    reads = []
    for tag, at in near[rng.integers(len(near), size=count)].tolist():
        if rng.random() < door_hears(alive, 0, at):
            second = round(float(rng.uniform(0, BIN_S)), 1)
            dbm = round(float(rng.normal(SPILL_DBM, SPREAD_DB)), 1)
            reads.append(DoorRead(scene.first + at, tag, DOOR_ANTENNAS[0], 1, second, second, dbm))
    return reads
