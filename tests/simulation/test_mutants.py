"""Every mistake that the sync could make is noticed by a law: the simulation is not blind."""

import logging
from collections.abc import Iterator

import pytest

from tests.simulation.chaos import run
from tests.simulation.mutants.plays import (
    a_central_that_forgot_its_facts,
    busy_with_twins,
    late_messages_after_a_restore,
    pages_of_two_versions,
)
from tests.simulation.mutants.sync import MUTANTS, Mutant, a_bug_in_posting
from tests.simulation.world import Setting


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.mistake.__name__)
def test_a_law_notices_the_mistake(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant.mistake(monkeypatch)
    if not any(line.startswith(mutant.law) for seed in mutant.seeds for line in mutant.play(seed)):
        pytest.fail(f"no law noticed: {mutant.mistake.__doc__}")


@pytest.mark.parametrize(
    "play",
    [busy_with_twins, late_messages_after_a_restore, pages_of_two_versions, a_central_that_forgot_its_facts],
)
def test_a_play_made_for_one_mistake_breaks_no_law_without_it(play: object) -> None:
    assert callable(play)
    assert play("m1") == []


def test_a_bug_of_our_own_costs_one_entry_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    a_bug_in_posting(monkeypatch)
    broken = run(Setting("m1", 4.0), []).violations
    assert {line.split(" ", 1)[0] for line in broken} <= {"I5"}  # the laws know of no such bug and miss the entry
