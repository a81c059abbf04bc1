"""The agent of one storeroom: the only place where its parts meet. One queue, one writer.

Links run on threads of their own and only put what happened into the inbox; this thread takes a turn at a time: scans
first, as one group that is synced before their beeps, then what readers and central say. The rule that must not be
broken: nobody else writes to the ledger.
"""

import math
import shutil
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from edge_agent.agent.board import board
from edge_agent.agent.counter import Counter, Scan
from edge_agent.agent.empty_bins import EmptyBins
from edge_agent.agent.health import Watch
from edge_agent.agent.inbox import (
    BrokerDown,
    BrokerSaid,
    BrokerUp,
    Happening,
    Inbox,
    ReaderClosed,
    ReaderOpened,
    ReaderSaid,
    ScannerClosed,
    ScannerOpened,
    ScannerSaid,
)
from edge_agent.agent.links import Links
from edge_agent.agent.model import Memory, make_presence, remember
from edge_agent.agent.roster import Roster
from edge_agent.agent.scanners import decoders_of
from edge_agent.agent.shelf import Shelf
from edge_agent.agent.signals import Signals
from edge_agent.agent.tap import Tap
from edge_agent.agent.upkeep import Upkeep
from edge_agent.agent.uplink import Uplink
from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock, Pen, new_boot_nonce, new_incarnation
from edge_agent.config import Config
from edge_agent.core.kanban import Kanban
from edge_agent.core.opening import opening_drafts
from edge_agent.core.presence import Belief, Presence
from edge_agent.core.work.scene import Mode, Room
from edge_agent.errors import BadConfig, DiskFull, StoreFault
from edge_agent.links.systemd import Systemd
from edge_agent.store.copies import RESTORING, finish_restore
from edge_agent.store.feed import FILE, checksum_at, checksum_of, take_snapshot, version_of
from edge_agent.store.ledger import Ledger, open_ledger
from edge_agent.store.lock import hold_alone
from edge_agent.store.master import item_rows, read_bins, read_cards, read_items, read_opening, read_patient_key
from edge_agent.store.needs import noted_cards
from edge_agent.store.queries import bound_epcs, open_visit
from edge_agent.store.tail import check_tail
from edge_agent.store.verify import verify
from protocols.readers.reads import ReaderEvent, TagRead
from protocols.readers.scanner import Beep
from protocols.values.instant import Instant

if TYPE_CHECKING:
    from edge_agent.links.panel import Panel

TURN_WAIT_S = 0.25
"""Longest wait of one turn: how soon a signal is obeyed."""
SCANS_A_GROUP_MAX = 64
"""Scans of one transaction: one sync of the disk for all of them."""
BELIEFS_A_GROUP_MAX = 64
PANEL_SHARE = 20.0
"""A look that takes long is followed by a pause so many times as long: the panel holds nobody up."""
PANEL_EVERY_S = 0.5
"""Link seconds between two looks of the panel at the book while nobody scans."""
FULL_DISK_PAUSE_S = 5.0
"""Link seconds before a full disk is asked again on behalf of nobody who waits."""
OPENED = "opening"
"""The word in the ledger's file that says its opening was written."""


def run(
    config: Config,
    inbox: Inbox,
    voice: Voice,
    *,
    version: str,
    ready: Callable[[], None],
    tap: Tap | None = None,
    systemd: Systemd | None = None,
) -> None:
    """Run an agent until its inbox is stopped; `ready` is called once it serves a scanner, `tap` records its reads.

    `systemd` is told that it works and lives.

    Raises `BadConfig`, `NotALedger`, `DiskFull`, `StoreFault` when it cannot begin or cannot go on.
    """
    if not config.sync.unsigned:
        raise BadConfig(
            f"{config.path}: sync.unsigned: expected keys to sign with, this version has none; "
            "say `unsigned = true` under [sync], here and at central, to run without signatures"
        )
    clock = Clock(config.story)
    with hold_alone(config.ledger):
        _finish_restore(config, voice)
        ledger = _open(config, clock)
        try:
            check_tail(ledger, str(config.ledger))
            agent = _Agent(config, ledger, inbox, clock=clock, voice=voice, version=version, ready=ready, tap=tap)
            agent.live(systemd or Systemd({}))
        finally:
            ledger.close()


def _finish_restore(config: Config, voice: Voice) -> None:
    """Finish putting a backup back where a power cut ended it half way."""
    if config.ledger.with_name(config.ledger.name + RESTORING).exists():
        kept = finish_restore(config.ledger)
        voice.say("ledger", f"the backup is in its place; what stood there is kept as {kept and kept.name}")


def _open(config: Config, clock: Clock) -> Ledger:
    return open_ledger(
        config.ledger, config.device.id, newborn=new_incarnation(), now=clock.now(), max_pages=config.max_pages
    )


def write_opening(ledger: Ledger, pen: Pen, config: Config) -> int:
    """Bind and post the pieces of the opening once in a ledger's life, in one transaction; returns how many."""
    if config.opening is None or ledger.noted(OPENED) is not None:
        return 0
    items = None if config.items is None else read_items(config.items)
    bound = bound_epcs(ledger.connection)
    pieces = [piece for piece in read_opening(config.opening, items) if piece.epc not in bound]
    with ledger.group():
        for draft in opening_drafts(pieces, config.device.place):
            ledger.append([pen.entry(draft)])
        ledger.note(OPENED, str(len(pieces)))
    return len(pieces)


def take_items(ledger: Ledger, config: Config, now: Instant) -> None:
    """Take the list of items beside the configuration into the master data, unless it stands there already."""
    if config.items is None:
        return
    rows = item_rows(config.items)
    checksum = checksum_of(rows)
    if checksum != checksum_at(ledger.connection, FILE):
        version = version_of(ledger.connection, FILE) + 1
        take_snapshot(ledger.connection, FILE, version, rows, checksum=checksum, now=now)


def make_room(config: Config) -> Room:
    """Return what the configuration says of the storeroom. Raises `BadConfig`."""
    key = b"" if config.patient_key is None else read_patient_key(config.patient_key)
    return Room(config.device.place, mode=Mode(config.device.mode), patient_key=key, blind_counts=config.blind_counts)


def make_kanban(config: Config, ledger: Ledger, now: Instant) -> Kanban:
    """Return the bins that are filled by card, as the ledger last noted them. Raises `BadConfig`, `StoreFault`."""
    bins = [] if config.bins is None else read_bins(config.bins)
    antennas = {each.name: frozenset(each.kanban) for each in config.readers if each.kanban}
    return Kanban(bins, noted_cards(ledger.connection) if bins else {}, antennas, now)


def open_panel(config: Config) -> "Panel | None":
    """Return the ward panel's server where one is configured; only then its library is loaded. Raises `LinkFault`."""
    if config.panel is None:
        return None
    from edge_agent.links.panel import Panel

    return Panel(config.panel.host, config.panel.port)


class _Agent:
    def __init__(
        self,
        config: Config,
        ledger: Ledger,
        inbox: Inbox,
        *,
        clock: Clock,
        voice: Voice,
        version: str,
        ready: Callable[[], None],
        tap: Tap | None,
    ) -> None:
        self._tap = tap
        self._config, self._ledger, self._inbox = config, ledger, inbox
        self._clock, self._voice, self._ready = clock, voice, ready
        self._pen = Pen(clock, ledger.last_hlc())
        opened = write_opening(ledger, self._pen, config)
        if opened:
            voice.say("opening", f"{opened} pieces bound to their tags and posted")
        take_items(ledger, config, clock.now())
        presence = make_presence(config)
        remember(presence, ledger, config)
        self._memory = Memory(presence, config.ledger, voice)
        self._memory.recall()
        self._links = Links(config, inbox)
        story_rate = 1.0 if config.story is None else config.story.rate
        self._watch = Watch(config.readers, presence, clock=clock, voice=voice, story_rate=story_rate)
        self._watch.begin(ledger)
        self._shelf = self._make_shelf(presence, story_rate)
        self._counter = self._make_counter(presence)
        self._roster = Roster(config.device.place, clock=clock, voice=voice, claims=config.claims)
        self._bins = EmptyBins(
            make_kanban(config, ledger, clock.now()),
            clock=clock,
            voice=voice,
            who=lambda: {name: visit.actor for name, visit in self._counter.visits.items()},
            shown=self._show,
        )
        self._signals = Signals(
            config.readers,
            switch=lambda name, port, on: self._shelf.switch(name, port, clock.link_now(), on=on),
            leave=self._counter.leave,
            clock=clock,
            voice=voice,
        )
        self._uplink = Uplink(
            ledger,
            config.sync,
            self._links.broker,
            boot_nonce=new_boot_nonce(),
            version=version,
            clock=clock,
            voice=voice,
        )
        self._panel = open_panel(config)
        self._show_s = -math.inf
        self._serves = False
        self._full_until = -math.inf

    def _make_shelf(self, presence: Presence, story_rate: float) -> Shelf:
        return Shelf(
            self._config.readers,
            presence,
            voice=self._voice,
            settled=self._links.settled,
            story_at=lambda _link: self._clock.now(),
            story_rate=story_rate,
            heard=self._heard,
        )

    def _make_counter(self, presence: Presence) -> Counter:
        return Counter(
            decoders_of(
                self._config.scanners,
                {} if self._config.cards is None else read_cards(self._config.cards),
                self._clock.link_s,
            ),
            make_room(self._config),
            idle_s=self._config.visit_idle_s,
            clock=self._clock,
            voice=self._voice,
            presence=presence,
            visit=open_visit(self._ledger.connection),
            shown=self._show,
        )

    def live(self, systemd: Systemd) -> None:
        """Take turns until asked to stop."""
        upkeep = self._upkeep = Upkeep(
            self._config, self._ledger, self._watch, systemd, clock=self._clock, voice=self._voice
        )
        self._links.start()
        if self._panel is not None:
            self._panel.start()
            self._voice.say("panel", f"http://{self._panel.address}")
        upkeep.live()
        try:
            while not self._inbox.stopped:
                self._turn(self._inbox.gather(self._wait_s()))
            self._shelf.stop(self._clock.link_now())
            self._watch.end(self._ledger)
            self._memory.write()
            upkeep.end(self._ledger)
        finally:
            upkeep.stop()
            self._links.stop()
            if self._panel is not None:
                self._panel.stop()
            if self._tap is not None:
                self._tap.close()
        self._voice.say("agent", f"ends: {self._inbox.why_stopped}")

    def _turn(self, happenings: Sequence[Happening]) -> None:
        scans: list[Scan] = []
        for happening in happenings:
            if isinstance(happening, ScannerOpened | ScannerSaid | ScannerClosed):
                scans += self._counter.take(happening)
        scans = self._bins.sift(scans)
        self._write_needs()
        for start in range(0, len(scans), SCANS_A_GROUP_MAX):
            self._write(scans[start : start + SCANS_A_GROUP_MAX], [])
        for happening in happenings:
            self._take(happening)
        self._shelf.tick(self._clock.link_now())
        self._watch.tick()
        self._memory.keep(self._clock.link_s())
        self._signals.tick()
        if self._tap is not None:
            self._tap.flush()
        self._write_what_waits()
        if self._clock.link_s() >= self._full_until:
            self._write_needs()
        self._write_round()
        self._write_health()
        self._upkeep.tick(self._ledger)
        self._uplink.tick(now=self._clock.now(), free_bytes=self._free_bytes)
        self._show_board(after_scans=bool(scans))

    def _heard(self, name: str, event: ReaderEvent) -> None:
        self._upkeep.heard(event)
        if self._tap is not None and isinstance(event, TagRead) and not self._upkeep.disk.sheds:
            self._tap.hear(name, event)
        self._watch.hear(name, event)
        self._signals.hear(name, event)
        self._bins.hear(name, event)
        self._roster.hear(event)

    def _show(self, beep: Beep) -> None:
        self._signals.show(beep)

    def _take(self, happening: Happening) -> None:
        self._watch.take(happening)
        self._bins.take(happening)
        match happening:
            case ReaderOpened() | ReaderSaid() | ReaderClosed():
                self._shelf.take(happening, self._clock.link_now())
            case BrokerUp():
                self._uplink.up()
            case BrokerDown():
                self._uplink.down(happening.reason)
            case BrokerSaid():
                self._uplink.said(happening.data)
            case ScannerOpened():
                if not self._serves:
                    self._serves = True
                    self._ready()
            case ScannerSaid() | ScannerClosed():
                pass  # answered already

    # --- writing ---

    def _write_what_waits(self) -> None:
        """Write beliefs and ended visits; nobody waits for them, so a full disk is asked again only after a pause."""
        over = self._counter.due()
        idle = over is not None and self._clock.now() >= over
        beliefs = self._beliefs()
        while (idle or beliefs) and self._clock.link_s() >= self._full_until:
            if self._write([], beliefs):
                self._shelf.written(beliefs)
            idle = False
            beliefs = self._beliefs()

    def _beliefs(self) -> list[Belief]:
        """Return beliefs to write now: none while the disk has room for people's acts only; they wait, one a tag."""
        beliefs = self._shelf.waiting(BELIEFS_A_GROUP_MAX)
        if beliefs:
            self._upkeep.look_at_disk(self._ledger)
        return [] if self._upkeep.disk.sheds else beliefs

    def _write_needs(self) -> None:
        """Note empty bins, and answer who scanned their cards."""
        while self._bins.waiting:
            try:
                self._bins.write(self._ledger, self._pen)
            except StoreFault as fault:
                self._fail(fault)
                return
            self._uplink.committed()

    def _write_round(self) -> None:
        """Write the duties and holds that are due, after what people and readers said."""
        if not self._roster.due or self._clock.link_s() < self._full_until:
            return
        try:
            written = self._roster.write(self._ledger, self._pen)
        except StoreFault as fault:
            self._fail(fault)
            return
        if written:
            self._uplink.committed()

    def _write_health(self) -> None:
        """Write outages and rates, after everything a person waits for."""
        if not self._watch.due or self._clock.link_s() < self._full_until:
            return
        try:
            self._watch.write(self._ledger)
        except StoreFault as fault:
            self._fail(fault)

    def _write(self, scans: Sequence[Scan], beliefs: Sequence[Belief]) -> bool:
        try:
            self._counter.write(self._ledger, self._pen, scans, beliefs)
        except StoreFault as fault:
            self._fail(fault)
            return False
        self._uplink.committed()
        return True

    def _fail(self, fault: StoreFault) -> None:
        """After a full disk wait a while, after any other fault open anew. Raises `StoreFault`."""
        if isinstance(fault, DiskFull):
            self._voice.say_counted("ledger", str(fault))
            self._full_until = self._clock.link_s() + FULL_DISK_PAUSE_S
            return
        self._voice.say("ledger", str(fault))
        self._reopen()

    def _reopen(self) -> None:
        """After a fault of the disk trust nothing in memory: open anew and verify. Raises `StoreFault`."""
        self._ledger.close()
        self._ledger = _open(self._config, self._clock)
        report = verify(self._ledger.connection, lambda _done, _total: self._upkeep.beat())
        if not report.sound:
            raise StoreFault(
                f"{self._config.ledger}: after a fault of the disk: {report.problems[0].what}; keep this disk"
            )
        self._pen = Pen(self._clock, self._ledger.last_hlc())
        self._uplink.reopened(self._ledger)
        self._uplink.committed()
        self._voice.say("ledger", f"opened again and verified, {report.entries} entries")

    def _show_board(self, *, after_scans: bool) -> None:
        """Show the ward panel what stands now: at once after a scan, else now and then, and to nobody for nothing."""
        panel, began_s = self._panel, self._clock.link_s()
        if panel is None or not panel.watched or (began_s < self._show_s and not after_scans):
            return
        counter = self._counter
        panel.publish(board(self._ledger, counter.room, counter.visits, counter.answers, self._clock.now()))
        ended_s = self._clock.link_s()
        self._show_s = ended_s + max(PANEL_EVERY_S, PANEL_SHARE * (ended_s - began_s))

    # --- waiting ---

    def _wait_s(self) -> float:
        """Return how long nothing is due."""
        link_s = self._clock.link_s()
        reader = self._shelf.due()
        waits = [TURN_WAIT_S, self._uplink.due_s() - link_s]
        if reader is not None:
            waits.append((reader - self._clock.link_now()) / 1_000_000)
        return max(0.0, min(waits))

    @property
    def _free_bytes(self) -> int:
        try:
            return shutil.disk_usage(self._config.ledger.parent).free
        except OSError:
            return 0
