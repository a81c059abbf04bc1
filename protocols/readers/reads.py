"""What any reader says, whatever its wire: tag reads, ended rounds, the state of its link and antennas.

Every reader session turns its own frames into these values; nothing downstream knows a wire format. Instants are the
reader's own UTC. A round is one complete inventory by the named antennas: only an ended round proves that silence means
something; a link that is merely open proves nothing about the shelf.
"""

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class RoundEnded:
    """One inventory round by these antennas ended at this instant of the reader's stream."""

    at: Instant
    antennas: tuple[int, ...]


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
class BadFrame:
    """Bytes that broke the format, kept; the stream goes on."""

    reason: str
    raw: bytes


ReaderEvent = TagRead | RoundEnded | LinkUp | LinkDown | AntennaChanged | BadFrame
