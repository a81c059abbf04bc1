"""Reads of a slow reader, gathered over bins until they tell antennas apart.

A reader that goes round once a minute reads a tag twice in a bin, which says nothing of the shelf it stands on; a few
bins together do. A reader fast enough for a bin is passed on untouched. The rule that must not be broken: what was
heard while an antenna did not listen is never mixed with what was heard while all did.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import nan

from edge_agent.core.presence.shelves import READS_LEAST
from edge_agent.core.presence.ward import Bin


class Gathering:
    """What was heard of each tag and not passed on yet; at most all tags at all antennas of the room `names`."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._held: dict[int, dict[str, int]] = {}

    def take(self, heard: Bin, listened: Sequence[int]) -> Bin:
        """Return a bin as shelves may take it; `listened` says of each antenna whether it listened (1) or not (0)."""
        fast = max((heard.rounds.get(name, 0) for name in self._names), default=0) >= READS_LEAST
        if fast or not all(listened):
            self._held.clear()
            return heard
        for tag, name, reads, _ in heard.ant or ():
            row = self._held.setdefault(tag, {})
            row[name] = row.get(name, 0) + reads
        ready = [tag for tag, row in self._held.items() if sum(row.values()) >= READS_LEAST]
        told = [(tag, name, reads, nan) for tag in ready for name, reads in self._held.pop(tag).items()]
        return replace(heard, ant=tuple(told) or None)
