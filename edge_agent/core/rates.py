"""How often each antenna and each tag is read: reads and rounds counted, the far past forgotten. Pure.

It judges nothing: a rate that falls is for a person who looks at the antenna. The rule that must not be broken: what it
keeps has a limit, whatever tags come by; whoever knows which tags belong here calls `forget` now and then.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from protocols.readers.reads import ReaderEvent, RoundEnded, TagRead
from protocols.values.ids import Epc
from protocols.values.instant import Instant

ROUNDS_KEPT = 4_096
"""Rounds after which all counts of one antenna are halved, so that a rate follows the shelf: some hours of rounds."""
ANTENNA_RATES_MAX = 512
TAG_RATES_MAX = 20_000
"""Pairs of tag and antenna that are counted: some thousand tags, each heard by several antennas."""
ROUND_READS_MAX = 5_000
"""Pairs of tag and antenna that are kept until their round ends; a reader that ends none fills no memory."""


@dataclass(slots=True)
class AntennaRate:
    """One antenna: rounds it ended, reads in them, and when it last read anything."""

    rounds: int = 0
    reads: int = 0
    last_read: Instant | None = None


@dataclass(slots=True)
class TagRate:
    """One tag at one antenna: rounds of the antenna in which it was read, and the levels they came with."""

    rounds: int = 0
    rssi_sum: int = 0
    rssi_count: int = 0
    last_read: Instant | None = None

    @property
    def rssi_dbm(self) -> float | None:
        """Return the mean level in dBm; None when the reader says none."""
        return self.rssi_sum / self.rssi_count if self.rssi_count else None


class Rates:
    """The counts of one edge since it started."""

    def __init__(self) -> None:
        self.antennas: dict[tuple[str, int], AntennaRate] = {}
        self.tags: dict[tuple[str, int, Epc], TagRate] = {}
        self._rounds: dict[str, dict[tuple[Epc, int], TagRead]] = {}

    def hear(self, name: str, event: ReaderEvent) -> None:
        """Take what a reader says."""
        match event:
            case TagRead():
                self._read(name, event)
            case RoundEnded():
                self._end(name, event.antennas)
            case _:
                pass

    def forget(self, known: Callable[[Epc], bool]) -> None:
        """Drop tags that do not belong here."""
        for key in [key for key in self.tags if not known(key[2])]:
            del self.tags[key]

    def _antenna(self, name: str, number: int) -> AntennaRate:
        rate = self.antennas.get((name, number))
        if rate is None:
            rate = AntennaRate()
            if len(self.antennas) < ANTENNA_RATES_MAX:
                self.antennas[name, number] = rate
        return rate

    def _read(self, name: str, read: TagRead) -> None:
        antenna = self._antenna(name, read.antenna)
        antenna.reads += read.count
        antenna.last_read = read.last_seen
        heard = self._rounds.setdefault(name, {})
        if len(heard) < ROUND_READS_MAX:
            heard[read.epc, read.antenna] = read

    def _end(self, name: str, antennas: Iterable[int]) -> None:
        for number in antennas:
            antenna = self._antenna(name, number)
            antenna.rounds += 1
            if antenna.rounds > ROUNDS_KEPT:
                antenna.rounds, antenna.reads = antenna.rounds // 2, antenna.reads // 2
                self._halve(name, number)
        for (epc, number), read in self._rounds.pop(name, {}).items():
            self._count((name, number, epc), read)

    def _count(self, key: tuple[str, int, Epc], read: TagRead) -> None:
        tag = self.tags.get(key)
        if tag is None:
            if len(self.tags) >= TAG_RATES_MAX:
                return
            tag = self.tags[key] = TagRate()
        tag.rounds += 1
        tag.last_read = read.last_seen
        if read.rssi_dbm is not None:
            tag.rssi_sum, tag.rssi_count = tag.rssi_sum + read.rssi_dbm, tag.rssi_count + 1

    def _halve(self, name: str, number: int) -> None:
        for (reader, antenna, _), tag in self.tags.items():
            if (reader, antenna) == (name, number):
                tag.rounds //= 2
                tag.rssi_sum, tag.rssi_count = tag.rssi_sum // 2, tag.rssi_count // 2
