"""Two bins: cheap things in two equal bins, the empty one is the order, and nobody counts pieces.

A bin must last until the refill of the other comes. Each card stands for one bin: full, empty, or ordered; an order
answers the bins that were empty longest, and what arrives fills those ordered longest. The rule that must not be
broken: a bin is ordered once for each time it was emptied, however often its empty bin is reported.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

from central.core.reorder.reference import demand_quantile
from central.core.reorder.waits import Wait
from central.errors import BadInput
from protocols.values.instant import Instant

BINS = 2
BIN_QUANTILE = 0.98
"""A bin lasts through so many of its refills."""


@dataclass(frozen=True, slots=True)
class TwoBin:
    """One item in `bins` equal bins of `size` base units; bins reported empty, and units already on the way."""

    size: int
    empty: int
    on_order: int
    bins: int = BINS

    def __post_init__(self) -> None:
        if self.size < 1 or not 0 <= self.empty <= self.bins or self.on_order < 0:
            raise BadInput(f"two bins: expected a size from 1 and 0..{self.bins} empty ones, got {self}")


def two_bin_need(bins: TwoBin) -> int:
    """Return the base units to order: whole bins that are empty and not yet on the way."""
    return max(0, bins.empty - ceil(bins.on_order / bins.size)) * bins.size


def bin_size(wait: Wait, pack: int) -> int:
    """Return the size of a bin in whole packs: what is asked for until a refill comes, nearly always."""
    mean = sum(part * weight for part, _, weight in wait.parts)
    square = sum((spread + part * part) * weight for part, spread, weight in wait.parts)
    needed = demand_quantile(mean, square - mean * mean, BIN_QUANTILE)
    return max(1, ceil(needed / pack)) * pack


@dataclass(frozen=True, slots=True)
class Card:
    """A card was shown: its bin of `qty` base units is empty."""

    at: Instant
    card: str
    qty: int


@dataclass(frozen=True, slots=True)
class Moved:
    """Base units of the item that were ordered for the place, or arrived there."""

    at: Instant
    qty: int
    arrived: bool


def bins_after(happened: Iterable[Card | Moved]) -> list[TwoBin]:
    """Return the bins of one item at one place, one entry a size, after all that happened; the order does not matter.

    A card shown again before its bin was filled is the same need. An order takes as many whole bins as it pays for, the
    one empty longest first; an arrival fills those ordered longest, and then the empty ones.
    """
    size: dict[str, int] = {}
    empty: list[str] = []
    coming: list[str] = []
    for one in sorted(happened, key=lambda each: (each.at, not isinstance(each, Card))):
        if isinstance(one, Card):
            size.setdefault(one.card, one.qty)
            if one.card not in empty and one.card not in coming:
                size[one.card] = one.qty
                empty.append(one.card)
        elif one.arrived:
            _take([coming, empty], one.qty, size)
        else:
            coming += _take([empty], one.qty, size)
    return [
        TwoBin(
            qty,
            sum(size[card] == qty for card in (*empty, *coming)),
            sum(size[card] for card in coming if size[card] == qty),
            sum(each == qty for each in size.values()),
        )
        for qty in sorted(set(size.values()))
    ]


def _take(queues: list[list[str]], qty: int, size: dict[str, int]) -> list[str]:
    """Take bins off queues, the first first, as long as a quantity pays for them whole; return those taken."""
    taken: list[str] = []
    for queue in queues:
        while queue and size[queue[0]] <= qty:
            qty -= size[queue[0]]
            taken.append(queue.pop(0))
    return taken
