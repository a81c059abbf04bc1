"""How far a sample of lines speaks for a whole storeroom: the exact interval of a share (Clopper and Pearson). Pure.

A ward that is right on 99 lines of 100 fails a check of 20 lines almost one time in five, so that a share is never
shown without how many lines it rests on and where the truth may lie. That a storeroom has only so many lines is left
out: the interval is then a little too wide, never too narrow. The rule that must not be broken: it holds the truth at
least 95 times of 100, however few lines were counted.

Source: E5 (the gate is people's spot count; sample size and interval stand on the sheet).
"""

from collections.abc import Callable
from math import exp, lgamma, log

TAIL = 0.025
"""Left out on each side."""
HALVINGS = 50


def sample_interval(right: int, counted: int) -> tuple[float, float]:
    """Return where the share of right lines may lie, of `counted` lines of which so many were right."""
    if counted <= 0:
        return 0.0, 1.0
    low = 0.0 if right == 0 else _where(lambda share: _at_least(right, counted, share) >= TAIL)
    high = 1.0 if right == counted else _where(lambda share: 1.0 - _at_least(right + 1, counted, share) < TAIL)
    return low, high


def _where(holds: Callable[[float], bool]) -> float:
    """Return the share from which something holds."""
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return (low + high) / 2


def _at_least(right: int, counted: int, share: float) -> float:
    """Return the chance of so many right lines or more, where each is right with a chance above 0 and below 1."""
    return min(1.0, sum(exp(_log_chance(k, counted, share)) for k in range(right, counted + 1)))


def _log_chance(k: int, n: int, share: float) -> float:
    ways = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
    return ways + k * log(share) + (n - k) * log(1.0 - share)
