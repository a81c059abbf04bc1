"""The one match of record and physical: which lines of storerooms were observed, by whom, and how far they agree. Pure.

A line is one item and lot in one storeroom. It is observed when somebody looked at all of it not too long ago: readers
that are at work have spoken of every piece that the book has there, or a person counted it; and it is observed where
it was found to differ, until it is found right. A line that nobody observed is outside every rate, above and below, and
stands beside as not observed: the book alone proves nothing of the shelf.

Line match = observed lines whose shelf equals the book / observed lines; unit match = 1 - sum |difference| / sum book
over observed lines; misplaced lines stand beside both. Not here: how the shelf is reckoned from beliefs (`reconcile`).
The rules that must not be broken: every match that is shown anywhere is reckoned here; a rate of no observed line is
None, never 1; a definition never changes under its id.

Sources: requirement row E5 and the second of the three facts (a match netted over lots lies).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction

from central.core.reconcile import Line
from protocols.values.instant import Instant

LINE_MATCH, UNIT_MATCH, VALUE_MATCH = "line-match.2", "unit-match.2", "value-match.2"
"""Ids of the definitions above; .1 counted the lines that nobody observed as right."""

Key = tuple[str, str]
"""Item and lot."""


class Eyes(StrEnum):
    """Who observed a line."""

    READERS = "readers"
    COUNT = "count"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Looked:
    """A person's last count of a line: when, and what it was off the book then, less what was put right since."""

    at: Instant
    off: int


@dataclass(frozen=True, slots=True)
class Watched:
    """Who looked at one storeroom: readers until `heard`, None where none is at work, and people.

    `told`: of each line, how many pieces that the book has there readers have spoken of. `counted`: the last count of
    each line by a person that is not too old.
    """

    heard: Instant | None = None
    told: Mapping[Key, int] = field(default_factory=dict)
    counted: Mapping[Key, Looked] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observed:
    """One line with who observed it, and when last; None where nobody did, or by readers no longer at work."""

    line: Line
    by: Eyes
    at: Instant | None

    @property
    def counts(self) -> bool:
        """Tell whether the line is in the match."""
        return self.by is not Eyes.NOBODY


@dataclass(frozen=True, slots=True)
class Match:
    """How far record and physical agree over some lines; rates are None where nothing was observed.

    `lines`, `book` and `differing` are of observed lines; `unobserved` lines stand beside. `misplaced` lines have a
    piece that is missed here and heard in another storeroom; they are wrong lines too.
    """

    lines: int
    lines_right: int
    book: int
    differing: int
    misplaced: int = 0
    unobserved: int = 0

    @property
    def lines_differing(self) -> int:
        """Observed lines that are not right."""
        return self.lines - self.lines_right

    @property
    def lines_all(self) -> int:
        """Lines with anything in the book or on the shelf."""
        return self.lines + self.unobserved

    @property
    def line_match(self) -> Fraction | None:
        """Observed lines that are exactly right / observed lines."""
        return Fraction(self.lines_right, self.lines) if self.lines else None

    @property
    def unit_match(self) -> Fraction | None:
        """1 - sum |difference| / sum book; below zero when more is unexpected than booked."""
        return 1 - Fraction(self.differing, self.book) if self.book else None

    @property
    def share_observed(self) -> Fraction | None:
        """Observed lines / lines, None where there is no line."""
        return Fraction(self.lines, self.lines_all) if self.lines_all else None


def observed(lines: Iterable[Line], watched: Watched) -> list[Observed]:
    """Return lines, as beliefs have them, with who observed each.

    Where readers do not watch all of a line, its shelf is what a person counted, with what moved since.
    """
    return [_observed(line, watched) for line in lines]


def _observed(line: Line, watched: Watched) -> Observed:
    key = line.item, line.lot
    all_told = watched.heard is not None and 0 < line.book <= watched.told.get(key, 0)
    if line.difference or all_told:
        return Observed(line, Eyes.READERS, watched.heard)
    count = watched.counted.get(key)
    if count is None:
        return Observed(line, Eyes.NOBODY, None)
    return Observed(replace(line, physical=line.book + count.off), Eyes.COUNT, count.at)


def match_of(lines: Iterable[Observed], misplaced: int = 0) -> Match:
    """Return how far record and physical agree over lines."""
    every = list(lines)
    seen = [one.line for one in every if one.counts]
    return Match(
        lines=len(seen),
        lines_right=sum(line.difference == 0 for line in seen),
        book=sum(line.book for line in seen),
        differing=sum(abs(line.difference) for line in seen),
        misplaced=misplaced,
        unobserved=len(every) - len(seen),
    )


def together(matches: Iterable[Match]) -> Match:
    """Return the match over the lines of several storerooms."""
    every = list(matches)
    return Match(
        lines=sum(one.lines for one in every),
        lines_right=sum(one.lines_right for one in every),
        book=sum(one.book for one in every),
        differing=sum(one.differing for one in every),
        misplaced=sum(one.misplaced for one in every),
        unobserved=sum(one.unobserved for one in every),
    )
