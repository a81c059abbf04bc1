"""Divide what there is: a short store among those who ask it, and a budget among lines, pack by pack.

Each next pack goes where it avoids most (Fox 1966): because further packs of a line avoid less and less, this is the
best division there is, for packs that cost the same; for a budget it is the best up to the last pack that no longer
fits. The rule that must not be broken: what was cut is told, and never more is given than there is or was asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace
from itertools import pairwise

from central.errors import BadInput
from protocols.values.money import Money

SLACK = 1e-9
PIECE = Money(1)
"""The price of what is counted and not paid for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One line that asks: what its first, second … pack avoids (weighted), and what a pack costs."""

    name: tuple[str, ...]
    gains: tuple[float, ...]
    price: Money = PIECE

    def __post_init__(self) -> None:
        falling = all(later <= earlier + SLACK for earlier, later in pairwise(self.gains))
        if not falling or any(gain < 0 for gain in self.gains) or self.price < 1:
            raise BadInput(f"division: expected gains that fall to 0 and a price above 0, got {self!r:.120}")


@dataclass(frozen=True, slots=True)
class Division:
    """Packs given and packs cut, by line; `avoided` in all, and the money left."""

    given: dict[tuple[str, ...], int]
    cut: dict[tuple[str, ...], int]
    avoided: float
    left: int


def ration(available: int, asked: Sequence[Asked]) -> Division:
    """Divide so many packs among those who ask."""
    return _divide(available, [Asked(one.name, one.gains) for one in asked])


def within_budget(budget: Money, asked: Sequence[Asked]) -> Division:
    """Spend a budget where a yuan avoids most; a pack that no longer fits is passed over, and with it its line."""
    return _divide(budget, asked)


def _divide(have: int, asked: Sequence[Asked]) -> Division:
    if have < 0:
        raise BadInput(f"division: expected 0 or more to divide, got {have}")
    given, total = {one.name: 0 for one in asked}, 0.0
    if len(given) != len(asked):
        raise BadInput("division: expected each line once")
    best = [(-one.gains[0] / one.price, one.name, at) for at, one in enumerate(asked) if one.gains]
    heapify(best)
    while best:
        gain, name, at = best[0]
        one = asked[at]
        if one.price > have or gain == 0:
            heappop(best)
            continue
        have -= one.price
        total += one.gains[given[name]]
        given[name] += 1
        if given[name] < len(one.gains):
            heapreplace(best, (-one.gains[given[name]] / one.price, name, at))
        else:
            heappop(best)
    cut = {one.name: len(one.gains) - given[one.name] for one in asked if given[one.name] < len(one.gains)}
    return Division(given, cut, total, have)
