"""What a storeroom's own book says against central's of the same entries, where some are lost to both. Pure.

The rule that must not be broken: what is missing goes through the storeroom's suspense account, so that every sum over
places stays zero and an auditor sees how much of the book rests on no entry.
"""

from collections.abc import Iterable, Mapping, Sequence

from protocols.movements.posting import LINES_MAX, MovementBody, PostingLine
from protocols.sync.frames import Key
from protocols.sync.machine import BookRow
from protocols.values.ids import PlaceId, virtual_place
from protocols.values.quantity import LINE_QTY_MAX

SUSPENSE = "suspense"


def missing_lines(
    place: PlaceId, theirs: Iterable[BookRow], mine: Mapping[Key, int], after: Key, upto: Key
) -> list[PostingLine]:
    """Return the lines that bring central's book of a device's entries to what the device says.

    Both are looked at for the keys behind `after` up to `upto`; an empty `upto` means all that follow.
    """
    said: dict[Key, int] = {row[:-1]: row[-1] for row in theirs}
    keys = {key for key in (*said, *mine) if key > after and (not upto or key <= upto)}
    return [line for key in sorted(keys) for line in _lines(place, key, said.get(key, 0) - mine.get(key, 0))]


def _lines(place: PlaceId, key: Key, qty: int) -> Iterable[PostingLine]:
    at, position, item, lot, owner, unit = key
    suspense = virtual_place(SUSPENSE, place)
    most = 1 if unit else LINE_QTY_MAX
    while qty and not at.startswith(f"{SUSPENSE}@"):
        part = min(abs(qty), most)
        if qty > 0:
            yield PostingLine(item, part, suspense, at, lot, owner, unit, "", position)
        else:
            yield PostingLine(item, part, at, suspense, lot, owner, unit, position, "")
        qty += -part if qty > 0 else part


def bodies(lines: Sequence[PostingLine], said: str) -> list[MovementBody]:
    """Return the bodies of as many entries as the lines need."""
    return [MovementBody(tuple(lines[at : at + LINES_MAX]), reason=said) for at in range(0, len(lines), LINES_MAX)]
