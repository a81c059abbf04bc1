"""How often a tag is read that is not there: learned from the tags that the book has sent away, for the whole room.

Of these most are far away, so that the middle one of their rates is that of ghosts, whatever a few of them bring that
are here after all. It is not remembered over a restart: an hour tells it anew. The rule that must not be broken: what
the filter began with is the least it reckons with.
"""

from collections.abc import Sequence
from statistics import median

from edge_agent.core.presence.ward import Bin, Fact, Place, TagOf, Ward

EVERY_BINS = 60
AWAY_LEAST = 5
"""Fewer tags that were sent away tell nothing of the middle one."""
AFTER_BINS = 60
"""A tag is counted only so long after the book last spoke of it: it may have been on its way."""
MEMORY_ROUNDS = 43_200.0
"""Rounds after which what was counted is halved: a day of rounds of 2 s."""


class Ghosts:
    """The tags of one storeroom that the book has in no room."""

    def __init__(self, ward: Ward, least: float) -> None:
        self._least = least
        self._away: list[int | None] = [_away(tag.book, -AFTER_BINS) for tag in ward.tags]
        self._reads = [0.0] * len(ward.tags)
        self._rounds = [0.0] * len(ward.tags)
        self._live, self._bins, self._said = 0.0, 0, least

    def add(self, tag: TagOf) -> None:
        """Take one more tag."""
        self._away.append(_away(tag.book, -AFTER_BINS))
        self._reads.append(0.0)
        self._rounds.append(0.0)

    def note_facts(self, facts: Sequence[Fact]) -> None:
        """Take what the book learned."""
        for fact in facts:
            self._away[fact.tag] = _away(fact.to, self._bins)
            self._reads[fact.tag] = self._rounds[fact.tag] = 0.0

    def take(self, heard: Bin, rounds: int) -> float | None:
        """Take a bin with its live rounds; return the rate now and then, when it has changed."""
        self._bins += 1
        if rounds:
            self._live += rounds
            for row in heard.room:
                if self._is_counted(row[0]):
                    self._reads[row[0]] += row[1]
        if self._bins % EVERY_BINS:
            return None
        return self._learned()

    def _is_counted(self, tag: int) -> bool:
        since = self._away[tag]
        return since is not None and self._bins - since > AFTER_BINS

    def _learned(self) -> float | None:
        rates: list[float] = []
        for tag in range(len(self._away)):
            if self._is_counted(tag):
                self._rounds[tag] += self._live
            if self._rounds[tag]:
                rates.append(self._reads[tag] / self._rounds[tag])
            if self._rounds[tag] > MEMORY_ROUNDS:
                self._reads[tag], self._rounds[tag] = self._reads[tag] / 2, self._rounds[tag] / 2
        self._live = 0.0
        if len(rates) < AWAY_LEAST:
            return None
        rate = max(self._least, median(rates))
        changed, self._said = rate != self._said, rate
        return rate if changed else None


def _away(place: Place, since: int) -> int | None:
    return since if place is Place.OUT else None
