"""Jobs that come round: what is due at an instant, by the periods of story time.

A bell (APScheduler, or a ticker under a fast clock) only asks; this decides. A period is a number counted from 1970,
so two processes that ask name the same run, and a run is done once.
"""

from dataclasses import dataclass

from central.errors import BadInput
from protocols.values.instant import MICROS, Instant


@dataclass(frozen=True, slots=True)
class Job:
    """A job by name, the length of its period in story seconds, and how long after a round time a period begins."""

    name: str
    period_s: int
    begins_s: int = 0

    def __post_init__(self) -> None:
        if self.period_s < 1:
            raise BadInput(f"job {self.name}: expected a period of at least 1 s, got {self.period_s}")


def period_at(job: Job, now: Instant) -> int:
    """Return the number of the period an instant falls in."""
    return (now - job.begins_s * MICROS) // (job.period_s * MICROS)


def due(job: Job, now: Instant, last_period: int | None) -> int | None:
    """Return the period to run now, or None when the last run was in it. Periods slept through are not made up."""
    period = period_at(job, now)
    return period if last_period is None or period > last_period else None
