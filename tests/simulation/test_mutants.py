"""Every mistake that the sync could make is noticed by a law: the simulation is not blind."""

import logging
from collections.abc import Iterator

import pytest

from tests.simulation.chaos import faults_of, run
from tests.simulation.mutants.sync import MUTANTS, Mutant
from tests.simulation.world import Setting

HOURS = 4.0
FAULT_EVERY_S = 6.0
"""Before those kinds are left out that do not matter to a mutant."""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.mistake.__name__)
def test_a_law_notices_the_mistake(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant.mistake(monkeypatch)
    for seed in mutant.seeds:
        setting = Setting(seed, HOURS)
        faults = [fault for fault in faults_of(setting, FAULT_EVERY_S) if fault.kind in mutant.kinds]
        if run(setting, faults).violations:
            return
    pytest.fail(f"no law noticed: {mutant.mistake.__doc__}")
