"""A disk that fills is told, then readers' beliefs wait and people's acts go on; what is measured is what is there."""

import io
from collections.abc import Callable
from pathlib import Path

from edge_agent.agent.disk import FULL, Disk, share_of_disk
from edge_agent.agent.health import Watch
from edge_agent.agent.metrics import HELP, Metrics, entries_of, text_of, write_metrics
from edge_agent.agent.voice import Voice, is_journal
from edge_agent.clock import Clock
from edge_agent.config.upkeep import DiskConfig
from edge_agent.core.presence.window import Window
from edge_agent.store.ledger import Ledger
from tests.edge_agent.conftest import Scribe

UNITS = [f"30340242201D8D40000000{n:02X}" for n in range(40)]
PAGES = 120


class Machine:
    """One edge's upkeep with a clock that stands until it is moved."""

    def __init__(self, folder: Path, config: DiskConfig) -> None:
        self.ns, self.log = 1_000_000_000, io.StringIO()
        clock = Clock(monotonic_ns=lambda: self.ns)
        voice = Voice(clock, self.log, journal=True)
        self.watch = Watch((), Window({}, round_s=1.0, window_s=600.0), clock=clock, voice=voice, story_rate=1.0)
        self.disk = Disk(folder, PAGES, config, watch=self.watch, clock=clock, voice=voice)


def test_a_file_that_fills_rings_once_then_sheds_beliefs_and_still_takes_what_people_do(
    tmp_path: Path, open_again: Callable[..., Ledger], scribe: Scribe
) -> None:
    ledger = open_again(max_pages=PAGES)
    ledger.append([scribe.bind(*UNITS), scribe.opening(*UNITS), scribe.visit()])
    machine = Machine(tmp_path, DiskConfig())
    written = 0
    while not machine.disk.sheds:
        machine.disk.look(ledger.connection)
        ledger.append([scribe.observe(unit, 0.01) for unit in UNITS[:8]])
        written += 1
        assert written < 1_000
    assert machine.disk.share >= 0.95
    assert [line.split(":")[0] for line in machine.log.getvalue().splitlines()] == ["<4>disk", "<4>disk"]
    assert machine.watch.open == {FULL}
    for unit in UNITS:
        ledger.append([scribe.issue(unit)])  # each would raise DiskFull if there were no room left


def test_a_disk_at_its_limit_does_not_ring_all_day(ledger: Ledger, tmp_path: Path) -> None:
    share = share_of_disk(tmp_path)
    assert 0 < share < 1
    machine = Machine(tmp_path, DiskConfig(alarm_share=share - 0.01, shed_share=1.0))
    machine.disk.look(ledger.connection)
    machine.disk.tick(ledger.connection)
    assert machine.watch.open == {FULL}
    machine.disk._config = DiskConfig(alarm_share=min(1.0, share + 0.01), shed_share=1.0)
    machine.disk.look(ledger.connection)
    assert machine.watch.open == {FULL}, "not yet so far below the limit that it is over"
    machine.disk._config = DiskConfig(alarm_share=1.0, shed_share=1.0)
    machine.disk.look(ledger.connection)
    assert machine.watch.open == frozenset()
    assert machine.log.getvalue().count("disk:") == 2


def test_metrics_are_one_whole_file_that_prometheus_reads(ledger: Ledger, scribe: Scribe, tmp_path: Path) -> None:
    ledger.append([scribe.visit(), scribe.visit("end")])
    ledger.set_acked(0)
    assert entries_of(ledger) == (2, 1)
    metrics = Metrics(2, 1, 1, 40, 12.5, 0, 0.25, 1, 1772438400.0)
    path = tmp_path / "wardstock.prom"
    for _ in range(2):
        write_metrics(path, text_of(metrics, ledger.device))
    lines = path.read_text().splitlines()
    assert 'wardstock_edge_pending{device="ward-01"} 1' in lines
    assert 'wardstock_edge_reads_per_second{device="ward-01"} 12.5' in lines
    assert 'wardstock_edge_written_seconds{device="ward-01"} 1772438400' in lines
    assert len(lines) == 3 * len(HELP)
    assert [each.name for each in tmp_path.glob("*.prom*")] == ["wardstock.prom"]


def test_the_journal_is_known_by_its_device_and_inode(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as stream:
        found = (tmp_path / "log").stat()
        assert is_journal(stream, f"{found.st_dev}:{found.st_ino}")
        assert not is_journal(stream, "")
    assert not is_journal(io.StringIO(), "1:2")
