"""Runs of jobs, each period claimed by one process before it is worked, so that of many one does it.

A claim is a row: whoever adds it holds the lease of that job and period. A run that is over says its outcome; one
whose process died says none, and after the lease another takes it up. The rule that must not be broken: of the claims
of one period only one succeeds, whichever processes make them at once.
"""

from sqlalchemy import ColumnElement, Connection, func, or_, select

from central.core.jobs import Job
from central.store.engine import Store
from central.store.merge import add_new
from central.store.tables.work import JOB_RUN
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, plus

LEASE_S = 3_600
"""How long a run may say nothing before it counts as given up, in story seconds; the longest night's job is minutes."""
OUTCOME_MAX = 400
RUNS_KEPT = 2_000
"""Periods of a job whose runs are remembered: a week of the busiest one."""


def last_period(store: Store, hospital: HospitalId, job: Job, now: Instant) -> int | None:
    """Return the last period of a job that was run, or is being run."""
    row = JOB_RUN.c
    standing = or_(row.outcome != "", row.started_at >= plus(now, -LEASE_S))
    query = select(func.max(row.period)).where(
        row.hospital == hospital, row.job == job.name, row.period_s == job.period_s, standing
    )
    with store.read() as connection:
        period: int | None = connection.scalar(query)
    return period


def claim(store: Store, hospital: HospitalId, job: Job, period: int, now: Instant) -> bool:
    """Take the lease of a job's period; False when another process holds it or did it."""
    key = {"hospital": hospital, "job": job.name, "period_s": job.period_s, "period": period}
    with store.write() as connection:
        if add_new(connection, JOB_RUN, [key | {"started_at": now, "outcome": ""}]):
            return True
        named = [JOB_RUN.c[name] == value for name, value in key.items()]
        given_up = (JOB_RUN.c.outcome == "", JOB_RUN.c.started_at < plus(now, -LEASE_S))
        return bool(connection.execute(JOB_RUN.update().where(*named, *given_up).values(started_at=now)).rowcount)


def finish(store: Store, hospital: HospitalId, job: Job, period: int, outcome: str) -> None:
    """Say how a claimed run ended, and forget those long past."""
    with store.write() as connection:
        mine = _of(hospital, job)
        connection.execute(
            JOB_RUN.update().where(*mine, JOB_RUN.c.period == period).values(outcome=outcome[:OUTCOME_MAX] or "done")
        )
        _forget(connection, hospital, job, period)


def _forget(connection: Connection, hospital: HospitalId, job: Job, period: int) -> None:
    connection.execute(JOB_RUN.delete().where(*_of(hospital, job), JOB_RUN.c.period < period - RUNS_KEPT))


def _of(hospital: HospitalId, job: Job) -> tuple[ColumnElement[bool], ...]:
    return (JOB_RUN.c.hospital == hospital, JOB_RUN.c.job == job.name, JOB_RUN.c.period_s == job.period_s)
