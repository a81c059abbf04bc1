"""What central tells its edges changes while disks, lines and programs fail; in the end every edge holds it, whole."""

import logging
from collections.abc import Callable, Iterator

import pytest

from tests.simulation.chaos import Report, faults_of, run
from tests.simulation.faults import Kind
from tests.simulation.mutants.feed import MUTANTS, Patch
from tests.simulation.world import Setting

EVERY_S = 600.0


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


def played(seed: str, hours: float, *kinds: Kind) -> Report:
    """Play a run in which the feed changes, with all kinds of fault or some."""
    setting = Setting(seed, hours, feed_every_s=EVERY_S)
    return run(setting, [fault for fault in faults_of(setting) if not kinds or fault.kind in kinds])


def test_every_edge_holds_the_newest_version_whole_whatever_went_wrong() -> None:
    report = played("feed-2", 6.0)
    assert report.violations == []
    assert report.faults_fired["feed_change"] > 20


@pytest.mark.parametrize("mistake", MUTANTS, ids=lambda mistake: mistake.__name__)
def test_a_law_notices_the_mistake(mistake: Callable[[Patch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    mistake(monkeypatch)
    seeds = ("m1", "m2", "m3", "m4")
    found = (played(seed, 3.0, Kind.HUB_RESTORED, Kind.CUT).violations for seed in seeds)
    assert any(line.startswith("I11") for lines in found for line in lines), mistake.__doc__
