from pathlib import Path

import pytest
from sqlalchemy import select, text

from central.core.jobs import Job, period_at
from central.services.own_chain import Draft, append
from central.services.runs import LEASE_S, RUNS_KEPT, claim, finish
from central.services.worker import REST_S_MAX, Duties, Worker, rest_s
from central.store.engine import Store
from central.store.queries_work import discrepancies, matches, proposals
from central.store.tables.work import JOB_RUN
from protocols.movements.bodies import write_body
from protocols.movements.counts import CountBody, CountLine
from protocols.movements.posting import MovementBody, PostingLine
from protocols.values.ids import ActorId, HospitalId, PlaceId
from protocols.values.instant import Instant, plus
from tests.central.hospital import GAUZE, HOSPITAL, KIT, START, VALVE, Ward, frozen_clock, hospital, tags

DUTIES = Duties("3x", reconcile_s=300, replenish_s=1800)


class Days:
    """A story's time that a test moves."""

    def __init__(self) -> None:
        self.now: Instant = START

    def __call__(self) -> Instant:
        return self.now


def runs(store: Store) -> list[tuple[str, int]]:
    with store.read() as connection:
        return [(row.job, row.period) for row in connection.execute(select(JOB_RUN).order_by(JOB_RUN.c.job))]


def test_a_round_runs_each_job_once_in_its_period(tmp_path: Path) -> None:
    store, time = hospital(tmp_path), Days()
    worker = Worker(store, HOSPITAL, time, DUTIES)
    for seconds in (0, 1, 299):
        time.now = plus(START, seconds)
        worker.round()
    period = period_at(Job("reconcile", 300), START)
    counts = ("counts", period_at(Job("counts", 86_400), START))
    figures = ("figures", period_at(Job("figures", 21_600), START))
    assert runs(store) == [
        counts,
        figures,
        ("month", period_at(Job("month", 86_400), START)),
        ("purchasing", period_at(Job("purchasing", 86_400), START)),
        ("reconcile", period),
        ("replenish", period_at(Job("replenish", 1800), START)),
    ]
    time.now = plus(START, 300)
    worker.round()
    assert ("reconcile", period + 1) in runs(store)


def test_another_process_does_not_run_a_period_again(tmp_path: Path) -> None:
    store, time = hospital(tmp_path), Days()
    Worker(store, HOSPITAL, time, DUTIES).round()
    before = runs(store)
    Worker(store, HOSPITAL, time, DUTIES).round()
    assert runs(store) == before


def test_what_a_commit_touched_is_compared_in_the_next_round_and_foreign_hospitals_are_not(tmp_path: Path) -> None:
    store, time = hospital(tmp_path), Days()
    worker = Worker(store, HOSPITAL, time, DUTIES)
    worker.round()
    ward = Ward(store)
    ward.open(KIT, "K1", tags(8), at_s=1)
    ward.observe(tags(1)[0], 0.02, 10)
    time.now = plus(START, 11)
    worker.committed(HospitalId("other"), frozenset({PlaceId("ward-01")}))
    worker.round()
    with store.read() as connection:
        assert discrepancies(connection, HOSPITAL) == []
    worker.committed(HOSPITAL, frozenset({PlaceId("ward-01")}))
    worker.committed(HOSPITAL, frozenset({PlaceId("issued@ward-01")}))
    worker.round()
    with store.read() as connection:
        assert len(discrepancies(connection, HOSPITAL)) == 1


def test_a_need_is_proposed_when_its_job_comes_round(tmp_path: Path) -> None:
    store, time = hospital(tmp_path), Days()
    worker = Worker(store, HOSPITAL, time, DUTIES)
    worker.round()
    Ward(store).open(KIT, "K1", tags(3), at_s=1)
    time.now = plus(START, 1800)
    worker.round()
    with store.read() as connection:
        (one,) = proposals(connection, HOSPITAL)
    assert one.run == f"replenish:{period_at(Job('replenish', 1800), time.now)}"


def test_the_thread_works_when_it_is_rung_and_ends_when_it_is_told(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    worker = Worker(store, HOSPITAL, Days(), DUTIES)
    worker.start()
    worker.ring()
    worker.stop()
    assert not worker._thread.is_alive()


def test_a_fault_is_said_once_however_often_it_is_met(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    worker = Worker(hospital(tmp_path), HOSPITAL, Days(), DUTIES)
    for _ in range(3):
        worker._complain("OperationalError: database or disk is full")
    assert len(caplog.records) == 1


def test_runs_long_past_are_forgotten(tmp_path: Path) -> None:
    store, time = hospital(tmp_path), Days()
    worker = Worker(store, HOSPITAL, time, DUTIES)
    worker.round()
    time.now = plus(START, 300 * (RUNS_KEPT + 2))
    worker.round()
    twice = ["counts", "counts", "figures", "figures", "month", "month", "purchasing", "purchasing"]
    assert [job for job, _ in runs(store)] == [*twice, "reconcile", "replenish", "replenish"]


def test_a_storeroom_that_cannot_be_compared_is_told_in_the_run_and_the_other_job_is_done(tmp_path: Path) -> None:
    store, time = hospital(tmp_path), Days()
    ward = Ward(store)
    ward.open(KIT, "K1", tags(3), at_s=1)
    ward.issue(KIT, "K1", tags(1)[0], 2)
    ward.observe(tags(1)[0], 0.97, 3)
    with store.write() as connection:
        connection.execute(text("UPDATE belief SET p = 'much'"))
    worker = Worker(store, HOSPITAL, time, DUTIES)
    worker.round()
    with store.read() as connection:
        told = {row.job: row.outcome for row in connection.execute(select(JOB_RUN))}
    assert told["reconcile"].startswith("failed: ward-01: ")
    assert "3 storerooms" in told["reconcile"]
    assert told["replenish"].startswith("failed: ward-01: ")


def test_however_much_arrives_the_worker_leaves_three_quarters_of_the_time_to_others() -> None:
    assert rest_s(0.0) == 0.0
    assert rest_s(2.0) / (rest_s(2.0) + 2.0) == 0.75
    assert rest_s(3_600.0) == REST_S_MAX


def test_of_many_processes_one_holds_a_period_and_a_run_given_up_is_taken_up(tmp_path: Path) -> None:
    store, job = hospital(tmp_path), Job("figures", 86_400)
    period = period_at(job, START)
    assert claim(store, HOSPITAL, job, period, START)
    assert not claim(store, HOSPITAL, job, period, plus(START, 60))
    later = plus(START, LEASE_S + 1)
    assert claim(store, HOSPITAL, job, period, later)
    finish(store, HOSPITAL, job, period, "7 figures kept")
    assert not claim(store, HOSPITAL, job, period, plus(later, 2 * LEASE_S))


def test_nights_that_were_missed_are_caught_up_once_and_told(tmp_path: Path) -> None:
    store, time = hospital(tmp_path), Days()
    worker = Worker(store, HOSPITAL, time, DUTIES)
    worker.round()
    time.now = plus(START, 4 * 86_400)
    worker.round()
    worker.round()
    with store.read() as connection:
        told = connection.execute(select(JOB_RUN).where(JOB_RUN.c.job == "figures").order_by(JOB_RUN.c.period)).all()
    assert len(told) == 2
    assert all(row.outcome.endswith("figures kept") for row in told)
    assert told[-1].started_at == time.now


def test_a_count_and_what_is_entered_at_central_are_compared_in_the_next_round(tmp_path: Path) -> None:
    store, time = hospital(tmp_path), Days()
    worker = Worker(store, HOSPITAL, time, DUTIES)
    worker.round()

    def match() -> tuple[int, int]:
        with store.read() as connection:
            seen = matches(connection, HOSPITAL)["main-store"][1]
        return seen.lines, seen.unobserved

    assert match() == (0, 1), "nobody looked at what was imported"
    body = CountBody("s1", "line", "main-store", lines=(CountLine(GAUZE, 500, "G1"),))
    append(store, HOSPITAL, [Draft("count_monthly", write_body(body), ActorId("K1001"))], frozen_clock())
    time.now = plus(START, 1)
    worker.round()
    assert match() == (1, 0)
    line = PostingLine(VALVE, 3, "supplier@main-store", "main-store", lot="V1")
    receipt = Draft("ward_receipt", write_body(MovementBody((line,))), ActorId("K1001"))
    append(store, HOSPITAL, [receipt], frozen_clock())
    worker.round()
    assert match() == (1, 1)
