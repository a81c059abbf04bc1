"""The few operations by which the filter's one text serves two forms: a float for each tag, or a numpy column of all.

`Floats` is the live form. The columns' operations live in `columns`, the only file here that imports numpy, so that the
agent starts without it. The rule that must not be broken: both forms compute the same numbers, to the last few bits.
"""

from bisect import bisect_right
from collections.abc import Sequence
from math import exp, floor, log, sqrt
from typing import TYPE_CHECKING, Protocol, TypeVar

from edge_agent.core.presence.tables import LEVELS, WIDTH, beta_binomial

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

N = TypeVar("N", float, "NDArray[np.float64]")
"""A number of one tag, or the numbers of all tags. What is yes or no is 1 or 0."""

Table = Sequence[float]


class Ops(Protocol[N]):
    """What the steps need beyond + - * /."""

    def exp(self, x: N) -> N:
        """Return e to the power of x."""

    def log(self, x: N) -> N:
        """Return the natural logarithm of x."""

    def above(self, x: N, limit: N | float) -> N:
        """Return 1 where x is above the limit, else 0."""

    def level(self, rate: N) -> N:
        """Return the level of a read rate on the grid of the tables."""

    def look(self, concentration: float, level: N, rounds: N, reads: N) -> N:
        """Return the logarithm of the chance of `reads` in `rounds`, from a table."""

    def along(self, x: N, points: Sequence[float], values: Sequence[float]) -> N:
        """Return the value at x of a line through rising points; beyond its ends the nearest."""


class Floats:
    """One tag at a time, in plain Python."""

    def exp(self, x: float) -> float:
        """Return e to the power of x."""
        return exp(x)

    def log(self, x: float) -> float:
        """Return the natural logarithm of x."""
        return log(x)

    def above(self, x: float, limit: float) -> float:
        """Return 1 where x is above the limit, else 0."""
        return 1.0 if x > limit else 0.0

    def level(self, rate: float) -> float:
        """Return the level of a read rate on the grid of the tables."""
        return floor(sqrt(min(1.0, max(0.0, rate))) * (LEVELS - 1) + 0.5)

    def look(self, concentration: float, level: float, rounds: float, reads: float) -> float:
        """Return the logarithm of the chance of `reads` in `rounds`, from a table."""
        return beta_binomial(concentration)[(int(rounds) * LEVELS + int(level)) * WIDTH + int(reads)]

    def along(self, x: float, points: Sequence[float], values: Sequence[float]) -> float:
        """Return the value at x of a line through rising points; beyond its ends the nearest."""
        after = bisect_right(points, x)
        if after in (0, len(points)):
            return values[0] if after == 0 else values[-1]
        low, high = points[after - 1], points[after]
        slope = (values[after] - values[after - 1]) / (high - low)
        return slope * (x - low) + values[after - 1]
