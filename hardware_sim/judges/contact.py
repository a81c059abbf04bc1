"""Judges network and readers: a ward was cut off as long as the truth says and caught up; each reader delivered.

The rule that must not be broken: that central heard nothing is read from central's own receipts.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from hardware_sim.evidence.case import Case
from hardware_sim.scenario.plan import Cut
from protocols.values.instant import plus, seconds_between, to_iso


@dataclass(frozen=True, slots=True)
class ContactFigures:
    """Reads the readers delivered, and story seconds a ward was cut off."""

    reads: int
    offline_s: float


def judge_contact(case: Case) -> tuple[ContactFigures, list[str]]:
    """Return the figures of readers and network and what is wrong with them."""
    problems = [f"{ward}: its reader delivered nothing" for ward, one in case.deliveries.items() if one.reads < 1]
    problems += [wrong for cut in case.truth.cuts for wrong in _of_cut(case, cut)]
    if not case.truth.cuts:
        problems.append("no ward was ever cut off; the story is not whole")
    offline_s = sum(seconds_between(cut.since, cut.until) for cut in case.truth.cuts)
    return ContactFigures(sum(one.reads for one in case.deliveries.values()), round(offline_s, 1)), problems


def _of_cut(case: Case, cut: Cut) -> Iterator[str]:
    """Judge one cut: nothing came through, something was written meanwhile, all of it came afterwards."""
    where = f"{cut.ward} was cut off from {to_iso(cut.since)} to {to_iso(cut.until)}"
    came = [entry.received_at for entry in case.central.entries if entry.device == cut.ward]
    through = [at for at in came if plus(cut.since, case.slack_s) < at < cut.until]
    if through:
        yield f"{where}; central still received {len(through)} entries from it"
    edge = case.edges.get(cut.ward)
    meanwhile = [entry for entry in edge.entries if cut.since < entry.wall < cut.until] if edge is not None else []
    if not meanwhile:
        yield f"{where}; it wrote nothing meanwhile, so nothing was proven"
    if not any(at >= cut.until for at in came):
        yield f"{where}; central never heard of it again"
