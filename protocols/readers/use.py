"""How a storeroom uses a reader that has no clock and no programme of its own: what its session is told once.

The rule that must not be broken: such a reader knows no time, so the instants of its reads are the host's story time,
from `story_at`; every time-out here is link time, and neither is the other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from protocols.errors import BadValue
from protocols.readers.outcomes import Outcome
from protocols.values.instant import Instant

PERIOD_S_MAX = 3_600.0
POWER_DBM_MAX = 33
BUS_ADDRESS_MAX = 254
POLLS_MAX = 10_000
ANTENNAS_MAX = 8


def same_instant(now: Instant) -> Instant:
    """Link time is story time: for a host that keeps no other."""
    return now


@dataclass(frozen=True, slots=True)
class ReaderUse:
    """One reader's use: seconds are link time; `power_dbm` None leaves the reader's own power.

    A round starts every `round_s`, or sooner so that a reader is asked something every `keepalive_s`; it has `answer_s`
    for each answer. A round is `polls` inventories of each antenna; with `burst`, where a reader can, it is one burst
    of `listen_s` (0: nine tenths of a round). `address` is its place on a bus.
    `active`: it inventories and speaks by itself, where it can. `story_at(now)` tells the story instant of link time.
    """

    antennas: tuple[int, ...] = (1,)
    round_s: float = 2.0
    keepalive_s: float = 30.0
    answer_s: float = 1.0
    listen_s: float = 0.0
    polls: int = 4
    burst: bool = True
    power_dbm: int | None = None
    address: int = 0
    active: bool = False
    story_at: Callable[[Instant], Instant] = same_instant

    def __post_init__(self) -> None:
        if not self.antennas or not all(1 <= each <= ANTENNAS_MAX for each in self.antennas):
            raise BadValue(f"reader antennas: expected numbers of 1..{ANTENNAS_MAX}, got {self.antennas}")
        for name, period_s in (("round", self.round_s), ("keepalive", self.keepalive_s), ("answer", self.answer_s)):
            if not 0 < period_s <= PERIOD_S_MAX:
                raise BadValue(f"reader {name}: expected above 0 and at most {PERIOD_S_MAX:g} s, got {period_s}")
        if not 1 <= self.polls <= POLLS_MAX or not 0 <= self.address <= BUS_ADDRESS_MAX:
            raise BadValue(
                f"reader: expected 1..{POLLS_MAX} polls and a bus address of 0..{BUS_ADDRESS_MAX}, "
                f"got {self.polls} and {self.address}"
            )
        if not 0 <= self.listen_s <= self.round_s:
            raise BadValue(f"reader listen: expected 0..{self.round_s:g} s, got {self.listen_s}")
        if self.power_dbm is not None and not 0 <= self.power_dbm <= POWER_DBM_MAX:
            raise BadValue(f"reader power: expected 0..{POWER_DBM_MAX} dBm, got {self.power_dbm}")

    @property
    def pause_s(self) -> float:
        """Return the seconds from the beginning of a round to the next."""
        return min(self.round_s, self.keepalive_s)

    @property
    def burst_s(self) -> float:
        """Return the length of one burst."""
        return self.listen_s or 0.9 * self.pause_s


class ReaderSession(Protocol):
    """Our end of one connection to any reader. `now` is link time; the answers say what to send and what was heard."""

    def opened(self, now: Instant) -> Sequence[Outcome]:
        """The link stands."""

    def closed(self, reason: str) -> Sequence[Outcome]:
        """The link is gone."""

    def receive(self, data: bytes, now: Instant) -> Sequence[Outcome]:
        """Take bytes from the reader."""

    def due(self) -> Instant | None:
        """Return when `tick` has something to decide."""

    def tick(self, now: Instant) -> Sequence[Outcome]:
        """Notice what did not come in time."""

    def stop(self, now: Instant) -> Sequence[Outcome]:
        """Leave the reader as whoever comes next expects it."""
