"""Judges a played story: every figure of the summary recomputed from the truth, the beeps and the databases.

Its input is a state folder, read-only, its databases opened so that they cannot be written:

    DIR/sim/truth.json, DIR/sim/<ward>/beeps.ndjson, DIR/sim/<ward>/deliveries.json    forms in `evidence/truth.py`
    DIR/edge/<ward>/ledger.db, DIR/central/central.db                                  columns in docs/databases.md

It imports neither the edge nor central: what it recomputes, it recomputes by its own reading of the documented columns
and rules. The rule that must not be broken: no figure is taken from the processes that are judged without being
compared with one of its own.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from hardware_sim.evidence.case import read_case
from hardware_sim.judges.acts import judge_acts
from hardware_sim.judges.contact import judge_contact
from hardware_sim.judges.findings import Found, judge_findings
from hardware_sim.judges.ledgers import judge_ledgers
from hardware_sim.judges.orders import Ordered, judge_orders
from hardware_sim.judges.shelves import judge_shelves

PROBLEMS_MAX = 50
"""Most problems kept; the first are where to look."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a story came to; `ok` when `problems` is empty. Its fields are those of the file of `--json`.

    reads: tag reads the readers delivered. entries, acked, pending: of all edges' ledgers; pending = not acknowledged.
    lost: edges' entries and ok beeps that are no event at central. duplicates: events counted more than once.
    wards, lines: storerooms, and their lines (item x lot). lines_not_observed of these.
    line_match, unit_match: 0..1 over the observed lines of the wards, defined in `judges/shelves`; None of none.
    proposals: how many were ever made. offline_s: story seconds a ward was cut off. seconds: real seconds it took.
    """

    ok: bool
    seed: int
    reads: int
    entries: int
    acked: int
    pending: int
    lost: int
    duplicates: int
    wards: int
    lines: int
    lines_not_observed: int
    line_match: float | None
    unit_match: float | None
    discrepancies: tuple[Found, ...]
    proposals: int
    orders: tuple[Ordered, ...]
    offline_s: float
    seconds: float
    problems: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as a map that JSON can say."""
        built = msgspec.to_builtins(self)
        assert isinstance(built, dict)
        return built


def check(state: Path) -> Summary:
    """Judge the story a state folder holds.

    Raises `WrongUse` for a folder that holds none, `PartFailed` for a database that is not as documented.
    """
    case = read_case(state)
    ledgers, ledger_problems = judge_ledgers(case)
    acts, act_problems = judge_acts(case)
    shelves, shelf_problems = judge_shelves(case)
    found, found_problems = judge_findings(case)
    orders, order_problems = judge_orders(case)
    contact, contact_problems = judge_contact(case)
    problems = ledger_problems + act_problems + found_problems + order_problems + shelf_problems + contact_problems
    return Summary(
        ok=not problems,
        seed=case.truth.seed,
        reads=contact.reads,
        entries=ledgers.entries,
        acked=ledgers.acked,
        pending=ledgers.pending,
        lost=ledgers.lost + acts.lost,
        duplicates=ledgers.duplicates + acts.doubled,
        wards=len(case.wards),
        lines=shelves.lines,
        lines_not_observed=shelves.unobserved,
        line_match=shelves.line_match,
        unit_match=shelves.unit_match,
        discrepancies=found,
        proposals=len(case.central.proposals),
        orders=orders,
        offline_s=contact.offline_s,
        seconds=round(case.truth.seconds, 1),
        problems=tuple(problems[:PROBLEMS_MAX]),
    )
