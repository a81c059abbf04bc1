"""What one more pack is worth to a line: the shortage it avoids while nothing else can come.

The rule that must not be broken: a further pack never avoids more than the one before it; allocation and budget stand
on that.
"""

from itertools import pairwise

from central.core.reorder.reference import losses_of
from central.core.reorder.waits import Wait

PACKS_MAX = 100_000
"""Packs of one line anyone divides up."""


def avoided(wait: Wait, position: int, pack: int, packs: int) -> tuple[float, ...]:
    """Return the units of shortage that the first, second … pack avoids for a line at a position."""
    table = losses_of(wait)

    def missed(level: int) -> float:
        if level < 0:
            return table.loss[0] * table.step - level
        at, rest = divmod(level, table.step)
        here = table.loss[at] if at <= table.last else 0.0
        there = table.loss[at + 1] if at < table.last else 0.0
        return (here + (there - here) * rest / table.step) * table.step

    levels = (position + pack * count for count in range(min(packs, PACKS_MAX) + 1))
    return tuple(max(0.0, before - after) for before, after in pairwise([missed(level) for level in levels]))
