"""The agent's one way to the ledger: what waits is written in the order of who waits for it, and a fault is met once.

It decides nothing about stock. The rule that must not be broken: after a fault of the disk nothing in memory is
trusted; the ledger is opened anew and verified whole before the next entry.
"""

import math
from collections.abc import Callable, Sequence

from edge_agent.agent.counter import Scan
from edge_agent.agent.parts import Parts
from edge_agent.clock import Clock, Pen, new_incarnation
from edge_agent.config import Config
from edge_agent.core.presence import Belief
from edge_agent.errors import DiskFull, StoreFault
from edge_agent.store.ledger import Ledger, open_ledger
from edge_agent.store.upgrade import upgrade_apart
from edge_agent.store.verify import verify

SCANS_A_GROUP_MAX = 64
"""Scans of one transaction: one sync of the disk for all of them."""
BELIEFS_A_GROUP_MAX = 64
FULL_DISK_PAUSE_S = 5.0
"""Link seconds before a full disk is asked again on behalf of nobody who waits."""


def open_book(config: Config, clock: Clock) -> Ledger:
    """Open the configured ledger, made new where there is none. Raises `NotALedger`, `StoreFault`."""
    return open_ledger(
        config.ledger,
        config.device.id,
        newborn=new_incarnation(),
        now=clock.now(),
        max_pages=config.max_pages,
        upgrade=upgrade_apart,
    )


class Writer:
    """Everything the agent writes. It holds the ledger that is open now; a fault may put another in its place."""

    def __init__(self, config: Config, parts: Parts, ledger: Ledger, pen: Pen) -> None:
        self._config, self._parts = config, parts
        self._clock, self._voice = parts.clock, parts.voice
        self.ledger, self._pen = ledger, pen
        self._full_until_s = -math.inf
        self.more = False
        """Whether beliefs wait for the next turn: one group a turn, so that a scan waits for one at most."""

    @property
    def _waits(self) -> bool:
        """Tell whether a full disk is left alone for a while."""
        return self._clock.link_s() < self._full_until_s

    def write_scans(self, scans: Sequence[Scan]) -> None:
        """Answer people, who wait. Raises `StoreFault` when the ledger cannot be opened again."""
        for start in range(0, len(scans), SCANS_A_GROUP_MAX):
            self._write(scans[start : start + SCANS_A_GROUP_MAX], [])

    def write_needs(self) -> None:
        """Note empty bins, and answer who scanned their cards."""
        bins = self._parts.bins
        while bins.waiting:
            if not self._kept(lambda: bins.write(self.ledger, self._pen)):
                return

    def write_the_rest(self) -> None:
        """Write what nobody waits for; a full disk is asked again only after a pause."""
        self._write_beliefs()
        if not self._waits:
            self.write_needs()
        self._write_labels()
        self._write_clock()
        self._write_round()
        self._write_health()

    def close(self) -> None:
        """Give the file back that is open now. Nothing may be written afterwards."""
        self.ledger.close()

    def finish(self) -> None:
        """Write the beliefs that still wait, as far as the disk takes them. Raises `StoreFault`."""
        while self.more:
            self._write_beliefs()

    def _write_beliefs(self) -> None:
        """Write ended visits and one group of beliefs."""
        over = self._parts.counter.due()
        idle = over is not None and self._clock.now() >= over
        beliefs = self._beliefs()
        if (idle or beliefs) and not self._waits and self._write([], beliefs):
            self._parts.shelf.written(beliefs)
        self.more = not self._waits and bool(self._beliefs())

    def _beliefs(self) -> list[Belief]:
        """Return beliefs to write now: none while the disk has room for people's acts only; they wait, one a tag."""
        beliefs = self._parts.shelf.waiting(BELIEFS_A_GROUP_MAX)
        if beliefs:
            self._parts.upkeep.look_at_disk(self.ledger)
        return [] if self._parts.upkeep.disk.sheds else beliefs

    def _write_labels(self) -> None:
        """Bind the tags of labels that were printed."""
        if self._parts.printed.due and not self._waits:
            self._kept(lambda: self._parts.printed.write(self.ledger, self._pen))

    def _write_clock(self) -> None:
        """Write how the wall clock was moved."""
        self._parts.clock_steps.look()
        if self._parts.clock_steps.due and not self._waits:
            self._kept(lambda: self._parts.clock_steps.write(self.ledger, self._pen))

    def _write_round(self) -> None:
        """Write the duties and holds that are due, after what people and readers said."""
        if self._parts.roster.due and not self._waits:
            self._kept(lambda: self._parts.roster.write(self.ledger, self._pen))

    def _write_health(self) -> None:
        """Write outages and rates, after everything a person waits for."""
        if self._parts.watch.due and not self._waits:
            self._kept(lambda: self._parts.watch.write(self.ledger))

    def _write(self, scans: Sequence[Scan], beliefs: Sequence[Belief]) -> bool:
        self._pen.hear(self._parts.uplink.heard_hlc)
        return self._kept(lambda: self._parts.counter.write(self.ledger, self._pen, scans, beliefs))

    def _kept(self, write: Callable[[], object]) -> bool:
        """Write one group and tell the uplink; False after a fault of the disk, which is met. Raises `StoreFault`."""
        try:
            write()
        except StoreFault as fault:
            self._meet(fault)
            return False
        self._parts.uplink.committed()
        return True

    def _meet(self, fault: StoreFault) -> None:
        """After a full disk wait a while, after any other fault open anew. Raises `StoreFault`."""
        if isinstance(fault, DiskFull):
            self._voice.say_counted("ledger", str(fault))
            self._full_until_s = self._clock.link_s() + FULL_DISK_PAUSE_S
            return
        self._voice.say("ledger", str(fault))
        self._reopen()

    def _reopen(self) -> None:
        """After a fault of the disk trust nothing in memory: open anew and verify. Raises `StoreFault`."""
        self.ledger.close()
        self.ledger = open_book(self._config, self._clock)
        report = verify(self.ledger.connection, lambda _done, _total: self._parts.upkeep.beat())
        if not report.sound:
            raise StoreFault(
                f"{self._config.ledger}: after a fault of the disk: {report.problems[0].what}; keep this disk"
            )
        self._pen = Pen(self._clock, self.ledger.last_hlc())
        self._parts.uplink.reopened(self.ledger)
        self._parts.uplink.committed()
        self._voice.say("ledger", f"opened again and verified, {report.entries} entries")
