"""What any reader says, whatever its wire: tag reads, ended rounds, the state of its link and antennas.

Every reader session turns its own frames into these values; nothing downstream knows a wire format. Instants are the
reader's own UTC. A round is one complete inventory by the named antennas: only an ended round proves that silence means
something; a link that is merely open proves nothing about the shelf.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat

from protocols.errors import BadValue
from protocols.values.ids import Epc
from protocols.values.instant import Instant

ANTENNA_MAX = 65_535
"""LLRP 1.1 section 17.2.2.5 gives an antenna 16 bits; 0 means all antennas and is never reported."""


@dataclass(frozen=True, slots=True)
class TagRead:
    """One tag heard by one antenna in one report: `rssi_dbm` in dBm or None, `count` reads from first to last."""

    epc: Epc
    antenna: int
    rssi_dbm: int | None
    first_seen: Instant
    last_seen: Instant
    count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.antenna <= ANTENNA_MAX or self.count < 1:
            raise BadValue(f"tag read: expected antenna 1..{ANTENNA_MAX} and a count, got {self.antenna}, {self.count}")


def make_tag_reads(
    epcs: Sequence[Epc],
    antennas: Sequence[int],
    rssis_dbm: Sequence[int | None],
    seen: tuple[Sequence[Instant], Sequence[Instant]],
    counts: Sequence[int],
) -> list[TagRead]:
    """Return the reads of columns of one length; `seen` is first and last. Raises `BadValue` as `TagRead` does.

    It checks the columns and fills the slots in one go: four times as fast as one read after another, and readers talk
    in bursts.
    """
    columns = (epcs, antennas, rssis_dbm, *seen, counts)
    if not epcs or any(len(each) != len(epcs) for each in columns):
        raise BadValue(f"tag reads: expected columns of one length, got {[len(each) for each in columns]}")
    if not 1 <= min(antennas) <= max(antennas) <= ANTENNA_MAX or min(counts) < 1:
        raise BadValue(
            f"tag reads: expected antennas 1..{ANTENNA_MAX} and counts, got antennas {min(antennas)}..{max(antennas)} "
            f"and a count of {min(counts)}"
        )
    reads = list(map(TagRead.__new__, repeat(TagRead, len(epcs))))
    for name, column in zip(TagRead.__slots__, columns, strict=True):
        deque(map(getattr(TagRead, name).__set__, reads, column), maxlen=0)
    return reads


@dataclass(frozen=True, slots=True)
class RoundEnded:
    """One inventory round by these antennas ended at this instant of the reader's stream.

    Without `proves_silence` a tag that was not heard is not missing: in Gen2 sessions S2 and S3 a tag stays quiet after
    it was heard for as long as the field keeps it powered (EPC Gen2, table of the inventoried flags' persistence).
    """

    at: Instant
    antennas: tuple[int, ...]
    proves_silence: bool = True


@dataclass(frozen=True, slots=True)
class LinkUp:
    """The reader accepted us, is configured and inventories."""

    at: Instant


@dataclass(frozen=True, slots=True)
class LinkDown:
    """The reader is gone or silent; what the shelf does is unknown until `LinkUp`. `reason` is for a person."""

    reason: str


@dataclass(frozen=True, slots=True)
class AntennaChanged:
    """An antenna was plugged in or lost (LLRP AntennaEvent)."""

    antenna: int
    connected: bool
    at: Instant


@dataclass(frozen=True, slots=True)
class InputChanged:
    """A contact on the reader's inputs opened or closed: `high` is its level, as the contact is wired (GPIEvent)."""

    port: int
    high: bool
    at: Instant


@dataclass(frozen=True, slots=True)
class ReaderTrouble:
    """The reader says that something is wrong and goes on; `said` is for a person, `antenna` where it named one."""

    said: str
    antenna: int | None
    at: Instant


@dataclass(frozen=True, slots=True)
class AccessDone:
    """An order to read or write a tag's memory is over: `data` is what the tag holds, upper-case hex of words."""

    tid: str
    ok: bool
    data: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """The reader did not do what was asked while it ran on, e.g. switch an output."""

    command: str
    reason: str


@dataclass(frozen=True, slots=True)
class BadFrame:
    """Bytes that broke the format, kept; the stream goes on."""

    reason: str
    raw: bytes


ReaderEvent = (
    TagRead
    | RoundEnded
    | LinkUp
    | LinkDown
    | AntennaChanged
    | InputChanged
    | ReaderTrouble
    | AccessDone
    | CommandRefused
    | BadFrame
)
