"""What tags that fell silent together tell of each other: one visit at one shelf hides or carries off several pieces.

Each tag is filtered alone; here a spell of silence is compared with the spells that began with it on the same shelf or
of the same item. One of them was heard at the door or scanned: the others rather left too. None was: rather something
stands before them all. Some came back and this one did not: what hid those does not hide it. The rule that must not be
broken: a spell is moved by its company at most once in each of these ways.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from edge_agent.core.presence.ward import Bin, Fact, Place, Ward

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
    """Factors of the belief that a silent piece is gone (or, `back`, hidden), by what became of its company."""

    left_unscanned_item: float = 30.0
    left_scanned_item: float = 8.0
    left_shelf: float = 3.0
    together: float = 0.3
    """For each of its company, up to `TOGETHER_MAX`, when none of them is known to have left."""
    back: float = 0.3


TOGETHER_MAX = 3


class Nudge(NamedTuple):
    """Factors for the beliefs of one tag: that it is gone, and that it is hidden."""

    tag: int
    gone: float
    hidden: float


@dataclass(slots=True)
class _Spell:
    onset: int
    began: int
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
        self._door = [-1_000_000] * size
        self._taken = [-1_000_000] * size
        self._here = [tag.book is Place.HERE for tag in ward.tags]
        self._spells: dict[int, _Spell] = {}

    def note_facts(self, facts: Sequence[Fact]) -> None:
        """Take what the book learned."""
        for fact in facts:
            self._here[fact.tag] = fact.to is Place.HERE
            if fact.to is not Place.HERE:
                self._taken[fact.tag] = fact.at

    def take(self, heard: Bin, whole: bool) -> list[Nudge]:
        """Take a bin; `whole` says that every antenna listened. Return how the company of a spell moves it."""
        for tag, _ in heard.door:
            self._door[tag] = heard.number
        if not whole:
            return []
        self._live += 1
        self._end_spells(heard)
        found: list[Nudge] = []
        for tag, last in enumerate(self._last_live):
            if last == self._live - SILENT_BINS:
                self._spells[tag] = _Spell(last, heard.number - SILENT_BINS)
        for tag, spell in self._spells.items():
            found += self._verdict(tag, spell)
        return found

    def _end_spells(self, heard: Bin) -> None:
        for row in heard.room:
            if row[1]:
                self._last_live[row[0]] = self._live
                spell = self._spells.pop(row[0], None)
                if spell is not None and self._door[row[0]] < heard.number - RECENT_BINS:
                    self._tell_return(row[0], spell)

    def _tell_return(self, tag: int, spell: _Spell) -> None:
        for mate in self._company(tag, spell):
            if self._spells[mate].back < 0:
                self._spells[mate].back = self._live

    def _verdict(self, tag: int, spell: _Spell) -> list[Nudge]:
        if not spell.judged and self._live - spell.onset >= VERDICT_BINS:
            spell.judged = True
            if self._here[tag] and not self._left(tag, spell):
                return [Nudge(tag, self._gone(tag, spell), 1.0)]
        if spell.back >= 0 and not spell.closed and self._live - spell.back >= SILENT_BINS:
            spell.closed = True
            return [Nudge(tag, 1.0, self._ties.back)]
        return []

    def _gone(self, tag: int, spell: _Spell) -> float:
        ties, tags = self._ties, self._ward.tags
        mates = self._company(tag, spell)
        left = [mate for mate in mates if self._left(mate, spell)]
        if not left:
            return float(ties.together ** min(TOGETHER_MAX, len(mates)))
        same = [mate for mate in left if tags[mate].item == tags[tag].item]
        if not same:
            return ties.left_shelf
        return ties.left_scanned_item if all(not self._here[mate] for mate in same) else ties.left_unscanned_item

    def _left(self, tag: int, spell: _Spell) -> bool:
        return max(self._door[tag], self._taken[tag]) >= spell.began - RECENT_BINS

    def _company(self, tag: int, spell: _Spell) -> list[int]:
        mine = self._ward.tags[tag]
        return [
            other
            for other, its in self._spells.items()
            if other != tag
            and abs(its.onset - spell.onset) <= TOGETHER_BINS
            and (self._ward.tags[other].shelf == mine.shelf or self._ward.tags[other].item == mine.item)
        ]
