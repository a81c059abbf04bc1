"""Whether all that happened has been told: every entry acknowledged, the missed piece found, the order made.

It only ends the waiting early; nothing is judged by it.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from hardware_sim.scenario.plan import Plan
from hardware_sim.story.office import Office

BUSY_S = 1.0


def is_told(plan: Plan, office: Office, ledgers: Iterable[Path]) -> bool:
    """Tell whether there is nothing more to wait for."""
    found = plan.take is None or (plan.take.ward, plan.take.item) in office.found
    return found and office.is_through and all(pending(ledger) == 0 for ledger in ledgers)


def pending(ledger: Path) -> int:
    """Return how many entries of an edge central has not acknowledged; 1 when its file cannot be read just now."""
    try:
        with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, timeout=BUSY_S)) as connection:
            row = connection.execute(
                "SELECT COALESCE((SELECT MAX(seq) FROM ledger), -1) - COALESCE((SELECT MAX(acked) FROM mark), -1)"
            ).fetchone()
    except sqlite3.Error:
        return 1
    return int(row[0])
