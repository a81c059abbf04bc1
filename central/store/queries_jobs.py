"""The last run of each job, and the policy table as it stands.

Reading only, no rule. The rule that must not be broken: every query names the hospital.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, select

from central.store.tables.work import JOB_RUN
from protocols.values.ids import HospitalId
from protocols.values.instant import MICROS, Instant


@dataclass(frozen=True, slots=True)
class LastRun:
    """The last run of a job in story time; `outcome` is what it said, and `next_at` when its next period begins."""

    job: str
    period_s: int
    started_at: Instant
    outcome: str
    next_at: Instant


def last_runs(connection: Connection, hospital: HospitalId) -> list[LastRun]:
    """Return the last run of every job that has run, by name."""
    row = JOB_RUN.c
    last = (
        select(row.job, func.max(row.started_at).label("at"))
        .where(row.hospital == hospital)
        .group_by(row.job)
        .subquery()
    )
    rows = connection.execute(
        select(JOB_RUN)
        .join(last, and_(last.c.job == row.job, last.c.at == row.started_at))
        .where(row.hospital == hospital)
        .order_by(row.job, row.period)
    )
    found = {
        one.job: LastRun(
            one.job, one.period_s, Instant(one.started_at), one.outcome,
            Instant((one.period + 1) * one.period_s * MICROS),
        )
        for one in rows
    }  # fmt: skip
    return list(found.values())
