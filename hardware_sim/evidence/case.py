"""One played story: the truth, the beeps, the readers' counts, every edge's file and central's, read once.

The rule that must not be broken: nothing is judged here, and nothing is read after this.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hardware_sim.evidence.databases import central_path, edge_path
from hardware_sim.evidence.tables import CentralFile, EdgeFile, read_central, read_edge
from hardware_sim.evidence.truth import (
    Beep,
    Deliveries,
    Truth,
    WardTruth,
    read_beeps,
    read_deliveries,
    read_truth,
)
from protocols.values.ids import PlaceId


@dataclass(frozen=True, slots=True)
class Case:
    """One played story, everything by ward."""

    truth: Truth
    wards: Mapping[PlaceId, WardTruth]
    beeps: Mapping[PlaceId, tuple[Beep, ...]]
    deliveries: Mapping[PlaceId, Deliveries]
    edges: Mapping[PlaceId, EdgeFile]
    central: CentralFile

    @property
    def slack_s(self) -> float:
        """Return the story seconds that pass in `SLACK_REAL_S`."""
        return SLACK_REAL_S * self.truth.rate


SLACK_REAL_S = 2.0
"""Real seconds between a fact and the instant another process stamps it with: bytes on their way, a slow commit."""


def read_case(state: Path) -> Case:
    """Read a state folder. Raises `WrongUse` for what is absent, `PartFailed` for a database of another form."""
    truth = read_truth(state)
    wards = {ward.place: ward for ward in truth.wards}
    return Case(
        truth=truth,
        wards=wards,
        beeps={ward: tuple(read_beeps(state, ward)) for ward in wards},
        deliveries={ward: read_deliveries(state, ward) for ward in wards},
        edges={ward: read_edge(edge_path(state, ward)) for ward in wards},
        central=read_central(central_path(state)),
    )
