"""What tags that fell silent together tell of each other: one visit at one shelf hides or carries off several pieces.

Each tag is filtered alone; here a spell of silence is compared with the spells that began with it on the same shelf or
of the same item. One of them was heard at the door or scanned: the others rather left too. None was: rather something
stands before them all. Some came back and this one did not: what hid those does not hide it. The rule that must not be
broken: a spell is moved by its company at most once in each of these ways.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from edge_agent.core.presence.fitting import Spells
from edge_agent.core.presence.ward import Bin, Fact, Place, TagOf, Ward

SILENT_BINS = 4
"""Live bins without a read after which a spell has begun."""
VERDICT_BINS = 8
"""Live bins after which a spell is compared: the door and the scans of its visit are known by then."""
TOGETHER_BINS = 1
"""Spells whose last reads are at most so many live bins apart began together."""
RECENT_BINS = 12
"""A read at the door or a scan belongs to a spell that began so many bins around it."""


@dataclass(frozen=True, slots=True)
class Ties:
    """Factors of the belief that a silent piece is gone, or that it is hidden, by what became of its company."""

    left_unscanned_item: float = 30.0
    left_scanned_item: float = 8.0
    left_shelf: float = 3.0
    together: float = 3.0
    """For each of its company, up to `TOGETHER_MAX`, by which those not known to have left are more: of hidden."""
    back: float = 0.3
    """When some of its company came back: factor of hidden."""


TOGETHER_MAX = 8
"""A shelf of pieces is hidden at once now and then, but never leaves without one that is heard at the door."""
LONG_AGO = -1_000_000
ENDED_MAX = 10_000
"""Ended spells that wait for their tag to be surely clear; more than a ward's tags would be an outage untold."""


class Nudge(NamedTuple):
    """Factors for the beliefs of one tag: that it is gone, that it is hidden, and that it is next door."""

    tag: int
    gone: float
    hidden: float
    beside: float = 1.0


@dataclass(slots=True)
class _Spell:
    onset: int
    began: int
    visits: float
    mates: int = 0
    judged: bool = False
    back: int = -1
    closed: bool = False


class Company:
    """The silences of one storeroom."""

    def __init__(self, ward: Ward, ties: Ties) -> None:
        self._ward, self._ties = ward, ties
        self._live = 0
        size = len(ward.tags)
        self._last_live = [-1_000] * size
        self._door = [LONG_AGO] * size
        self._taken = [LONG_AGO] * size
        self._here = [tag.book is Place.HERE for tag in ward.tags]
        self._spells: dict[int, _Spell] = {}
        self.spells = Spells()
        self.ended: deque[tuple[int, int, float, float]] = deque(maxlen=ENDED_MAX)
        """Spells that ended: the tag, when, visits when it began, its part."""

    def add(self, tag: TagOf) -> None:
        """Take one more tag."""
        self._last_live.append(-1_000)
        self._door.append(LONG_AGO)
        self._taken.append(LONG_AGO)
        self._here.append(tag.book is Place.HERE)

    def note_facts(self, facts: Sequence[Fact]) -> None:
        """Take what the book learned."""
        for fact in facts:
            self._here[fact.tag] = fact.to is Place.HERE
            if fact.to is not Place.HERE:
                self._taken[fact.tag] = fact.at

    def open_spells(self) -> Iterator[tuple[int, float, float]]:
        """Return the spells that last: the tag, visits when it began, its part of the spells that began with it."""
        for tag, spell in self._spells.items():
            if spell.judged and self._here[tag]:
                yield tag, spell.visits, 1.0 / (1.0 + spell.mates)

    def take(self, heard: Bin, whole: bool, visit: float) -> list[Nudge]:
        """Take a bin; `whole` says that every antenna listened. Return how the company of a spell moves it."""
        self.spells.pass_bin(visit, sum(self._here))
        for tag, _ in heard.door:
            self._door[tag] = heard.number
        if not whole:
            return []
        self._live += 1
        self._end_spells(heard)
        found: list[Nudge] = []
        for tag, last in enumerate(self._last_live):
            if last == self._live - SILENT_BINS:
                self._spells[tag] = _Spell(last, heard.number - SILENT_BINS, self.spells.visits)
        for tag, spell in self._spells.items():
            found += self._verdict(tag, spell)
        return found

    def _end_spells(self, heard: Bin) -> None:
        for row in heard.room:
            if row[1]:
                self._last_live[row[0]] = self._live
                self._end(row[0], heard.number)

    def _end(self, tag: int, number: int) -> None:
        spell = self._spells.pop(tag, None)
        if spell is None or self._door[tag] >= number - RECENT_BINS:
            return
        self._tell_return(tag, spell)
        if spell.judged and self._here[tag]:
            self.ended.append((tag, number, spell.visits, 1.0 / (1.0 + spell.mates)))

    def _tell_return(self, tag: int, spell: _Spell) -> None:
        for mate in self._company(tag, spell):
            if self._spells[mate].back < 0:
                self._spells[mate].back = self._live

    def _verdict(self, tag: int, spell: _Spell) -> list[Nudge]:
        if not spell.judged and self._live - spell.onset >= VERDICT_BINS:
            spell.judged = True
            if self._here[tag] and not self._left(tag, spell):
                return [self._compared(tag, spell)]
        if spell.back >= 0 and not spell.closed and self._live - spell.back >= SILENT_BINS:
            spell.closed = True
            return [Nudge(tag, 1.0, self._ties.back)]
        return []

    def _compared(self, tag: int, spell: _Spell) -> Nudge:
        ties, tags = self._ties, self._ward.tags
        mates = self._company(tag, spell)
        spell.mates = len(mates)
        left = [mate for mate in mates if self._left(mate, spell)]
        more = len(mates) - 2 * len(left)
        hidden = float(ties.together ** min(TOGETHER_MAX, max(0, more)))
        if not left:
            return Nudge(tag, 1.0, hidden)
        same = [mate for mate in left if tags[mate].item == tags[tag].item]
        if not same:
            return Nudge(tag, ties.left_shelf, hidden)
        scanned = all(not self._here[mate] for mate in same)
        return Nudge(tag, ties.left_scanned_item if scanned else ties.left_unscanned_item, hidden)

    def _left(self, tag: int, spell: _Spell) -> bool:
        return max(self._door[tag], self._taken[tag]) >= spell.began - RECENT_BINS

    def _company(self, tag: int, spell: _Spell) -> list[int]:
        mine = self._ward.tags[tag]
        return [
            other
            for other, its in self._spells.items()
            if other != tag and abs(its.onset - spell.onset) <= TOGETHER_BINS and _tied(mine, self._ward.tags[other])
        ]


def _tied(one: TagOf, other: TagOf) -> bool:
    return (bool(one.shelf) and one.shelf == other.shelf) or (bool(one.item) and one.item == other.item)
