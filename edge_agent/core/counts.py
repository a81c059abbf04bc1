"""A count against the book: what was seen line by line, each at its own cut, and where stock moved meanwhile. Pure.

Nothing is frozen while people count. Each scan was made at a cut, the last entry written before it; the book of that
moment is the book of now without what moved since. Two people's counts of one line merge by time: the later one's word
counts, one person's scans add up. The rule that must not be broken: a line on which stock moved between its count and
the closing says "recount", it is never adjusted.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec


class LineKey(NamedTuple):
    """What is counted: loose pieces of a lot, or one unit; position and owner are told, and compared by nobody."""

    item: str
    lot: str
    unit: str


class Seen(msgspec.Struct, frozen=True):
    """One scan of a count: `seq` is its entry's place, so that of two the later is known."""

    key: LineKey
    qty: int
    actor: str
    seq: int


class Moved(msgspec.Struct, frozen=True):
    """Stock that entered (or left) the storeroom by the entry at `seq`."""

    key: LineKey
    qty: int
    seq: int


class Line(msgspec.Struct, frozen=True):
    """One line of a count: counted, the book at the moment of its last scan, and whether it must be counted again.

    Not `seen`: nobody counted it, and it is on the list because the book has it.
    """

    key: LineKey
    counted: int
    book: int
    recount: bool
    seen: bool = True

    @property
    def differs(self) -> bool:
        """Tell whether an adjustment is due."""
        return self.seen and not self.recount and self.counted != self.book


def merge(seen: Iterable[Seen]) -> dict[LineKey, tuple[int, int]]:
    """Return what was counted on each line and the place of its last scan; a unit that is seen twice is one."""
    lines: dict[LineKey, tuple[str, int, int]] = {}
    for one in sorted(seen, key=lambda each: each.seq):
        actor, qty, _ = lines.get(one.key, (one.actor, 0, one.seq))
        total = one.qty if one.key.unit or actor != one.actor else qty + one.qty
        lines[one.key] = (one.actor, total, one.seq)
    return {key: (qty, seq) for key, (_, qty, seq) in lines.items()}


def compare(
    seen: Iterable[Seen], book: Mapping[LineKey, int], moved: Sequence[Moved], *, first_seq: int, complete: bool
) -> list[Line]:
    """Return every line of a count, and with `complete` the book's lines that nobody counted as counted zero.

    `book` is the book at the closing, `first_seq` the sheet's opening; what moved before it is in both.
    """
    counted = merge(seen)
    lines = []
    for key in sorted(counted.keys() | (book.keys() if complete else set())):
        qty, seq = counted.get(key, (0, first_seq))
        since = [one for one in moved if one.key == key and one.seq > seq]
        then = book.get(key, 0) - sum(one.qty for one in since)
        lines.append(Line(key, qty, then, recount=bool(since), seen=key in counted))
    return lines
