"""Lines whose record is doubted: count them before they are ordered, a few a ward and day, and never for long.

The trust in a line is the share of its pieces that are not expected to be wrong (see `core.counts`). A due line of
little trust waits for a count when there is one to be had: a storeroom is asked for a few lines a day. The rule that
must not be broken: no line starves. What is vital, what nobody can be asked to count today, and what was counted or
asked for a day ago is ordered.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

TRUST_MIN = 0.9
"""Trust in a line's record below which somebody should count it before it is ordered."""

WAIT_MAX_H = 24.0
"""Hours an order waits for a count."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A due line: trust in its record (0..1), whether it is vital, and hours since it was asked to be counted.

    `asked_h` is None for one that nobody was asked to count lately, and infinite for one that was counted since.
    """

    place: str
    item: str
    trust: float
    vital: bool
    asked_h: float | None = None


@dataclass(frozen=True, slots=True)
class Counting:
    """Lines that a storeroom is asked to count now, and all that are not ordered until they are counted."""

    ask: tuple[Doubt, ...]
    wait: tuple[Doubt, ...]


def trust_of(wrong: float, pieces: int) -> float:
    """Return the share of a line's pieces that are not expected to be wrong."""
    return max(0.0, 1.0 - wrong / max(1, pieces))


def counting(doubts: Sequence[Doubt], left: Mapping[str, int]) -> Counting:
    """Return which due lines wait for a count; `left` are the counts that each storeroom may still be asked for."""
    used: Counter[str] = Counter()
    ask, wait = [], []
    for one in sorted(doubts, key=lambda one: (one.place, not one.vital, one.trust, one.item)):
        if one.trust >= TRUST_MIN:
            continue
        if one.asked_h is None and used[one.place] < left.get(one.place, 0):
            used[one.place] += 1
            ask.append(one)
        elif one.asked_h is None or one.asked_h >= WAIT_MAX_H:
            continue
        if not one.vital:
            wait.append(one)
    return Counting(tuple(ask), tuple(wait))
