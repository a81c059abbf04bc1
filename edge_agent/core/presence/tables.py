"""How likely k reads of n rounds are, as tables: beta-binomial by read rate, computed once and looked up ever after.

Both forms of the filter look into the same tables, so that both come to the same numbers. Rates stand on a grid that
is even in the square root, so that seldom-heard tags are told apart. Bins of more than `ROUNDS` rounds are scaled down:
the rounds of one bin are not independent, and more of them would only add confidence that is not there.

The rule that must not be broken: a table knows nothing of a tag; it is a function of (rounds, rate, reads) alone.
"""

from collections.abc import Sequence
from functools import cache
from math import lgamma

ROUNDS = 30
"""Rounds of a bin that a table tells apart: 60 s of rounds of 2 s."""
LEVELS = 64
WIDTH = ROUNDS + 1
RATE_MIN, RATE_MAX = 1e-4, 0.98


def rate_of(level: int) -> float:
    """Return the read rate of a level of the grid."""
    return min(RATE_MAX, max(RATE_MIN, (level / (LEVELS - 1)) ** 2))


@cache
def beta_binomial(concentration: float) -> tuple[float, ...]:
    """Return log P(these k of n) for every (n, level, k), flat; without the binomial factor, which no state changes."""
    found: list[float] = []
    for rounds in range(WIDTH):
        for level in range(LEVELS):
            found += _row(rounds, rate_of(level), concentration)
    return tuple(found)


def _row(rounds: int, rate: float, concentration: float) -> Sequence[float]:
    a, b = rate * concentration, (1.0 - rate) * concentration
    whole = lgamma(a + b) - lgamma(a) - lgamma(b) - lgamma(a + b + rounds)
    told = [whole + lgamma(a + reads) + lgamma(b + rounds - reads) for reads in range(rounds + 1)]
    return told + [told[-1]] * (ROUNDS - rounds)
