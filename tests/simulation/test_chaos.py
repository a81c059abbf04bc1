"""Seeded days of faults, judged by the laws; the same seed gives the same trace."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest
from sqlalchemy import select

from central.store.tables.ledger import LEDGER_LOSS
from central.store.tables.sync import LEDGER_GAP
from tests.simulation.chaos import Report, faults_of, run, shrink
from tests.simulation.faults import HUB, RARE, Fault, Kind, plan
from tests.simulation.laws import broken
from tests.simulation.world import HEAL_S, Setting, World

FIXED = [Setting(f"fixed-{number}", 6.0) for number in range(4)]
LONG = Setting("long", 16.0)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@cache
def played(setting: Setting) -> Report:
    """Play a day; what several tests ask of the same one is played once."""
    return run(setting, faults_of(setting))


@pytest.mark.parametrize("setting", FIXED, ids=lambda setting: setting.seed)
def test_no_law_is_broken_on_a_fixed_seed(setting: Setting) -> None:
    report = played(setting)
    assert report.violations == []
    assert report.entries > 100


def test_a_whole_day_of_faults_breaks_no_law_and_every_kind_strikes() -> None:
    report = played(LONG)
    assert report.violations == []
    assert {kind for kind, times in report.faults_fired.items() if times} >= set(Kind) - RARE


def test_disks_that_lie_and_are_taken_away_lose_only_what_is_nowhere() -> None:
    report = played(replace(LONG, seed="rough", gentle=False))
    assert report.violations == []
    assert report.excused <= report.entries // 20


def test_nothing_waits_behind_an_entry_set_aside_while_central_has_forgotten_the_facts_it_told() -> None:
    """The shortest trace: the storeroom asked for facts that were no more, and was sent to greet again, for ever."""
    faults = [
        Fault(1860.768, Kind.CORRUPT, "ward-01", 0.552423),
        Fault(1950.547, Kind.EDGE_LIES, "ward-02", 0.145676),
        Fault(2373.378, Kind.HUB_RESTORED, HUB, 0.97772),
        Fault(2446.215, Kind.TRUNCATE, "ward-01", 0.680846),
        Fault(2574.922, Kind.TWICE, "ward-02", 0.230957),
    ]
    hours = faults[-1].at_s / 3600 + 0.3
    setting = Setting("fresh-46c01316-1", hours, gentle=False, part=14, pressed=True, old=("ward-02",))
    assert run(setting, faults).violations == []


def test_entries_that_are_on_no_disk_any_more_are_closed_over_and_the_books_stay_the_same() -> None:
    setting = Setting("gap", 2.6, gentle=False, act_every_s=30.0)
    world = World(setting, [Fault(at_s, Kind.PROOF_LOST, HUB, 0.1) for at_s in (1500.0, 5000.0, 8500.0)])
    try:
        world.run(setting.hours * 3600)
        world.heal()
        world.run(setting.hours * 3600 + HEAL_S)
        assert broken(world) == []
        assert world.hub.store is not None
        with world.hub.store.read() as connection:
            gaps = connection.execute(select(LEDGER_GAP)).all()
            lost = connection.execute(select(LEDGER_LOSS).where(LEDGER_LOSS.c.kind == "gap")).all()
        assert len(gaps) >= 2
        assert {(row.incarnation, row.last_seq) for row in gaps} == {(row.incarnation, row.last_seq) for row in lost}
    finally:
        world.close()


def test_the_same_seed_gives_the_same_trace_and_another_seed_another() -> None:
    one, again, other = played(FIXED[0]), run(FIXED[0], faults_of(FIXED[0])), played(FIXED[1])
    assert (one.trace_hash, one.faults_fired, one.entries) == (again.trace_hash, again.faults_fired, again.entries)
    assert one.trace_hash != other.trace_hash


def test_without_faults_and_loss_everything_is_quiet_and_right() -> None:
    report = run(Setting("calm", 6.0, loss=0.0), [])
    assert report.violations == []
    assert report.faults_fired == {}


def test_leaving_a_fault_out_changes_no_other() -> None:
    faults = plan("seed", 12.0, ["ward-01", "ward-02"], 100.0)
    assert faults == plan("seed", 12.0, ["ward-01", "ward-02"], 100.0)
    assert all(isinstance(fault, Fault) and 0 <= fault.size <= 1 for fault in faults)
    assert faults == sorted(faults, key=lambda fault: fault.at_s)


def test_a_failing_run_is_made_shorter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge is told to dislike one fault; what is left is that one."""
    setting = Setting("shrinks", 3.0)
    faults = faults_of(setting)
    culprit = next(fault for fault in faults if fault.kind is Kind.CUT)

    def dislikes(_setting: Setting, tried: list[Fault]) -> Report:
        said = ["no"] if culprit in tried else []
        return Report("", 0, {}, 0, 0, 0, {}, {}, said, "", 0)

    monkeypatch.setattr("tests.simulation.chaos.run", dislikes)
    assert shrink(setting, faults, 500) == [culprit]
