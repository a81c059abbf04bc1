"""Counts against what moved: a line counted while it moved is counted again, a late entry makes a new version. Pure.

A count is of the book at its cut. The counting device's own entries stand before or behind the cut by their place in
its chain; another device's by when they happened. The rules that must not be broken: a count once kept is never
changed, a later version stands beside it; the version follows from the set of facts, not from when they came.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from central.core.conflicts import DAY_S, Flag, Sort
from protocols.values.instant import Instant, plus


@dataclass(frozen=True, slots=True)
class Moved:
    """What one event did to a line of a storeroom, above zero where it came.

    `before_cut` is told by the counting device's own chain, None for an entry of another device.
    """

    event: str
    at: Instant
    qty: int
    before_cut: bool | None = None


@dataclass(frozen=True, slots=True)
class CountOf:
    """One line of one count: the book as it was kept, the cut's time and the count's own."""

    event: str
    place: str
    item: str
    lot: str
    cut_at: Instant
    counted_at: Instant
    book: int


@dataclass(frozen=True, slots=True)
class Version:
    """What the book at a count's cut really was, once all that happened before it has come; `late` came since."""

    book: int
    late: tuple[str, ...]


def recount(count: CountOf, moves: Iterable[Moved]) -> Flag | None:
    """Return the flag of a line that moved by other devices while it was counted, None where none did."""
    amid = sorted(
        (one.at, one.event)
        for one in moves
        if one.before_cut is None and one.qty and count.cut_at < one.at <= count.counted_at
    )
    if not amid:
        return None
    _, event = amid[0]
    due, said = plus(count.counted_at, DAY_S), (("count", count.event), ("moves", len(amid)))
    return Flag(Sort.RECOUNT, count.place, event, count.item, count.lot, due_at=due, detail=said)


def version_of(count: CountOf, moves: Iterable[Moved], kept: Iterable[str]) -> Version | None:
    """Return the count's new version, None where the one kept is right; `kept` are the events it rests on."""
    known = frozenset(kept)
    before = [one for one in moves if (one.at <= count.cut_at if one.before_cut is None else one.before_cut)]
    late = tuple(one.event for one in sorted(before, key=lambda one: (one.at, one.event)) if one.event not in known)
    book = sum(one.qty for one in before)
    return Version(book, late) if late and book != count.book else None


def late_entry(count: CountOf, version: Version) -> Flag:
    """Return the flag of a count that has a new version."""
    said = (("count", count.event), ("book", version.book), ("was", count.book))
    return Flag(Sort.LATE_ENTRY, count.place, version.late[0], count.item, count.lot, detail=said)
