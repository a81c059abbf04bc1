"""Two bins: cheap things in two equal bins, the empty one is the order, and nobody counts pieces.

A bin must last until the refill of the other comes. The rule that must not be broken: a bin is ordered once for each
time it was emptied, however often its empty bin is reported.
"""

from dataclasses import dataclass
from math import ceil

from central.core.reorder.reference import demand_quantile
from central.core.reorder.waits import Wait
from central.errors import BadInput

BINS = 2
BIN_QUANTILE = 0.98
"""A bin lasts through so many of its refills."""


@dataclass(frozen=True, slots=True)
class TwoBin:
    """One item in two bins of `size` base units; bins reported empty, and units already on the way."""

    size: int
    empty: int
    on_order: int

    def __post_init__(self) -> None:
        if self.size < 1 or not 0 <= self.empty <= BINS or self.on_order < 0:
            raise BadInput(f"two bins: expected a size from 1 and 0..{BINS} empty ones, got {self}")


def two_bin_need(bins: TwoBin) -> int:
    """Return the base units to order: whole bins that are empty and not yet on the way."""
    return max(0, bins.empty - ceil(bins.on_order / bins.size)) * bins.size


def bin_size(wait: Wait, pack: int) -> int:
    """Return the size of a bin in whole packs: what is asked for until a refill comes, nearly always."""
    mean = sum(part * weight for part, _, weight in wait.parts)
    square = sum((spread + part * part) * weight for part, spread, weight in wait.parts)
    needed = demand_quantile(mean, square - mean * mean, BIN_QUANTILE)
    return max(1, ceil(needed / pack)) * pack
