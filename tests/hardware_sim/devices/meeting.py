"""A device behind its faults and our own session, in one memory: what a port and an agent do, with time as a value."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from hardware_sim.devices.deliveries import Deliveries, Row
from hardware_sim.devices.device import Device, Heard
from hardware_sim.devices.faults import Fault
from hardware_sim.devices.framing import FRAMINGS
from hardware_sim.devices.line import Abandon, Act, Close, Line, Resume, Unplug, Write
from hardware_sim.devices.llrp import LlrpReaderDevice
from hardware_sim.devices.m100 import M100Device
from hardware_sim.devices.uhfreader18 import Uhf18Device
from protocols.readers.llrp.memory import ReaderMemory
from protocols.readers.llrp.requests import LlrpConfig
from protocols.readers.llrp.session import LlrpSession
from protocols.readers.m100.session import M100Session
from protocols.readers.outcomes import Close as Hangup
from protocols.readers.outcomes import Outcome, Send
from protocols.readers.reads import BadFrame, LinkUp, RoundEnded, TagRead
from protocols.readers.uhfreader18.session import Uhf18Session
from protocols.readers.use import ReaderSession, ReaderUse
from protocols.values.instant import Instant, plus

LINK0 = Instant(5_000_000)
STORY0 = Instant(1_772_438_400_000_000)
STEP_S = 0.02
RECONNECT_S = 0.3
READERS = ("llrp", "m100", "uhfreader18")


def shelf(at: Instant, antennas: tuple[int, ...]) -> list[Heard]:
    """Three tags an antenna."""
    del at
    return [(f"3034{each:018X}{tag:02X}", each, -50 - each, 1) for each in antennas for tag in range(3)]


def passers_by(at: Instant, antennas: tuple[int, ...]) -> list[Heard]:
    """Thirty foreign tags, others each time."""
    return [(f"E200{(at + tag) % 2**64:020X}", antennas[0], -60, 1) for tag in range(30) if antennas]


def make_device(kind: str) -> Device:
    if kind == "llrp":
        return LlrpReaderDevice(shelf)
    return M100Device(shelf) if kind == "m100" else Uhf18Device(shelf)


@dataclass
class Meeting:
    """One device and whoever listens to it now. `run` lets both live; `seen` is what the listener took."""

    kind: str
    faults: Iterable[Fault] = ()
    seed: int = 0
    now: Instant = LINK0
    seen: list[Outcome] = field(default_factory=list)
    told: list[Row] = field(default_factory=list)
    session: ReaderSession | None = None
    plugged: bool = True
    heard_by_us: bool = True
    again_at: Instant = LINK0

    def __post_init__(self) -> None:
        self.log = Deliveries(self.kind, self.told.append)
        self.device = make_device(self.kind)
        self.line = Line(
            self.device, FRAMINGS[self.kind], self.log, iter(self.faults), random.Random(self.seed), passers_by
        )
        self.memory = ReaderMemory()

    @property
    def story(self) -> Instant:
        return Instant(STORY0 + (self.now - LINK0))

    def make_session(self) -> ReaderSession:
        if self.kind == "llrp":
            config = LlrpConfig((1, 2, 3, 4), round_ms=400, keepalive_ms=1_000, request_timeout_s=2.0)
            return LlrpSession(config, self.memory)
        use = ReaderUse(round_s=0.5, keepalive_s=1.0, answer_s=0.4, story_at=lambda now: Instant(STORY0 + now - LINK0))
        return M100Session(use) if self.kind == "m100" else Uhf18Session(use)

    def connect(self) -> None:
        self.session, self.heard_by_us = self.make_session(), True
        acts = self.line.connected(self.now, self.story)
        self.take(self.session.opened(self.now))
        self.do(acts)

    def hang_up(self, *, tell: bool) -> None:
        session, self.session = self.session, None
        self.again_at = plus(self.now, RECONNECT_S)
        if session is not None:
            self.seen += session.closed("the link is over")
        if tell and self.heard_by_us:
            self.line.disconnected()

    def take(self, outcomes: Iterable[Outcome]) -> None:
        for each in outcomes:
            self.seen.append(each)
            if isinstance(each, Send) and self.heard_by_us:
                self.do(self.line.receive(each.data, self.now, self.story))
            if isinstance(each, Hangup):
                self.hang_up(tell=True)
                return

    def do(self, acts: Iterable[Act]) -> None:
        for act in acts:
            match act:
                case Write():
                    if self.session is not None and self.heard_by_us:
                        self.take(self.session.receive(act.data, self.now))
                case Close():
                    self.hang_up(tell=False)
                case Abandon():
                    self.heard_by_us = False
                case Unplug():
                    self.plugged = False
                case Resume():
                    self.plugged = True
                    if not self.heard_by_us:
                        self.hang_up(tell=False)

    def run(self, seconds: float) -> None:
        until = plus(self.now, seconds)
        while self.now < until:
            self.now = plus(self.now, STEP_S)
            if self.session is None and self.plugged and self.now >= self.again_at:
                self.connect()
            self.do(self.line.tick(self.now, self.story))
            if self.session is not None:
                self.take(self.session.tick(self.now))

    def of(self, kind: type) -> list[Outcome]:
        return [each for each in self.seen if isinstance(each, kind)]

    def taken(self) -> set[tuple[str, int, int | None]]:
        """Return what the listener took, by (epc, antenna, first seen); no time where the device has no clock."""
        return {
            (each.epc, each.antenna, each.first_seen if self.kind == "llrp" else None)
            for each in self.seen
            if isinstance(each, TagRead)
        }

    def handed_over(self, *, proved: bool) -> set[tuple[object, object, object]]:
        """Return what the delivery log says: all of it, or only what is proved."""
        return {
            (row["epc"], row["antenna"], row["first_seen"])
            for row in self.told
            if "epc" in row and (row["proved"] or not proved)
        }

    def rounds_since(self, instant: Instant) -> int:
        return sum(isinstance(each, RoundEnded) and each.at > instant for each in self.seen)


__all__ = ["BadFrame", "LinkUp", "Meeting", "make_device"]
