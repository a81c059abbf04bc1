"""The posting lines of a use that central writes, and of what undoes one. Pure.

Goods on consignment change their owner once, when they are used: the supplier's leave through `owner@`, the hospital's
come out of it. The rule that must not be broken: what undoes a use gives back through the same places what it took.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from msgspec.structs import replace as changed

from protocols.movements.posting import PostingLine
from protocols.values.ids import HOSPITAL_OWNED, PlaceId, virtual_place


@dataclass(frozen=True, slots=True)
class Lying:
    """Where the ledger has something, with its owner."""

    place: str
    position: str
    lot: str
    owner: str
    qty: int

    @property
    def room(self) -> PlaceId:
        """Return the storeroom, a virtual place counted to its own."""
        return PlaceId(self.place.rpartition("@")[2])


def used_lines(item: str, unit: str, lies: Lying, qty: int) -> list[PostingLine]:
    """Return the lines that use something from where it lies; a supplier's goods change hands on the way."""
    patient, between = virtual_place("patient", lies.room), virtual_place("owner", lies.room)
    line = partial(PostingLine, item, qty, lot=lies.lot, unit=unit)
    if lies.owner == HOSPITAL_OWNED:
        return [line(lies.place, patient, source_position=lies.position)]
    sold = line(lies.place, between, owner=lies.owner, source_position=lies.position)
    return [sold, line(between, patient)]


def mirrored(lines: Iterable[PostingLine]) -> list[PostingLine]:
    """Return the lines that undo some others, last first."""
    return [
        changed(
            line,
            source=line.target,
            target=line.source,
            source_position=line.target_position,
            target_position=line.source_position,
        )
        for line in reversed(list(lines))
    ]


def part_of(lines: Iterable[PostingLine], qty: int) -> list[PostingLine]:
    """Return so much of the lines that undo a use of loose pieces: of each role it leaves, `qty` in all."""
    found: list[PostingLine] = []
    left: dict[str, int] = {}
    for line in lines:
        role = line.source.partition("@")[0]
        take = min(left.setdefault(role, qty), line.qty)
        if take > 0:
            left[role] -= take
            found.append(changed(line, qty=take))
    return found


def in_hand_first(lies: Iterable[Lying]) -> Lying | None:
    """Return where a piece can be used from: a hand, else a shelf; None where the ledger has it in neither."""
    there = [one for one in lies if one.qty > 0]
    hands = [one for one in there if one.place.startswith("issued@")]
    return next(iter([*hands, *(one for one in there if "@" not in one.place)]), None)


def contradicted(lies: Iterable[Lying]) -> bool:
    """Tell whether two entries say different things of one piece: it was used twice, or left where it was not."""
    known = list(lies)
    used = sum(one.qty for one in known if one.place.startswith("patient@"))
    real = [one for one in known if "@" not in one.place or one.place.partition("@")[0] in {"issued", "patient"}]
    return used > 1 or any(one.qty < 0 for one in real)
