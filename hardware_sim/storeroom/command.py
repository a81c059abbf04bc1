"""`wardstock-sim storeroom`: options to a plan, a plan to a folder, and a few words about what came of it.

It draws nothing. The rule that must not be broken: what it prints is counted from what was written.
"""

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hardware_sim.errors import WrongUse
from hardware_sim.storeroom.rates import WORLDS, WorldRates, from_table, with_settings
from hardware_sim.storeroom.script import Script, read_script
from hardware_sim.storeroom.trace import WORLD, new_folder
from hardware_sim.storeroom.ward import ANT_EVERY, Plan, Said, Ward, draw_ward, write_ward
from hardware_sim.storeroom.world_file import write_world


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked for; what is left out comes from the script, or is the usual."""

    seed: int | None = None
    days: int | None = None
    tags: int | None = None
    world: str | None = None
    settings: tuple[str, ...] = ()
    looks: int | None = None
    ant_every: int = ANT_EVERY
    story: str | None = None


def plan_of(asked: Asked) -> Plan:
    """Return the plan that is meant: a script's, if there is one, with what was asked laid over it.

    Raises `WrongUse`.
    """
    script = None if asked.story is None else read_script(asked.story)
    usual = Script((), seed=1, days=7, tags=300, world="nominal") if script is None else script
    return Plan(
        seed=usual.seed if asked.seed is None else asked.seed,
        days=usual.days if asked.days is None else asked.days,
        tags=usual.tags if asked.tags is None else asked.tags,
        rates=with_settings(from_table(usual.rates, base=_world(asked.world or usual.world)), asked.settings),
        looks_a_day=usual.looks if asked.looks is None else asked.looks,
        ant_every=asked.ant_every,
        script=script,
    )


def _world(name: str) -> WorldRates:
    if name not in WORLDS:
        raise WrongUse(f"--world: expected one of {', '.join(WORLDS)}, got {name!r:.40}")
    return WORLDS[name]


def write_storeroom(plan: Plan, folder: Path) -> dict[str, Any]:
    """Write the trace of a plan into a new folder; returns what it holds. Raises `WrongUse`."""
    new_folder(folder)
    ward = draw_ward(plan)
    (folder / WORLD).write_bytes(write_world(plan))
    write_ward(ward, folder, _progress(plan.bins))
    return summary(ward, folder)


def summary(ward: Ward, folder: Path) -> dict[str, Any]:
    """Return how much of what happened."""
    life = ward.life
    return {
        "folder": str(folder),
        "seed": ward.plan.seed,
        "days": ward.plan.days,
        "bins": ward.plan.bins,
        "tags": len(ward.stock.tags),
        "visits": len(life.visits),
        "changes": Counter(change.where.word for change in life.changes),
        "facts": Counter(fact.kind for fact in life.facts),
        "shields": sum(shield.block > 0 for shield in life.shields),
        "dead_tags": len(ward.failures.deaths),
        "outages": len(ward.failures.reader_off),
    }


def words(table: dict[str, Any]) -> str:
    """Return a summary in one line for a person."""
    return (
        f"wrote {table['folder']}: {table['days']} days, {table['tags']} tags, {table['visits']} visits, "
        f"{sum(table['facts'].values())} facts, {table['shields']} shielded, {table['outages']} outages"
    )


def rate_words(figures: list[dict[str, Any]]) -> str:
    """Return the rates of a world as a table for a person."""
    width = max(len(row["rate"]) for row in figures)
    bounds = [f"{row['low']:g}..{row['high']:g}" for row in figures]
    return "\n".join(
        f"{row['rate']:{width}}  {row['value']:<8g} {bound:<12}  {row['says']}"
        for row, bound in zip(figures, bounds, strict=True)
    )


def _progress(bins: int) -> Said:
    """Return what shows progress to a person at a terminal, and nobody else."""

    def said(done: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if done == bins else ""
            print(f"\r{done * 100 // bins:3d} % of {bins} bins", end=end, file=sys.stderr, flush=True)

    return said
