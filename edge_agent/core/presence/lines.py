"""How many pieces of an item are here, from the probabilities of its tags: a count, an interval, whether to certify.

Tags are taken as independent given their probabilities, so the count is Poisson-binomial. The rule that must not be
broken: nothing is claimed with more than `CLAIM_MAX`, however sure the readers seem.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edge_agent.core.presence.calibration import CLAIM_MAX

CERTIFY = 0.99
TAIL = 0.025
"""Probability left out on each side of the interval."""


@dataclass(frozen=True, slots=True)
class LineCount:
    """One item's pieces here: the likeliest count, an interval that holds it in 95 of 100 cases, `p` of the count."""

    item: str
    count: int
    low: int
    high: int
    p: float

    @property
    def certified(self) -> bool:
        """Return whether the count may stand without a person."""
        return self.p >= CERTIFY


def count_line(item: str, chances: Sequence[float]) -> LineCount:
    """Return the count of one item from P(here) of each of its tags."""
    spread = [1.0]
    for p in chances:
        spread = [
            (spread[k] * (1.0 - p) if k < len(spread) else 0.0) + (spread[k - 1] * p if k else 0.0)
            for k in range(len(spread) + 1)
        ]
    count = max(range(len(spread)), key=spread.__getitem__)
    return LineCount(item, count, _quantile(spread, TAIL), _quantile(spread, 1.0 - TAIL), min(CLAIM_MAX, spread[count]))


def count_lines(tags: Iterable[tuple[str, float]]) -> list[LineCount]:
    """Return a count for every item, in the order in which items first appear; tags are (item, P(here))."""
    chances: dict[str, list[float]] = {}
    for item, p in tags:
        chances.setdefault(item, []).append(p)
    return [count_line(item, those) for item, those in chances.items()]


def _quantile(spread: Sequence[float], share: float) -> int:
    below = 0.0
    for count, p in enumerate(spread):
        below += p
        if below >= share - 1e-12:
            return count
    return len(spread) - 1
