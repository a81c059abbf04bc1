"""How sure a line's physical count is: the distribution of how many of its pieces are there, piece by piece.

Each piece is there with its own probability, independently; their number is Poisson-binomial. Not here: where the
probabilities come from. The rule that must not be broken: nothing is certified that no reader can hear, and never more
than `CERTAINTY_MAX` is claimed.

Source: PRESENCE.md, a line is certified from .99 and never claims more than .995; Poisson-binomial: Wang 1993.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

CERTIFIED_FROM = 0.99
CERTAINTY_MAX = 0.995
TAIL = 0.025
"""On each side of the interval that is said: 95 %."""


@dataclass(frozen=True, slots=True)
class Certainty:
    """A line's count as far as readers know it: most likely between `low` and `high`, and how sure `book` is right."""

    low: int
    high: int
    book_right: float
    certified: bool


def certainty(book: int, chances: Sequence[float], loose: int) -> Certainty:
    """Return how sure a line is: `chances` that each tagged piece is there, and `loose` pieces that nothing hears."""
    counts = distribution(chances)
    right = counts[book - loose] if 0 <= book - loose < len(counts) else 0.0
    claimed = min(right, CERTAINTY_MAX)
    below = list(accumulate(counts))
    low = next((count for count, mass in enumerate(below) if mass > TAIL), 0)
    high = next((count for count, mass in enumerate(below) if mass >= 1 - TAIL), len(chances))
    return Certainty(low + loose, high + loose, claimed, certified=not loose and claimed >= CERTIFIED_FROM)


def distribution(chances: Sequence[float]) -> list[float]:
    """Return P(so many are there) for 0 to all, each there with its own chance."""
    counts = [1.0]
    for chance in chances:
        missed = [mass * (1 - chance) for mass in counts]
        found = [mass * chance for mass in counts]
        counts = [a + b for a, b in zip([*missed, 0.0], [0.0, *found], strict=True)]
    return counts
