"""Drawn wards for measuring presence: the simulator's trace of a seed, as the filter's values, with its truth.

A ward-week takes some ten seconds to draw, so that it may be kept in a folder (`keep`), under a name that changes with
the simulator's own text. The rule that must not be broken: seeds of training and of measuring never meet (`TRAINING`,
`UNSEEN`).
"""

import gc
import hashlib
import pickle
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from random import Random
from types import MappingProxyType

from edge_agent.agent.replay import feed
from edge_agent.core.presence.ward import Bin, Fact, Ward
from edge_agent.links.trace import Trace
from hardware_sim import storeroom
from hardware_sim.storeroom.rates import WORLDS, WorldRates
from hardware_sim.storeroom.ward import Plan, draw_ward, write_ward
from tests.bench.presence_score import Truth, read_truth

TRAINING = range(100, 200)
UNSEEN = range(5_000, 6_000)
SPREAD = 0.25
"""Spread of every rate of a varied world, in logarithms."""
SHIFTS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "groups": {"group_takes_a_week": 5.0, "group_unscanned": 0.5},
        "rhythm": {"weekly_rhythm": 1.0},
        "ghosts": {"ghost": 2e-4},
        "stretches": {"block_single": 0.0, "block_group": 0.0, "block_shelf": 0.01},
    }
)
"""Worlds that are built otherwise than the model thinks, by what differs: handfuls that leave, half of them unscanned;
visits that follow the day of the week; reads of what is not there; shields before whatever stands on a shelf."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One ward: what is told, in order, and the truth."""

    ward: Ward
    told: list[tuple[Bin, list[Fact]]]
    truth: Truth


@dataclass(frozen=True, slots=True)
class Size:
    """How large a ward is drawn."""

    days: int = 7
    tags: int = 150


def rates_of(world: str, seed: int) -> WorldRates:
    """Return the rates of a world: of the simulator's or, behind a dash, one of those with a shift (`nominal-ghosts`).

    A name that begins with `varied-` varies every rate by the seed.
    """
    name, _, shift = world.removeprefix("varied-").partition("-")
    base = replace(WORLDS[name], **SHIFTS[shift]) if shift else WORLDS[name]
    if not world.startswith("varied-"):
        return base
    chance = Random(f"varied {seed}")
    changed: dict[str, float] = {}
    for each in fields(base):
        value, low, high = getattr(base, each.name), each.metadata["low"], each.metadata["high"]
        if each.name.endswith("_dbm"):
            value += chance.gauss(0, 3)
        elif not each.name.endswith("_skew_s"):
            value *= chance.lognormvariate(0, SPREAD)
        changed[each.name] = min(high, max(low, value))
    return replace(base, **changed)


def draw(world: str, seed: int, *, looks: int = 0, size: Size | None = None) -> Drawn:
    """Draw one ward."""
    of = size or Size()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        write_ward(draw_ward(Plan(seed, of.days, of.tags, rates_of(world, seed), looks)), path)
        trace = Trace(path)
        told = list(feed(trace.bins(), trace.facts))
        return Drawn(trace.ward, told, read_truth(path, told[-1][0].number + 1))


def kept(keep: Path | None, world: str, seed: int, *, looks: int = 0, size: Size | None = None) -> Drawn:
    """Return a ward from the folder of kept ones, drawn and kept there when it is not; without a folder it is drawn."""
    if keep is None:
        return draw(world, seed, looks=looks, size=size)
    of = size or Size()
    path = keep / f"{world}-{seed}-{looks}-{of.days}-{of.tags}-{_simulator()}.pickle"
    gc.disable()  # a million small values are made at once, and none of them is rubbish
    try:
        if path.exists():
            found: Drawn = pickle.loads(path.read_bytes())
            return found
        drawn = draw(world, seed, looks=looks, size=of)
        new = path.with_suffix(".new")
        new.write_bytes(pickle.dumps(drawn, pickle.HIGHEST_PROTOCOL))
        new.replace(path)
        return drawn
    finally:
        gc.enable()


@cache
def _simulator() -> str:
    """Return a name of the simulator as its text stands now."""
    text = hashlib.sha256()
    for file in sorted(Path(next(iter(storeroom.__path__))).glob("*.py")):
        text.update(file.read_bytes())
    return text.hexdigest()[:8]


def draw_many(
    world: str, seeds: Sequence[int], *, looks: int = 0, size: Size | None = None, keep: Path | None = None
) -> Iterator[Drawn]:
    """Draw wards one after the other; a ward-week is large, so none stays in memory."""
    for seed in seeds:
        yield kept(keep, world, seed, looks=looks, size=size)
