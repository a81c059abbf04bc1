"""One storeroom from a seed: its stock, its days, what fails, and the trace of all that, written as it is drawn.

It is the only place in which the parts of the world meet. Each part draws from a generator of its own, so that a
change of the radio does not change what people do. The rule that must not be broken: the trace is a function of
(`Plan`) and nothing else.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from random import Random

import msgspec
import numpy as np

from hardware_sim.errors import WrongUse
from hardware_sim.storeroom.air import draw_air
from hardware_sim.storeroom.door import door_reads, foreign_counts, visit_counts
from hardware_sim.storeroom.failures import Failures, draw_failures
from hardware_sim.storeroom.happenings import BIN_S, BINS_A_DAY, Fact, Life, Passage, Visit
from hardware_sim.storeroom.looks import Looks, look_times
from hardware_sim.storeroom.people import People
from hardware_sim.storeroom.radio import Radio
from hardware_sim.storeroom.rates import NOMINAL, WorldRates, as_table
from hardware_sim.storeroom.room import Room
from hardware_sim.storeroom.script import Script, cast_pieces
from hardware_sim.storeroom.shields import Shields
from hardware_sim.storeroom.stage import TOLD, Stage, but_for_deaths, event_visits, perform, with_events
from hardware_sim.storeroom.stock import (
    DAYS_MAX,
    SPARE_LEAST,
    SPARE_SHARE,
    TAG_DAYS_MAX,
    TAGS_MAX,
    Stock,
    draw_stock,
)
from hardware_sim.storeroom.timeline import Timeline
from hardware_sim.storeroom.trace import (
    BINS,
    BOOK,
    HAPPENED,
    META,
    TRUTH,
    Json,
    bin_lines,
    book_lines,
    happened,
    meta_of,
    truth_lines,
    zipped,
)
from hardware_sim.storeroom.visits import draw_visits

START = "2026-03-02T00:00:00+08:00"
"""A Monday, as everywhere in the simulator."""

SCENE_CELLS, SCENE_BINS = 200_000, (60, 1440)
"""Tags times bins that are drawn at once, and the fewest and most bins of that."""

ANT_EVERY = 5
"""Every so many bins the reads of each antenna are told apart."""

LOOKS = (0, 3, 6)

Said = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a trace is a function of."""

    seed: int
    days: int
    tags: int
    rates: WorldRates = field(default=NOMINAL)
    looks_a_day: int = 0
    ant_every: int = ANT_EVERY
    script: Script | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.days <= DAYS_MAX:
            raise WrongUse(f"--days: expected 1..{DAYS_MAX}, got {self.days}")
        if not 1 <= self.tags <= TAGS_MAX or self.tags * self.days > TAG_DAYS_MAX:
            raise WrongUse(
                f"--tags: expected 1..{TAGS_MAX} and tags x days at most {TAG_DAYS_MAX}, "
                f"got {self.tags} and {self.days} days"
            )
        if self.looks_a_day not in LOOKS:
            raise WrongUse(f"--looks: expected one of {', '.join(map(str, LOOKS))}, got {self.looks_a_day}")
        if not 0 <= self.ant_every <= BINS_A_DAY:
            raise WrongUse(f"--ant-every: expected 0..{BINS_A_DAY}, got {self.ant_every}")

    @property
    def bins(self) -> int:
        """Return how many bins the trace has."""
        return self.days * BINS_A_DAY

    def chance(self, part: str) -> np.random.Generator:
        """Return the generator of one part of the world."""
        return np.random.default_rng([self.seed, *part.encode()])


@dataclass(frozen=True, slots=True)
class Ward:
    """One storeroom with all its days."""

    plan: Plan
    stock: Stock
    life: Life
    failures: Failures
    cast: Mapping[str, int] = field(default_factory=dict)


def draw_ward(plan: Plan) -> Ward:
    """Draw the stock of a storeroom, what people do in it, and what fails."""
    stock = stock_of(plan)
    rates = plan.rates
    cast = cast_pieces(plan.script, stock) if plan.script else {}
    room = Room(stock, cast.values())
    people = People(rates, room, plan.chance("people"))
    shields = Shields(rates, room, plan.chance("shields"))
    people.plan_deliveries(plan.days)
    visits = draw_visits(rates, plan.days, plan.chance("visits"))
    told: list[Visit] = []
    if plan.script:
        told, visits = event_visits(plan.script), but_for_deaths(visits, plan.script)
        perform(plan.script, Stage(people, room, cast))
    for visit in sorted({*visits, *told}):
        room.life.visits.append(visit)
        if visit.actor == TOLD:
            people.do_due(visit)
        else:
            people.come(visit)
            shields.come(visit)
    failures = draw_failures(rates, plan.days, len(stock.pieces), plan.chance("failures"))
    if plan.script:
        failures = with_events(failures, plan.script, cast)
    return Ward(plan, stock, room.life, failures, cast)


def stock_of(plan: Plan) -> Stock:
    """Draw the stock: enough spares that nothing runs out in the days of the plan."""
    taken = plan.rates.takes_a_day * plan.tags * plan.days
    spares = min(TAGS_MAX, max(SPARE_LEAST, ceil(taken * SPARE_SHARE)))
    next_tags = ceil(plan.tags * plan.rates.next_share)
    return draw_stock(Random(f"storeroom stock {plan.seed}"), tags=plan.tags, next_tags=next_tags, spares=spares)


def write_ward(ward: Ward, folder: Path, said: Said = lambda bins: None) -> None:
    """Write the trace of a storeroom into a folder; `said` hears how many bins are done."""
    plan, rates = ward.plan, ward.plan.rates
    more = {"world": as_table(rates), "seed": plan.seed, "days": plan.days, "looks_a_day": plan.looks_a_day}
    meta = meta_of(ward.stock, START, **more)
    _write_json(folder / META, meta)
    looked = _write_bins(ward, folder / BINS, said)
    skew_bins = round(rates.book_skew_s / BIN_S)
    (folder / BOOK).write_bytes(b"".join(book_lines(ward.stock, [*ward.life.facts, *looked], plan.bins, skew_bins)))
    _write_json(folder / HAPPENED, happened(ward.life, ward.failures, _events(ward)))
    with zipped(folder / TRUTH) as lines:
        lines.writelines(truth_lines(ward.stock, ward.life, ward.failures.deaths, plan.bins))


def _events(ward: Ward) -> list[Json]:
    """Return the events of the script, each with the tags it is about."""
    rows: list[Json] = []
    for event in ward.plan.script.events if ward.plan.script else ():
        row: Json = {"b": event.b, "do": event.do}
        for key in ("piece", "other"):
            if word := getattr(event, key):
                piece = ward.stock.pieces[ward.cast[word]]
                row[key] = {"word": word, "epc": piece.epc, "item": piece.item, "lot": piece.lot}
        rows.append(row)
    return rows


def _write_json(path: Path, table: Json) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(table), indent=1) + b"\n")


def _write_bins(ward: Ward, path: Path, said: Said) -> list[Fact]:
    """Write what is heard, scene by scene; returns what people who looked told the book."""
    plan, rates, failures = ward.plan, ward.plan.rates, ward.failures
    timeline = Timeline(ward.stock, ward.life, failures.deaths, next_skew_s=rates.next_skew_s)
    radio = Radio(rates, draw_air(rates, ward.stock, plan.chance("air")), failures, plan.chance("radio"))
    visits = visit_counts(rates, failures, ward.life, plan.bins, plan.chance("sensor"))
    at_door, by_passing = plan.chance("door"), plan.chance("foreign")
    passages = sorted(ward.life.passages)
    looking = plan.chance("looks")
    looks = Looks(rates, ward.stock, ward.life.facts, look_times(plan.looks_a_day, plan.days, looking), looking)
    looked: list[Fact] = []
    with zipped(path) as lines:
        for first in range(0, plan.bins, scene_bins(plan, ward.stock)):
            scene = timeline.next_scene(min(scene_bins(plan, ward.stock), plan.bins - first))
            heard = radio.hear(scene, ant_every=plan.ant_every)
            door = door_reads(rates, _within(passages, first, scene.bins), scene, heard.alive, at_door)
            foreign = foreign_counts(rates, heard.alive.reader, by_passing)
            lines.writelines(bin_lines(first, heard, door, visits[first : first + scene.bins], foreign))
            looked += looks.after(scene, heard)
            said(first + scene.bins)
    return looked


def scene_bins(plan: Plan, stock: Stock) -> int:
    """Return how many bins are drawn at once: a whole number of the radio's spans."""
    low, high = SCENE_BINS
    return max(low, min(high, SCENE_CELLS // len(stock.tags))) // 10 * 10


def _within(passages: list[Passage], first: int, bins: int) -> list[Passage]:
    """Return the passages of some bins; `passages` is in order of time."""
    since, until = (
        bisect_left(passages, float(at * BIN_S), key=lambda each: each.at_s) for at in (first, first + bins)
    )
    return passages[since:until]
