"""`wardstock-sim storeroom`: options to a plan, a plan to a folder, and a few words about what came of it.

It draws nothing. The rule that must not be broken: what it prints is counted from what was written.
"""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

from hardware_sim.errors import WrongUse
from hardware_sim.storeroom.rates import WORLDS, WorldRates, with_settings
from hardware_sim.storeroom.trace import new_folder
from hardware_sim.storeroom.ward import Plan, Said, Ward, draw_ward, write_ward


def rates_of(world: str, settings: list[str]) -> WorldRates:
    """Return the rates of a named world with settings laid over them. Raises `WrongUse`."""
    if world not in WORLDS:
        raise WrongUse(f"--world: expected one of {', '.join(WORLDS)}, got {world!r:.40}")
    return with_settings(WORLDS[world], settings)


def record(plan: Plan, folder: Path) -> dict[str, Any]:
    """Write the trace of a plan into a new folder; returns what it holds. Raises `WrongUse`."""
    new_folder(folder)
    ward = draw_ward(plan)
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


def _progress(bins: int) -> Said:
    """Return what shows progress to a person at a terminal, and nobody else."""

    def said(done: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if done == bins else ""
            print(f"\r{done * 100 // bins:3d} % of {bins} bins", end=end, file=sys.stderr, flush=True)

    return said
