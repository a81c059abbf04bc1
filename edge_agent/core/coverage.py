"""For how long each antenna of the shelves really listened, so that nobody takes a silence for a proof of it. Pure.

Counted is the time between ended rounds that prove silence, of antennas that are plugged in and not blind; a stall
counts for a few rounds at most. What was heard before a restart is forgotten, so that a share is a lower bound. The
rule that must not be broken: time in which nothing was proven is never counted as listened.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from protocols.readers.reads import LinkDown, LinkUp, ReaderEvent, RoundEnded
from protocols.values.instant import MICROS, Instant

ROUNDS_PROVEN_MAX = 3
"""One ended round proves at most so many rounds of time before it."""
THOUSANDTHS = 1_000


@dataclass(slots=True)
class _Reader:
    round_s: float
    antennas: tuple[int, ...]
    last_end: Instant | None = None
    listened: dict[int, int] = field(default_factory=dict)


class Coverage:
    """The antennas of one storeroom since they were last told. `readers` are rounds in seconds, and antennas."""

    def __init__(self, readers: Mapping[str, tuple[float, tuple[int, ...]]]) -> None:
        self._readers = {name: _Reader(round_s, antennas) for name, (round_s, antennas) in readers.items()}

    def hear(self, name: str, event: ReaderEvent, deaf: frozenset[int]) -> None:
        """Take what a reader says; `deaf` are its antennas that are unplugged or blind."""
        reader = self._readers.get(name)
        if reader is None:
            return
        match event:
            case RoundEnded():
                self._round(reader, event, deaf)
            case LinkUp() | LinkDown():
                reader.last_end = None
            case _:
                pass

    def tell(self, period_us: int) -> dict[str, int]:
        """Return the share of a period that each antenna listened, in thousandths, and begin to count anew."""
        told: dict[str, int] = {}
        for name, reader in self._readers.items():
            for antenna in reader.antennas:
                listened = min(period_us, reader.listened.get(antenna, 0))
                told[f"{name}:{antenna}"] = THOUSANDTHS * listened // max(1, period_us)
            reader.listened = {}
        return told

    def _round(self, reader: _Reader, ended: RoundEnded, deaf: frozenset[int]) -> None:
        most = round(reader.round_s * ROUNDS_PROVEN_MAX * MICROS)
        step = 0 if reader.last_end is None else min(max(0, ended.at - reader.last_end), most)
        reader.last_end = ended.at
        if not ended.proves_silence:
            return
        for antenna in set(ended.antennas) - deaf:
            reader.listened[antenna] = reader.listened.get(antenna, 0) + step
