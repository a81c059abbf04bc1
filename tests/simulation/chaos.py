"""Run one seed, judge it, and make a failing run as short as possible.

The report is the one JSON object that `make chaos` prints last.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from time import perf_counter

from tests.simulation.conflicts import flags_standing
from tests.simulation.faults import Fault, plan
from tests.simulation.feeding import small_pages
from tests.simulation.laws import broken, entries_at_central, excused
from tests.simulation.pressure import pressed
from tests.simulation.world import HEAL_S, Setting, World

FAULT_EVERY_S = 72.0
RUNS_TO_SHRINK_MAX = 60


@dataclass(frozen=True, slots=True)
class Report:
    """What a run came to; `speed` is simulated hours in a real one."""

    seed: str
    simulated_hours: float
    faults_fired: dict[str, int]
    entries: int
    messages: int
    excused: int
    conflicts: dict[str, int]
    """How many conflicts were found, by sort."""
    nacks: dict[str, int]
    """How often central refused a frame, by reason."""
    violations: list[str]
    trace_hash: str
    speed: float

    def as_dict(self) -> dict[str, object]:
        """Return it as JSON takes it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Played:
    """A run's report and which fault struck while which other was recovered from."""

    report: Report
    pairs: Counter[tuple[str, str]]


def faults_of(setting: Setting, every_s: float = FAULT_EVERY_S) -> list[Fault]:
    """Return the faults that a setting's seed draws."""
    return plan(setting.seed, setting.hours, setting.wards, every_s, part=setting.part, gentle=setting.gentle)


def run(setting: Setting, faults: Sequence[Fault]) -> Report:
    """Play one run to its end and judge it."""
    return play(setting, faults).report


def play(setting: Setting, faults: Sequence[Fault]) -> Played:
    """Play one run to its end, judge it, and tell which faults met."""
    began = perf_counter()
    world = World(setting, faults)
    try:
        with small_pages(), pressed(setting.pressed):
            world.run(setting.hours * 3600)
            world.heal()
            world.run(setting.hours * 3600 + HEAL_S)
        violations = broken(world)
        entries = entries_at_central(world)
        hours = world.elapsed_s / 3600
        report = Report(
            setting.seed,
            round(hours, 3),
            dict(sorted(world.fired.items())),
            entries,
            world.wire.messages,
            excused(world),
            {} if world.hub.store is None else flags_standing(world.hub.store),
            dict(sorted(world.nacks.items())),
            violations,
            world.trace_hash,
            round(hours * 3600 / (perf_counter() - began), 1),
        )
        return Played(report, world.recovery.pairs)
    finally:
        world.close()


def shrink(setting: Setting, faults: Sequence[Fault], runs_max: int = RUNS_TO_SHRINK_MAX) -> list[Fault]:
    """Return fewer faults that still break a law, by leaving out ever smaller parts (delta debugging)."""
    left, parts, runs = list(faults), 2, 0
    while len(left) > 1 and runs < runs_max:
        size = max(1, len(left) // parts)
        for start in range(0, len(left), size):
            fewer = left[:start] + left[start + size :]
            runs += 1
            if runs > runs_max or run(_until(setting, fewer), fewer).violations:
                break
        else:
            if size == 1:
                return left
            parts = min(len(left), parts * 2)
            continue
        if runs > runs_max:
            return left
        left, parts = fewer, max(2, parts - 1)
    return left


def _until(setting: Setting, faults: Sequence[Fault]) -> Setting:
    """Return a run that ends soon after its last fault."""
    last = max((fault.at_s for fault in faults), default=0.0) / 3600 + 0.3
    return replace(setting, hours=min(setting.hours, last))
