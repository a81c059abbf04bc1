"""The form of one evening: who comes when, what is taken, which ward is cut off, what is driven to an order.

It is only the form, checked by types; `draw` fills it and `story` plays it.
"""

from dataclasses import dataclass

from hardware_sim.world import Tag
from protocols.values.ids import ActorId, Epc, ItemId, PlaceId, Position
from protocols.values.instant import Instant


@dataclass(frozen=True, slots=True)
class Visit:
    """One person comes in, scans the badge, then each piece, and takes it when the scanner said so."""

    at: Instant
    actor: ActorId
    epcs: tuple[Epc, ...]


@dataclass(frozen=True, slots=True)
class Take:
    """One piece leaves without a scan."""

    ward: PlaceId
    epc: Epc
    item: ItemId
    at: Instant


@dataclass(frozen=True, slots=True)
class Misput:
    """One piece is put back on another shelf than its own, which other antennas face; nobody takes it afterwards."""

    ward: PlaceId
    epc: Epc
    item: ItemId
    position: Position
    at: Instant


@dataclass(frozen=True, slots=True)
class Cut:
    """One ward has no network between two instants."""

    ward: PlaceId
    since: Instant
    until: Instant


@dataclass(frozen=True, slots=True)
class Drive:
    """So many takes bring one line that the main store cannot fill to its trigger."""

    ward: PlaceId
    item: ItemId
    takes: int


@dataclass(frozen=True, slots=True)
class Ward:
    """One ward: its place, sort, tagged pieces and visits in order of time."""

    place: PlaceId
    profile: str
    name_zh: str
    name_en: str
    tags: tuple[Tag, ...]
    visits: tuple[Visit, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole evening."""

    seed: int
    start: Instant
    end: Instant
    wards: tuple[Ward, ...]
    cut: Cut
    take: Take | None
    drive: Drive
    misput: Misput | None = None
