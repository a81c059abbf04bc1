"""What is out of order among the parts of one edge, from what readers, ports and brokers say. Pure.

An outage has a part, a cause and a beginning; it ends when the part works again. A reader may be cut off (`link`) or be
there and end no round (`no_rounds`); an antenna may be unplugged, or blind: its reference tag was not read for
`blind_s` seconds of rounds that the antenna is said to have ended. The rule that must not be broken: a silent reader is
an outage, never an empty shelf, and an outage is told once however often it is noticed.

Instants of outages are story time as this edge has it; a reader's own clock only measures how long a tag was silent.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from protocols.readers.reads import AntennaChanged, LinkDown, LinkUp, ReaderEvent, RoundEnded, TagRead
from protocols.values.ids import Epc
from protocols.values.instant import MICROS, Instant, plus

READER, SCANNER, BROKER, ANTENNA = "reader", "scanner", "broker", "antenna"
LINK, NO_ROUNDS, UNPLUGGED, BLIND = "link", "no_rounds", "unplugged", "blind"
BLIND_S = 300.0
"""Proven seconds without a read of its reference tag after which an antenna is blind, unless the configuration says."""
ROUNDS_LATE = 10
"""Rounds that do not end after which a reader that is there counts as out of order."""
SILENT_INTERVALS = 2
"""Keepalive intervals below which missing rounds are not yet an outage: so long a link may be silent too."""
ROUNDS_PROVEN_MAX = 3
"""One ended round proves at most so many rounds of silence before it: a stall proves nothing."""


class Key(NamedTuple):
    """What is out of order and how; `antenna` is 0 where the whole part is meant."""

    part: str
    name: str
    antenna: int
    cause: str


@dataclass(frozen=True, slots=True)
class Began:
    """An outage that was not there before; `reason` is for a person."""

    key: Key
    reason: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Ended:
    """An outage that is over."""

    key: Key
    at: Instant


Change = Began | Ended


@dataclass(frozen=True, slots=True)
class Watched:
    """One reader as it is watched: `round_s` in its own time, `late_s` in link time, a reference tag an antenna."""

    round_s: float
    late_s: float
    reference: Mapping[int, Epc] = field(default_factory=dict)
    blind_s: float = BLIND_S


def late_s(round_link_s: float, keepalive_s: float) -> float:
    """Return after how many seconds of link time without an ended round a reader is out of order."""
    return max(ROUNDS_LATE * round_link_s, SILENT_INTERVALS * keepalive_s)


@dataclass(slots=True)
class _Reader:
    watched: Watched
    up: bool = False
    heard_link: Instant = Instant(0)  # noqa: RUF009 - Instant is an int
    last_end: Instant | None = None
    silent: dict[int, int] = field(default_factory=dict)
    read: set[int] = field(default_factory=set)
    unplugged: set[int] = field(default_factory=set)


class Outages:
    """Everything that is out of order now. It grows with the parts, never with time."""

    def __init__(self, readers: Mapping[str, Watched]) -> None:
        self._readers = {name: _Reader(watched) for name, watched in readers.items()}
        self._open: set[Key] = set()

    @property
    def open(self) -> frozenset[Key]:
        """Return what is out of order."""
        return frozenset(self._open)

    def down(self, key: Key, reason: str, at: Instant) -> list[Change]:
        """A part is out of order; it is told once."""
        if key in self._open:
            return []
        self._open.add(key)
        return [Began(key, reason, at)]

    def up(self, key: Key, at: Instant) -> list[Change]:
        """A part is in order again."""
        if key not in self._open:
            return []
        self._open.discard(key)
        return [Ended(key, at)]

    def hear(self, name: str, event: ReaderEvent, now: Instant, link_now: Instant) -> list[Change]:
        """Take what a reader says, at story instant `now` and link time `link_now`."""
        reader = self._readers.get(name)
        if reader is None:
            return []
        match event:
            case TagRead():
                return self._read(reader, name, event, now)
            case RoundEnded():
                reader.heard_link = link_now
                return [*self.up(Key(READER, name, 0, NO_ROUNDS), now), *self._round(reader, name, event, now)]
            case LinkUp():
                reader.up, reader.heard_link, reader.last_end = True, link_now, None
                return self.up(Key(READER, name, 0, LINK), now)
            case LinkDown():
                reader.up, reader.last_end = False, None
                late = self.up(Key(READER, name, 0, NO_ROUNDS), now)
                return [*late, *self.down(Key(READER, name, 0, LINK), event.reason, now)]
            case AntennaChanged():
                return self._antenna(reader, name, event, now)
            case _:
                return []

    def tick(self, now: Instant, link_now: Instant) -> list[Change]:
        """Notice readers that are there and end no round."""
        told: list[Change] = []
        for name, reader in self._readers.items():
            late_us = reader.watched.late_s * MICROS
            if reader.up and link_now - reader.heard_link > late_us:
                reason = f"connected, but no round ended for {reader.watched.late_s:g} s; look at its antennas"
                told += self.down(Key(READER, name, 0, NO_ROUNDS), reason, now)
        return told

    def listens(self, name: str, antenna: int) -> bool:
        """Tell whether an antenna's silence may prove something: it is plugged in and not blind."""
        return not any(Key(ANTENNA, name, antenna, cause) in self._open for cause in (UNPLUGGED, BLIND))

    def deaf(self, name: str) -> frozenset[int]:
        """Return the antennas of a reader whose silence proves nothing."""
        return frozenset(key.antenna for key in self._open if key.part == ANTENNA and key.name == name)

    # --- antennas ---

    def _read(self, reader: _Reader, name: str, read: TagRead, now: Instant) -> list[Change]:
        if reader.watched.reference.get(read.antenna) != read.epc:
            return []
        reader.read.add(read.antenna)
        return self.up(Key(ANTENNA, name, read.antenna, BLIND), now)

    def _round(self, reader: _Reader, name: str, ended: RoundEnded, now: Instant) -> list[Change]:
        most = round(reader.watched.round_s * ROUNDS_PROVEN_MAX * MICROS)
        step = (
            0 if reader.last_end is None or not ended.proves_silence else min(max(0, ended.at - reader.last_end), most)
        )
        reader.last_end = ended.at
        told: list[Change] = []
        heard, reader.read = reader.read, set()
        for antenna in _both(ended.antennas, reader.watched.reference):
            silent = reader.silent[antenna] = 0 if antenna in heard else reader.silent.get(antenna, 0) + step
            if silent >= reader.watched.blind_s * MICROS and antenna not in reader.unplugged:
                reason = f"its reference tag was not read for {reader.watched.blind_s:g} s; look at cable and antenna"
                told += self.down(Key(ANTENNA, name, antenna, BLIND), reason, plus(now, -silent / MICROS))
        return told

    def _antenna(self, reader: _Reader, name: str, event: AntennaChanged, now: Instant) -> list[Change]:
        key = Key(ANTENNA, name, event.antenna, UNPLUGGED)
        if event.connected:
            reader.unplugged.discard(event.antenna)
            reader.silent[event.antenna] = 0  # plugged in anew, it has its time to show that it hears
            return [*self.up(key, now), *self.up(Key(ANTENNA, name, event.antenna, BLIND), now)]
        reader.unplugged.add(event.antenna)
        return self.down(key, "the reader says that the antenna is not connected; look at its cable", now)


def _both(antennas: Iterable[int], reference: Mapping[int, Epc]) -> list[int]:
    return [antenna for antenna in antennas if antenna in reference]
