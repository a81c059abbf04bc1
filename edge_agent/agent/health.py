"""The watch over readers, scanners and broker: what is out of order becomes intervals in the edge's own file.

It runs on the agent's thread and hears everything the links say. The rule that must not be broken: a blind antenna is
told to the model of presence as a lost one, so that its silence proves nothing, and as found again by its first sign.
"""

from collections.abc import Iterable, Sequence

from edge_agent.agent.inbox import BrokerDown, BrokerUp, Happening, ScannerClosed, ScannerOpened
from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock
from edge_agent.config import ReaderConfig
from edge_agent.core.coverage import Coverage
from edge_agent.core.outages import (
    BLIND,
    BROKER,
    LINK,
    SCANNER,
    Began,
    Change,
    Key,
    Outages,
    Watched,
    late_s,
)
from edge_agent.core.presence import Presence
from edge_agent.core.rates import Rates
from edge_agent.errors import DiskFull, StoreFault
from edge_agent.store.health import bound_or, close_left_open, write_changes, write_rates
from edge_agent.store.ledger import Ledger
from protocols.readers.reads import AntennaChanged, ReaderEvent
from protocols.values.ids import Epc

CHANGES_MAX = 4_096
"""Changes that wait for a disk that takes nothing; beyond it they are only told in the log."""
RATES_EVERY_S = 300.0
"""Link seconds between two writings of the read rates: a small machine's flash is not worn out by them."""
RATES_FIRST_S = 15.0


class Watch:
    """The health of one edge. `story_rate` story seconds are one second of link time."""

    def __init__(
        self, readers: Sequence[ReaderConfig], presence: Presence, *, clock: Clock, voice: Voice, story_rate: float
    ) -> None:
        watched = {each.name: watched_of(each, story_rate) for each in readers}
        self._outages = Outages(watched)
        self._reference = {Epc(epc) for each in watched.values() for epc in each.reference.values()}
        self._rates = Rates()
        self.coverage = Coverage({each.name: (each.round_s, tuple(each.antennas)) for each in readers})
        self._presence, self._clock, self._voice = presence, clock, voice
        self._waiting: list[Change] = []
        self._rates_due_s = clock.link_s() + RATES_FIRST_S

    def hear(self, name: str, event: ReaderEvent) -> None:
        """Take what a reader says, after dedup."""
        self._rates.hear(name, event)
        self._told(self._outages.hear(name, event, self._clock.now(), self._clock.link_now()))
        self.coverage.hear(name, event, self._outages.deaf(name))

    def take(self, happening: Happening) -> None:
        """Take what happened to a scanner's port or to the broker."""
        now = self._clock.now()
        match happening:
            case ScannerOpened():
                self._told(self._outages.up(Key(SCANNER, happening.name, 0, LINK), now))
            case ScannerClosed():
                self._told(self._outages.down(Key(SCANNER, happening.name, 0, LINK), happening.reason, now))
            case BrokerUp():
                self._told(self._outages.up(Key(BROKER, BROKER, 0, LINK), now))
            case BrokerDown():
                self._told(self._outages.down(Key(BROKER, BROKER, 0, LINK), happening.reason, now))
            case _:
                pass

    @property
    def open(self) -> frozenset[Key]:
        """Return what is out of order."""
        return self._outages.open

    def down(self, key: Key, reason: str) -> None:
        """A part of the machine itself is out of order."""
        self._told(self._outages.down(key, reason, self._clock.now()))

    def up(self, key: Key) -> None:
        """A part of the machine itself is in order again."""
        self._told(self._outages.up(key, self._clock.now()))

    def tick(self) -> None:
        """Notice what did not come."""
        self._told(self._outages.tick(self._clock.now(), self._clock.link_now()))

    def begin(self, ledger: Ledger) -> None:
        """End what the last run left open; a disk that refuses is told, and scans are served all the same."""
        try:
            close_left_open(ledger.connection, self._clock.now())
        except DiskFull as fault:
            self._voice.say("health", str(fault))

    @property
    def due(self) -> bool:
        """Tell whether there is something to write."""
        return bool(self._waiting) or self._clock.link_s() >= self._rates_due_s

    def write(self, ledger: Ledger) -> None:
        """Write what waits. Raises `StoreFault`; then it waits on."""
        if self._waiting:
            write_changes(ledger.connection, self._waiting)
            self._waiting = []
        if self._clock.link_s() >= self._rates_due_s:
            self.write_rates(ledger)

    def write_rates(self, ledger: Ledger) -> None:
        """Write the read rates now. Raises `StoreFault`."""
        self._rates_due_s = self._clock.link_s() + RATES_EVERY_S
        self._rates.forget(bound_or(ledger.connection, self._reference))
        write_rates(ledger.connection, self._rates)

    def end(self, ledger: Ledger) -> None:
        """Write the last of it; a disk that refuses now is told and left."""
        try:
            if self._waiting:
                write_changes(ledger.connection, self._waiting)
            self.write_rates(ledger)
        except StoreFault as fault:
            self._voice.say("health", str(fault))

    def _told(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if len(self._waiting) < CHANGES_MAX:
                self._waiting.append(change)
            if change.key.cause == BLIND:
                self._tell_blind(change)

    def _tell_blind(self, change: Change) -> None:
        """Say that an antenna is blind or sees again, and let presence judge by it no longer, or again."""
        name, antenna = change.key.name, change.key.antenna
        said = change.reason if isinstance(change, Began) else "it hears again"
        self._voice.say(f"reader {name}", f"antenna {antenna}: {said}")
        listens = self._outages.listens(name, antenna)
        self._presence.receive(AntennaChanged(antenna, listens, change.at), name)


def watched_of(config: ReaderConfig, story_rate: float) -> Watched:
    """Return how a configured reader is watched."""
    return Watched(
        round_s=config.round_s,
        late_s=late_s(config.round_s / story_rate, config.keepalive_s),
        reference={antenna: Epc(epc) for antenna, epc in config.reference},
        blind_s=config.blind_s,
    )
