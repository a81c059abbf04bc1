"""The agent's care for itself: its disk, the checks of its ledger, its metrics, its signs of life.

It runs on the agent's thread, once a turn, and costs nothing while nothing is due. The rule that must not be broken:
nothing here keeps a person waiting or ends the agent.
"""

from edge_agent.agent.checks import Checks
from edge_agent.agent.disk import Disk
from edge_agent.agent.health import Watch
from edge_agent.agent.metrics import Metrics, entries_of, text_of, write_metrics
from edge_agent.agent.trimming import Trimmer
from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock
from edge_agent.config import Config
from edge_agent.errors import DiskFull, StoreFault
from edge_agent.links.systemd import Systemd
from edge_agent.store.ledger import Ledger
from edge_agent.store.tail import begin_run, end_run
from protocols.readers.reads import ReaderEvent, TagRead
from protocols.values.instant import MICROS


class Upkeep:
    """The upkeep of one agent."""

    def __init__(
        self, config: Config, ledger: Ledger, watch: Watch, systemd: Systemd, *, clock: Clock, voice: Voice
    ) -> None:
        self._config, self._watch, self._systemd = config, watch, systemd
        self._clock, self._voice = clock, voice
        folder = config.ledger.parent
        self.disk = Disk(folder, config.max_pages, config.disk, watch=watch, clock=clock, voice=voice)
        self._checks = Checks(config.ledger, soon=not self._begin(ledger), watch=watch, clock=clock, voice=voice)
        self._trimmer = Trimmer(clock, voice)
        self._metrics_due_s = self._counted_s = clock.link_s()
        self._reads = self._counted = 0

    def _begin(self, ledger: Ledger) -> bool:
        """Note that a run began; returns whether the last one ended as it should."""
        try:
            clean = begin_run(ledger)
        except DiskFull as fault:
            self._voice.alarm("ledger", str(fault))
            return True
        if not clean:
            self._voice.say("ledger", "the last run did not end as it should; a full check follows")
        return clean

    def live(self) -> None:
        """The agent works."""
        self._systemd.ready(f"serves {self._config.device.place}")

    def heard(self, event: ReaderEvent) -> None:
        """Count what readers say."""
        self._reads += isinstance(event, TagRead)

    def beat(self) -> None:
        """Give a sign of life, also from within long work."""
        self._systemd.beat(self._clock.link_s())

    def look_at_disk(self, ledger: Ledger) -> None:
        """Look at the disk now, before something is written that may wait."""
        try:
            self.disk.look(ledger.connection)
        except StoreFault as fault:
            self._voice.say_counted("upkeep", str(fault))

    def tick(self, ledger: Ledger, *, quiet: bool = True) -> None:
        """Do what is due; the ledger's file is tidied while it is `quiet`."""
        self.beat()
        try:
            if quiet:
                ledger.tidy()
            self.disk.tick(ledger.connection)
            self._checks.tick(ledger)
            self._trimmer.tick(ledger)
            self._measure(ledger)
        except StoreFault as fault:
            self._voice.say_counted("upkeep", str(fault))

    def end(self, ledger: Ledger) -> None:
        """The agent ends as it should."""
        self._systemd.stopping()
        self._checks.stop()
        try:
            end_run(ledger)
        except StoreFault as fault:
            self._voice.say("ledger", str(fault))

    def stop(self) -> None:
        """Leave nothing running."""
        self._checks.stop()

    def _measure(self, ledger: Ledger) -> None:
        path, link_s = self._config.metrics.textfile, self._clock.link_s()
        if path is None or link_s < self._metrics_due_s:
            return
        self._metrics_due_s = link_s + self._config.metrics.every_s
        try:
            write_metrics(path, text_of(self.look(ledger), self._config.device.id))
        except OSError as error:
            self._voice.say_counted("metrics", f"{path}: {error.strerror}; look at metrics.textfile")

    def look(self, ledger: Ledger) -> Metrics:
        """Return what is measured, reads a second since the last look. Raises `StoreFault`."""
        link_s = self._clock.link_s()
        passed_s, self._counted_s = link_s - self._counted_s, link_s
        reads, self._counted = self._reads - self._counted, self._reads
        entries, acked = entries_of(ledger)
        return Metrics(
            entries=entries,
            acked=acked,
            pending=entries - acked,
            reads_total=self._reads,
            reads_per_second=reads / passed_s if passed_s > 0 else 0.0,
            outages_open=len(self._watch.open),
            disk_share=self.disk.share,
            clock_quality=int(self._clock.quality),
            written_seconds=self._clock.now() / MICROS,
        )
