"""The agent put together: every part made once from the configuration and the ledger, and wired to the others.

It decides nothing and takes no turn. The rule that must not be broken: a part that wants another is given a function of
it here; parts never look for each other.
"""

from msgspec.structs import replace

from edge_agent.agent.beginnings import Files, make_kanban, make_room, open_panel
from edge_agent.agent.clock_steps import ClockSteps
from edge_agent.agent.counter import Counter
from edge_agent.agent.empty_bins import EmptyBins
from edge_agent.agent.feeding import Feeding
from edge_agent.agent.health import Watch
from edge_agent.agent.inbox import Inbox
from edge_agent.agent.links import Links
from edge_agent.agent.model import Memory, hear, make_presence, remember
from edge_agent.agent.printed import PrintedLabels
from edge_agent.agent.roster import Roster
from edge_agent.agent.scanners import decoders_of
from edge_agent.agent.shelf import Shelf
from edge_agent.agent.signals import Signals
from edge_agent.agent.tap import Tap
from edge_agent.agent.trust import Trust
from edge_agent.agent.upkeep import Upkeep
from edge_agent.agent.uplink import Uplink
from edge_agent.agent.voice import Voice
from edge_agent.agent.window import Window
from edge_agent.clock import Clock, new_boot_nonce
from edge_agent.config import Config
from edge_agent.core.presence import Presence
from edge_agent.links.systemd import Systemd
from edge_agent.store.ledger import Ledger
from edge_agent.store.queries import cut_short, open_visit
from protocols.readers.reads import ReaderEvent, TagRead
from protocols.readers.scanner import Beep


class Parts:
    """The parts of one agent. Raises `BadConfig`, `StoreFault`, `LinkFault` where one cannot be made."""

    def __init__(  # noqa: PLR0913 # what a run is made with: each is named where it is made
        self,
        config: Config,
        files: Files,
        ledger: Ledger,
        inbox: Inbox,
        *,
        clock: Clock,
        voice: Voice,
        version: str,
        tap: Tap | None,
        systemd: Systemd,
        trust: Trust,
    ) -> None:
        self.clock, self.voice, self.tap, self._files = clock, voice, tap, files
        self.links = Links(config, inbox, trust)
        presence = self._believe(config, ledger)
        self.counter = self._make_counter(config, ledger, presence)
        self.roster = Roster(config.device.place, clock=clock, voice=voice, claims=config.claims)
        if config.readers:
            self.roster.tell_of(self.watch.coverage.tell)
        self.bins = self._make_bins(config, ledger)
        self.printed = PrintedLabels(config.ledger, clock=clock, voice=voice)
        self.signals = self._make_signals(config)
        self.clock_steps = ClockSteps(clock)
        self.uplink = Uplink(
            ledger,
            config.sync,
            self.links.broker,
            boot_nonce=new_boot_nonce(),
            version=version,
            clock=clock,
            voice=voice,
            signing=trust.signing,
            feeding=Feeding(
                config.device.place, clock=clock, voice=voice, proves=trust.proves, taken=self.roster.hasten
            ),
            told_offset=self.clock_steps.heard,
            told_facts=lambda connection, facts: hear(presence, connection, facts, ledger.device, config.device.place),
        )
        self.counter.lease_now = self.uplink.lease_now
        if clock.story is None:  # two stories' clocks are not compared
            self.roster.central_now = self.uplink.central_now
        self.window = Window(open_panel(config), clock=clock, voice=voice)
        self.upkeep = Upkeep(config, ledger, self.watch, systemd, clock=clock, voice=voice)

    def _believe(self, config: Config, ledger: Ledger) -> Presence:
        """Make what hears the readers: the beliefs with their memory, the watch over outages, the shelf before both."""
        presence = make_presence(config)
        remember(presence, ledger, config)
        story_rate = 1.0 if config.story is None else config.story.rate
        self.memory = Memory(presence, config.ledger, self.voice, story_rate=story_rate)
        self.memory.recall()
        self.watch = Watch(config.readers, presence, clock=self.clock, voice=self.voice, story_rate=story_rate)
        self.watch.begin(ledger)
        self.shelf = Shelf(
            config.readers,
            presence,
            voice=self.voice,
            settled=self.links.settled,
            story_at=lambda _link: self.clock.now(),
            story_rate=story_rate,
            heard=self._heard,
        )
        return presence

    def _make_counter(self, config: Config, ledger: Ledger, presence: Presence) -> Counter:
        return Counter(
            decoders_of(config.scanners, self._files.holders, self.clock.link_s),
            replace(make_room(config, self._files), cut_short=cut_short(ledger.connection, self.clock.now())),
            idle_s=config.visit_idle_s,
            clock=self.clock,
            voice=self.voice,
            presence=presence,
            visit=open_visit(ledger.connection),
            shown=self._show,
        )

    def _make_bins(self, config: Config, ledger: Ledger) -> EmptyBins:
        return EmptyBins(
            make_kanban(config, self._files, ledger, self.clock.now()),
            clock=self.clock,
            voice=self.voice,
            who=lambda: {name: visit.actor for name, visit in self.counter.visits.items()},
            shown=self._show,
        )

    def _make_signals(self, config: Config) -> Signals:
        return Signals(
            config.readers,
            switch=lambda name, port, on: self.shelf.switch(name, port, self.clock.link_now(), on=on),
            leave=self.counter.leave,
            clock=self.clock,
            voice=self.voice,
        )

    def _heard(self, name: str, event: ReaderEvent) -> None:
        """Tell everybody what a reader said, before it is judged."""
        self.upkeep.heard(event)
        if self.tap is not None and isinstance(event, TagRead) and not self.upkeep.disk.sheds:
            self.tap.hear(name, event)
        self.watch.hear(name, event)
        self.signals.hear(name, event)
        self.bins.hear(name, event)
        self.roster.hear(event)

    def _show(self, beep: Beep) -> None:
        self.signals.show(beep)
