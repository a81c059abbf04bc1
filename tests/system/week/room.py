"""What is physically true in the storeroom, moved only by hands: the oracle of the week.

It knows no entries, no custody, no FEFO. A hand moves a piece, or so many loose pieces of a lot, from where it lies to
where it is put; the readers hear what carries a tag and lies before them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hardware_sim.devices.device import Heard, Inventory
from protocols.values.instant import Instant

LEVEL_DBM = -55


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something lies: a storeroom's shelf, or a place of no shelf such as a hand, a patient, the waste."""

    place: str
    position: str = ""


SHELF = {name: Spot("ward-01", name) for name in ("S1", "S2", "S3", "S4", "S5")}
HAND, USED, WASTE = Spot("issued@ward-01"), Spot("patient@ward-01"), Spot("scrap@ward-01")
AWAY, LOST, SENT_BACK = Spot("transit@ward-02"), Spot("unknown@ward-01"), Spot("supplier@ward-01")
WATCHED = ("ward-01", HAND.place, USED.place, WASTE.place, AWAY.place, LOST.place)
"""Places whose stock the book must know to the piece; where goods come from is nobody's shelf."""

Key = tuple[str, str, str, str]
"""Place, position, item, lot."""


@dataclass(slots=True)
class Piece:
    """One piece with a name; `epc` is empty while no tag is on it."""

    item: str
    lot: str
    serial: int
    spot: Spot
    epc: str = ""


class Room:
    """Every piece and every loose quantity, and where they are."""

    def __init__(self) -> None:
        self.pieces: dict[tuple[str, int], Piece] = {}
        self.loose: Counter[tuple[Spot, str, str]] = Counter()

    def bring(
        self, item: str, lot: str, serials: Iterable[int], spot: Spot, epcs: Mapping[int, str] | None = None
    ) -> None:
        """Pieces come into being where they are put."""
        for serial in serials:
            self.pieces[item, serial] = Piece(item, lot, serial, spot, (epcs or {}).get(serial, ""))

    def carry(self, item: str, serial: int, to: Spot) -> None:
        """A hand puts one piece somewhere else."""
        self.pieces[item, serial].spot = to

    def put(self, item: str, lot: str, qty: int, to: Spot) -> None:
        """Loose pieces come in from outside."""
        self.loose[to, item, lot] += qty

    def move(self, item: str, lot: str, qty: int, source: Spot, to: Spot) -> None:
        """A hand moves loose pieces."""
        self.loose[source, item, lot] -= qty
        self.loose[to, item, lot] += qty

    def truth(self) -> dict[Key, int]:
        """Return what lies where, for every place the book must know."""
        there: Counter[Key] = Counter()
        for piece in self.pieces.values():
            there[piece.spot.place, piece.spot.position, piece.item, piece.lot] += 1
        for (spot, item, lot), qty in self.loose.items():
            there[spot.place, spot.position, item, lot] += qty
        return {key: qty for key, qty in there.items() if qty and key[0] in WATCHED}

    def heard_on(self, *positions: str) -> Inventory:
        """Return what a reader hears whose antennas 1, 2 … face these shelves."""
        facing = {SHELF[name]: antenna for antenna, name in enumerate(positions, 1)}

        def inventory(at: Instant, antennas: tuple[int, ...]) -> Iterable[Heard]:
            del at
            found = [(one.epc, facing.get(one.spot, 0)) for one in list(self.pieces.values()) if one.epc]
            return [(epc, antenna, LEVEL_DBM, 1) for epc, antenna in found if antenna in antennas]

        return inventory
