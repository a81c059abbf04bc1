"""The one thread that compares and proposes: woken after an ingest's COMMIT and by the bell, it does what is due.

Many commits between two of its rounds are one comparison of the storerooms they touched. What is due is decided by
`core.jobs`, and a run is a row that one process claims, so that no period is run twice. After a round it rests in
proportion to the round. The rule that must not be broken: nothing that happens in a round ends the thread.
"""

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from central.core.jobs import Job, due
from central.services.approvals import approve_automatically
from central.services.counts import ask
from central.services.figures import keep_figures
from central.services.month_close import close_due
from central.services.news import News
from central.services.purchasing_day import purchasing_day
from central.services.reconcile import reconcile
from central.services.replenish import replenish
from central.services.runs import claim, finish, last_period
from central.store.engine import Store
from protocols.values.ids import HospitalId, PlaceId
from protocols.values.instant import MICROS, Instant, day_start

STOP_S_MAX = 10.0
COUNTS_S = 86_400
"""Each UTC day, which in China begins at eight in the morning, when the shifts change."""
STATEMENT_S, DAY_TOLD_S = 86_400, 1_800
"""Each business day is stated once it is over and edges had half an hour to tell its end."""
CONFLICTS_S = 3_600
FIGURES_S = 21_600
"""A figure's day is renewed four times, so that its last look is of the evening."""
PURCHASING_S = 86_400
"""What comes round by month, quarter or half year is looked for every day and made once."""
MONTH_S = 86_400
"""Every day it is looked whether a month's own day has come; one that was missed is closed then."""
IDLE_S = 5.0
"""Longest wait of the thread: a lost wake costs no more."""
REST_PER_WORK, REST_S_MAX = 3.0, 30.0
"""However much arrives, three quarters of the time are left to ingest and to who waits for a page."""

log = logging.getLogger("wardstock.worker")


@dataclass(frozen=True, slots=True)
class Duties:
    """Which policy proposes, how often each job comes round, in story seconds; `state` makes the daily statements."""

    policy: str
    reconcile_s: int
    replenish_s: int
    state: Callable[[Instant], int] | None = None
    feed: Callable[[Collection[PlaceId]], None] | None = None
    """Brings what edges are told up to date, given the storerooms that were touched."""
    settle: Callable[[Collection[PlaceId]], int] | None = None
    """Brings together what the other system and a storeroom said of the same piece, given the storerooms touched."""
    conflicts: Callable[[Collection[PlaceId] | None], int] | None = None
    """Answers what facts of several edges contradict, given the storerooms touched, None for all; how many moved."""
    also: tuple[tuple[Job, Callable[[Instant], str]], ...] = ()
    """Jobs of the configuration, such as reading another system's charges."""


class Worker:
    """Compares the storerooms that were touched, and runs the jobs that are due."""

    def __init__(
        self,
        store: Store,
        hospital: HospitalId,
        now: Callable[[], Instant],
        duties: Duties,
        link_s: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._store, self._hospital, self._now, self._policy = store, hospital, now, duties.policy
        self._link_s = link_s
        self._feed, self._settle, self._conflicts = duties.feed, duties.settle, duties.conflicts
        self._jobs: dict[Job, Callable[[Instant, int], str]] = {
            Job("reconcile", duties.reconcile_s): self._reconcile_all,
            Job("replenish", duties.replenish_s): self._replenish,
            Job("counts", COUNTS_S): self._ask_counts,
            Job("figures", FIGURES_S): self._keep_figures,
            Job("purchasing", PURCHASING_S): self._work_purchasing,
            Job("month", MONTH_S): self._close_months,
        }
        if duties.state is not None:
            self._jobs |= {Job("statement", STATEMENT_S, _after_midnight()): partial(self._state, duties.state)}
        if duties.conflicts is not None:
            self._jobs |= {Job("conflicts", CONFLICTS_S): partial(self._look_everywhere, duties.conflicts)}
        self._jobs |= {job: partial(_without_period, work) for job, work in duties.also}
        self._touched: set[PlaceId] = set()
        self._news = News(store, hospital)
        self._last_fault = ""
        self._lock, self._wake, self._stopping = threading.Lock(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> None:
        """Begin to work; the first round comes at once."""
        self._wake.set()
        self._thread.start()

    def stop(self) -> None:
        """End after the round under way."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(STOP_S_MAX)

    def ring(self) -> None:
        """Ask whether a job is due; any thread may."""
        self._wake.set()

    def committed(self, hospital: HospitalId, touched: frozenset[PlaceId]) -> None:
        """Take note of the storerooms whose book or belief moved; any thread may, and it returns at once."""
        if hospital != self._hospital:
            return
        with self._lock:
            self._touched |= touched
        self._wake.set()

    def round(self) -> None:
        """Compare what was touched, then run what is due."""
        with self._lock:
            touched, self._touched = self._touched, set()
        touched |= self._news.touched()
        self._look_at_feed(touched)
        if touched:
            if self._settle is not None and (settled := self._settle(touched)):
                log.info("uses: %d said by both sides were settled", settled)
            self._answer_conflicts(touched)
            done = reconcile(self._store, self._hospital, self._now(), touched)
            if done.opened or done.closed:
                log.info("discrepancies: %d opened, %d closed", done.opened, done.closed)
            if done.failed:
                self._complain("; ".join(done.failed))
        for job, work in self._jobs.items():
            self._run_if_due(job, work)

    def _look_at_feed(self, touched: Collection[PlaceId]) -> None:
        if self._feed is None:
            return
        try:
            self._feed(touched)
        except Exception as error:  # noqa: BLE001 # what edges are told must not stop what central reckons
            self._complain(f"feed failed: {type(error).__name__}: {error}")

    def _answer_conflicts(self, touched: Collection[PlaceId]) -> None:
        if self._conflicts is None:
            return
        try:
            if moved := self._conflicts(touched):
                log.info("conflicts: %d opened, closed or answered", moved)
        except Exception as error:  # noqa: BLE001 # a conflict that cannot be answered must not stop the comparison
            self._complain(f"conflicts: {type(error).__name__}: {error}")

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(IDLE_S)
            self._wake.clear()
            began = self._link_s()
            try:
                self.round()
            except Exception as error:  # noqa: BLE001 # the outermost loop of the thread: record and go on
                self._complain(f"{type(error).__name__}: {error}")
            self._stopping.wait(rest_s(self._link_s() - began))

    def _complain(self, fault: str) -> None:
        """Say a fault once, however often the next rounds meet it again."""
        if fault != self._last_fault:
            log.error("worker: %s; the next round tries again", fault)
        self._last_fault = fault

    def _run_if_due(self, job: Job, work: Callable[[Instant, int], str]) -> None:
        now = self._now()
        period = due(job, now, last_period(self._store, self._hospital, job, now))
        if period is None or self._stopping.is_set() or not claim(self._store, self._hospital, job, period, now):
            return
        try:
            outcome = work(now, period)
        except Exception as error:  # noqa: BLE001 # one job may fail as a whole; the jobs behind it are run
            outcome = f"failed: {type(error).__name__}: {error}"
            self._complain(f"{job.name} {outcome}")
        finish(self._store, self._hospital, job, period, outcome)

    def _look_everywhere(
        self, conflicts: Callable[[Collection[PlaceId] | None], int], _now: Instant, _period: int
    ) -> str:
        return f"{conflicts(None)} conflicts opened, closed or answered"

    def _keep_figures(self, now: Instant, _period: int) -> str:
        return f"{keep_figures(self._store, self._hospital, now)} figures kept"

    def _work_purchasing(self, now: Instant, _period: int) -> str:
        return purchasing_day(self._store, self._hospital, now)

    def _close_months(self, now: Instant, _period: int) -> str:
        return close_due(self._store, self._hospital, now)

    def _ask_counts(self, now: Instant, _period: int) -> str:
        return f"{ask(self._store, self._hospital, now)} lines asked to be counted"

    def _reconcile_all(self, now: Instant, _period: int) -> str:
        done = reconcile(self._store, self._hospital, now)
        return self._told(f"{done.places} storerooms, {done.opened} opened, {done.closed} closed", done.failed)

    def _replenish(self, now: Instant, period: int) -> str:
        done = replenish(self._store, self._hospital, now, policy=self._policy, run=f"replenish:{period}")
        approved = approve_automatically(self._store, self._hospital, now)
        if approved:
            log.info("proposals: %d approved automatically", approved)
        if done.made:
            log.info("proposals: %d made, %d withdrawn", done.made, done.withdrawn)
        outcome = (
            f"{done.made} made, {done.renewed} renewed, {done.withdrawn} withdrawn, {done.unsourced} without a source"
        )
        if done.cut:
            outcome += f"; {len(done.cut)} cut by the budget"
        if done.aside:
            outcome += f"; set aside: {', '.join(f'{count} {why}' for why, count in sorted(done.aside.items()))}"
        return self._told(outcome, done.failed)

    def _state(self, state: Callable[[Instant], int], now: Instant, _period: int) -> str:
        return f"{state(now)} storerooms stated"

    def _told(self, outcome: str, failed: Sequence[str]) -> str:
        """Return a run's outcome with what failed in it first, and say that once."""
        if not failed:
            return outcome
        self._complain("; ".join(failed))
        return f"failed: {'; '.join(failed)}; {outcome}"


def _after_midnight() -> int:
    """Return when a business day's statement is due, in seconds of the UTC day."""
    return day_start(date(1970, 1, 2)) // MICROS + DAY_TOLD_S


def rest_s(worked_s: float) -> float:
    """Return how long to rest after a round of so many real seconds."""
    return min(REST_S_MAX, REST_PER_WORK * worked_s)


def _without_period(work: Callable[[Instant], str], now: Instant, _period: int) -> str:
    return work(now)
