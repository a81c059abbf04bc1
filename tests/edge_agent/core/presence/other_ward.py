"""Another world of one storeroom, small and drawn in another way than the simulator's.

Places are metres along a wall and reads fall off with distance; shields take away any number of decibels and last by
the clock, not by visits; every person has habits of their own; the door has one antenna, and there are no reference
tags and no reads by antenna. Truth comes as the scorer's episodes. The rule that must not be broken: nothing of the
simulator or of the filter is used to draw.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge_agent.core.presence.ward import Bin, Fact, Kind, Place, TagOf, Ward
from tests.bench.presence_score import Episode, Truth, episodes_of

DAY = 1440
ROUNDS = 30
ANTENNAS_M = (2.0, 5.0, 8.0)
WALL_M = 10.0
NAN = float("nan")

Steps = list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Habits:
    """What makes one such world: means, a day unless said otherwise."""

    pieces: int = 120
    beside: int = 30
    visits: float = 45.0
    takes_a_visit: float = 0.5
    forgetful: float = 0.04
    claimed: float = 0.5
    shields_a_visit: float = 0.02
    shield_h: float = 3.0
    door: float = 0.7
    moves_beside: float = 0.3
    strays_back: float = 0.3
    power: float = 2.2
    outages: float = 0.3


@dataclass(slots=True)
class OtherWard:
    """A drawn storeroom: what the filter is told, and the truth."""

    ward: Ward
    bins: list[Bin]
    facts: list[Fact]
    truth: Truth


@dataclass(slots=True)
class _Life:
    """Where each tag is from when on, shields as loss in dB over time, what the door heard, what the book learned."""

    where: list[Steps]
    loss: NDArray[np.float64]
    door: dict[int, list[int]] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    visits: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))


def draw(seed: int, days: int = 3, habits: Habits | None = None) -> OtherWard:
    """Draw a storeroom of some days."""
    told = habits or Habits()
    rng = np.random.default_rng([77, seed])
    size, bins = told.pieces + told.beside, days * DAY
    place = rng.uniform(0, WALL_M - 0.5, size)
    homes = ["here"] * told.pieces + ["next"] * told.beside
    life = _Life([[(0, home)] for home in homes], np.zeros((size, bins)))
    _live(life, told, rng, place)
    names = [f"E2{seed:06X}{number:016X}" for number in range(size)]
    tags = tuple(
        TagOf(name, f"item{number // 6}", "", f"{place[number]:.0f}", Place.NEXT if home == "next" else Place.HERE)
        for number, (name, home) in enumerate(zip(names, homes, strict=True))
    )
    ward = Ward(tags, room=("a",), door=("d",), next=("n",))
    return OtherWard(ward, _hear(life, told, rng, place), sorted(life.facts, key=lambda f: f.known), _truth(ward, life))


# --- what happens ---


def _live(life: _Life, habits: Habits, rng: np.random.Generator, place: NDArray[np.float64]) -> None:
    bins = life.loss.shape[1]
    people = rng.beta(0.6, 0.6 / habits.forgetful, 8)
    life.visits = np.zeros(bins, np.int64)
    for start in _comings(habits, rng, bins):
        stay = int(rng.integers(1, 6))
        life.visits[start : start + stay] += rng.poisson(1.5, len(life.visits[start : start + stay]))
        end = min(bins - 1, start + stay)
        _take(life, habits, rng, (start, end), float(people[rng.integers(8)]))
        if rng.random() < habits.shields_a_visit:
            span = start, start + int(60 * habits.shield_h * rng.lognormal(0, 1.2))
            near = np.abs(place - rng.uniform(0, WALL_M)) < rng.exponential(0.3)
            life.loss[near, span[0] : span[1]] += rng.uniform(3, 45)
        _carry(life, habits, rng, end)


def _comings(habits: Habits, rng: np.random.Generator, bins: int) -> list[int]:
    minutes = np.arange(bins)
    hour = minutes % DAY / 60
    busy = 0.3 + np.exp(-((hour - 8) ** 2) / 6) * 2 + np.exp(-((hour - 15) ** 2) / 10)
    rate = habits.visits * busy / busy[:DAY].sum()
    return [int(b) for b in np.flatnonzero(rng.random(bins) < rate)]


def _take(life: _Life, habits: Habits, rng: np.random.Generator, visit: tuple[int, int], forgetful: float) -> None:
    start, end = visit
    here = [tag for tag in range(habits.pieces) if life.where[tag][-1][1] == "here"]
    wanted = min(len(here), int(rng.geometric(1 / (1 + habits.takes_a_visit)) - 1))
    first = int(rng.integers(max(1, len(here) - wanted)))
    for tag in here[first : first + wanted]:
        life.where[tag].append((end, "out"))
        if rng.random() < habits.door:
            life.door.setdefault(min(len(life.visits) - 1, end + int(rng.integers(2))), []).append(tag)
        if rng.random() >= forgetful:
            known = start + int(rng.exponential(1.0))
            life.facts.append(Fact(known, known, tag, Kind.ACT, Place.OUT))
        elif rng.random() < habits.claimed:
            life.facts.append(Fact(end + int(60 * rng.lognormal(1.5, 0.7)), end, tag, Kind.ACT, Place.OUT))


def _carry(life: _Life, habits: Habits, rng: np.random.Generator, now: int) -> None:
    """Carry a piece next door unrecorded, or bring back one that left, recorded or not."""
    a_visit = 1 / habits.visits
    if rng.random() < habits.moves_beside * a_visit:
        tag = int(rng.integers(habits.pieces))
        if life.where[tag][-1][1] == "here":
            life.where[tag].append((now, "next"))
            if rng.random() < habits.door:
                life.door.setdefault(now, []).append(tag)
    if rng.random() < habits.strays_back * a_visit:
        away = [tag for tag in range(habits.pieces) if life.where[tag][-1][1] == "out" and life.where[tag][-1][0] < now]
        if away:
            tag = away[int(rng.integers(len(away)))]
            life.where[tag].append((now, "here"))
            if rng.random() < habits.door:
                life.door.setdefault(now, []).append(tag)
            if rng.random() < 0.5:
                life.facts.append(Fact(now, now, tag, Kind.ACT, Place.HERE))


# --- what is heard ---


def _hear(life: _Life, habits: Habits, rng: np.random.Generator, place: NDArray[np.float64]) -> list[Bin]:
    size, bins = life.loss.shape
    nearest = np.min(np.abs(place[:, None] - np.array(ANTENNAS_M)), axis=1)
    strength = habits.power - 0.5 * nearest + rng.normal(0, 0.8, size)
    beside = habits.power - 1.2 - 0.9 * (WALL_M - place) + rng.normal(0, 1, size)
    off = _outages(habits, rng, bins)
    where = np.stack([_spread(steps, bins) for steps in life.where])
    drift = np.zeros(size)
    found: list[Bin] = []
    for b in range(bins):
        drift = 0.97 * drift + rng.normal(0, 0.15, size)
        shade = np.where(where[:, b] == 0, life.loss[:, b], 0.0) / 5
        through = np.where(where[:, b] == 0, strength, -1.5 + beside - habits.power) + drift - shade
        near = np.where(where[:, b] == 1, habits.power - 0.5, beside - 2.5 - shade)
        room = _reads(rng, through, where[:, b] != 2, 0 if off[b] else ROUNDS)
        next_ = _reads(rng, near, where[:, b] != 2, ROUNDS)
        found.append(
            Bin(
                b,
                {"room": 0 if off[b] else ROUNDS, "door": ROUNDS, "next": ROUNDS},
                int(life.visits[b]) if rng.random() > 0.03 else 0,
                room=tuple((int(t), int(room[t]), float(-60 + 4 * through[t]), NAN) for t in np.flatnonzero(room)),
                door=tuple((tag, NAN) for tag in life.door.get(b, ())),
                next=tuple((int(t), int(next_[t]), NAN) for t in np.flatnonzero(next_)),
            )
        )
    return found


def _reads(
    rng: np.random.Generator, logit: NDArray[np.float64], near: NDArray[np.bool_], rounds: int
) -> NDArray[np.int64]:
    rate = np.where(near, 1 / (1 + np.exp(-logit)), 0.0)
    return rng.binomial(rounds, np.where(rate < 2e-4, 0.0, rate))


def _outages(habits: Habits, rng: np.random.Generator, bins: int) -> NDArray[np.bool_]:
    off = np.zeros(bins, bool)
    for start in np.flatnonzero(rng.random(bins) < habits.outages / DAY):
        off[start : start + int(rng.integers(10, 120))] = True
    return off


def _spread(steps: Steps, bins: int) -> NDArray[np.int64]:
    """Return 0 here, 1 next door, 2 away, for each bin."""
    found = np.zeros(bins, np.int64)
    for since, where in steps:
        found[since:] = ("here", "next", "out").index(where)
    return found


def _truth(ward: Ward, life: _Life) -> Truth:
    bins = life.loss.shape[1]
    where = {
        tag.epc: [step for step in steps if step[0] < bins] for tag, steps in zip(ward.tags, life.where, strict=True)
    }
    doors: dict[str, list[int]] = {}
    for b, those in life.door.items():
        for number in those:
            doors.setdefault(ward.tags[number].epc, []).append(b)
    found: list[Episode] = []
    for number, tag in enumerate(ward.tags):
        book = [(0, tag.book.name.lower(), False)]
        book += [
            (fact.known, fact.to.name.lower(), False) for fact in life.facts if fact.tag == number and fact.known < bins
        ]
        shelf = [(0, tag.shelf)]
        told = (where[tag.epc], sorted(book, key=lambda step: step[0]), shelf)
        found += episodes_of(tag.epc, tag.shelf, told, doors.get(tag.epc, ()), bins)
    return Truth(bins, found, where, {tag.epc: tag.shelf for tag in ward.tags})
