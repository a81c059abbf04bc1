"""Many seeds in two worker processes, and what they come to together: the bars of every push.

Half of the runs are gentle (nothing may be lost), half are rough (disks lie, edge and central are put back together).
The rule that must not be broken: a run is judged alone; sums only tell whether enough has been tried.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from time import perf_counter

from tests.simulation.chaos import Played, Report, faults_of, play
from tests.simulation.faults import DRAWN, plan_pairs
from tests.simulation.world import Setting

WORKERS = 2
FAULTS_MIN = 20_000
SIMULATED_H_MIN = 20 * 24
EACH_KIND_MIN = 200
PAIRS_A_RUN = 6
CLOSING_RUNS_MAX = 20
CONFLICTS = ("double_issue", "implied_transfer", "negative", "entered_again")
NACKS = ("gap", "session", "busy", "too_large")
EACH_OF_THESE_MIN = 40
"""Conflicts found and frames refused in all runs together, of each sort."""
EXCUSED_MAX = 0.01
"""Share of the entries that may be on no disk any more; where runs are gentle none may."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """What several runs came to; `seconds` by the wall."""

    reports: tuple[tuple[Setting, Report], ...]
    pairs: Counter[tuple[str, str]]
    seconds: float

    def total(self) -> dict[str, object]:
        """Return the sums as JSON takes them."""
        return {
            "seeds": [setting.seed for setting, _ in self.reports],
            "simulated_hours": round(sum(report.simulated_hours for _, report in self.reports)),
            "faults": sum(self.fired.values()),
            "faults_fired": dict(sorted(self.fired.items())),
            "pairs_met": len(self.pairs),
            "entries": self._sum(gentle=None, what="entries"),
            "messages": sum(report.messages for _, report in self.reports),
            "excused": self._sum(gentle=None, what="excused"),
            "conflicts": dict(sorted(self._counted("conflicts").items())),
            "nacks": dict(sorted(self._counted("nacks").items())),
            "violations": sum(len(report.violations) for _, report in self.reports),
            "seconds": round(self.seconds),
        }

    @property
    def fired(self) -> Counter[str]:
        """Return how often each kind struck."""
        fired: Counter[str] = Counter()
        for _, report in self.reports:
            fired.update(report.faults_fired)
        return fired

    def _counted(self, what: str) -> Counter[str]:
        """Return how often each of something happened."""
        times: Counter[str] = Counter()
        for _, report in self.reports:
            times.update(getattr(report, what))
        return times

    def _sum(self, *, gentle: bool | None, what: str) -> int:
        return sum(getattr(report, what) for setting, report in self.reports if gentle in (None, setting.gentle))

    def short_of(self) -> list[str]:
        """Return which bars were not reached."""
        fired, hours = self.fired, sum(report.simulated_hours for _, report in self.reports)
        short = [
            f"{kind}: {fired[kind]} times, expected {EACH_KIND_MIN}" for kind in DRAWN if fired[kind] < EACH_KIND_MIN
        ]
        for what, named in (("conflicts", CONFLICTS), ("nacks", NACKS)):
            times = self._counted(what)
            short += [
                f"{each}: {times[each]} times, expected {EACH_OF_THESE_MIN}"
                for each in named
                if times[each] < EACH_OF_THESE_MIN
            ]
        if sum(fired.values()) < FAULTS_MIN:
            short.append(f"{sum(fired.values())} faults, expected {FAULTS_MIN}")
        if hours < SIMULATED_H_MIN:
            short.append(f"{hours} simulated hours, expected {SIMULATED_H_MIN}")
        never = [f"{second} while {first}" for first, second in never_met(self.pairs)]
        short += [f"{len(never)} pairs never met: {', '.join(never[:9])}"] if never else []
        if self._sum(gentle=True, what="excused"):
            short.append(f"{self._sum(gentle=True, what='excused')} entries excused where nothing may be lost")
        lost, entries = self._sum(gentle=None, what="excused"), self._sum(gentle=None, what="entries")
        if lost > entries * EXCUSED_MAX:
            short.append(f"{lost} of {entries} entries excused, expected at most {EXCUSED_MAX:.0%}")
        return short


def never_met(pairs: Counter[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the ordered pairs of kinds of which the second never struck while the first was recovered from."""
    return [(first, second) for first in DRAWN for second in DRAWN if not pairs[first, second]]


def conduct(settings: Sequence[Setting], workers: int = WORKERS) -> Campaign:
    """Play runs in worker processes; faults that did not meet are then brought together in runs of their own."""
    began = perf_counter()
    pairs: Counter[tuple[str, str]] = Counter()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        played = list(pool.map(_play, settings))
        for each in played:
            pairs.update(each.pairs)
        left = never_met(pairs)
        parts = [left[at : at + PAIRS_A_RUN] for at in range(0, len(left), PAIRS_A_RUN)]
        closing = list(pool.map(_close, parts[:CLOSING_RUNS_MAX]))
    for _, each in closing:
        pairs.update(each.pairs)
    reports = [*zip(settings, (each.report for each in played), strict=True)]
    reports += [(setting, each.report) for setting, each in closing]
    return Campaign(tuple(reports), pairs, perf_counter() - began)


def _play(setting: Setting) -> Played:
    logging.disable()
    return play(setting, faults_of(setting))


def _close(pairs: Sequence[tuple[str, str]]) -> tuple[Setting, Played]:
    logging.disable()
    seed = "-".join(("closing", *pairs[0]))
    setting = Setting(seed, 0.0, gentle=False)
    faults = plan_pairs(pairs, setting.wards)
    setting = replace(setting, hours=faults[-1].at_s / 3600 + 0.3)
    return setting, play(setting, faults)
